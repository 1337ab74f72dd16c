"""Sixteen threads on one connection; ``LIBSTORAGE_STRESS_SECONDS=60`` (``make stress``) makes each test take so many seconds."""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep

from libstorage import operations as op
from libstorage.connection.connection import Connection
from libstorage.connection.identity import PoolId, VolumeId
from libstorage.connection.lane import Lane
from libstorage.errors import ConnectionFailedError, ConnectionLostError, DeadlineError, StorageError
from libstorage.testing import PrivateDaemon
from tests.live.rest import are_back, resources_at_rest
from tests.live.things import make_pool, make_volume, remove_pool, volume_xml

SECONDS = float(os.environ.get("LIBSTORAGE_STRESS_SECONDS", "3"))
THREADS = 16
LOST = (ConnectionLostError, ConnectionFailedError, DeadlineError)


class Load:
    """What the threads do, and what came of it."""

    def __init__(self, connection: Connection, pool: PoolId) -> None:
        self.connection = connection
        self.pool = pool
        self.inside: Counter[Lane] = Counter()
        self.most_inside = 0
        self.done = 0
        self.longest = 0.0
        self.errors: Counter[type[StorageError]] = Counter()
        self._count = threading.Lock()

    def run(self, until: float, turn: Callable[[VolumeId], None]) -> None:
        with ThreadPoolExecutor(THREADS) as threads:
            for work in [
                threads.submit(self._work, f"disk-{number}", until, turn) for number in range(THREADS)
            ]:
                work.result()

    def read(self, volume: VolumeId) -> None:
        self.call(op.POOL_INFO, volume, lambda lane: lane.pool(self.pool).info())
        self.call(op.POOL_XML, volume, lambda lane: lane.pool(self.pool).XMLDesc())
        self.call(op.VOLUMES_LIST, volume, lambda lane: lane.pool(self.pool).listVolumes())

    def change(self, volume: VolumeId) -> None:
        """Make a volume, fill it, read it back, delete it."""
        content, xml = os.urandom(random.randrange(1, 1 << 16)), volume_xml(volume.name, 1 << 16)
        self.call(op.VOLUME_CREATE, volume, lambda lane: lane.pool(self.pool).createXML(xml))
        self.call(op.VOLUME_UPLOAD, volume, lambda lane: upload(lane, volume, content))
        assert (
            self.call(op.VOLUME_DOWNLOAD, volume, lambda lane: download(lane, volume, len(content)))
            == content
        )
        self.read(volume)
        self.call(op.VOLUME_DELETE, volume, lambda lane: lane.volume(volume, fresh=True).delete())

    def call(self, operation: op.Operation, volume: VolumeId, body: Callable[[Lane], object]) -> object:
        def watched(lane: Lane) -> object:
            self.inside[lane] += 1
            self.most_inside = max(self.most_inside, self.inside[lane])
            try:
                return body(lane)
            finally:
                self.inside[lane] -= 1

        start = monotonic()
        try:
            return self.connection.call(operation, volume, watched, timeout=0.8)
        finally:
            self.longest = max(self.longest, monotonic() - start)

    def _work(self, name: str, until: float, turn: Callable[[VolumeId], None]) -> None:
        volume = VolumeId(self.pool, name)
        while monotonic() < until:
            try:
                turn(volume)
            except StorageError as error:
                if not isinstance(error, LOST):
                    raise
                self.errors[type(error)] += 1
                sleep(0.02)
            with self._count:
                self.done += 1


def upload(lane: Lane, volume: VolumeId, content: bytes) -> None:
    stream = lane.connection.newStream()
    lane.volume(volume).upload(stream, 0, len(content))
    assert stream.send(content) == len(content)
    stream.finish()


def download(lane: Lane, volume: VolumeId, length: int) -> bytes:
    stream = lane.connection.newStream()
    lane.volume(volume).download(stream, 0, length)
    pieces = []
    while piece := stream.recv(1 << 18):
        pieces.append(piece)
    stream.finish()
    return b"".join(pieces)


def test_sixteen_threads(uri: str, tmp_path: Path, width: int) -> None:
    with Connection(uri):
        pass
    before = resources_at_rest()
    with Connection(uri) as connection:
        load = Load(connection, make_pool(connection, tmp_path / "pool"))
        load.run(monotonic() + SECONDS, load.change)
        remove_pool(connection, load.pool)
    assert are_back(before)
    assert load.errors == {}
    assert 1 <= load.most_inside <= width
    assert len(load.inside) == 4
    assert load.done > THREADS


def test_sixteen_threads_on_a_daemon_that_hangs_and_dies(
    own_daemon: PrivateDaemon, tmp_path: Path, width: int
) -> None:
    with Connection(own_daemon.uri):
        pass
    before = resources_at_rest()
    with Connection(own_daemon.uri, open_timeout=0.8, keepalive=(1, 3)) as connection:
        load = Load(connection, make_pool(connection, tmp_path / "pool"))
        make_volume(connection, load.pool, "disk")
        until = monotonic() + SECONDS
        trouble = threading.Thread(target=make_trouble, args=(own_daemon, until))
        trouble.start()
        load.run(until + 0.5, load.read)
        trouble.join()
        assert connection.call(op.POOL_INFO, load.pool, lambda lane: lane.pool(load.pool).info(), timeout=0.8)
    assert are_back(before)
    assert load.errors
    assert 1 <= load.most_inside <= width
    assert load.longest < 3.0  # waiting, opening and calling are each bounded
    assert load.done > THREADS


def make_trouble(daemon: PrivateDaemon, until: float) -> None:
    """Stop it for a moment, for longer than a deadline, kill it, or both; and always let it live again."""
    while monotonic() < until:
        sleep(random.uniform(0.05, 0.3))
        pause = random.choice([0.0, 0.2, 1.2])
        if pause:
            daemon.pause()
            sleep(pause)
        if random.random() < 0.5:
            daemon.restart(kill=True)
        daemon.resume()
