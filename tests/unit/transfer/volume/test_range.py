"""The range of a volume that a transfer reads: within its bytes, and with holes in files only."""

from __future__ import annotations

import pytest

from libstorage import InvalidRequestError, VolumeSpec
from libstorage.operations import VOLUME_DOWNLOAD
from libstorage.transfer.volume.range import Part, VolumeRange, check_bytes, volume_range
from tests.unit.transfer.memory import VOLUME


def spec(kind: str = "file", *, capacity: int = 100, physical: int | None = None) -> VolumeSpec:
    """What libvirt reports of a volume."""
    size = "" if physical is None else f"<physical>{physical}</physical>"
    return VolumeSpec.from_xml(
        f"<volume type='{kind}'><name>v</name><capacity>{capacity}</capacity>{size}<target/></volume>"
    )


@pytest.mark.parametrize(("kind", "has_holes"), [("file", True), ("block", False), ("network", False)])
def test_only_files_have_holes(kind: str, has_holes: bool) -> None:
    for asked in (True, False):
        found = volume_range(VOLUME, spec(kind), Part(10, 20), holes=asked)
        assert found == VolumeRange(VOLUME, 10, 20, asked and has_holes)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (Part(0, None), (0, 60)),
        (Part(60, None), (60, 0)),
        (Part(59, 1), (59, 1)),
        (Part(60, 0), (60, 0)),
        (Part(61, None), None),
        (Part(61, 0), None),
        (Part(59, 2), None),
        (Part(0, 61), None),
    ],
)
def test_within_the_bytes_that_a_volume_has(part: Part, expected: tuple[int, int] | None) -> None:
    """The size of an image's file, which is not its capacity."""
    have = spec(capacity=100, physical=60)
    if expected is None:
        with pytest.raises(InvalidRequestError, match=r"are past the end of .*, which has 60 bytes"):
            volume_range(VOLUME, have, part, holes=False)
    else:
        found = volume_range(VOLUME, have, part, holes=False)
        assert (found.offset, found.length) == expected


@pytest.mark.parametrize("kind", ["dir", "netdir"])
def test_folders_have_none(kind: str) -> None:
    with pytest.raises(InvalidRequestError, match="is a directory"):
        check_bytes(VOLUME_DOWNLOAD, VOLUME, spec(kind))
