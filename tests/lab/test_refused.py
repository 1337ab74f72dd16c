"""Pool types that nothing on Debian serves: what their users get to know, and that nothing is left half-made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from libstorage import Host, Pool, PoolSpec, PoolType, UnsupportedError, VolumeSpec, ZfsSource, connect
from libstorage.connection.codes import Code, Domain
from libstorage.errors import HelperError, StorageError
from libstorage.testing import PrivateDaemon
from tests.lab.servers.zfs import ZfsServer, zfs_server

ZPOOL = "lab"


@pytest.fixture(scope="module")
def zfs() -> Iterator[ZfsServer]:
    with zfs_server() as server:
        yield server


@pytest.fixture(scope="module")
def host(zfs: ZfsServer) -> Iterator[Host]:
    with PrivateDaemon(path=[zfs.programs]) as daemon, connect(daemon.uri) as host:
        yield host


# ---- types without a driver -------------------------------------------------------------------------------------------

WITHOUT_DRIVER = [
    PoolSpec.vstorage("nodes", "/tmp/nodes", source_name="cluster"),
    PoolSpec.sheepdog("nodes", host="127.0.0.1:7000", source_name="cluster"),
]


@pytest.mark.parametrize("spec", WITHOUT_DRIVER, ids=lambda spec: str(spec.type))
@pytest.mark.parametrize(
    "make",
    [
        lambda host, spec: host.pools.define(spec),
        lambda host, spec: host.pools.create_transient(spec, build=True),
        lambda host, spec: host.pools.ensure(spec),
        lambda host, spec: host.find_sources(spec.type, hosts="127.0.0.1"),
    ],
    ids=["define", "create_transient", "ensure", "find_sources"],
)
def test_a_type_without_a_driver_is_unsupported(
    host: Host, make: Callable[[Host, PoolSpec], object], spec: PoolSpec
) -> None:
    with pytest.raises(UnsupportedError) as refused:
        make(host, spec)
    error = refused.value
    assert (error.code, error.domain) == (Code.INTERNAL_ERROR, Domain.STORAGE)
    assert error.outcome == "not_started"
    assert error.hint
    assert not host.pools.exists(spec.name)
    assert not Path("/tmp/nodes").exists()


@pytest.mark.parametrize("type", [PoolType.VSTORAGE, PoolType.SHEEPDOG])
def test_the_capabilities_say_so_before(host: Host, type: PoolType) -> None:
    assert not host.pool_capabilities().supports(type)


# ---- ZFS: zfs-fuse is too old for libvirt -----------------------------------------------------------------------------


@pytest.fixture
def pool(host: Host, zfs: ZfsServer) -> Iterator[Pool]:
    pool = host.pools.define(PoolSpec.zfs("tank", source_name=ZPOOL, devices=zfs.disks))
    yield pool
    if pool.is_active():
        pool.stop()
    pool.undefine()
    if ZPOOL in zfs.zpool("list", "-H"):
        zfs.zfs("unmount", ZPOOL)
        zfs.zpool("destroy", ZPOOL)


def test_a_zpool_is_made_and_destroyed(pool: Pool, zfs: ZfsServer) -> None:
    pool.build()
    assert zfs.zpool("list", "-H", "-o", "name").split() == [ZPOOL]
    assert pool.spec().source == ZfsSource(name=ZPOOL, devices=zfs.disks)
    assert all(str(disk) in zfs.zpool("status", ZPOOL) for disk in zfs.disks)
    pool.start().stop()
    zfs.zfs("unmount", ZPOOL)  # zpool destroy does so, too, but does not always wait for it
    pool.delete()
    assert not zfs.zpool("list", "-H", "-o", "name").split()


def test_its_sizes_and_volumes_stay_unseen(pool: Pool, zfs: ZfsServer) -> None:
    pool.build().start()
    zfs.zfs("create", f"{ZPOOL}/data")
    info = pool.refresh().info()
    assert (info.capacity, info.allocation, info.available) == (0, 0, 0)
    assert not pool.volumes.names()


def test_a_pool_starts_that_is_not_there(pool: Pool) -> None:
    assert pool.start().is_active()


def test_a_second_build_is_refused_by_zpool(pool: Pool, zfs: ZfsServer) -> None:
    pool.build()
    error = refused(pool.build)
    assert isinstance(error, HelperError)
    assert (error.program, error.exit_status) == ("zpool", 1)
    assert zfs.zpool("list", "-H", "-o", "name").split() == [ZPOOL]


def test_no_volume_can_be_made(pool: Pool, zfs: ZfsServer) -> None:
    pool.build().start()
    error = refused(lambda: pool.volumes.create(VolumeSpec.raw("disk", "16 MiB")))
    assert isinstance(error, HelperError)
    assert (error.code, error.domain) == (Code.INTERNAL_ERROR, Domain.NONE)
    assert (error.program, error.exit_status) == ("zfs", 6)  # the signal that ended it
    assert "disk" not in pool.refresh().volumes
    assert zfs.zfs("list", "-H", "-o", "name").split() == [ZPOOL]


def test_sources_are_not_looked_for(host: Host) -> None:
    error = refused(lambda: host.find_sources(PoolType.ZFS))
    assert isinstance(error, UnsupportedError)
    assert (error.code, error.domain) == (Code.NO_SUPPORT, Domain.STORAGE)


def refused(act: Callable[[], object]) -> StorageError:
    with pytest.raises(StorageError) as caught:
        act()
    return caught.value
