"""Lanes: who gets which, what a call costs, and that nothing is left behind."""

from __future__ import annotations

import threading
import weakref
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep

import pytest

from libstorage import operations as op
from libstorage.connection.connection import Connection
from libstorage.connection.identity import HostId, PoolId, VolumeId
from libstorage.connection.lane import RAW_LIMIT, Lane
from libstorage.connection.raw import RawPool
from libstorage.errors import DeadlineError, PoolNotFoundError, StateError, StorageError, VolumeNotFoundError
from tests.live.rest import are_back, resources_at_rest
from tests.live.rpc import RpcCounter
from tests.live.things import make_pool, make_volume, remove_pool

THREADS = 16


def hosts_version(lane: Lane) -> int:
    return lane.connection.getLibVersion()


@pytest.fixture
def host(uri: str) -> HostId:
    return HostId(uri)


@pytest.fixture
def pool(connection: Connection, tmp_path: Path) -> Iterator[PoolId]:
    pool = make_pool(connection, tmp_path)
    yield pool
    remove_pool(connection, pool)


@pytest.fixture
def volume(connection: Connection, pool: PoolId) -> VolumeId:
    return make_volume(connection, pool, "disk")


class TestFewCallsPerLane:
    def test_no_more_threads_meet_in_a_lane_than_it_bears(self, uri: str, host: HostId, width: int) -> None:
        inside: Counter[Lane] = Counter()
        most = most_lanes = 0

        def body(lane: Lane) -> None:
            nonlocal most, most_lanes
            inside[lane] += 1
            most = max(most, *inside.values())
            most_lanes = max(most_lanes, sum(map(bool, inside.values())))
            lane.connection.getLibVersion()
            inside[lane] -= 1

        with Connection(uri) as connection:
            with ThreadPoolExecutor(THREADS) as threads:
                calls = [
                    threads.submit(
                        lambda: [connection.call(op.HOST_VERSION, host, body, timeout=60) for _ in range(50)]
                    )
                    for _ in range(THREADS)
                ]
            for call in calls:
                call.result()
            assert 1 <= most <= width
            assert most_lanes <= connection.max_lanes
            if width == 1:
                assert most_lanes > 1
                assert len(inside) == connection.max_lanes

    def test_first_come_first_served(self, uri: str, host: HostId) -> None:
        served = []
        with Connection(uri, lanes=1) as connection:
            with ThreadPoolExecutor(8) as threads, connection.lane(op.HOST_VERSION, host, timeout=60):
                for number in range(8):
                    threads.submit(
                        connection.call,
                        op.HOST_VERSION,
                        host,
                        lambda _, n=number: served.append(n),
                        timeout=60,
                    )
                    sleep(0.01)
            assert served == list(range(8))

    def test_lanes_are_opened_only_as_threads_need_them(self, uri: str, host: HostId) -> None:
        with Connection(uri, lanes=8) as connection:
            for _ in range(20):
                connection.call(op.HOST_VERSION, host, hosts_version, timeout=60)
            assert connection.lane_count() == 1
            meeting = threading.Barrier(5)
            with ThreadPoolExecutor(5) as threads:
                calls = [
                    threads.submit(
                        connection.call, op.HOST_VERSION, host, lambda _: meeting.wait(10), timeout=60
                    )
                    for _ in range(5)
                ]
            assert sorted(call.result() for call in calls) == [0, 1, 2, 3, 4]
            assert connection.lane_count() == 5

    def test_widen_allows_no_more_than_the_user(self, uri: str) -> None:
        with Connection(uri, lanes=6) as connection:
            connection.widen(100)
            assert (connection.max_lanes, connection.lane_count()) == (6, 1)

    @pytest.mark.usefixtures("one_thread_a_lane")
    def test_who_waits_too_long_is_told_so(self, uri: str, host: HostId) -> None:
        with Connection(uri, lanes=1) as connection, connection.lane(op.HOST_VERSION, host, timeout=60):
            start = monotonic()
            with pytest.raises(
                DeadlineError, match=r"timed out after 0\.1 s waiting for a slot: all 1 calls"
            ) as caught:
                connection.call(op.HOST_VERSION, host, hosts_version, timeout=0.2)
            assert 0.1 <= monotonic() - start < 1
            assert (caught.value.outcome, caught.value.retry) == ("not_started", "backoff")
            assert caught.value.operation == "host.version"

    @pytest.mark.usefixtures("one_thread_a_lane")
    def test_a_late_waiter_leaves_the_queue(self, uri: str, host: HostId) -> None:
        with Connection(uri, lanes=1) as connection:
            with connection.lane(op.HOST_VERSION, host, timeout=60), pytest.raises(DeadlineError):
                connection.call(op.HOST_VERSION, host, hosts_version, timeout=0.02)
            assert connection.call(op.HOST_VERSION, host, hosts_version, timeout=5) > 0

    def test_a_lane_is_left_for_others_while_slow_calls_run(self, uri: str, host: HostId) -> None:
        release = threading.Event()
        with Connection(uri, lanes=3) as connection, ThreadPoolExecutor(6) as threads:
            for _ in range(6):
                threads.submit(
                    connection.call, op.POOL_FIND_SOURCES, host, lambda _: release.wait(10), timeout=60
                )
            sleep(0.1)
            assert connection.call(op.HOST_VERSION, host, hosts_version, timeout=5) > 0
            release.set()

    def test_one_refresh_of_a_pool_at_a_time(self, connection: Connection) -> None:
        running: Counter[str] = Counter()
        met: set[tuple[str, ...]] = set()
        most = 0

        def refresh(name: str) -> None:
            def body(_: Lane) -> None:
                nonlocal most
                running[name] += 1
                most = max(most, running[name])
                met.add(tuple(sorted(running.elements())))
                sleep(0.02)
                running[name] -= 1

            connection.call(op.POOL_REFRESH, PoolId(connection.uri, name, name), body, timeout=60)

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(refresh, ["a", "b"] * 4))
        assert most == 1
        assert ("a", "b") in met


class TestCost:
    """What a call costs in round trips."""

    def test_of_a_pool(self, counter: RpcCounter, pool: PoolId) -> None:
        with Connection(counter.uri) as connection:
            before = counter.calls
            connection.call(op.POOL_INFO, pool, lambda lane: lane.pool(pool).info(), timeout=60)
            assert counter.calls - before == 2
            connection.call(op.POOL_INFO, pool, lambda lane: lane.pool(pool).info(), timeout=60)
            assert counter.calls - before == 3

    def test_of_a_volume(self, counter: RpcCounter, volume: VolumeId) -> None:
        with Connection(counter.uri) as connection:
            before = counter.calls
            connection.call(op.VOLUME_INFO, volume, lambda lane: lane.volume(volume).info(), timeout=60)
            assert counter.calls - before == 3
            connection.call(op.VOLUME_INFO, volume, lambda lane: lane.volume(volume).info(), timeout=60)
            assert counter.calls - before == 4

    def test_of_a_destructive_call_is_a_look_at_the_pool(self, counter: RpcCounter, volume: VolumeId) -> None:
        with Connection(counter.uri) as connection:
            connection.call(op.VOLUME_INFO, volume, lambda lane: lane.volume(volume).info(), timeout=60)
            before = counter.calls
            connection.call(
                op.VOLUME_RESIZE,
                volume,
                lambda lane: lane.volume(volume, fresh=True).resize(1 << 21),
                timeout=60,
            )
            assert counter.calls - before == 2

    def test_of_what_a_listing_has_shown(self, counter: RpcCounter, volume: VolumeId) -> None:
        def listing(lane: Lane) -> None:
            for raw in lane.pool(volume.pool).listAllVolumes():
                lane.remember(VolumeId(volume.pool, raw.name()), raw)

        with Connection(counter.uri) as connection:
            connection.call(op.VOLUMES_LIST, volume.pool, listing, timeout=60)
            before = counter.calls
            connection.call(op.VOLUME_INFO, volume, lambda lane: lane.volume(volume).info(), timeout=60)
            assert counter.calls - before == 1

    def test_of_opening(self, counter: RpcCounter) -> None:
        Connection(counter.uri).close()
        # Authentication, open, three features, version, close. The counter makes sockets in this process, too: if the
        # connection's own could not be told from them, it was opened again.
        assert counter.calls in {7, 7 + 6}


class TestWhatALaneKeeps:
    def test_a_pool_made_again_under_its_name_is_another(
        self, connection: Connection, volume: VolumeId
    ) -> None:
        connection.call(op.VOLUME_INFO, volume, lambda lane: lane.volume(volume).info(), timeout=60)
        with Connection(connection.uri) as other:  # behind the first one's back
            folder = Path(
                other.call(op.VOLUME_PATH, volume, lambda lane: lane.volume(volume).path(), timeout=60)
            ).parent
            remove_pool(other, volume.pool)
            again = make_pool(other, folder, name=volume.pool.name)
            assert make_volume(other, again, "precious") != volume
        with pytest.raises(PoolNotFoundError):
            connection.call(
                op.VOLUME_DELETE, volume, lambda lane: lane.volume(volume, fresh=True).delete(), timeout=60
            )
        assert (folder / volume.name).exists()
        remove_pool(connection, again)
        make_pool(connection, folder, name=volume.pool.name, uuid=volume.pool.uuid)

    def test_it_is_dropped_when_the_thing_is_not_found(self, counter: RpcCounter, volume: VolumeId) -> None:
        with Connection(counter.uri) as connection:
            path = Path(
                connection.call(op.VOLUME_PATH, volume, lambda lane: lane.volume(volume).path(), timeout=60)
            )
            path.unlink()
            with pytest.raises(VolumeNotFoundError):
                connection.call(op.VOLUME_INFO, volume, lambda lane: lane.volume(volume).info(), timeout=60)
            path.write_bytes(b"")
            before = counter.calls
            connection.call(op.VOLUME_INFO, volume, lambda lane: lane.volume(volume).info(), timeout=60)
            assert counter.calls - before == 2  # looked up again

    def test_every_lane_drops_a_deleted_volume(self, connection: Connection, volume: VolumeId) -> None:
        lanes = []
        with (
            connection.lane(op.HOST_VERSION, volume, timeout=60) as one,
            connection.lane(op.HOST_VERSION, volume, timeout=60) as other,
        ):
            for lane in (one, other):
                lane.volume(volume)
                lanes.append(lane)
        connection.call(op.VOLUME_DELETE, volume, lambda lane: lane.volume(volume).delete(), timeout=60)
        make_volume(connection, volume.pool, volume.name)
        assert not any(lane.knows(volume) for lane in lanes)

    def test_it_is_bounded(self, connection: Connection, pool: PoolId) -> None:
        with connection.lane(op.HOST_VERSION, pool, timeout=60) as lane:
            raw = lane.pool(pool)
            for number in range(RAW_LIMIT + 10):
                lane.remember(PoolId("", str(number), ""), raw)
            assert not lane.knows(PoolId("", "0", ""))
            assert lane.knows(PoolId("", str(RAW_LIMIT + 9), ""))


class TestClosing:
    def test_nothing_is_left(self, uri: str, host: HostId) -> None:
        with Connection(uri):  # what the process keeps for all hosts is there now
            pass
        before = resources_at_rest()
        for _ in range(3):
            with Connection(uri, lanes=8) as connection, ThreadPoolExecutor(THREADS) as workers:
                calls = [
                    workers.submit(connection.call, op.HOST_VERSION, host, hosts_version, timeout=60)
                    for _ in range(100)
                ]
                assert all(call.result() for call in calls)
        assert are_back(before)

    def test_a_kept_raw_object_does_not_keep_the_socket(self, uri: str, pool: PoolId) -> None:
        before = resources_at_rest()
        with Connection(uri) as connection:
            kept = connection.call(op.POOL_XML, pool, lambda lane: lane.pool(pool), timeout=60)
        assert are_back(before)
        assert kept.name() == pool.name

    def test_a_kept_error_keeps_no_raw_object(self, connection: Connection, pool: PoolId) -> None:
        seen: list[weakref.ref[RawPool]] = []

        def body(lane: Lane) -> object:
            raw = lane.connection.storagePoolLookupByUUIDString(pool.uuid)
            seen.append(weakref.ref(raw))
            return raw.storageVolLookupByName("missing")

        with pytest.raises(VolumeNotFoundError) as caught:
            connection.call(op.VOLUME_LOOKUP_BY_NAME, VolumeId(pool, "missing"), body, timeout=60)
        assert caught.value.__traceback__ is not None
        assert seen[0]() is None

    def test_later_calls_are_refused(self, uri: str, host: HostId) -> None:
        connection = Connection(uri)
        connection.close()
        connection.close()
        with pytest.raises(StateError, match="the host is closed") as caught:
            connection.call(op.HOST_VERSION, host, hosts_version, timeout=60)
        assert caught.value.outcome == "not_started"
        assert not connection.is_alive()

    @pytest.mark.usefixtures("one_thread_a_lane")
    def test_waiting_calls_are_refused(self, uri: str, host: HostId) -> None:
        connection = Connection(uri, lanes=1)
        with ThreadPoolExecutor(1) as threads, connection.lane(op.HOST_VERSION, host, timeout=60):
            waiting = threads.submit(connection.call, op.HOST_VERSION, host, hosts_version, timeout=60)
            sleep(0.05)
            threading.Thread(target=connection.close).start()
            with pytest.raises(StateError, match="the host is closed"):
                waiting.result(5)


def raised(connection: Connection, volume: VolumeId) -> StorageError:
    def body(lane: Lane) -> object:
        raw = lane.pool(volume.pool)
        return raw.storageVolLookupByName(volume.name)

    with pytest.raises(VolumeNotFoundError) as caught:
        connection.call(op.VOLUME_LOOKUP_BY_NAME, volume, body, timeout=60)
    return caught.value


def test_errors_are_not_printed(
    connection: Connection, pool: PoolId, capfd: pytest.CaptureFixture[str]
) -> None:
    raised(connection, VolumeId(pool, "missing"))
    assert capfd.readouterr() == ("", "")
