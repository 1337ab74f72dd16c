"""Differences as people mean them, and every change that libvirt makes itself."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from libstorage.models.adapters import ParentAddress, PciAddress, ScsiHostAdapter
from libstorage.models.auth import Auth
from libstorage.models.compare import NORMALISATIONS, Difference, Normalisation, has_capacity
from libstorage.models.encryption import Cipher, Encryption, Ivgen
from libstorage.models.permissions import Permissions
from libstorage.models.pool import PoolSpec
from libstorage.models.pool_parts import PoolFeatures, PoolRefresh, PoolTarget, RefreshVolume
from libstorage.models.secret import SecretSpec
from libstorage.models.source_parts import Device, SourceHost
from libstorage.models.sources import DirSource, FsSource
from libstorage.models.spec import Spec
from libstorage.models.volume import (
    BackingStore,
    Extent,
    VolumeDevice,
    VolumeFeatures,
    VolumeSource,
    VolumeSpec,
    VolumeTarget,
)
from libstorage.units import GiB, MiB, Size
from libstorage.xml.fields import Unknown

RAW = VolumeSpec.raw("v", "1 GiB")
DIR = PoolSpec.dir("d", "/srv")


def fields(have: Any, want: Any) -> list[str]:
    return [difference.field for difference in have.differences(want)]


# ---- what counts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("have", "want", "expected"),
    [
        (RAW, RAW, []),
        (RAW, VolumeSpec.raw("w", "2 GiB"), ["name", "capacity"]),
        (RAW, VolumeSpec(name="v"), []),
        (VolumeSpec(name="v"), RAW, ["capacity", "target.format"]),
        (VolumeSpec(name="v", key="/a", physical=1), VolumeSpec(name="v", key="/b", physical=2), []),
        (RAW, VolumeSpec.raw("v", "1 GiB", nocow=True), []),
        (RAW, attrs.evolve(RAW, unknown=(Unknown("/volume/a", "<a/>"),)), ["unknown"]),
        (DIR, PoolSpec.dir("d", "/srv", permissions=Permissions(mode=0o755)), ["target.permissions"]),
        (
            PoolSpec.dir("d", "/srv", permissions=Permissions(mode=0o700, owner=1)),
            PoolSpec.dir("d", "/srv", permissions=Permissions(mode=0o755)),
            ["target.permissions.mode"],
        ),
        (DIR, PoolSpec.dir("d", "/srv", permissions=Permissions()), []),
        (DIR, PoolSpec.dir("d", "/srv", permissions=Permissions(owner=-1)), []),
        (DIR, attrs.evolve(DIR, features=PoolFeatures()), []),
        (DIR, attrs.evolve(DIR, features=PoolFeatures(cow=False)), ["features"]),
        (attrs.evolve(DIR, features=PoolFeatures(cow=True)), DIR, []),
        (DIR, PoolSpec.fs("d", "/srv", "/dev/sdb1"), ["source"]),
        (
            PoolSpec.fs("f", "/srv", "/dev/sda1", mount_options=["ro"]),
            PoolSpec.fs("f", "/srv", "/dev/sdb1", mount_options=["rw"]),
            ["source.device.path", "mount_options"],
        ),
        (
            PoolSpec.rbd("r", hosts=["a", "b:1"], source_name="p"),
            PoolSpec.rbd("r", hosts=["a", "c"], source_name="p"),
            ["source.hosts[1].name"],
        ),
        (
            PoolSpec.rbd("r", hosts=["a", "b"], source_name="p"),
            PoolSpec.rbd("r", hosts=["a"], source_name="p"),
            ["source.hosts"],
        ),
        (
            PoolSpec.rbd("r", hosts="a", source_name="p"),
            PoolSpec.rbd(
                "r", hosts="a", source_name="p", config_options={"x": "1"}, auth=Auth.ceph("u", usage="k")
            ),
            ["source.auth", "config_options"],
        ),
        (
            PoolSpec.rbd("r", hosts="a", source_name="p"),
            attrs.evolve(
                PoolSpec.rbd("r", hosts="a", source_name="p"), refresh=PoolRefresh(volume=RefreshVolume())
            ),
            [],
        ),
        (
            VolumeSpec.qcow2("v", 1024, backing=BackingStore(path="/a", format="raw")),
            VolumeSpec.qcow2("v", 1024, backing=BackingStore(path="/b")),
            ["backing_store.path"],
        ),
        (
            VolumeSpec.qcow2("v", 1024),
            VolumeSpec.qcow2("v", 1024, lazy_refcounts=True, encryption=Encryption.luks(usage="k")),
            ["target.encryption", "target.features"],
        ),
        (
            VolumeSpec.raw("v"),
            attrs.evolve(RAW, capacity=None, target=VolumeTarget(permissions=Permissions())),
            [],
        ),
        (
            VolumeSpec.qcow2("v"),
            VolumeSpec(name="v", target=VolumeTarget(format="qcow2", features=VolumeFeatures())),
            [],
        ),
        (SecretSpec.ceph("a"), SecretSpec.ceph("b", private=True), ["private", "usage.name"]),
    ],
)
def test_differences(have: Spec, want: Spec, expected: list[str]) -> None:
    assert fields(have, want) == expected


def test_kinds_of_documents_differ() -> None:
    have: Any = RAW
    assert have.differences(DIR) == (Difference("", "VolumeSpec", "PoolSpec"),)


def test_a_difference_is_data() -> None:
    assert RAW.differences(VolumeSpec.raw("v", "2 GiB")) == (Difference("capacity", GiB, Size("2 GiB")),)


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        (Difference("capacity", GiB, Size("2 GiB")), "capacity is 1 GiB, not 2 GiB"),
        (Difference("capacity", None, GiB), "capacity is None, not 1 GiB"),
        (Difference("target.permissions.mode", 0o644, 0o600), "target.permissions.mode is 0o644, not 0o600"),
        (Difference("target.permissions.mode", None, 0o600), "target.permissions.mode is None, not 0o600"),
        (Difference("target.permissions.owner", 0, 107), "target.permissions.owner is 0, not 107"),
        (
            VolumeSpec.raw("v").differences(VolumeSpec.qcow2("v"))[0],
            "target.format is 'raw', not 'qcow2'",
        ),
        (
            Difference("source.hosts", (), (SourceHost(name="a"),)),
            "source.hosts is (), not (SourceHost(name='a'),)",
        ),
        (
            Difference("source", DirSource(), FsSource(device=Device(path="/dev/sdb"))),
            "source is DirSource(), not FsSource(device=Device(path='/dev/sdb'))",
        ),
    ],
)
def test_a_difference_is_said(difference: Difference, said: str) -> None:
    assert str(difference) == said


# ---- what libvirt makes of it ---------------------------------------------------------------------------------------


def dir_pool(path: str) -> PoolSpec:
    return PoolSpec.dir("d", path)


def vendor(name: str | None) -> PoolSpec:
    return PoolSpec(name="d", source=DirSource(vendor=name), target=PoolTarget(path="/srv"))


def share(path: str, **more: Any) -> PoolSpec:
    return PoolSpec.netfs("s", "/srv", host="nas", dir=path, **more)


def ceph(port: int | None) -> PoolSpec:
    return PoolSpec.rbd("r", hosts=SourceHost(name="a", port=port), source_name="p")


def scsi(**address: Any) -> PoolSpec:
    parent = ParentAddress(unique_id=1, address=PciAddress(**address))
    return PoolSpec.scsi("s", ScsiHostAdapter(parent=parent))


def logical(path: str | None, source_name: str = "vg") -> PoolSpec:
    return PoolSpec.logical("vg", source_name=source_name, path=path)


def zfs(path: str) -> PoolSpec:
    return PoolSpec.zfs("z", source_name="p", path=path)


def owned(**owner: Any) -> VolumeSpec:
    return VolumeSpec.raw("v", permissions=Permissions(**owner))


def image(format: str, **more: Any) -> VolumeSpec:
    return VolumeSpec(name="v", target=VolumeTarget(format=format, compat=more.pop("compat", None)), **more)


def over(**more: Any) -> VolumeSpec:
    return image("qcow2", backing_store=BackingStore(path="/base", format="raw"), **more)


LVM_KEY = "q3Xw1V-7tBc-Ld0K-P9sM-2hRy-uE5a-Z8nJfG"
CYLINDER = 255 * 63 * 512


def block(capacity: int | None, path: str, key: str, *extents: tuple[int, int], **more: Any) -> VolumeSpec:
    device = VolumeDevice(
        path="/dev/sdb", extents=tuple(Extent(start=start, end=end) for start, end in extents)
    )
    return VolumeSpec(
        name="v",
        type=more.get("type", "block"),
        key=key,
        capacity=capacity,
        source=VolumeSource(devices=(device,)) if extents else None,
        target=VolumeTarget(path=path),
    )


def lv(capacity: int | None, *extents: tuple[int, int], **more: Any) -> VolumeSpec:
    return block(capacity, "/dev/vg/v", more.pop("key", LVM_KEY), *extents, **more)


def zvol(capacity: int | None, **more: Any) -> VolumeSpec:
    return block(capacity, "/dev/zvol/tank/v", "tank/v", **more)


def part(capacity: int | None, *extents: tuple[int, int], **more: Any) -> VolumeSpec:
    return block(capacity, "/dev/sdb1", more.pop("key", "/dev/sdb1"), *extents or ((512, 1024),), **more)


def of(capacity: int) -> VolumeSpec:
    return VolumeSpec(name="v", capacity=capacity)


AES = Cipher(name="aes", size=256)
LOCKED = VolumeSpec.from_xml(
    "<volume><name>v</name><target><format type='raw'/><encryption format='luks'/></target></volume>"
)


def locked(**more: Any) -> VolumeSpec:
    encryption = more.pop("encryption", Encryption.luks(usage="key"))
    return VolumeSpec(name="v", target=VolumeTarget(format="raw", encryption=encryption), **more)


# Row of NORMALISATIONS -> what is there, what was wanted, and whether that counts as a difference.
CASES: dict[str, list[tuple[Spec, Spec, bool]]] = {
    "slashes": [
        (dir_pool("/srv/images"), dir_pool("//srv///images/"), False),
        (share("/export"), share("/export//"), False),
        (share("/"), share("//"), False),
        (dir_pool("/srv/images"), dir_pool("/srv/image"), True),
        (share("/export"), share("/Export"), True),
    ],
    "blanks": [
        (vendor("a b"), vendor("a\tb"), False),
        (vendor("a\nb"), vendor("a\r\nb"), False),
        (share("/e", mount_options=[" "]), share("/e", mount_options=["\n"]), False),
        (vendor("a b"), vendor("ab"), True),
        (vendor(None), vendor("\t"), True),
        (share("/e", mount_options=["a", "b"]), share("/e", mount_options=["a"]), True),
    ],
    "empty": [
        (vendor(None), vendor(""), False),
        (vendor("a"), vendor(""), True),
        (vendor(""), vendor("a"), True),
    ],
    "source named after the pool": [
        (logical("/p"), logical("/p", source_name=""), False),
        (logical("/p", source_name="other"), logical("/p", source_name=""), True),
    ],
    "made path": [
        (logical("/dev/vg"), logical("/dev/other"), False),
        (zfs("/dev/zvol/p"), zfs("/somewhere"), False),
        (dir_pool("/dev/vg"), dir_pool("/dev/other"), True),
    ],
    "default port": [
        (ceph(None), ceph(0), False),
        (ceph(6789), ceph(0), True),
        (ceph(None), ceph(6789), True),
    ],
    "multifunction": [
        (scsi(), scsi(multifunction=False), False),
        (scsi(), scsi(multifunction=True), False),
        (scsi(multifunction=True), scsi(multifunction=False), True),
    ],
    "any owner": [
        (owned(owner=107, group=107), owned(owner=-1, group=2**32 - 1), False),
        (owned(owner=107, group=107), owned(owner=0), True),
        (owned(owner=107, group=107), owned(group=1), True),
    ],
    "label": [
        (owned(owner=0), owned(owner=0, label="a"), False),
        (owned(label="b"), owned(label="a"), True),
    ],
    "size of a directory": [
        (image("dir", capacity=0), image("dir", capacity=5), False),
        (image("raw", capacity=0), image("raw", capacity=5), True),
    ],
    "whole KiB": [
        (image("qcow2", capacity=2048), image("qcow2", capacity=1025), False),
        (image("qcow2", capacity=2048), image("qcow2", capacity=1024), True),
        (image("qcow2", capacity=1024), image("qcow2", capacity=1025), True),
        (image("qcow2"), image("qcow2", capacity=1025), True),
        (image("raw", capacity=2048), image("raw", capacity=1025), True),
        (VolumeSpec(name="v", capacity=2048), VolumeSpec(name="v", capacity=1025), True),
        (locked(capacity=2048), locked(capacity=1025), False),
    ],
    "whole cylinders": [
        (image("vpc", capacity=34 * 1024), image("vpc", capacity=1), False),
        (image("vpc"), image("vpc", capacity=1), True),
        (image("vpc", capacity=1), image("vpc", capacity=2), True),
        (image("vpc", capacity=3 << 20), image("vpc", capacity=1), True),
        (image("vpc", capacity=16 * 255 * 512), image("vpc", capacity=1), False),
        (image("vpc", capacity=16 * 255 * 512 + 1), image("vpc", capacity=1), True),
        (image("vdi", capacity=34 * 1024), image("vdi", capacity=1), True),
    ],
    "as allocated": [
        (image("raw", capacity=5), image("raw", capacity=1, allocation=5), False),
        (image("raw", capacity=6), image("raw", capacity=1, allocation=5), True),
        (image("raw", capacity=5), image("raw", capacity=6, allocation=5), True),
        (image("raw"), image("raw", capacity=6, allocation=5), True),
    ],
    "empty image": [
        (image("qcow2", capacity=196624, physical=196624), image("qcow2", capacity=0), False),
        (image("qcow2", capacity=196624, physical=196625), image("qcow2", capacity=0), True),
        (image("qcow2"), image("qcow2", capacity=0), True),
        (image("qcow2", capacity=196624, physical=196624), image("qcow2", capacity=1), True),
        (image("raw", capacity=5, physical=5), image("raw", capacity=0), True),
        (image("iso", capacity=5000, physical=5000), image("iso", capacity=0), True),
        (image("raw", capacity=5, physical=5), of(0), True),
    ],
    "as the backing store": [
        (over(capacity=MiB), over(capacity=0), False),
        (over(), over(capacity=0), True),
        (over(capacity=MiB), over(capacity=1), True),
        (over(capacity=MiB), image("qcow2", capacity=0), True),
    ],
    "whole extents": [
        (lv(12 * MiB, (0, 12 * MiB)), of(10 * MiB + 1), False),
        (lv(12 * MiB, (0, 12 * MiB)), of(8 * MiB + 1), False),
        (lv(12 * MiB, (0, 12 * MiB)), of(8 * MiB), True),
        (lv(12 * MiB, (0, 12 * MiB)), of(12 * MiB + 1), True),
        (lv(8 * MiB, (0, 8 * MiB)), of(1), False),
        (lv(8 * MiB, (4 * MiB, 12 * MiB)), of(4 * MiB + 1), False),
        (lv(8 * MiB, (4 * MiB, 12 * MiB)), of(4 * MiB), True),
        (lv(16 * MiB, (0, 12 * MiB), (16 * MiB, 20 * MiB)), of(12 * MiB), True),
        (lv(8 * MiB), of(1), False),
        (lv(1024 * MiB, (0, 1024 * MiB)), of(896 * MiB + 1), False),
        (lv(1024 * MiB, (0, 1024 * MiB)), of(896 * MiB), True),
        (lv(None), of(1), True),
        (lv(8 * MiB, (0, 8 * MiB), type="file"), of(1), True),
        (lv(8 * MiB, key="/dev/vg/v"), of(1), True),
    ],
    "whole blocks": [
        (zvol(256 << 10), of((128 << 10) + 1), False),
        (zvol(256 << 10), of(128 << 10), True),
        (zvol(256 << 10), of((256 << 10) + 1), True),
        (zvol(None), of(1), True),
        (zvol(256 << 10, type="file"), of((128 << 10) + 1), True),
        (block(256 << 10, "/dev/vg/v", "tank/v"), of((128 << 10) + 1), True),
    ],
    "partition": [
        (part(10 * MiB), of(10 * MiB - 1), False),
        (part(10 * MiB), of(11 * MiB - 1), False),
        (part(10 * MiB), of(11 * MiB), True),
        (part(10 * MiB), of(10 * MiB - CYLINDER), False),
        (part(10 * MiB), of(10 * MiB - CYLINDER - 1), True),
        (part(None), of(1), True),
        (part(10 * MiB, (0, 5), (10, 15)), of(10 * MiB - 1), True),
        (part(10 * MiB, key="other"), of(10 * MiB - 1), True),
        (part(10 * MiB, type="file"), of(10 * MiB - 1), True),
        (block(10 * MiB, "/dev/sdb1", "/dev/sdb1"), of(10 * MiB - 1), True),
    ],
    "forgotten secret": [
        (LOCKED, locked(), False),
        (
            LOCKED,
            locked(encryption=Encryption.luks(usage="key", cipher=AES, ivgen=Ivgen(name="plain"))),
            False,
        ),
    ],
    "charged": [
        (VolumeSpec(name="v", allocation=5), VolumeSpec(name="v", allocation=0), False),
        (VolumeSpec(name="v"), VolumeSpec(name="v", allocation=1), False),
    ],
    "iso": [
        (image("iso"), image("raw"), False),
        (image("raw"), image("iso"), False),
        (image("iso"), image("qcow2"), True),
    ],
    "cleared features": [
        (image("qcow2"), image("qcow2", compat="0.10"), False),
        (image("qcow2"), image("qcow2", compat="1.1"), True),
        (image("qcow2", compat="1.1"), image("qcow2", compat="0.10"), True),
    ],
}


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in NORMALISATIONS])
def test_every_normalisation(row: Normalisation) -> None:
    assert CASES[row.name], "say when it holds and when not"
    for have, want, differs in CASES[row.name]:
        found = fields(have, want)
        assert (found != []) is differs, (have, want)
        assert all(row.covers(field) for field in found)
    assert row.reason


@pytest.mark.parametrize(
    ("have", "same", "other"),
    [
        (RAW, GiB, GiB - 1),
        (image("qcow2", capacity=2048), 1025, 1024),
        (image("vpc", capacity=3 * MiB), 2 * MiB, MiB - 1),
        (image("qcow2", capacity=196624, physical=196624), 0, 1),
        (lv(12 * MiB, (0, 12 * MiB)), 10 * MiB, 8 * MiB),
        (zvol(256 << 10), 255 << 10, 128 << 10),
        (part(10 * MiB), 10 * MiB + 1, 20 * MiB),
        (over(capacity=MiB), MiB, 0),
        (image("qcow2"), None, 1),
    ],
)
def test_a_capacity_is_compared_as_storage_rounds_it(have: VolumeSpec, same: Any, other: int) -> None:
    assert has_capacity(have, same)
    assert not has_capacity(have, other)


def test_a_secret_that_is_known_counts() -> None:
    other = locked(encryption=Encryption.luks(usage="other"))
    assert fields(locked(), other) == ["target.encryption.secrets[0].usage"]


def test_there_is_no_case_without_its_row() -> None:
    assert CASES.keys() == {row.name for row in NORMALISATIONS}


def test_a_normalisation_is_about_whole_names() -> None:
    charged = next(row for row in NORMALISATIONS if row.name == "charged")
    assert charged.covers("allocation")
    assert not charged.covers("refresh.volume.allocation")
    pool = PoolSpec.rbd("r", hosts="a", source_name="p", refresh_allocation="default")
    assert fields(pool, PoolSpec.rbd("r", hosts="a", source_name="p", refresh_allocation="capacity")) == [
        "refresh.volume.allocation"
    ]


def test_a_target_without_path_asks_for_none() -> None:
    have = PoolSpec.logical("l", source_name="vg", path="/dev/vg")
    assert fields(have, PoolSpec.logical("l", source_name="vg")) == []
    assert fields(PoolSpec.zfs("z", source_name="p"), zfs("/z")) == []
    assert PoolTarget(path="/z") == zfs("/z").target
