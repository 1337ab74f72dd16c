"""Factories take every option of what they make, and nothing else."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from libstorage.enums import PoolType
from libstorage.models.adapters import FcHostAdapter, ParentAddress, PciAddress, ScsiHostAdapter
from libstorage.models.auth import Auth, SecretRef
from libstorage.models.encryption import Cipher, Encryption, Ivgen
from libstorage.models.permissions import Permissions
from libstorage.models.pool import PoolSpec
from libstorage.models.secret import SecretSpec
from libstorage.models.source_parts import Device
from libstorage.models.sources import SOURCES, Presence
from libstorage.models.volume import BackingStore, VolumeSpec
from libstorage.xml.document import Element
from libstorage.xml.mapping import mapping_of

UUID = "2ec115d7-3a88-3ceb-bc12-0ac909a6fd87"
IQN = "iqn.2013-06.com.example:target"
PERMISSIONS = Permissions(mode=0o700, owner=107, group=107, label="x")
CHAP = Auth.chap("me", usage="key")
CEPH = Auth.ceph("me", uuid=UUID)
MAKER: dict[str, Any] = {"vendor": "Example", "product": "Store"}
PLACED: dict[str, Any] = {"name": "a", "uuid": UUID, "path": "/srv/a", "permissions": PERMISSIONS}

# A value for every parameter of every factory.
POOLS: dict[str, dict[str, Any]] = {
    "dir": {**PLACED, **MAKER, "cow": False},
    "fs": {
        **PLACED,
        **MAKER,
        "device": Device(path="/dev/sdb1", part_separator=True),
        "format": "xfs",
        "mount_options": ["ro"],
        "cow": True,
    },
    "netfs": {
        **PLACED,
        **MAKER,
        "host": "nas",
        "dir": "/e",
        "format": "nfs",
        "protocol_version": "4.2",
        "mount_options": ["ro"],
    },
    "logical": {**PLACED, **MAKER, "source_name": "vg", "devices": ["/dev/sdb"], "format": "lvm2"},
    "disk": {**PLACED, **MAKER, "device": "/dev/sdb", "format": "gpt"},
    "iscsi": {**PLACED, **MAKER, "host": "san", "device": IQN, "initiator": IQN, "auth": CHAP},
    "iscsi-direct": {"name": "a", "uuid": UUID, "host": "san", "device": IQN, "initiator": IQN, "auth": CHAP},
    "scsi": {**PLACED, **MAKER, "adapter": "host0"},
    "mpath": PLACED,
    "rbd": {
        "name": "a",
        "uuid": UUID,
        "hosts": ["mon1", "mon2"],
        "source_name": "images",
        "auth": CEPH,
        "config_options": {"client_mount_timeout": "45"},
        "refresh_allocation": "capacity",
    },
    "sheepdog": {"name": "a", "uuid": UUID, "host": ["dog"], "source_name": "vdi"},
    "gluster": {"name": "a", "uuid": UUID, "host": "g", "source_name": "v", "dir": "/sub"},
    "zfs": {**PLACED, "source_name": "tank", "devices": ["/dev/sdb"]},
    "vstorage": {**PLACED, "source_name": "cluster"},
}
SECRETS: dict[str, Any] = {"uuid": UUID, "private": True, "ephemeral": False, "description": "For tests"}
VOLUME: dict[str, Any] = {
    "name": "v",
    "capacity": "1 GiB",
    "allocation": 0,
    "permissions": PERMISSIONS,
    "encryption": Encryption.luks(usage="key"),
    "nocow": True,
}
QCOW2_ONLY = {"backing_store", "target.compat", "target.cluster_size", "target.features"}
LUKS_ONLY = {"target.encryption.cipher", "target.encryption.engine", "target.encryption.ivgen"}

# Other factories, with what they leave to others.
OTHERS: list[tuple[Callable[..., Element], dict[str, Any], set[str]]] = [
    (VolumeSpec.raw, VOLUME, QCOW2_ONLY | LUKS_ONLY),
    (
        VolumeSpec.image,
        {**VOLUME, "format": "qcow2", "backing": BackingStore(path="/base", format="raw")},
        QCOW2_ONLY - {"backing_store"} | LUKS_ONLY,
    ),
    (
        VolumeSpec.qcow2,
        {
            **VOLUME,
            "backing": BackingStore(path="/base", format="raw"),
            "compat": "1.1",
            "cluster_size": "64 KiB",
            "lazy_refcounts": True,
            "extended_l2": True,
        },
        LUKS_ONLY,
    ),
    (
        VolumeSpec.directory,
        {"name": "d", "permissions": PERMISSIONS},
        QCOW2_ONLY | {"allocation", "target.encryption", "target.nocow"},
    ),
    (SecretSpec.volume, {**SECRETS, "path": "/srv/v"}, {"usage.name", "usage.target"}),
    (SecretSpec.ceph, {**SECRETS, "name": "n"}, {"usage.volume", "usage.target"}),
    (SecretSpec.iscsi, {**SECRETS, "target": "t"}, {"usage.volume", "usage.name"}),
    (Auth.chap, {"username": "u", "uuid": UUID, "usage": None}, {"secret.usage"}),
    (Auth.ceph, {"username": "u", "uuid": None, "usage": "key"}, {"secret.uuid"}),
    (
        Encryption.luks,
        {
            "uuid": UUID,
            "usage": None,
            "cipher": Cipher(name="aes", size=256, mode="cbc", hash="sha256"),
            "ivgen": Ivgen(name="essiv", hash="sha256"),
        },
        {"engine"},
    ),
]


def factory_of(name: str) -> Callable[..., PoolSpec]:
    factory: Callable[..., PoolSpec] = getattr(PoolSpec, name.replace("-", "_"))
    return factory


def unset(element: Element, prefix: str = "") -> Iterator[str]:
    """The fields that are not set, here and below; those that libvirt fills in aside."""
    for mapped in mapping_of(type(element)).fields:
        value = getattr(element, mapped.name)
        if mapped.place.reported or mapped.name in ("unknown", "type"):
            continue
        if value is None or value == () or (value is False and mapped.default is False):
            yield prefix + mapped.name
        elif isinstance(value, Element):
            yield from unset(value, f"{prefix}{mapped.name}.")


@pytest.mark.parametrize("type", PoolType)
def test_a_pool_with_every_option(type: PoolType) -> None:
    pool = factory_of(type)(**POOLS[type])
    source: Any = next(m for m in SOURCES.models if m.type == type)  # type: ignore[attr-defined]

    assert pool.type is type
    assert PoolSpec.from_xml(pool.to_xml(), strict=True) == pool
    left_out = {"features", "refresh", "mount_options", "config_options"} - source.allows
    if type not in (PoolType.DIR, PoolType.FS):
        left_out |= {"features"}  # there is none that other pools know
    if source.target is Presence.FORBIDDEN:
        left_out |= {"target"}
    of_others = ("source.device.", "source.adapter.", "source.auth.secret.")  # given whole
    assert {name for name in unset(pool) if not name.startswith(of_others)} == left_out


# Where each option goes, by its name. The parts of a list count as its first.
PLACES = {
    **{
        name: f"target.{name}"
        for name in ("path", "permissions", "encryption", "nocow", "compat", "cluster_size")
    },
    **{name: f"source.{name}" for name in ("vendor", "product", "device", "devices", "format", "dir")},
    **{name: f"source.{name}" for name in ("initiator", "auth", "adapter", "protocol_version")},
    **dict.fromkeys(("host", "hosts"), "source.hosts"),
    **{name: f"target.features.{name}" for name in ("lazy_refcounts", "extended_l2")},
    "source_name": "source.name",
    "cow": "features.cow",
    "refresh_allocation": "refresh.volume.allocation",
    "backing": "backing_store",
}
OTHER_PLACES: dict[str, dict[str, str]] = {
    "VolumeSpec": {"format": "target.format"},
    "SecretSpec": {"path": "usage.volume", "name": "usage.name", "target": "usage.target"},
    "Auth": {"uuid": "secret.uuid", "usage": "secret.usage"},
    "Encryption": {"uuid": "secrets.uuid", "usage": "secrets.usage"},
}


def is_at(made: Element, option: str, value: Any) -> bool:
    """Whether an option is what the field has that is meant by it: setting that field to it changes nothing."""
    places = PLACES | OTHER_PLACES.get(type(made).__name__, {})
    *way, field = places.get(option, option).split(".")
    holder: Any = made
    for step in way:
        found = getattr(holder, step)
        holder = found[0] if isinstance(found, tuple) else found
    return bool(attrs.evolve(holder, **{field: value}) == holder) and getattr(holder, field) is not None


@pytest.mark.parametrize("type", PoolType)
def test_each_option_of_a_pool_is_in_its_field(type: PoolType) -> None:
    pool = factory_of(type)(**POOLS[type])
    assert [option for option, value in POOLS[type].items() if not is_at(pool, option, value)] == []


@pytest.mark.parametrize(
    ("factory", "options"), [row[:2] for row in OTHERS], ids=[row[0].__qualname__ for row in OTHERS]
)
def test_each_option_of_others_is_in_its_field(
    factory: Callable[..., Element], options: dict[str, Any]
) -> None:
    made = factory(**options)
    given = {option: value for option, value in options.items() if value is not None}
    assert [option for option, value in given.items() if not is_at(made, option, value)] == []


@pytest.mark.parametrize("option", ["lazy_refcounts", "extended_l2"])
def test_switches_of_qcow2_are_not_mixed_up(option: str) -> None:
    features = VolumeSpec.qcow2("v", 1, **{option: True}).target.features  # type: ignore[arg-type]
    assert features is not None
    assert [name for name in ("lazy_refcounts", "extended_l2") if getattr(features, name)] == [option]


@pytest.mark.parametrize("type", PoolType)
def test_the_parameters_are_the_options(type: PoolType) -> None:
    deprecated = {"device"} if type is PoolType.ZFS else set()
    assert set(inspect.signature(factory_of(type)).parameters) == set(POOLS[type]) | deprecated


@pytest.mark.parametrize(
    ("factory", "options", "left_out"), OTHERS, ids=[row[0].__qualname__ for row in OTHERS]
)
def test_other_factories_with_every_option(
    factory: Callable[..., Element], options: dict[str, Any], left_out: set[str]
) -> None:
    assert set(inspect.signature(factory).parameters) == set(options)
    assert set(unset(factory(**options))) == left_out


def test_factories_of_volumes_agree() -> None:
    assert VolumeSpec.raw("v", 5) == VolumeSpec.image("v", "raw", 5)
    assert VolumeSpec.qcow2("v", 5) == VolumeSpec.image("v", "qcow2", 5)
    assert VolumeSpec.directory("d") == VolumeSpec.image("d", "dir", 0)
    assert VolumeSpec.raw("v").capacity is None


# ---- what is the default --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pool", "path"),
    [
        (PoolSpec.dir("a", "/srv"), "/srv"),
        (PoolSpec.dir("a", Path("/srv")), "/srv"),
        (PoolSpec.disk("a", "/dev/sdb"), "/dev"),
        (PoolSpec.iscsi("a", host="san", device=IQN), "/dev/disk/by-path"),
        (PoolSpec.scsi("a", "host0"), "/dev/disk/by-path"),
        (PoolSpec.mpath("a"), "/dev/mapper"),
        (PoolSpec.logical("a"), None),
    ],
)
def test_the_usual_path(pool: PoolSpec, path: str | None) -> None:
    assert pool.target is not None
    assert pool.target.path == path


def test_none_is_no_option() -> None:
    nothing: Any = None
    plain = PoolSpec.fs("a", "/srv", "/dev/sdb1")
    assert PoolSpec.fs("a", "/srv", "/dev/sdb1", mount_options=nothing, permissions=None, uuid=None) == plain
    assert PoolSpec.logical("a", devices=nothing) == PoolSpec.logical("a")


def test_pools_without_target() -> None:
    assert PoolSpec.zfs("a", source_name="tank").target is None
    assert PoolSpec.rbd("a", hosts="mon", source_name="p").target is None
    assert PoolSpec.dir("a", "/srv").features is None
    assert PoolSpec.rbd("a", hosts="mon", source_name="p").refresh is None


def test_adapters_of_all_kinds() -> None:
    by_name = ScsiHostAdapter(name="scsi_host1")
    by_address = ScsiHostAdapter(parent=ParentAddress(unique_id=1, address=PciAddress(bus=0, slot=31)))
    fibre = FcHostAdapter(wwnn="1" * 16, wwpn="2" * 16, parent="scsi_host5", managed=True)
    for adapter in (by_name, by_address, fibre):
        pool = PoolSpec.scsi("a", adapter)
        assert pool.source.adapter == adapter  # type: ignore[union-attr]
        assert PoolSpec.from_xml(pool.to_xml(), strict=True) == pool
    assert PoolSpec.scsi("a", "scsi_host1") == PoolSpec.scsi("a", by_name)


def test_secrets_by_uuid_and_by_usage() -> None:
    assert Auth.chap("u", uuid=UUID).secret == SecretRef(uuid=UUID)
    assert Auth.ceph("u", usage="k").secret == SecretRef(usage="k")
    assert Encryption.luks(usage="k").secrets == (SecretRef(usage="k"),)
