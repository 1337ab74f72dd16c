"""What tests in several folders share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from lxml import etree

from libstorage.xml.document import Document, Element
from libstorage.xml.fast import NOT_FAST, fast_reader
from libstorage.xml.mapping import mapping_of

CHECKOUT = Path(__file__).resolve().parent.parent


def as_libvirt_prints(root: etree._Element) -> str:
    """An element as text, with single quotes around its attributes wherever that can be."""
    return re.sub('="([^"\']*)"', r"='\1'", etree.tostring(root, encoding="unicode"))


def read_fast(model: type[Document], text: str) -> Any:
    """What the fast reader makes of it, ``None`` when it does not answer."""
    try:
        return fast_reader(model)(text)
    except NOT_FAST:
        return None


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types throughout: ``==`` takes a word for its enum's member."""
    if isinstance(one, Element):
        names = [mapped.name for mapped in mapping_of(type(one)).fields]
        return type(one) is type(other) and all(same(getattr(one, n), getattr(other, n)) for n in names)
    if isinstance(one, tuple):
        return type(other) is tuple and len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)
