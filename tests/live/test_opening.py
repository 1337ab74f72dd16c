"""Opening a connection: it takes no longer than whoever waits for it may take, and nobody else waits for it."""

from __future__ import annotations

import io
import pickle
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest

from libstorage import (
    ConnectionFailedError,
    DeadlineError,
    Host,
    PoolSpec,
    StateError,
    StorageError,
    Volume,
    VolumeSpec,
    connect,
)
from libstorage.connection import process
from libstorage.connection.connection import opening_limit
from libstorage.operations import HOST_VERSION
from libstorage.testing import PrivateDaemon
from tests.inside import channel_of, connection_of, session_of
from tests.live.conftest import started_daemon
from tests.live.rest import are_back, resources_at_rest, wait_until

SOON = 0.25
SLACK = 2.0  # seconds, on a machine that does other things as well
ONE_CLIENT = {"max_clients": 1, "max_anonymous_clients": 1}


@pytest.fixture
def crowded() -> Iterator[PrivateDaemon]:
    """A daemon that serves one client, and lets others wait for ever."""
    with started_daemon(settings=ONE_CLIENT) as daemon:
        yield daemon


@pytest.fixture
def host(crowded: PrivateDaemon) -> Iterator[Host]:
    """That one client: calls on its lane are answered, and no other connection opens."""
    with connect(crowded.uri, timeout=30, open_timeout=20) as host:
        yield host


@pytest.fixture
def volume(host: Host, folder: Path) -> Volume:
    pool = host.pools.create_transient(PoolSpec.dir("crowded", str(folder)))
    return pool.volumes.create(VolumeSpec.raw("there", 8192))


@contextmanager
def soon(least: float = SOON) -> Iterator[None]:
    began = monotonic()
    yield
    took = monotonic() - began
    assert least <= took < least + SLACK


OPENING: dict[str, Callable[[Host, Volume], object]] = {
    "connect": lambda host, _: connect(
        host.uri, timeout=host.options.timeout, open_timeout=host.options.open_timeout
    ),
    "the twin for secrets": lambda host, _: host.secrets.count(),
    "a lane apart": lambda host, volume: volume.copy_to(volume.pool, "copy"),
    "a lane apart, of a source": lambda host, volume: _another(volume).upload(volume),
    "an unpickled host": lambda host, _: pickle.loads(pickle.dumps(host)).pools.count(),
    "an unpickled host's stream": lambda host, volume: pickle.loads(pickle.dumps(volume)).download(
        io.BytesIO()
    ),
    "an unpickled host's listing": lambda host, volume: pickle.loads(
        pickle.dumps(volume.pool)
    ).volumes.specs(),
    "an unpickled host's versions": lambda host, _: pickle.loads(pickle.dumps(host)).versions,
}


def _another(volume: Volume) -> Volume:
    return volume.pool.volumes.create(VolumeSpec.raw("other", 8192))


class TestInTime:
    @pytest.mark.parametrize("place", OPENING)
    def test_open_timeout(self, host: Host, volume: Volume, place: str) -> None:
        hasty = host.with_options(open_timeout=SOON)
        with soon(), pytest.raises(ConnectionFailedError, match=r"no answer within 0\.2[0-9]* s") as late:
            OPENING[place](hasty, volume.with_options(open_timeout=SOON))
        assert (late.value.outcome, late.value.retry) == ("not_started", "backoff")
        assert host.pools.count() == 1

    @pytest.mark.parametrize(
        "place", ["connect", "the twin for secrets", "a lane apart", "an unpickled host"]
    )
    def test_the_timeout_of_the_call(self, host: Host, volume: Volume, place: str) -> None:
        hasty = host.with_options(timeout=SOON, open_timeout=None)
        with soon(), pytest.raises((ConnectionFailedError, DeadlineError)) as late:
            OPENING[place](hasty, volume.with_options(timeout=SOON, open_timeout=None))
        assert (late.value.outcome, late.value.retry) == ("not_started", "backoff")

    def test_the_deadline_of_a_transfer(self, host: Host, volume: Volume) -> None:
        with soon(), pytest.raises(DeadlineError) as late:
            volume.copy_to(volume.pool, "copy", deadline=SOON)
        assert late.value.outcome == "not_started"
        assert volume.pool.volumes.names() == ("there",)
        target = volume.pool.volumes.create(VolumeSpec.raw("target", 8192))
        with soon(), pytest.raises(DeadlineError):
            target.upload(volume, deadline=SOON)
        again: Volume = pickle.loads(pickle.dumps(volume))
        with soon(), pytest.raises(DeadlineError):
            again.upload(b"x", deadline=SOON)

    def test_a_hanging_daemon(self, own_daemon: PrivateDaemon) -> None:
        with connect(own_daemon.uri) as host:
            own_daemon.restart(kill=True)
            own_daemon.pause()
            for options in ({"timeout": SOON}, {"open_timeout": SOON}):
                with soon(), pytest.raises(ConnectionFailedError):
                    connect(own_daemon.uri, **options)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
            with soon(), pytest.raises(ConnectionFailedError):
                host.with_options(open_timeout=SOON).pools.count()  # its lane was lost
            own_daemon.resume()
            assert host.pools.count() == 0

    def test_a_call_takes_its_timeout_with_the_opening(self, host: Host) -> None:
        """The time that opening took is not there twice."""
        timer = threading.Timer(SOON / 2, host.close)
        timer.start()
        again: Host = pickle.loads(pickle.dumps(host.with_options(timeout=30)))
        with soon(SOON / 2):
            assert again.pools.count() == 0
        again.close()
        timer.join()


class TestNobodyElseWaits:
    def test_who_has_less_time(self, host: Host) -> None:
        """Who waits for an opening that somebody more patient has begun."""
        with ThreadPoolExecutor(1) as threads:
            patient = threads.submit(host.with_options(timeout=4 * SOON).secrets.count)
            sleep(SOON / 4)
            with soon(), pytest.raises(DeadlineError):
                host.with_options(timeout=SOON).secrets.count()
            assert not patient.done()
            with pytest.raises(DeadlineError):
                patient.result()

    def test_other_hosts(self, host: Host, uri: str) -> None:
        """Hosts that were unpickled, leases, and whatever else the process shares."""
        hanging: Host = pickle.loads(pickle.dumps(host.with_options(timeout=4 * SOON)))
        with connect(uri) as good, ThreadPoolExecutor(1) as threads:
            well: Host = pickle.loads(pickle.dumps(good))
            waiting = threads.submit(hanging.pools.count)
            sleep(SOON / 4)
            with soon(0.0):
                assert well.is_alive()
                assert process.current().shared("something", list) == []
                connect(uri).close()
            assert not waiting.done()
            with pytest.raises(DeadlineError):
                waiting.result()
            well.close()

    def test_closing_while_the_twin_opens(self, host: Host) -> None:
        before = resources_at_rest()
        with ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(host.secrets.count)
            assert wait_until(lambda: resources_at_rest() != before)
            with soon(0.0):
                host.close()
            with soon(0.0), pytest.raises(StateError, match="the host is closed") as closed:
                waiting.result()
            assert (closed.value.outcome, closed.value.retry) == ("not_started", "no")
        assert wait_until(lambda: resources_at_rest()[0] < before[0])

    def test_closing_while_a_lane_opens(self, host: Host) -> None:
        before = resources_at_rest()
        leave = threading.Event()
        with ThreadPoolExecutor(2) as threads:
            inside = threads.submit(
                channel_of(host).call, HOST_VERSION, channel_of(host).host, lambda _: leave.wait(20)
            )
            sleep(SOON / 4)
            waiting = threads.submit(host.pools.count)
            sleep(SOON / 4)
            leave.set()
            assert inside.result()
            assert waiting.result() == 0  # over that lane; the other still opens
            with soon(0.0):
                host.close()
        assert wait_until(lambda: resources_at_rest()[0] < before[0])
        assert are_back(resources_at_rest())

    def test_closing_while_a_lane_apart_opens(self, host: Host, volume: Volume) -> None:
        with ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(volume.copy_to, volume.pool, "copy")
            sleep(SOON / 2)
            with soon(0.0):
                host.close()
            with soon(0.0), pytest.raises(StateError):
                waiting.result()


class TestTakenOver:
    def test_by_every_connection_of_a_host(self, uri: str, folder: Path) -> None:
        with connect(uri, timeout=7, open_timeout=3, lanes=3) as host:
            here = session_of(host)
            twin, apart = (
                here.secrets(opening_limit(host.options.opening)),
                here.sibling(opening_limit(host.options.opening)),
            )
            session_of(pickle.loads(pickle.dumps(host))).close()  # what earlier tests may have left open
            back: Host = pickle.loads(pickle.dumps(host.with_options(open_timeout=2)))
            for connection in (twin, apart.connection, here.connection):
                assert connection.open_timeout == 3
            assert apart.guards is here.guards
            assert connection_of(back).open_timeout == 2
            apart.close()
            back.close()

    def test_an_error_of_a_closed_host_is_no_accident(self, uri: str) -> None:
        with connect(uri) as host:
            pass
        with pytest.raises(StorageError, match="closed"):
            host.secrets.count()
