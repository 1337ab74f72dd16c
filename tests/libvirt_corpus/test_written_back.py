"""What libvirt makes of its documents is what we make of them, save for what a table gives reasons for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
from attrs import frozen

from libstorage.models.spec import Spec
from tests.corpus.canonical import canonical
from tests.corpus.documents import each, libvirts, read

pairs = each(libvirts("pool-in", "volume-in"))


def written_back(path: Path) -> Path:
    """What libvirt writes back for a ``-in`` document; those that it has no such file for, it writes back unchanged."""
    found = path.parent.with_name(path.parent.name.replace("-in", "-out")) / path.name
    return found if found.exists() else path


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


@pairs
def test_we_write_what_libvirt_writes_back(path: Path) -> None:
    assert [d for d in disagreements(path) if not any(row.covers(*d) for row in JUSTIFIED)] == []


@pytest.mark.parametrize("row", [pytest.param(row, id=f"{row.files} {row.path}") for row in JUSTIFIED])
def test_the_table_says_nothing_too_much(row: Justified) -> None:
    found = (d for path in libvirts("pool-in", "volume-in") for d in disagreements(path))
    assert any(row.covers(*d) for d in found)


@pairs
def test_libvirt_made_what_was_wanted(path: Path) -> None:
    """To people, what libvirt makes of a document is what they asked for."""
    want, have = read(path), read(written_back(path))
    assert isinstance(want, Spec)
    assert isinstance(have, Spec)
    assert have.differences(want) == ()
