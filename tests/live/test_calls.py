"""What every method costs: calls to the daemon, counted on the wire.

One call once the lane knows the thing, and at most two look-ups the first time; destructive calls look the pool up by
uuid every time.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from libstorage import Host, Pool, PoolSpec, Secret, SecretSpec, Volume, VolumeSpec, connect
from tests.inside import channel_of
from tests.live.conftest import remove
from tests.live.rpc import RpcCounter

LANES = 3


@pytest.fixture
def counted(counter: RpcCounter) -> Iterator[Host]:
    """The shared daemon over one lane, on which calls are counted."""
    with connect(counter.uri, lanes=1) as host:
        yield host


@pytest.fixture
def cost(counter: RpcCounter) -> Callable[[Callable[[], object]], int]:
    def cost(act: Callable[[], object]) -> int:
        before = counter.calls
        act()
        return counter.calls - before

    return cost


Cost = Callable[[Callable[[], object]], int]


def unknown(handle: Any, host: Host) -> Any:
    """The same thing as a handle of a host that has not met it yet."""
    return type(handle)(channel_of(host), handle._id)


@pytest.fixture
def volume(pool: Pool) -> Volume:
    return pool.volumes.create(VolumeSpec.raw("v.img", 8192))


POOL_READS: list[tuple[Callable[[Pool], object], int]] = [
    (Pool.info, 1),
    (Pool.xml, 1),
    (Pool.spec, 1),
    (Pool.type, 1),
    (Pool.is_active, 1),
    (Pool.is_persistent, 1),
    (Pool.autostart, 1),
    (Pool.refresh, 1),
    (Pool.set_autostart, 1),
    (lambda pool: pool.volumes.list(), 1),
    (lambda pool: [*pool.volumes], 1),
    (lambda pool: pool.volumes.names(), 1),
    (lambda pool: pool.volumes.count(), 1),
]


@pytest.mark.parametrize(("act", "calls"), POOL_READS)
def test_pools(counted: Host, cost: Cost, pool: Pool, act: Callable[[Pool], object], calls: int) -> None:
    mine = unknown(pool, counted)
    assert cost(lambda: act(mine)) == calls + 1
    assert cost(lambda: act(mine)) == calls


VOLUME_READS: list[tuple[Callable[[Volume], object], int]] = [
    (Volume.info, 1),
    (lambda volume: volume.info(physical=True), 1),
    (Volume.xml, 1),
    (Volume.spec, 1),
    (Volume.type, 1),
    (Volume.path, 1),
    (Volume.as_backing, 2),
    (Volume.key, 0),
    (lambda volume: volume.pool, 0),
]


@pytest.mark.parametrize(("act", "calls"), VOLUME_READS)
def test_volumes(
    counted: Host, cost: Cost, volume: Volume, act: Callable[[Volume], object], calls: int
) -> None:
    mine = unknown(volume, counted)
    assert cost(lambda: act(mine)) <= calls + 2
    mine.info()
    assert cost(lambda: act(mine)) == calls


DESTRUCTIVE: list[Callable[[Volume], object]] = [
    lambda volume: volume.resize(16384),
    lambda volume: volume.wipe(),
    lambda volume: volume.delete(),
]


@pytest.mark.parametrize("act", DESTRUCTIVE)
def test_destructive_calls_look_the_pool_up(
    counted: Host, cost: Cost, volume: Volume, act: Callable[[Volume], object]
) -> None:
    mine = unknown(volume, counted)
    mine.info()
    assert cost(lambda: act(mine)) == 2


def test_look_ups(counted: Host, cost: Cost, pool: Pool, volume: Volume) -> None:
    path = volume.path()
    assert cost(lambda: counted.pools[pool.name]) == 1
    assert cost(lambda: counted.pools[pool.name].info().state) == 2
    assert cost(lambda: counted.pools.by_uuid(pool.uuid)) == 1
    assert cost(lambda: pool.name in counted.pools) == 1
    assert cost(counted.pools.list) == 1
    assert cost(counted.pools.names) == 1
    assert cost(counted.pools.count) == 2
    assert cost(lambda: counted.pools.count(active=True)) == 1
    assert cost(lambda: counted.volume_at(path)) == 2
    assert cost(lambda: counted.volume_at(path).info().type) == 3
    assert cost(lambda: counted.pools[pool.name].volumes[volume.name]) == 2
    assert cost(counted.pool_capabilities) == 1


def test_what_a_lane_has_listed_it_knows(counted: Host, cost: Cost, pool: Pool) -> None:
    for number in range(5):
        pool.volumes.create(VolumeSpec.raw(f"{number}.img", 4096))
    mine = unknown(pool, counted)
    assert cost(lambda: [volume.info() for volume in mine.volumes]) == 1 + 1 + 5
    assert cost(lambda: [pool.info() for pool in counted.pools]) == 1 + counted.pools.count()


def test_a_life(counted: Host, cost: Cost, folder: Path) -> None:
    spec = PoolSpec.dir(f"life-{folder.name}", str(folder / "pool"))
    calls = [cost(lambda: counted.pools.define(spec))]
    pool = counted.pools[spec.name]
    calls += [cost(verb) for verb in (pool.build, pool.start)]
    calls += [cost(lambda: pool.volumes.create(VolumeSpec.raw("a.img", 4096)))]
    volume = pool.volumes["a.img"]
    calls += [cost(lambda: volume.clone(VolumeSpec.raw("b.img")))]
    # The first clone asks for the type of the pool; each reads the document and the header of the source.
    assert calls == [1, 1, 1, 1, 5]
    assert cost(lambda: volume.clone("c.img")) == 4
    assert cost(lambda: volume.clone("d.qcow2", mode="linked")) == 3
    assert cost(lambda: counted.pools.ensure(pool.spec().request())) <= 5
    remove(pool)


@pytest.mark.usefixtures("a_full_disk_is_harmless")
def test_transfers(counted: Host, cost: Cost, volume: Volume) -> None:
    """Upload: document, pool, stream, its end read back, refresh. Download: size, stream."""
    mine = unknown(volume, counted)
    mine.info()
    assert cost(lambda: mine.upload(io.BytesIO(b"x" * 8192))) == 5
    assert cost(lambda: mine.download(io.BytesIO())) == 2


@pytest.mark.usefixtures("a_full_disk_is_deadly")
def test_an_upload_that_looks_for_room(counted: Host, cost: Cost, volume: Volume) -> None:
    """Beside the calls of an upload: another connection, the volume, the pool refreshed and looked at."""
    mine = unknown(volume, counted)
    mine.info()
    assert cost(lambda: mine.upload(io.BytesIO(b"x" * 8192))) == 12


def test_secrets(counter: RpcCounter, folder: Path) -> None:
    with connect(counter.uri, lanes=1) as host:
        secret = host.secrets.define(SecretSpec.volume(str(folder)))
        host.secrets.count()
        costs = []
        acts: list[Callable[[], object]] = [
            lambda: secret.set_value(b"x"),
            secret.value,
            secret.spec,
            lambda: Secret(channel_of(host), secret._id).xml(),
            host.secrets.list,
            lambda: host.secrets[secret.uuid],
            secret.undefine,
        ]
        for act in acts:
            before = counter.calls
            act()
            costs.append(counter.calls - before)
        assert costs == [1] * len(acts)


class TestBulk:
    @pytest.fixture
    def filled(self, pool: Pool) -> Pool:
        for number in range(200):
            pool.volumes.create(VolumeSpec.raw(f"{number}.img", 512, allocation=0))
        return pool

    def test_specs_are_one_listing_and_one_call_each(self, counted: Host, cost: Cost, filled: Pool) -> None:
        mine = unknown(filled, counted)
        mine.info()
        assert cost(mine.volumes.specs) == 1 + 200

    def test_every_other_lane_lists_for_itself(self, counter: RpcCounter, filled: Pool) -> None:
        with connect(counter.uri, lanes=LANES) as host:
            mine = unknown(filled, host)
            before = counter.procedures.copy()
            mine.volumes.specs()
            spent = counter.procedures - before
            lists, documents = spent[LIST_VOLUMES], spent[VOLUME_XML]
            assert documents == 200
            assert 1 <= lists <= LANES - 1

    def test_an_inventory_asks_four_questions_and_then_each_thing_once(
        self, counted: Host, cost: Cost, filled: Pool
    ) -> None:
        pools = counted.pools.list()
        active = counted.pools.list(active=True)
        volumes = sum(pool.volumes.count() for pool in active)
        assert cost(counted.inventory) == 4 + len(pools) + len(active) + volumes


LIST_VOLUMES, VOLUME_XML = 282, 99
"""REMOTE_PROC_STORAGE_POOL_LIST_ALL_VOLUMES, REMOTE_PROC_STORAGE_VOL_GET_XML_DESC."""
