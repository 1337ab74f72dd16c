"""The documents that tests read: ours, and libvirt's own where `make corpus` has laid them out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from libstorage.models.capabilities import PoolCapabilities
from libstorage.models.discovery import PoolSources, SourceQuery
from libstorage.models.pool import PoolSpec
from libstorage.models.secret import SecretSpec
from libstorage.models.volume import VolumeSpec
from libstorage.xml.document import Document
from libstorage.xml.parse import parse
from tests.support import CHECKOUT

OURS = CHECKOUT / "tests" / "corpus" / "ours"
LIBVIRTS = CHECKOUT / ".corpus"
"""Where ``tools/libvirt-corpus`` puts libvirt's documents.  Nothing of the default run reads it."""

MODELS: dict[str, type[Document]] = {
    model.ROOT: model
    for model in (PoolSpec, VolumeSpec, SecretSpec, PoolCapabilities, PoolSources, SourceQuery)
}


def ours() -> list[Path]:
    """Every document of ours."""
    return sorted(OURS.glob("*.xml"))


def printed_by_a_daemon() -> list[Path]:
    """Those of ours that a real daemon printed, save one whose owner is a number that libvirt prints as below zero."""
    return [path for path in sorted(OURS.glob("printed-*.xml")) if "negative-owner" not in path.stem]


def printed(path: Path) -> str:
    """What the daemon printed: such a document without the comment that names its case."""
    comment, _, text = path.read_text(encoding="utf-8").partition("-->\n")
    assert comment.startswith("<!--")
    return text


def libvirts(*kinds: str) -> list[Path]:
    """Libvirt's documents of these kinds (``pool-in``, ``volume-out`` ...), or of all."""
    return [path for kind in kinds or ("*",) for path in sorted(LIBVIRTS.glob(f"{kind}/*.xml"))]


def each(paths: Iterable[Path]) -> pytest.MarkDecorator:
    """A test of every one of these documents, which takes its ``path``."""
    found = [pytest.param(path, id=f"{path.parent.name}/{path.name}") for path in paths]
    return pytest.mark.parametrize("path", found)


def texts(paths: Iterable[Path], root: str | None = None) -> list[bytes]:
    """What is in these documents, or in those of one kind."""
    found = [path.read_bytes() for path in paths]
    return [text for text in found if root in (None, parse(text).tag)]


def model_of(text: str | bytes) -> type[Document]:
    """The class that reads a document."""
    return MODELS[str(parse(text).tag)]


def read(path: Path) -> Document:
    """The document of a file."""
    data = path.read_bytes()
    return model_of(data).from_xml(data)
