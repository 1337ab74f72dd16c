"""libvirt's own documents: read, written and compared with what libvirt writes back for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen
from lxml import etree

from libstorage.errors import DocumentError
from libstorage.models.capabilities import PoolCapabilities
from libstorage.models.discovery import PoolSources, SourceQuery
from libstorage.models.pool import PoolSpec
from libstorage.models.secret import SecretSpec
from libstorage.models.spec import Spec
from libstorage.models.volume import VolumeSpec
from libstorage.xml.document import Document
from libstorage.xml.parse import parse
from tests.corpus.canonical import canonical
from tests.support import CORPUS, corpus_documents

OURS = Path(__file__).parent / "ours"
MODELS: dict[str, type[Document]] = {
    model.ROOT: model
    for model in (PoolSpec, VolumeSpec, SecretSpec, PoolCapabilities, PoolSources, SourceQuery)
}

READABLE = corpus_documents("pool-in", "pool-out", "volume-in", "volume-out", "capabilities")
WRITTEN_BY_LIBVIRT = corpus_documents("pool-out", "volume-out", "capabilities")
PAIRS = corpus_documents("pool-in", "volume-in")
OWN = [pytest.param(path, id=f"ours/{path.name}") for path in sorted(OURS.glob("*.xml"))]


def read(path: Path) -> Document:
    data = path.read_bytes()
    return MODELS[str(parse(data).tag)].from_xml(data)


def written_back(path: Path) -> Path:
    """What libvirt writes back for a ``-in`` document; those that it has no such file for, it writes back unchanged."""
    found = path.parent.with_name(path.parent.name.replace("-in", "-out")) / path.name
    return found if found.exists() else path


# ---- reading and writing --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", READABLE)
def test_nothing_is_unknown(path: Path) -> None:
    document: Any = read(path)
    assert document.unknown == ()


@pytest.mark.parametrize("path", READABLE + OWN)
def test_written_and_read_again_it_is_the_same(path: Path) -> None:
    document = read(path)
    assert type(document).from_xml(document.to_xml(reported=True)) == document


@pytest.mark.parametrize("path", WRITTEN_BY_LIBVIRT)
def test_it_is_written_as_libvirt_does(path: Path) -> None:
    """To the letter, but for elements with nothing in them, which libvirt writes with two tags or with one."""
    empty = re.compile(r"<([a-z]+)([^<>/]*)>\s*</\1>")
    assert empty.sub(r"<\1\2/>", read(path).to_xml(reported=True)) == empty.sub(r"<\1\2/>", path.read_text())


@pytest.mark.parametrize("path", READABLE)
def test_the_order_of_elements_says_nothing(path: Path) -> None:
    root = parse(path.read_bytes())
    for element in root.iter():
        turned_round(element)
    assert type(read(path)).from_xml(etree.tostring(root)) == read(path)


def turned_round(parent: etree._Element) -> None:
    """The last kind of child first; those of one kind stay in their order, which does say something."""
    parent[:] = sorted(parent, key=lambda child: str(child.tag), reverse=True)


# ---- what libvirt writes back ---------------------------------------------------------------------------------------


@frozen
class Justified:
    """A difference between what we write and what libvirt writes back that is right."""

    files: str
    path: str
    reason: str
    ours: str | None = ".*"
    theirs: str | None = ".*"

    def covers(self, file: str, path: str, ours: str | None, theirs: str | None) -> bool:
        return (
            fnmatch(file, self.files)
            and re.fullmatch(self.path, path) is not None
            and _fits(self.ours, ours)
            and _fits(self.theirs, theirs)
        )


def _fits(pattern: str | None, value: str | None) -> bool:
    if pattern is None or value is None:
        return pattern is None and value is None
    return re.fullmatch(pattern, value) is not None


JUSTIFIED = (
    Justified(
        "pool-*",
        "/pool/(capacity|allocation|available)",
        "libvirt reports the sizes of a pool, 0 before it has seen it; those that it is given it drops",
        theirs="0",
        ours="[1-9][0-9]*",
    ),
    Justified(
        "pool-*", "/pool/(capacity|allocation|available)", "as above: those missing", ours=None, theirs="0"
    ),
    Justified(
        "pool-disk.xml", r"/pool/source/device/freeExtent.*", "libvirt finds free extents itself", theirs=None
    ),
    Justified(
        "pool-dir*", "/pool/target/path", "libvirt squeezes // and drops a last /", ours="///var//.*//"
    ),
    Justified("pool-netfs-slash.xml", "/pool/source/dir/@path", "libvirt drops a last /", ours=".*/"),
    Justified(
        "pool-dir*",
        "/pool/target/permissions/(owner|group)",
        "-1 is libvirt's own default",
        ours="-1",
        theirs=None,
    ),
    Justified(
        "vol-gluster-dir-neg-uid.xml",
        "/volume/target/permissions/(owner|group)",
        "-1 as an unsigned number",
        ours="4294967295",
        theirs=None,
    ),
    Justified(
        "pool-gluster.xml", "/pool/source/dir/@path", "the default directory is /", ours=None, theirs="/"
    ),
    Justified(
        "pool-logical-*",
        "/pool/source/name",
        "the default volume group is the pool's name",
        ours=None,
        theirs="HostVG",
    ),
    Justified(
        "pool-logical-*", "/pool/source/format/@type", "the default format is lvm2", ours=None, theirs="lvm2"
    ),
    Justified(
        "pool-netfs-auto.xml",
        "/pool/source/format/@type",
        "the default format is auto",
        ours=None,
        theirs="auto",
    ),
    Justified(
        "pool-logical-nopath.xml",
        "/pool/target/path",
        "libvirt makes it of the volume group",
        ours=None,
        theirs="/dev/HostVG",
    ),
    Justified(
        "pool-logical-create.xml",
        "/pool/target/path",
        "libvirt makes it of the volume group, whatever it is given",
        ours="/invalid/nonexistent/path",
        theirs="/dev/HostVG",
    ),
    Justified(
        "pool-zfs*",
        "/pool/target/path",
        "libvirt makes it of the zpool",
        ours=None,
        theirs="/dev/zvol/testpool",
    ),
    Justified("vol-*", "/volume/@type", "libvirt reports the type", ours=None, theirs="file"),
    Justified("vol-*", "/volume/source(/.*)?", "libvirt reports what a volume lies on", theirs=None),
    Justified(
        "vol-*", "/volume/target/timestamps/.time", "libvirt reports what the file system says", theirs=None
    ),
    Justified(
        "vol-file*", "/volume/target/format/@type", "the default format is raw", ours=None, theirs="raw"
    ),
    Justified(
        "vol-qcow2-*",
        "/volume/target/compat",
        "features and cluster size imply it",
        ours=None,
        theirs="1.1",
    ),
    Justified(
        "vol-qcow2-nocapacity.xml",
        "/volume/(capacity|allocation)",
        "0 stands for missing",
        ours=None,
        theirs="0",
    ),
    Justified(
        "vol-qcow2-nocow.xml", "/volume/target/nocow", "libvirt never prints it back", ours="", theirs=None
    ),
)


def disagreements(path: Path) -> Iterator[tuple[str, str, str | None, str | None]]:
    """Where what we write for a document is not what libvirt writes: file, path, our value, libvirt's."""
    ours = canonical(read(path).to_xml(reported=True))
    theirs = canonical(written_back(path).read_bytes())
    for place in sorted({*ours, *theirs}):
        if ours.get(place) != theirs.get(place):
            yield path.name, place, ours.get(place), theirs.get(place)


@pytest.mark.parametrize("path", PAIRS)
def test_we_write_what_libvirt_writes_back(path: Path) -> None:
    assert [d for d in disagreements(path) if not any(row.covers(*d) for row in JUSTIFIED)] == []


@pytest.mark.parametrize("row", [pytest.param(row, id=f"{row.files} {row.path}") for row in JUSTIFIED])
def test_the_table_says_nothing_too_much(row: Justified) -> None:
    paths = [path for mark in PAIRS for path in mark.values if path != CORPUS]
    if not paths:
        pytest.skip(f"not run: no documents in {CORPUS}")
    found = (d for path in paths if isinstance(path, Path) for d in disagreements(path))
    assert any(row.covers(*d) for d in found)


@pytest.mark.parametrize("path", PAIRS)
def test_libvirt_made_what_was_wanted(path: Path) -> None:
    """To people, what libvirt makes of a document is what they asked for."""
    want, have = read(path), read(written_back(path))
    assert isinstance(want, Spec)
    assert isinstance(have, Spec)
    assert have.differences(want) == ()


# ---- single documents -----------------------------------------------------------------------------------------------


def document(name: str) -> Path:
    found = CORPUS / "libvirt-9.0.0" / name
    if not found.exists():
        pytest.skip(f"not run: {found} is not there; set LIBSTORAGE_CORPUS to libvirt's corpus")
    return found


@pytest.mark.parametrize(
    "name", ["logical", "rbd", "sheepdog", "gluster", "zfs", "vstorage"], ids=lambda name: f"pool-{name}"
)
def test_a_missing_name_is_the_sources(name: str) -> None:
    path = OURS / "pool-sheepdog.xml" if name == "sheepdog" else document(f"pool-in/pool-{name}.xml")
    root = etree.fromstring(path.read_bytes())
    root.remove(root.findall("name")[0])
    unnamed = PoolSpec.from_xml(etree.tostring(root))

    assert unnamed.name == root.findtext("source/name")
    assert f"<pool type='{name}'>\n  <name>{unnamed.name}</name>\n" in unnamed.to_xml()


def test_a_pool_without_any_name_is_refused() -> None:
    root = etree.fromstring(document("pool-in/pool-fs.xml").read_bytes())
    root.remove(root.findall("name")[0])
    with pytest.raises(DocumentError, match=r"/pool \(line 1\): <name> is missing"):
        PoolSpec.from_xml(etree.tostring(root))


def test_a_volume_without_source_is_read() -> None:
    """What the schema accepts besides: no source, no backing store."""
    assert isinstance(read(document("schema-cases/qcow2-no-source.xml")), VolumeSpec)


def test_what_the_schema_refuses_is_readable_and_not_sound() -> None:
    found = read(document("schema-cases/dir-missing-target-path-invalid.xml"))
    with pytest.raises(DocumentError, match=r"PoolSpec\.target\.path: "):
        found.check()


@pytest.mark.parametrize("path", OWN)
def test_ours_keep_what_is_unknown(path: Path) -> None:
    """Nothing gets lost: canonical forms are equal, but for the order of what is unknown."""
    assert canonical(read(path).to_xml(reported=True)) == canonical(path.read_bytes())


def test_evolved_documents_keep_what_is_unknown() -> None:
    for mark in OWN:
        found: Any = read(mark.values[0])  # type: ignore[arg-type]
        assert evolve(found).unknown == found.unknown
