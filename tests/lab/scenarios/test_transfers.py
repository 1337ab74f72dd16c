"""Scenarios of uploads and downloads: of all, of a part, several at once, and what is refused meanwhile."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from libstorage import (
    InvalidRequestError,
    Pool,
    PoolSpec,
    StorageError,
    Volume,
    VolumeBusyError,
    VolumeSpec,
    connect,
)
from libstorage.testing import PrivateDaemon
from tests.lab.scenarios.scene import MiB, Scene
from tests.lab.scenarios.test_volumes import FILES, content, digest, read

SIZE = 4 * MiB
PARTS = ((0, 1024), (1024, 4096), (0, None), (1024, None), (2 * MiB, MiB), (SIZE - 512, 512))
IDS = [f"{offset}-{'end' if length is None else length}" for offset, length in PARTS]


@pytest.fixture
def volume(scene: Scene, pool: Pool) -> Volume:
    """A volume full of known bytes."""
    return pool.volumes.create(scene.volume(1, SIZE)).upload(content(SIZE))


def part(data: bytes, offset: int, length: int | None) -> bytes:
    return data[offset:] if length is None else data[offset : offset + length]


def test_parts_into_a_file(volume: Volume, tmp_path: Path) -> None:
    size = volume.info().capacity
    for (offset, length), name in zip(PARTS, IDS, strict=True):
        volume.download(tmp_path / name, offset=offset, length=length)
        expected = part(content(SIZE).ljust(size, b"\0"), offset, length)
        found = (tmp_path / name).read_bytes()
        assert len(found) == len(expected)
        assert digest(found[: SIZE - offset]) == digest(expected[: SIZE - offset])


def test_parts_into_a_file_object(volume: Volume) -> None:
    for offset, length in PARTS:
        buffer = io.BytesIO()
        volume.download(buffer, offset=offset, length=length)
        expected = part(content(SIZE), offset, length)
        assert digest(buffer.getvalue()[: len(expected)]) == digest(expected)


def test_many_downloads_at_once(volume: Volume, tmp_path: Path) -> None:
    def fetch(number: int) -> str:
        path = tmp_path / str(number)
        volume.download(path, parallel=1 + number % 3)
        return digest(path.read_bytes()[:SIZE])

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(fetch, range(6))) == {digest(content(SIZE))}


def test_parts_from_a_file(volume: Volume, tmp_path: Path) -> None:
    expected = bytearray(content(SIZE))
    source = tmp_path / "source"
    for number, (offset, length) in enumerate(PARTS, 1):
        new = part(content(SIZE, seed=number), offset, length)
        source.write_bytes(new)
        volume.upload(source, offset=offset, length=length)
        expected[offset : offset + len(new)] = new
        found = read(volume, SIZE)
        assert digest(found[:offset]) == digest(bytes(expected[:offset]))
        assert digest(found[offset:]) == digest(bytes(expected[offset:]))


def test_parts_from_whatever_gives_bytes(volume: Volume) -> None:
    def pieces() -> Iterator[bytes]:
        yield from (b"first", b"", b"second")

    expected = bytearray(content(SIZE))
    for offset, source, new in (
        (100, io.BytesIO(b"a file object"), b"a file object"),
        (1 << 20, b"bytes", b"bytes"),
        (2 << 20, pieces(), b"firstsecond"),
    ):
        volume.upload(source, offset=offset)
        expected[offset : offset + len(new)] = new
    assert digest(read(volume, SIZE)) == digest(bytes(expected))


def test_many_uploads_at_once(scene: Scene, pool: Pool) -> None:
    volumes = [pool.volumes.create(scene.volume(number, SIZE)) for number in (1, 2, 3)]

    def fill(number: int) -> None:
        volumes[number].upload(content(SIZE, seed=number), verify=True)

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(fill, range(3)))
    assert [digest(read(volume, SIZE)) for volume in volumes] == [
        digest(content(SIZE, seed=number)) for number in range(3)
    ]


def test_more_than_the_volume_holds(volume: Volume) -> None:
    capacity = volume.info().capacity
    for source, offset in ((bytes(capacity + 1), 0), (b"xy", capacity - 1), (b"x", capacity + 1)):
        with pytest.raises(InvalidRequestError) as error:
            volume.upload(source, offset=offset)
        assert error.value.outcome == "not_started"
    assert volume.info().capacity == capacity
    assert digest(read(volume, SIZE)) == digest(content(SIZE))


@FILES
def test_holes_both_ways(scene: Scene, pool: Pool, tmp_path: Path) -> None:
    volume = pool.volumes.create(VolumeSpec.raw("sparse", "64 MiB", allocation=0))
    source, target = tmp_path / "source", tmp_path / "target"
    with source.open("wb") as file:
        file.truncate(64 * MiB)
        file.seek(32 * MiB)
        file.write(content(MiB))
    volume.upload(source).download(target)
    assert (volume.info().allocation or 0) < 4 * MiB
    assert target.stat().st_blocks * 512 < 4 * MiB
    assert digest(target.read_bytes()) == digest(source.read_bytes())


def test_what_an_upload_keeps_others_from(scene: Scene, volume: Volume) -> None:
    began, go_on = Event(), Event()

    def slowly() -> Iterator[bytes]:
        yield bytes(MiB)
        began.set()
        go_on.wait(60)
        yield bytes(MiB)

    with ThreadPoolExecutor(1) as threads:
        upload = threads.submit(volume.upload, slowly())
        began.wait(60)
        try:
            for refused in (
                lambda: volume.upload(b"x"),
                lambda: volume.download(io.BytesIO()),
                lambda: volume.resize("16 MiB"),
                volume.wipe,
                volume.delete,
                lambda: volume.clone(scene.volume(2, SIZE)),
            ):
                with pytest.raises(VolumeBusyError) as error:
                    refused()
                assert (error.value.outcome, error.value.retry) == ("not_started", "backoff")
        finally:
            go_on.set()
        upload.result(60)
    assert read(volume, 2 * MiB) == bytes(2 * MiB)


def test_what_a_clone_keeps_others_from(tmp_path: Path) -> None:
    """While the daemon reads a volume it lets others read, and refuses who would change it."""
    release, slow = tmp_path / "release", tmp_path / "bin" / "qemu-img"
    slow.parent.mkdir()
    wait = f"while [ $1 = convert ] && ! [ -e {release} ]; do sleep 0.01; done"
    slow.write_text(f'#!/bin/sh\n{wait}\nexec {shutil.which("qemu-img")} "$@"\n')
    slow.chmod(0o755)
    with (
        PrivateDaemon(path=[slow.parent]) as daemon,
        connect(daemon.uri) as host,
        ThreadPoolExecutor(2) as threads,
    ):
        pool = host.pools.define(PoolSpec.dir("pool", str(tmp_path / "pool"))).build().start()
        source = pool.volumes.create(VolumeSpec.raw("source", SIZE)).upload(content(SIZE))
        clones = [threads.submit(source.clone, VolumeSpec.qcow2(name)) for name in ("one", "two")]
        while {"one", "two"} - set(pool.volumes.names()):
            assert not any(clone.done() for clone in clones)
        assert digest(read(source)) == digest(content(SIZE))
        assert digest(read(source.clone(VolumeSpec.raw("three")))) == digest(content(SIZE))
        for refused in (
            source.delete,
            source.wipe,
            lambda: source.resize("16 MiB"),
            lambda: source.upload(b"x"),
            pool.stop,
            pool.refresh,
            pool.volumes["one"].delete,
        ):
            with pytest.raises(StorageError) as error:
                refused()
            assert error.value.retry == "backoff", repr(error.value)
        release.touch()
        for clone in clones:
            assert clone.result(60).name in {"one", "two"}
        assert digest(read(source)) == digest(content(SIZE))
