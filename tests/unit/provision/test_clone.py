"""What of a volume's document goes along when its clone is made in a pool of another type."""

from __future__ import annotations

import pytest

from libstorage import PoolType, UnsupportedError, VolumeFormat, VolumeSpec
from libstorage.connection.identity import PoolId
from libstorage.provision.clone import PoolFacts, check_pools, copy_of


def place(kind: PoolType) -> PoolFacts:
    return PoolFacts(PoolId("test:///", kind, ""), kind, 9_000_000)


@pytest.mark.parametrize(
    ("source", "form", "target", "expected"),
    [
        (PoolType.DIR, "qcow2", PoolType.NETFS, VolumeFormat.QCOW2),
        (PoolType.DIR, "iso", PoolType.FS, VolumeFormat.ISO),
        (PoolType.DISK, "linux-lvm", PoolType.DISK, VolumeFormat.LINUX_LVM),
        (PoolType.DISK, "linux-lvm", PoolType.DIR, VolumeFormat.RAW),
        (PoolType.LOGICAL, None, PoolType.DIR, VolumeFormat.RAW),
        (PoolType.DIR, "qcow2", PoolType.LOGICAL, None),
        (PoolType.DIR, "raw", PoolType.DISK, None),
    ],
)
def test_formats_of_files_are_no_formats_of_devices(
    source: PoolType, form: str | None, target: PoolType, expected: VolumeFormat | None
) -> None:
    have = VolumeSpec.from_xml(
        "<volume><name>v</name><capacity>4096</capacity><target>"
        + (f"<format type='{form}'/>" if form else "")
        + "</target></volume>"
    )
    assert copy_of(have, "clone", place(source), place(target)).target.format == expected


@pytest.mark.parametrize(
    ("mode", "source", "target", "hint"),
    [
        ("reflink", PoolType.DISK, PoolType.DIR, "mode='copy'"),
        ("copy", PoolType.GLUSTER, PoolType.DIR, "own tools"),
        ("linked", PoolType.RBD, PoolType.DIR, "own tools"),
        ("copy", PoolType.ISCSI, PoolType.ZFS, "copy_to"),
        ("linked", PoolType.DIR, PoolType.LOGICAL, "mode='copy'"),
    ],
)
def test_what_is_told_to_use_instead(mode: str, source: PoolType, target: PoolType, hint: str) -> None:
    with pytest.raises(UnsupportedError) as refused:
        check_pools(mode, place(source), place(target))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert hint in (refused.value.hint or "")
    assert refused.value.outcome == "not_started"


def test_a_clone_within_rbd() -> None:
    check_pools("copy", place(PoolType.RBD), place(PoolType.RBD))
