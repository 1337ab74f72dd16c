"""What becomes of calls when the daemon hangs, dies or is gone, and when we end, fork or are interrupted."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest

from benchmarks.link import slow_link
from libstorage import operations as op
from libstorage.connection import process, sockets
from libstorage.connection.connection import Connection
from libstorage.connection.identity import HostId
from libstorage.connection.lane import Lane
from libstorage.errors import (
    AuthenticationError,
    ConnectionFailedError,
    ConnectionLostError,
    DeadlineError,
)
from libstorage.testing import PrivateDaemon
from tests.live.conftest import started_daemon
from tests.live.rest import are_back, resources_at_rest, wait_until
from tests.live.things import make_pool, make_volume

HERE = HostId("here")


def hosts_version(lane: Lane) -> int:
    return lane.connection.getLibVersion()


@contextmanager
def stopped(daemon: PrivateDaemon) -> Iterator[None]:
    """The daemon hangs."""
    daemon.pause()
    try:
        yield
    finally:
        daemon.resume()


@contextmanager
def takes(least: float, most: float) -> Iterator[None]:
    start = monotonic()
    yield
    assert least <= monotonic() - start <= most


class TestDaemonHangs:
    def test_a_call_ends_at_its_deadline(self, own_daemon: PrivateDaemon) -> None:
        with Connection(own_daemon.uri) as connection:
            with stopped(own_daemon), takes(0.3, 1.3), pytest.raises(DeadlineError) as caught:
                connection.call(op.HOST_VERSION, HERE, hosts_version, timeout=0.3)
            assert (caught.value.outcome, caught.value.retry) == ("unknown", "now")
            assert "no answer within 0.3 s" in caught.value.message
            assert connection.call(op.HOST_VERSION, HERE, hosts_version, timeout=60) > 0

    def test_a_change_may_have_been_made(self, own_daemon: PrivateDaemon, tmp_path: Path) -> None:
        with Connection(own_daemon.uri) as connection:
            pool = make_pool(connection, tmp_path)
            with stopped(own_daemon), pytest.raises(DeadlineError) as caught:
                connection.call(op.POOL_STOP, pool, lambda lane: lane.pool(pool).destroy(), timeout=0.2)
            assert (caught.value.outcome, caught.value.retry) == ("unknown", "after_reconcile")

    def test_all_lanes_at_once(self, own_daemon: PrivateDaemon, width: int) -> None:
        before = resources_at_rest()
        with Connection(own_daemon.uri) as connection, ThreadPoolExecutor(8) as threads:
            with stopped(own_daemon), takes(0.0, 3.0):
                calls = [
                    threads.submit(connection.call, op.HOST_VERSION, HERE, hosts_version, timeout=0.5)
                    for _ in range(8)
                ]
                kinds = {type(call.exception(10)) for call in calls}
            # Who shares a lane with a call that is cut loses the connection.
            assert kinds - ({ConnectionLostError} if width > 1 else set()) == {DeadlineError}
            assert connection.call(op.HOST_VERSION, HERE, hosts_version, timeout=60) > 0
        assert are_back(before)

    def test_a_stream_may_take_long_but_not_stand_still(
        self, own_daemon: PrivateDaemon, tmp_path: Path
    ) -> None:
        with Connection(own_daemon.uri) as connection:
            volume = make_volume(connection, make_pool(connection, tmp_path), "disk", 1 << 32)

            def download() -> None:
                with connection.lane(op.VOLUME_DOWNLOAD, volume, timeout=0.4) as lane:
                    raw = lane.volume(volume)
                    stream = lane.connection.newStream()
                    raw.download(stream, 0, 0)
                    for _ in range(6):
                        assert stream.recv(1000)
                        sleep(0.1)
                        lane.renew()
                    with stopped(own_daemon), takes(0.0, 1.5):
                        while stream.recv(1 << 18):
                            pass

            with pytest.raises(DeadlineError):
                download()

    def test_opening_ends_in_time(self, own_daemon: PrivateDaemon) -> None:
        with (
            stopped(own_daemon),
            takes(0.3, 2.0),
            pytest.raises(ConnectionFailedError, match=r"no answer within 0\.3 s") as caught,
        ):
            Connection(own_daemon.uri, open_timeout=0.3)
        assert (caught.value.outcome, caught.value.retry) == ("not_started", "backoff")

    def test_reopening_may_not_take_longer_than_the_call(self, own_daemon: PrivateDaemon) -> None:
        with Connection(own_daemon.uri) as connection:
            own_daemon.restart(kill=True)
            with stopped(own_daemon), takes(0.1, 1.0), pytest.raises(DeadlineError) as caught:
                connection.call(op.HOST_VERSION, HERE, hosts_version, timeout=0.3)
            assert "no connection opened in that time" in str(caught.value)
            assert caught.value.outcome == "not_started"
            assert connection.call(op.HOST_VERSION, HERE, hosts_version, timeout=60) > 0

    def test_closing_ends_in_time(self, own_daemon: PrivateDaemon) -> None:
        connection = Connection(own_daemon.uri)
        with ThreadPoolExecutor(1) as threads, stopped(own_daemon):
            call = threads.submit(connection.call, op.HOST_VERSION, HERE, hosts_version, timeout=60)
            sleep(0.1)
            with takes(0.0, 3.0):
                connection.close()
            with pytest.raises(ConnectionLostError, match="the connection was closed while it ran"):
                call.result(5)

    def test_keepalive_notices_without_a_deadline(self, own_daemon: PrivateDaemon) -> None:
        with Connection(own_daemon.uri, keepalive=(1, 1)) as connection:
            with stopped(own_daemon), takes(1.0, 5.0), pytest.raises(ConnectionLostError) as caught:
                connection.call(op.HOST_VERSION, HERE, hosts_version, timeout=None)
            assert caught.value.outcome == "unknown"
            assert connection.call(op.HOST_VERSION, HERE, hosts_version, timeout=None) > 0

    def test_a_busy_host_refuses_in_time(self) -> None:
        with started_daemon(settings={"max_clients": 2, "max_anonymous_clients": 2}) as daemon:
            with (
                Connection(daemon.uri),
                Connection(daemon.uri),
                pytest.raises(ConnectionFailedError) as caught,
            ):
                Connection(daemon.uri, open_timeout=0.4)
            assert "max_clients" in str(caught.value)

    def test_fewer_lanes_than_hoped_for_serve_all(self) -> None:
        settings = {"max_clients": 3, "max_anonymous_clients": 3}
        with (
            started_daemon(settings=settings) as daemon,
            Connection(daemon.uri, lanes=8, open_timeout=0.3) as connection,
            ThreadPoolExecutor(8) as threads,
        ):
            calls = [
                threads.submit(connection.call, op.HOST_VERSION, HERE, hosts_version, timeout=60)
                for _ in range(200)
            ]
            assert all(call.result() for call in calls)
            assert connection.lane_count() <= 3

    def test_another_lane_is_tried_again_after_a_failure(self) -> None:
        settings = {"max_clients": 2, "max_anonymous_clients": 2}
        meeting = threading.Barrier(2)
        with (
            started_daemon(settings=settings) as daemon,
            Connection(daemon.uri) as other,
            Connection(daemon.uri, lanes=2, open_timeout=0.2) as connection,
            ThreadPoolExecutor(2) as threads,
        ):
            calls = [
                threads.submit(connection.call, op.HOST_VERSION, HERE, lambda _: meeting.wait(10), timeout=60)
                for _ in "ab"
            ]
            sleep(0.5)
            other.close()
            assert sorted(call.result() for call in calls) == [0, 1]


class TestDaemonDies:
    @pytest.mark.parametrize("kill", [False, True])
    def test_the_next_call_connects_again(
        self, own_daemon: PrivateDaemon, tmp_path: Path, kill: bool
    ) -> None:
        with Connection(own_daemon.uri) as connection:
            pool = make_pool(connection, tmp_path)
            connection.call(op.POOL_INFO, pool, lambda lane: lane.pool(pool).info(), timeout=60)
            own_daemon.restart(kill=kill)
            assert connection.call(op.POOL_INFO, pool, lambda lane: lane.pool(pool).info(), timeout=60)

    def test_a_call_under_way_is_lost(self, own_daemon: PrivateDaemon) -> None:
        with Connection(own_daemon.uri) as connection, ThreadPoolExecutor(1) as threads:
            own_daemon.pause()
            call = threads.submit(connection.call, op.HOST_VERSION, HERE, hosts_version, timeout=60)
            sleep(0.1)
            own_daemon.stop(kill=True)
            with pytest.raises(ConnectionLostError) as caught:
                call.result(5)
            assert (caught.value.outcome, caught.value.retry) == ("unknown", "now")

    def test_without_a_daemon_calls_fail_at_once(self, own_daemon: PrivateDaemon) -> None:
        with Connection(own_daemon.uri) as connection:
            assert connection.is_alive()
            own_daemon.stop(kill=True)
            assert wait_until(lambda: not connection.is_alive())
            with takes(0.0, 1.0), pytest.raises(ConnectionFailedError) as caught:
                connection.call(op.HOST_VERSION, HERE, hosts_version, timeout=60)
            assert (caught.value.outcome, caught.value.retry) == ("not_started", "backoff")
            own_daemon.start()
            assert connection.call(op.HOST_VERSION, HERE, hosts_version, timeout=60) > 0
            assert connection.is_alive()

    def test_many_waiting_threads_are_all_told(self, own_daemon: PrivateDaemon) -> None:
        with Connection(own_daemon.uri, lanes=2) as connection, ThreadPoolExecutor(8) as threads:
            own_daemon.pause()
            calls = [
                threads.submit(connection.call, op.HOST_VERSION, HERE, hosts_version, timeout=60)
                for _ in range(8)
            ]
            sleep(0.2)
            own_daemon.stop(kill=True)
            kinds = {type(call.exception(10)) for call in calls}
        assert kinds == {ConnectionLostError, ConnectionFailedError}


class TestOpening:
    def test_no_socket_there(self) -> None:
        with pytest.raises(ConnectionFailedError, match="/nowhere/libvirt-sock") as caught:
            Connection("storage:///system?socket=/nowhere/libvirt-sock")
        assert caught.value.errno == 2
        assert "Check that the daemon" in str(caught.value)

    def test_no_such_driver(self, uri: str) -> None:
        with pytest.raises(ConnectionFailedError, match="quux") as caught:
            Connection(uri.replace("storage:", "quux:"))
        assert caught.value.retry == "no"

    def test_a_socket_that_is_not_ours_to_use(self, tmp_path: Path) -> None:
        if os.geteuid() != 0:
            pytest.skip("not run: needs root, who can become another user")
        with started_daemon() as daemon:
            script = "from libstorage.connection import binding; binding.load(); import os; os.setuid(15099)"
            done = run(f"{CONNECT}\n{script}\nConnection({daemon.uri!r})")
        assert AuthenticationError.__name__ in done.stderr
        assert "member of its group" in done.stderr


def test_a_system_that_does_not_show_sockets(
    uri: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sockets, "_DESCRIPTORS", str(tmp_path / "none"))
    with Connection(uri) as connection:
        assert connection.call(op.HOST_VERSION, HERE, hosts_version, timeout=0.5) > 0
        assert connection.is_alive()


def assert_lanes_know_their_sockets(uri: str) -> None:
    """Cut eight lanes one by one: each time exactly that one must die."""
    meeting, turn, lanes = threading.Barrier(8), threading.Lock(), list[Lane]()

    def body(lane: Lane) -> bool:
        lanes.append(lane)
        meeting.wait(10)
        with turn:
            lane.cut()
            died = wait_until(lambda: not lane.connection.isAlive())
            return died and all(other.is_cut or other.connection.isAlive() for other in lanes)

    with Connection(uri, lanes=8) as connection, ThreadPoolExecutor(8) as threads:
        calls = [threads.submit(connection.call, op.HOST_VERSION, HERE, body, timeout=60) for _ in range(8)]
        assert all(call.result() for call in calls)
    assert len(set(lanes)) == 8


@pytest.mark.usefixtures("one_thread_a_lane")
def test_sockets_of_others_to_the_same_daemon_are_left_alone(daemon: PrivateDaemon) -> None:
    strangers: list[socket.socket] = []
    done = threading.Event()

    def connect() -> None:
        while not done.wait(random.uniform(0, 0.06)):
            stranger = socket.socket(socket.AF_UNIX)
            stranger.connect(str(daemon.socket))
            strangers.append(stranger)
            if len(strangers) > 10:
                strangers.pop(random.randrange(10)).close()

    with ThreadPoolExecutor(1) as threads:
        connecting = threads.submit(connect)
        try:
            for _ in range(5):
                assert_lanes_know_their_sockets(daemon.uri)
        finally:
            done.set()
        connecting.result()
    assert all(is_open(stranger) for stranger in strangers)
    for stranger in strangers:
        stranger.close()


def is_open(stranger: socket.socket) -> bool:
    stranger.setblocking(False)
    try:
        return stranger.recv(1) != b""
    except BlockingIOError:
        return True


class TestFarAway:
    """Over TCP, with a slow link in between."""

    @pytest.fixture
    def link(self, uri: str) -> Iterator[str]:
        with slow_link(uri, 0.005) as link:
            yield link

    def test_many_lanes_open_at_once(self, link: str) -> None:
        with Connection(link) as connection:
            assert not connection.local
            assert connection.max_lanes == 16
            connection.widen(32)
            with ThreadPoolExecutor(32) as threads:
                calls = [
                    threads.submit(connection.call, op.HOST_VERSION, HERE, hosts_version, timeout=60)
                    for _ in range(200)
                ]
            assert all(call.result() for call in calls)
            assert wait_until(lambda: connection.lane_count() == 32)

    @pytest.mark.usefixtures("one_thread_a_lane")
    def test_each_lane_knows_its_own_socket(self, link: str) -> None:
        assert_lanes_know_their_sockets(link)

    def test_a_call_ends_at_its_deadline(self, own_daemon: PrivateDaemon) -> None:
        with slow_link(own_daemon.uri, 0.0) as link, Connection(link) as connection:
            with stopped(own_daemon), takes(0.3, 1.3), pytest.raises(DeadlineError):
                connection.call(op.HOST_VERSION, HERE, hosts_version, timeout=0.3)
            assert connection.call(op.HOST_VERSION, HERE, hosts_version, timeout=60) > 0


CONNECT = "from libstorage.connection.connection import Connection"
FORK = """
import os, sys, warnings
from libstorage import operations as op
from libstorage.connection.connection import Connection
from libstorage.connection.identity import HostId, PoolId
from libstorage.errors import StorageError
warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of fork in a process with threads
uri = sys.argv[1]
host = HostId(uri)
version = lambda lane: lane.connection.getLibVersion()
connection = Connection(uri)
connection.call(op.HOST_VERSION, host, version, timeout=60)
def said(f):
    try:
        return repr(f())
    except StorageError as error:
        return f"{type(error).__name__} {error.outcome} {'spawn' in str(error)}"
child = os.fork()
if not child:
    print(said(lambda: connection.call(op.HOST_VERSION, host, version, timeout=60)))
    print(said(lambda: Connection(uri)))
    print(connection.is_alive())
    connection.close()
    sys.exit()
os.waitpid(child, 0)
print(said(lambda: connection.call(op.HOST_VERSION, host, version, timeout=60)))
print(connection.lane_count(), connection.is_alive())
"""


def run(script: str, *arguments: str, limit: float = 20) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)


class TestProcess:
    def test_a_forked_child_harms_nobody(self, uri: str) -> None:
        with Connection(uri) as connection:
            version = connection.daemon_version
        done = run(FORK, uri)
        assert (done.stderr, done.returncode) == ("", 0)
        assert done.stdout.splitlines() == [
            "ConnectionLostError not_started True",
            "ConnectionFailedError not_started True",
            "False",
            str(version),
            "1 True",
        ]

    def test_a_child_forked_before_connecting_can_connect(self, uri: str) -> None:
        script = f"""
import os
{CONNECT}
if os.fork():
    raise SystemExit(os.waitstatus_to_exitcode(os.wait()[1]))
connection = Connection({uri!r})
connection.close()
"""
        assert run(script).returncode == 0

    def test_a_process_ends_though_its_host_hangs(self, own_daemon: PrivateDaemon) -> None:
        script = f"""
import os, signal, threading
from libstorage import operations as op
from libstorage.connection.identity import HostId
{CONNECT}
connection = Connection({own_daemon.uri!r}, keepalive=(30, 3))
with connection.lane(op.HOST_VERSION, HostId(""), timeout=60) as lane:
    raw = lane.connection
os.kill({own_daemon.pid}, signal.SIGSTOP)
threading.Thread(target=raw.getLibVersion, daemon=True).start()
"""
        try:
            with takes(0.0, 5.0):
                assert run(script).returncode == 0
        finally:
            own_daemon.resume()

    def test_ctrl_c_in_an_error_handler_of_the_application(self, uri: str) -> None:
        script = f"""
import libvirt
from libstorage import operations as op
from libstorage.connection import process, sockets
from libstorage.connection.identity import HostId
{CONNECT}
def handler(*_):
    raise KeyboardInterrupt
libvirt.registerErrorHandler(handler, None)
process.keep_error_handler()
connection = Connection({uri!r})
try:
    connection.call(op.POOL_LOOKUP_BY_NAME, HostId(""), lambda lane: lane.connection.storagePoolLookupByName("none"), timeout=60)
except KeyboardInterrupt:
    print("interrupted")
"""
        assert run(script).stdout == "interrupted\n"

    def test_the_applications_event_loop_is_accepted(self, uri: str) -> None:
        script = f"""
import threading, time
import libvirt
libvirt.virEventRegisterDefaultImpl()
def turn():
    while True:
        libvirt.virEventRunDefaultImpl()
threading.Thread(target=turn, daemon=True).start()
{CONNECT}
connection = Connection({uri!r}, keepalive=(1, 1))
print([thread.name for thread in threading.enumerate() if thread.name == "libstorage-events"])
time.sleep(3)
print(connection.is_alive())
connection.close()
"""
        done = run(script)
        assert (done.stderr, done.stdout) == ("", "[]\nTrue\n")

    def test_what_a_process_shares(self) -> None:
        shared = process.current()
        assert shared.shared("key", list) is shared.shared("key", list)
        first: list[object] = shared.shared("key", list)
        shared.reset()
        assert shared.shared("key", list) is not first
        shared.reset()
