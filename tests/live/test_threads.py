"""Sixteen threads on one host: whatever they do at once, each gets what is its own, and nothing is left behind.

Two seconds by default; ``LIBSTORAGE_STRESS_SECONDS=60`` asks for a minute.
"""

from __future__ import annotations

import hashlib
import io
import os
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep

import libvirt
import pytest

import libstorage.connection.connection
from libstorage import Host, MiB, Pool, PoolBusyError, PoolSpec, VolumeSpec, connect
from tests.inside import connection_of
from tests.live.conftest import remove

THREADS = 16
SECONDS = float(os.environ.get("LIBSTORAGE_STRESS_SECONDS") or 2)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def come_back_to(count: int, threads: int) -> None:
    for _ in range(500):
        if descriptors() <= count and threading.active_count() <= threads:
            return
        sleep(0.01)
    raise AssertionError(
        f"{descriptors()} descriptors, not {count}; {threading.active_count()} threads, not {threads}"
    )


class Work:
    """What one thread does, over and over, with volumes of its own in a pool that it may share."""

    def __init__(self, host: Host, pool: Pool, number: int) -> None:
        self.host = host
        self.pool = pool
        self.prefix = f"thread-{number:02}"
        self.random = random.Random(number)
        self.done: Counter[str] = Counter()

    def until(self, end: float) -> Counter[str]:
        while monotonic() < end:
            step = self.random.choice([self.transfer, self.copy, self.look, self.list, self.refresh])
            step()
            self.done[step.__name__] += 1
        return self.done

    def transfer(self) -> None:
        data = self.random.randbytes(self.random.randrange(1, 3 * MiB))
        name = f"{self.prefix}-transfer.img"
        volume = self.pool.volumes.create(VolumeSpec.raw(name, len(data), allocation=0))
        copy = io.BytesIO()
        volume.upload(io.BytesIO(data)).download(copy)
        assert hashlib.sha256(copy.getvalue()).digest() == hashlib.sha256(data).digest()
        assert volume.info().capacity == len(data)
        assert volume.resize(4 * MiB).info().capacity == 4 * MiB
        volume.delete()
        assert name not in self.pool.volumes

    def copy(self) -> None:
        source = self.pool.volumes.create(VolumeSpec.raw(f"{self.prefix}-source.img", 65536))
        copy = source.clone(f"{self.prefix}-copy.img")
        assert copy.info().capacity == 65536
        source.delete()
        copy.delete()

    def look(self) -> None:
        name = f"{self.prefix}-look.img"
        volume = self.pool.volumes.create(VolumeSpec.raw(name, 4096))
        assert volume.spec().name == name
        assert self.host.volume_at(volume.path()) == volume
        assert self.pool.volumes[name] == volume
        assert self.pool.info().capacity > 0
        volume.wipe().delete()

    def list(self) -> None:
        volume = self.pool.volumes.create(VolumeSpec.raw(f"{self.prefix}-list.img", 4096))
        (mine,) = [entry for entry in self.pool.volumes.specs() if entry.name == volume.name]
        assert mine.spec is not None
        assert any(pool.uuid == self.pool.uuid for pool in self.host.inventory().pools)
        volume.delete()

    def refresh(self) -> None:
        try:
            self.pool.refresh()
        except PoolBusyError as busy:  # others are building volumes in it
            assert busy.retry == "backoff"  # noqa: PT017


def test_sixteen_threads_on_one_host(uri: str, folder: Path) -> None:
    with connect(uri):  # what this process needs once is there then
        before = descriptors(), threading.active_count()
    with connect(uri) as host, ThreadPoolExecutor(THREADS) as threads:
        pools = [
            host.pools.define(PoolSpec.dir(f"threads-{n}", str(folder / f"pool-{n}"))).build().start()
            for n in range(4)
        ]
        end = monotonic() + SECONDS
        works = [Work(host, pools[number % len(pools)], number) for number in range(THREADS)]
        running = [threads.submit(work.until, end) for work in works]
        done = sum((one.result() for one in running), Counter[str]())
        assert all(done[step] for step in ("transfer", "copy", "look", "list", "refresh")), done
        assert [pool.refresh().volumes.count() for pool in pools] == [0, 0, 0, 0]
        for pool in pools:
            remove(pool)
    come_back_to(*before)


@pytest.mark.parametrize("width", [1, 4])
def test_a_connection_has_one_stream_and_no_call_beside_it(
    uri: str, folder: Path, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon's memory is corrupted if a client with several streams on one connection is killed."""
    monkeypatch.setattr(libstorage.connection.connection, "width_for", lambda _: width)
    streams: Counter[int] = Counter()
    wrong: list[str] = []
    most_users = 0

    def look(raw: libvirt.virConnect, change: int) -> None:
        nonlocal most_users
        (lane,) = [lane for lane in connection_of(host)._lanes._lanes if lane.connection is raw]
        most_users = max(most_users, *(each.users() for each in connection_of(host)._lanes._lanes))
        streams[id(raw)] += change
        if streams[id(raw)] > 1 or lane.users() != 1 or not lane.alone:
            wrong.append(f"{streams[id(raw)]} streams, {lane.users()} calls")

    opened: dict[libvirt.virStream, libvirt.virConnect] = {}
    new = libvirt.virConnect.newStream

    def new_stream(raw: libvirt.virConnect, flags: int = 0) -> libvirt.virStream:
        look(raw, 1)
        stream = new(raw, flags)
        opened[stream] = raw
        return stream

    def ending(name: str) -> None:
        usual = getattr(libvirt.virStream, name)

        def end(stream: libvirt.virStream) -> int:
            look(opened[stream], 0)
            try:
                return int(usual(stream))
            finally:
                streams[id(opened.pop(stream))] -= 1

        monkeypatch.setattr(libvirt.virStream, name, end)

    monkeypatch.setattr(libvirt.virConnect, "newStream", new_stream)
    ending("finish")
    ending("abort")
    with connect(uri, lanes=3) as host, ThreadPoolExecutor(THREADS) as threads:
        pool = host.pools.define(PoolSpec.dir("streams", str(folder / "pool"))).build().start()
        works = [Work(host, pool, number) for number in range(THREADS)]
        running = [threads.submit(work.until, monotonic() + SECONDS) for work in works]
        done = sum((one.result() for one in running), Counter[str]())
        remove(pool)
    assert wrong == []
    assert done["transfer"]
    assert (most_users > 1) == (width > 1)
