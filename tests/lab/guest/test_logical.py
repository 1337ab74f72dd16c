"""What only volume groups can do: snapshots, and volumes that others made."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from libstorage import HelperError, Host, Pool, PoolSpec, Volume, VolumeSpec, connect
from tests.lab.guest import guest
from tests.lab.guest.machine import Machine

MiB = 1 << 20


@pytest.fixture
def machine() -> Iterator[Machine]:
    with guest() as machine:
        yield machine


@pytest.fixture
def host(machine: Machine) -> Iterator[Host]:
    with connect(machine.uri()) as host:
        yield host


@pytest.fixture
def pool(host: Host) -> Pool:
    return host.pools.define(PoolSpec.logical("lab", devices="/dev/vdb")).build().start()


@pytest.fixture
def origin(pool: Pool) -> Volume:
    """A volume that begins with ``before``."""
    return pool.volumes.create(VolumeSpec.raw("origin", 8 * MiB)).upload(b"before")


def snapshot_of(volume: Volume, allocation: int | None = None) -> VolumeSpec:
    return VolumeSpec(
        name="before", capacity=8 * MiB, allocation=allocation, backing_store=volume.as_backing()
    )


def start_of(volume: Volume) -> bytes:
    with volume.open() as file:
        return file.read(6)


def test_a_snapshot_keeps_what_was_there(pool: Pool, origin: Volume) -> None:
    snapshot = pool.volumes.create(snapshot_of(origin))
    origin.upload(b"after!")
    assert (start_of(snapshot), start_of(origin)) == (b"before", b"after!")
    store = pool.refresh().volumes["before"].spec().backing_store
    assert store is not None
    assert store.path == origin.path()


def test_a_snapshot_is_deleted_without_its_origin(pool: Pool, origin: Volume) -> None:
    pool.volumes.create(snapshot_of(origin)).delete()
    assert pool.refresh().volumes.names() == ("origin",)
    assert start_of(origin) == b"before"


def test_a_volume_is_deleted_with_its_snapshots(machine: Machine, pool: Pool, origin: Volume) -> None:
    pool.volumes.create(snapshot_of(origin))
    origin.delete()
    assert not machine.run("lvs --noheadings lab")
    assert pool.volumes.names() == ("before",)  # libvirt notices only now
    assert not pool.refresh().volumes.names()


@pytest.mark.parametrize("allocation", [0, 4 * MiB])
def test_a_snapshot_with_another_allocation_is_refused(pool: Pool, origin: Volume, allocation: int) -> None:
    with pytest.raises(HelperError) as refused:
        pool.volumes.create(snapshot_of(origin, allocation))
    assert refused.value.program == "lvcreate"
    assert refused.value.hint
    assert pool.refresh().volumes.names() == ("origin",)


def test_a_group_starts_by_itself_with_its_volumes(machine: Machine, pool: Pool, origin: Volume) -> None:
    pool.set_autostart()
    pool.stop()
    assert not machine.run("ls /dev/lab 2>/dev/null || true")
    machine.run("lab-daemon")
    assert pool.is_active()
    assert pool.volumes.names() == ("origin",)
    assert start_of(origin) == b"before"
