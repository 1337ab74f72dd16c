"""Our own documents, read and written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from lxml import etree

from libstorage.errors import DocumentError
from libstorage.models.pool import PoolSpec
from libstorage.models.volume import VolumeSpec
from libstorage.xml.parse import parse
from tests.corpus import laws
from tests.corpus.canonical import canonical
from tests.corpus.documents import each, ours, printed, printed_by_a_daemon, read, texts

ours_each = each(ours())


@ours_each
def test_written_and_read_again_it_is_the_same(path: Path) -> None:
    laws.written_and_read_again_it_is_the_same(path)


@ours_each
def test_the_order_of_elements_says_nothing(path: Path) -> None:
    laws.the_order_of_elements_says_nothing(path)


@ours_each
def test_what_is_unknown_is_kept(path: Path) -> None:
    """Nothing gets lost: canonical forms are equal, but for the order of what is unknown."""
    assert canonical(read(path).to_xml(reported=True)) == canonical(path.read_bytes())


def test_evolved_documents_keep_what_is_unknown() -> None:
    found: list[Any] = [read(path) for path in ours()]
    newer = [document for document in found if document.unknown]
    assert len(newer) > 5
    for document in newer:
        assert evolve(document).unknown == document.unknown


@each(printed_by_a_daemon())
def test_it_is_written_as_the_daemon_printed_it(path: Path) -> None:
    laws.written_as_libvirt_does(printed(path))


# ---- single documents -----------------------------------------------------------------------------------------------


def pool_of(type_: str) -> etree._Element:
    """The first of our pools of a type that names its source."""
    pools = (parse(text) for text in texts(ours(), "pool"))
    return next(pool for pool in pools if pool.get("type") == type_ and pool.findtext("source/name"))


@pytest.mark.parametrize("type_", ["logical", "rbd", "sheepdog", "gluster", "zfs", "vstorage"])
def test_a_missing_name_is_the_sources(type_: str) -> None:
    root = pool_of(type_)
    for name in root.findall("name"):
        root.remove(name)
    unnamed = PoolSpec.from_xml(etree.tostring(root))

    assert unnamed.name == root.findtext("source/name")
    assert re.match(
        f"<pool type='{type_}'[^>]*>\n  <name>{re.escape(unnamed.name)}</name>\n", unnamed.to_xml()
    )


def test_a_pool_without_any_name_is_refused() -> None:
    pool = (
        "<pool type='fs'><source><device path='/dev/sdb1'/></source><target><path>/a</path></target></pool>"
    )
    with pytest.raises(DocumentError, match=r"/pool \(line 1\): <name> is missing"):
        PoolSpec.from_xml(pool)


def test_a_volume_without_source_is_read() -> None:
    """What the schema accepts besides: no source, no backing store."""
    volume = "<volume><name>a</name><capacity>1</capacity><target><format type='qcow2'/></target></volume>"
    assert VolumeSpec.from_xml(volume, strict=True).name == "a"


def test_what_the_schema_refuses_is_readable_and_not_sound() -> None:
    found = PoolSpec.from_xml("<pool type='dir'><name>a</name><target/></pool>")
    with pytest.raises(DocumentError, match=r"PoolSpec\.target\.path: "):
        found.check()
