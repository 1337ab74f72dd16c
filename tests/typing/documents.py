"""What type checkers make of documents; checked by ``make lint`` and by a test, never run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import assert_type
from uuid import UUID

import attrs

import libstorage as ls


def factories() -> None:
    assert_type(ls.PoolSpec.dir("images", "/srv/images"), ls.PoolSpec)
    assert_type(ls.PoolSpec.dir("images", Path("/srv/images"), uuid=UUID(int=0), cow=True), ls.PoolSpec)
    assert_type(ls.PoolSpec.netfs("nas", "/srv/nas", host="nas", dir="/export", format="nfs"), ls.PoolSpec)
    assert_type(
        ls.PoolSpec.netfs(
            "nas", "/srv", host=["nas"], dir="/e", format=ls.NetfsFormat.NFS, mount_options=("ro",)
        ),
        ls.PoolSpec,
    )
    assert_type(ls.PoolSpec.logical("vg", devices=["/dev/sdb", ls.Device(path="/dev/sdc")]), ls.PoolSpec)
    assert_type(ls.PoolSpec.rbd("ceph", hosts="mon", source_name="p", config_options={"a": "b"}), ls.PoolSpec)
    assert_type(ls.PoolSpec.scsi("scsi", ls.ScsiHostAdapter(name="host0")), ls.PoolSpec)
    assert_type(ls.VolumeSpec.raw("v", "20 GiB", allocation=0), ls.VolumeSpec)
    assert_type(ls.VolumeSpec.raw("v", ls.GiB * 20, permissions=ls.Permissions(mode="0600")), ls.VolumeSpec)
    assert_type(ls.VolumeSpec.qcow2("v", backing=ls.BackingStore(path="/b", format="raw")), ls.VolumeSpec)
    assert_type(ls.VolumeSpec.image("v", ls.VolumeFormat.VMDK, 5), ls.VolumeSpec)
    assert_type(ls.SecretSpec.ceph("key", private=True), ls.SecretSpec)
    assert_type(ls.Auth.chap("me", usage="key"), ls.Auth)
    assert_type(ls.Encryption.luks(uuid=UUID(int=0)), ls.Encryption)


def data() -> None:
    spec = ls.from_data(ls.VolumeSpec, {"name": "v"})
    assert_type(spec, ls.VolumeSpec)
    assert_type(ls.load(ls.PoolSpec, "p.yaml"), ls.PoolSpec)
    assert_type(ls.load(ls.PoolSpec, Path("p.txt"), format="toml", many=True), list[ls.PoolSpec])
    assert_type(ls.dump([spec], Path("v.json")), str)
    assert_type(ls.show_versions(as_text=True), str)
    assert_type(ls.to_pandas((), "pools").shape, tuple[int, int])


def constructors() -> None:
    assert_type(
        ls.VolumeSpec(name="v", type="file", capacity=5, target=ls.VolumeTarget(format="raw")), ls.VolumeSpec
    )
    assert_type(ls.RbdSource(hosts=["a", ls.SourceHost(name="b", port=1)], name="p"), ls.RbdSource)
    assert_type(ls.IscsiSource(hosts="a", device="iqn.2013-06.com.example:t", initiator=None), ls.IscsiSource)


def wrong() -> None:
    ls.VolumeSpec.raw(5, "1 GiB")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ls.VolumeSpec.raw("v", 1.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ls.VolumeSpec.raw("v", backing=None)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    ls.PoolSpec.dir("images")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    ls.PoolSpec(name="a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    ls.Permissions(owner="root")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ls.VolumeSpec.raw("v").name = "w"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def reading(xml: str, data: bytes) -> None:
    assert_type(ls.PoolSpec.from_xml(xml), ls.PoolSpec)
    assert_type(ls.VolumeSpec.from_xml(data, strict=True), ls.VolumeSpec)
    assert_type(ls.PoolCapabilities.from_xml(xml), ls.PoolCapabilities)
    assert_type(ls.PoolSources.from_xml(xml).found, tuple[ls.FoundSource, ...])
    assert_type(ls.SecretSpec.from_xml(xml).check(), ls.SecretSpec)


def pools(pool: ls.PoolSpec) -> None:
    assert_type(pool.name, str)
    assert_type(pool.uuid, str | None)
    assert_type(pool.capacity, ls.Size | None)
    assert_type(pool.type, ls.PoolType | ls.UnknownWord)
    assert_type(pool.mount_options, tuple[str, ...])
    assert_type(pool.config_options, tuple[ls.ConfigOption, ...])
    assert_type(pool.unknown, tuple[ls.Unknown, ...])
    if pool.target is not None:
        assert_type(pool.target.path, str | None)
        assert_type(pool.target.permissions, ls.Permissions | None)


def sources(pool: ls.PoolSpec) -> None:
    source = pool.source
    match source:
        case ls.NetfsSource():
            assert_type(source.hosts, tuple[ls.SourceHost, ...])
            assert_type(source.hosts[0].port, int | None)
            assert_type(source.format, ls.NetfsFormat | ls.UnknownWord | None)
        case ls.LogicalSource(devices=devices, name=name):
            assert_type(devices, tuple[ls.Device, ...])
            assert_type(name, str | None)
        case ls.ScsiSource():
            assert_type(source.adapter, ls.ScsiHostAdapter | ls.FcHostAdapter | ls.UnknownAdapter)
        case ls.RbdSource(auth=ls.Auth() as auth):
            assert_type(auth.secret.usage, str | None)
        case _:
            pass


def volumes(volume: ls.VolumeSpec) -> None:
    assert_type(volume.capacity, ls.Size | None)
    assert_type(volume.type, ls.VolumeType | ls.UnknownWord | None)
    assert_type(volume.target, ls.VolumeTarget)
    assert_type(volume.target.format, ls.VolumeFormat | ls.UnknownWord | None)
    assert_type(volume.target.nocow, bool)
    assert_type(volume.target.cluster_size, ls.Size | None)
    if volume.target.encryption is not None:
        assert_type(volume.target.encryption.secrets, tuple[ls.SecretRef, ...])
    if volume.target.timestamps is not None:
        assert_type(volume.target.timestamps.mtime, int | None)
    if volume.backing_store is not None:
        assert_type(volume.backing_store.path, str)


def changes(pool: ls.PoolSpec, volume: ls.VolumeSpec) -> None:
    assert_type(attrs.evolve(pool, name="b"), ls.PoolSpec)
    assert_type(attrs.evolve(volume, capacity="20 GiB"), ls.VolumeSpec)
    assert_type(pool.with_target(path="/b"), ls.PoolSpec)
    assert_type(pool.with_source(vendor="x"), ls.PoolSpec)
    assert_type(volume.with_target(nocow=True), ls.VolumeSpec)
    assert_type(volume.request(name="w"), ls.VolumeSpec)
    assert_type(volume.to_xml(), str)
    assert_type(volume.to_xml(reported=True), str)
    each: tuple[ls.Difference, ...] = volume.differences(volume)
    assert_type(each[0], ls.Difference)


def answers(info: ls.PoolInfo, volume: ls.VolumeInfo, host: ls.Inventory, found: ls.PoolCapabilities) -> None:
    assert_type(info.state, ls.PoolState)
    assert_type(info.available, ls.Size)
    assert_type(volume.allocation, ls.Size | None)
    assert_type(host.volumes, Iterator[tuple[ls.PoolEntry, ls.VolumeEntry]])
    assert_type(host.pools[0].spec, ls.PoolSpec | None)
    assert_type(host.pools[0].error, ls.StorageError | None)
    assert_type(found.supports("dir"), bool)


def descriptions() -> None:
    described = ls.describe(ls.VolumeSpec)
    assert_type(described, ls.Description)
    assert_type(described.fields, tuple[ls.FieldDescription, ...])
    assert_type(described.paths(), Iterator[str])
