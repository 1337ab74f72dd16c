"""Lanes of libvirt's test driver, which has no daemon and no socket."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from libstorage import operations as op
from libstorage.connection import process
from libstorage.connection.address.uri import parse
from libstorage.connection.clock import NEVER, TimeLimit
from libstorage.connection.connection import Connection
from libstorage.connection.identity import HostId, PoolId, SecretId, VolumeId
from libstorage.connection.lane import Lane, width_for
from libstorage.connection.lanes import Closed, Lanes, NoLane
from libstorage.connection.limits import Holder
from libstorage.connection.opening import Opener
from libstorage.errors import (
    ConnectionFailedError,
    DeadlineError,
    InvalidRequestError,
    NoSpaceError,
    PoolActiveError,
    PoolInactiveError,
    PoolNotFoundError,
    StorageError,
    UnsupportedError,
    VolumeExistsError,
    VolumeNotFoundError,
)
from tests.live.rest import wait_until

UUID = "11111111-1111-4111-8111-111111111111"
NODE = """
<node>
  <pool type='dir'>
    <name>images</name><uuid>{uuid}</uuid><target><path>/images</path></target>
    <volume><name>disk</name><capacity>1024</capacity><target><path>/images/disk</path></target></volume>
  </pool>
</node>
"""
VOLUME = (
    "<volume><name>{name}</name><capacity>{capacity}</capacity><allocation>{capacity}</allocation></volume>"
)


@pytest.fixture
def uri(tmp_path: Path) -> str:
    node = tmp_path / "node.xml"
    node.write_text(NODE.format(uuid=UUID))
    return f"test://{node}"


@pytest.fixture
def connection(uri: str) -> Iterator[Connection]:
    with Connection(uri) as connection:
        yield connection


@pytest.fixture
def pool(uri: str) -> PoolId:
    return PoolId(uri, "images", UUID)


class TestWidth:
    """What the lanes of a libvirt that allows it will be: several short calls in one connection."""

    @pytest.fixture
    def lanes(self, uri: str) -> Iterator[Lanes]:
        opener = Opener(process.current(), parse(uri), False, (5, 3), 10.0)
        lanes = Lanes(opener, opener(), width=3, limit=2)
        yield lanes
        lanes.close(0.1)

    def test_an_empty_lane_comes_first(self, lanes: Lanes) -> None:
        holders = [Holder() for _ in range(6)]
        taken = [lanes.take(holder, TimeLimit(5)) for holder in holders]
        assert len(set(taken[:2])) == 2
        assert sorted(map(taken.count, set(taken))) == [3, 3]
        with pytest.raises(NoLane):
            lanes.take(Holder(), TimeLimit(0.01))
        for holder, lane in zip(holders, taken, strict=True):
            lanes.give(holder, lane)

    def test_who_must_be_alone_waits_for_an_empty_lane(self, lanes: Lanes) -> None:
        holders = [Holder() for _ in range(3)]
        taken = [lanes.take(holder, TimeLimit(5)) for holder in holders]
        with pytest.raises(NoLane):
            lanes.take(Holder(), TimeLimit(0.01), most=2)
        for holder, lane in zip(holders, taken, strict=True):
            lanes.give(holder, lane)
        alone = [lanes.take(holder, TimeLimit(5), most=2) for holder in holders[:2]]
        with pytest.raises(NoLane):
            lanes.take(Holder(), TimeLimit(0.01))
        for holder, lane in zip(holders, alone, strict=False):
            lanes.give(holder, lane)

    def test_who_must_be_alone_leaves_lanes_for_others(self, lanes: Lanes) -> None:
        stream, waiting, call = Holder(), Holder(), Holder()
        lane = lanes.take(stream, TimeLimit(5), most=1)
        with pytest.raises(NoLane):
            lanes.take(waiting, TimeLimit(0.01), most=1)
        other = lanes.take(call, TimeLimit(5))
        assert other is not lane
        lanes.give(call, other)
        lanes.give(stream, lane)
        assert lanes.take(waiting, TimeLimit(5), most=1) in {lane, other}

    def test_who_waits_for_its_turn_holds_up_nobody_else(self, lanes: Lanes) -> None:
        stream, waiting = Holder(), Holder()
        lane = lanes.take(stream, TimeLimit(5), most=1)
        got: list[Lane] = []
        thread = threading.Thread(
            target=lambda: got.append(lanes.take(waiting, TimeLimit(5), most=1)), daemon=True
        )
        thread.start()
        assert wait_until(lambda: bool(lanes._waiters))
        for _ in range(3):
            call = Holder()
            lanes.give(call, lanes.take(call, TimeLimit(5)))
        assert not got
        lanes.give(stream, lane)
        thread.join(5)
        assert got

    def test_a_lane_whose_holder_is_gone_is_free(self, uri: str) -> None:
        opener = Opener(process.current(), parse(uri), False, (5, 3), 10.0)
        lanes = Lanes(opener, opener(), width=1, limit=1)
        lost = Holder()
        lane = lanes.take(lost, TimeLimit(5))
        lane.enter(TimeLimit(0.01))  # what is left of a call that Ctrl-C took away
        with pytest.raises(NoLane):
            lanes.take(Holder(), TimeLimit(0.01))
        del lost
        here = Holder()
        assert lanes.take(here, TimeLimit(5)) is lane
        assert lane.expires == NEVER
        lanes.recall(here)
        lanes.recall(here)
        lanes.close(0.1)

    def test_one_who_waits_notices_that_a_holder_is_gone(self, uri: str) -> None:
        opener = Opener(process.current(), parse(uri), False, (5, 3), 10.0)
        lanes = Lanes(opener, opener(), width=1, limit=1)
        held = [Holder()]
        lane = lanes.take(held[0], TimeLimit(5))
        timer = threading.Timer(0.05, held.clear)
        timer.start()
        assert lanes.take(Holder(), TimeLimit(30)) is lane
        timer.join()
        lanes.close(0.1)

    def test_one_who_queues_waits_while_there_is_progress(self, lanes: Lanes) -> None:
        stream, waiting = Holder(), Holder()
        lane = lanes.take(stream, TimeLimit(5), most=1)
        got: list[object] = []

        def queue() -> None:
            try:
                got.append(lanes.take(waiting, TimeLimit(0.3), most=1, latest=NEVER))
            except NoLane as error:
                got.append(error)

        thread = threading.Thread(target=queue, daemon=True)
        thread.start()
        for _ in range(20):
            sleep(0.05)
            lane.renew()
        assert not got
        thread.join(5)  # no progress any more
        assert isinstance(got[0], NoLane)

    def test_by_libvirts_version(self) -> None:
        assert width_for(9_000_000) == width_for(10_003_000) == 1
        assert width_for(10_004_000) > 1


class TestTimeLimits:
    @pytest.fixture
    def lane(self, uri: str) -> Iterator[Lane]:
        lane = Opener(process.current(), parse(uri), False, (5, 3), 10.0)()
        yield lane
        lane.close(TimeLimit(1))

    def test_progress_begins_the_time_anew_but_never_past_the_latest(self, lane: Lane) -> None:
        limit, began = TimeLimit(60), monotonic()
        lane.enter(limit)
        lane.renew(began + 30)
        assert lane.expires == began + 30
        with lane.paused(began + 40):
            assert lane.expires == NEVER
        assert lane.expires == began + 40
        lane.renew(began + 1000)
        assert began + 60 <= lane.expires < began + 1000
        with lane.paused():
            assert lane.expires == NEVER
        assert began + 60 <= lane.expires < NEVER

    def test_the_first_of_several_counts(self, lane: Lane) -> None:
        late, soon = TimeLimit(60), TimeLimit(30)
        lane.enter(late)
        lane.enter(soon)
        assert lane.expires == soon.expires
        lane.leave(soon)
        assert lane.expires == late.expires
        lane.leave(late)
        assert lane.expires == NEVER

    @pytest.mark.parametrize("fails", [False, True])
    def test_a_call_that_is_over_has_none(self, connection: Connection, pool: PoolId, fails: bool) -> None:
        """Or the idle lane would be cut when it runs out."""
        lanes: list[Lane] = []

        def body(lane: Lane) -> object:
            lanes.append(lane)
            assert lane.expires < NEVER
            return lane.pool(PoolId("", "none", "2" * 8 + UUID[8:]) if fails else pool).info()

        for _ in range(2):
            with pytest.raises(PoolNotFoundError) if fails else nullcontext():
                connection.call(op.POOL_INFO, pool, body, timeout=60)
            assert lanes[-1].expires == NEVER
            assert not lanes[-1].threads()
        assert lanes[0] is lanes[1]


class TestOpeningLanes:
    def test_one_that_opens_after_the_end_is_closed(self, uri: str) -> None:
        opener = Opener(process.current(), parse(uri), False, (5, 3), 10.0)
        go, begun, opened = threading.Event(), threading.Event(), list[Lane]()

        def slowly(limit: TimeLimit | None) -> Lane:
            begun.set()
            go.wait(10)
            opened.append(opener(limit))
            return opened[-1]

        lanes = Lanes(slowly, opener(), width=1, limit=2)
        holder = Holder()
        lane = lanes.take(holder, TimeLimit(5))
        waiting = threading.Thread(target=refused, args=(lanes, Closed))
        waiting.start()
        assert begun.wait(5)
        lanes.give(holder, lane)
        waiting.join(5)
        lanes.close(0.01)
        go.set()
        assert wait_until(lambda: bool(opened) and vars(opened[0].connection)["_o"] is None)
        assert lanes.count() == 0

    def test_one_that_fails_is_not_tried_again_at_once(self, uri: str) -> None:
        opener = Opener(process.current(), parse(uri), False, (5, 3), 10.0)
        tries: list[float] = []

        def fail(limit: TimeLimit | None) -> Lane:
            tries.append(monotonic())
            raise ConnectionFailedError("no")

        lanes, holder = Lanes(fail, opener(), width=1, limit=2), Holder()
        lane = lanes.take(holder, TimeLimit(5))
        began = monotonic()
        for _ in range(20):
            refused(lanes, NoLane, 0.01)
        assert 1 <= len(tries) <= 2 + (monotonic() - began)
        lanes.give(holder, lane)
        lanes.close(0.1)


def refused(lanes: Lanes, kind: type[Exception], seconds: float = 5) -> None:
    """Whoever asks for a lane gets none; or gets one that is free again at once."""
    holder = Holder()
    with suppress(kind):
        lanes.give(holder, lanes.take(holder, TimeLimit(seconds)))


def test_one_lane_is_left_by_slow_calls_and_streams(uri: str, pool: PoolId) -> None:
    with Connection(uri, lanes=3) as connection:
        for operation, told in ((op.POOL_BUILD, "all 2 slow calls"), (op.VOLUME_DOWNLOAD, "all 3 calls")):
            with (
                connection.lane(operation, pool, timeout=60),
                connection.lane(operation, pool, timeout=60),
            ):
                with pytest.raises(DeadlineError, match=told):
                    connection.call(operation, pool, lambda _: None, timeout=0.05)
                short = connection.call(op.POOL_INFO, pool, lambda _: "short", timeout=60)
                assert short == "short"
        with (
            connection.lane(op.VOLUME_DOWNLOAD, pool, timeout=60),
            connection.lane(op.VOLUME_DOWNLOAD, pool, timeout=60),
            connection.lane(op.VOLUME_DOWNLOAD, pool, timeout=60, last=True),
        ):
            assert connection.lane_count() == 3


@pytest.mark.parametrize("operation", [op.POOL_BUILD, op.VOLUME_DELETE])
def test_a_slow_call_that_got_no_lane_leaves_its_place(
    uri: str, pool: PoolId, operation: op.Operation
) -> None:
    """Though its error is kept, and what its traceback holds with it."""
    here, kept = HostId(uri), list[StorageError]()
    with Connection(uri, lanes=2) as connection:
        with (
            connection.lane(op.HOST_VERSION, here, timeout=60),
            connection.lane(op.HOST_VERSION, here, timeout=60),
        ):
            for _ in range(3):
                with pytest.raises(DeadlineError, match="all 2 calls") as refused:
                    connection.call(operation, pool, lambda _: None, timeout=0.05)
                kept.append(refused.value)
        assert connection.call(operation, pool, lambda _: "done", timeout=60) == "done"
    assert len(kept) == 3


def test_a_connection_without_a_daemon(connection: Connection, pool: PoolId) -> None:
    assert connection.local
    assert connection.daemon_version == connection.client_version >= 9_000_000
    info = connection.call(op.POOL_INFO, pool, lambda lane: lane.pool(pool).info(), timeout=60)
    assert info[1] > 0
    assert connection.is_alive()
    assert repr(connection).startswith("<Connection test:///")


def test_threads_share_it(connection: Connection, pool: PoolId) -> None:
    done = []

    def work() -> None:
        for _ in range(50):
            connection.call(op.POOL_INFO, pool, lambda lane: lane.pool(pool).info(), timeout=60)
        done.append(True)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [True] * 8


@pytest.mark.parametrize("option", [{"lanes": 0}, {"lanes": -1}, {"open_timeout": -1.0}])
def test_a_connection_needs_a_lane_and_time(uri: str, option: dict[str, Any]) -> None:
    (name,) = option
    with pytest.raises(InvalidRequestError, match=f"{name} must be a "):
        Connection(uri, **option)


def test_a_file_that_is_not_there(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConnectionFailedError) as caught:
        Connection(f"test://{tmp_path}/none.xml")
    assert caught.value.retry == "no"
    capfd.readouterr()  # libxml2 prints


def test_libvirts_default_address(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", uri)
    with Connection() as connection:
        assert connection.uri == uri
        assert connection.local


def errors(pool: PoolId) -> dict[str, tuple[type[StorageError], op.Operation, Callable[[Lane], object]]]:
    disk = VolumeId(pool, "disk")
    none = PoolId(pool.uri, "none", "2" * 8 + UUID[8:])
    return {
        "no pool": (PoolNotFoundError, op.POOL_INFO, lambda lane: lane.pool(none).info()),
        "no volume": (
            VolumeNotFoundError,
            op.VOLUME_INFO,
            lambda lane: lane.volume(VolumeId(pool, "none")).info(),
        ),
        "running": (PoolActiveError, op.POOL_START, lambda lane: lane.pool(pool).create()),
        "flag": (InvalidRequestError, op.POOL_BUILD, lambda lane: lane.pool(pool).build(1)),
        "resize": (UnsupportedError, op.VOLUME_RESIZE, lambda lane: lane.volume(disk).resize(2048)),
        "secrets": (UnsupportedError, op.SECRET_XML, lambda lane: lane.secret(SecretId("", UUID)).XMLDesc()),
    }


@pytest.mark.parametrize("case", errors(PoolId("", "", "")))
def test_refusals_of_the_test_driver(connection: Connection, pool: PoolId, case: str) -> None:
    kind, operation, body = errors(pool)[case]
    with pytest.raises(StorageError) as caught:
        connection.call(operation, pool, body, timeout=60)
    assert type(caught.value) is kind


def test_creating_in_the_test_driver(connection: Connection, pool: PoolId) -> None:
    def create(name: str, capacity: int) -> None:
        xml = VOLUME.format(name=name, capacity=capacity)
        connection.call(
            op.VOLUME_CREATE, VolumeId(pool, name), lambda lane: lane.pool(pool).createXML(xml), timeout=60
        )

    with pytest.raises(VolumeExistsError):
        create("disk", 1024)
    with pytest.raises(NoSpaceError):
        create("large", 1 << 50)
    connection.call(op.POOL_STOP, pool, lambda lane: lane.pool(pool).destroy(), timeout=60)
    with pytest.raises(PoolInactiveError):
        create("new", 1024)


def test_an_error_of_the_bodys_own_passes(connection: Connection) -> None:
    with pytest.raises(ZeroDivisionError):
        connection.call(op.HOST_VERSION, HostId(connection.uri), lambda _: 1 / 0, timeout=60)
    assert connection.call(op.HOST_VERSION, HostId(connection.uri), lambda _: "next", timeout=60) == "next"
