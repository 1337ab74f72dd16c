"""What tests in several folders share."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from libstorage.xml.document import Document
from libstorage.xml.fast import NOT_FAST, fast_reader

CHECKOUT = Path(__file__).resolve().parent.parent
CORPUS = Path(os.environ.get("LIBSTORAGE_CORPUS") or CHECKOUT.parent / "shared" / "corpus")


def corpus_documents(*kinds: str) -> list[pytest.ParameterSet]:
    """Every document of the corpus of these kinds (``pool-in``, ``volume-out`` ...), for ``parametrize``.

    The corpus is libvirt's own test data, kept beside the checkout. Where it is missing, the one parameter that
    comes back makes the test count as not run.
    """
    paths = sorted(path for kind in kinds for path in CORPUS.glob(f"*/{kind}/**/*.xml"))
    if paths:
        return [pytest.param(path, id=f"{path.relative_to(CORPUS)}") for path in paths]
    reason = f"not run: no documents of {' or '.join(kinds)} in {CORPUS}; set LIBSTORAGE_CORPUS to libvirt's corpus"
    return [pytest.param(CORPUS, marks=pytest.mark.skip(reason=reason), id="no corpus")]


def as_libvirt_prints(root: etree._Element) -> str:
    """An element as text, with single quotes around its attributes wherever that can be."""
    return re.sub('="([^"\']*)"', r"='\1'", etree.tostring(root, encoding="unicode"))


def read_fast(model: type[Document], text: str) -> Any:
    """What the fast reader makes of it, ``None`` when it does not answer."""
    try:
        return fast_reader(model)(text)
    except NOT_FAST:
        return None
