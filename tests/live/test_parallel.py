"""Many transfers at once, over lanes of their own; and one volume in ranges."""

from __future__ import annotations

import hashlib
import io
import os
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from libstorage import (
    InvalidRequestError,
    MiB,
    Pool,
    TransferBar,
    TransferError,
    TransferProgress,
    Volume,
    VolumeSpec,
    connect,
)
from libstorage.testing import PrivateDaemon
from libstorage.transfer import download
from libstorage.transfer.ends import sinks
from libstorage.transfer.pieces.piece import Piece
from libstorage.transfer.progress import Meter
from libstorage.transfer.volume.parallel import Ranges
from tests.inside import connection_of
from tests.live.test_transfer import memory

SIZE = int(6 * MiB + 4711)
NOISE = random.Random(4).randbytes(SIZE)


def filled(pool: Pool, name: str = "full.img") -> Volume:
    volume = pool.volumes.create(VolumeSpec.raw(name, SIZE, allocation=0))
    Path(volume.path()).write_bytes(NOISE)
    pool.refresh()
    return volume


def files(folder: Path) -> set[str]:
    """What is in a folder besides its pool."""
    return {entry.name for entry in folder.iterdir()} - {"pool"}


class TestManyTransfers:
    def test_eight_over_four_lanes_are_one_bar(self, pool: Pool, folder: Path) -> None:
        volumes = [
            pool.volumes.create(VolumeSpec.raw(f"v{number}.img", SIZE, allocation=0)) for number in range(8)
        ]
        screen = io.StringIO()
        with TransferBar(file=screen) as bar, ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda volume: volume.upload(NOISE, progress=bar), volumes))
            list(threads.map(lambda v: v.download(folder / v.name, progress=bar), volumes))
        assert all((folder / volume.name).read_bytes() == NOISE for volume in volumes)
        assert connection_of(pool.host).lane_count() <= 4
        drawn = screen.getvalue().rpartition("\r")[2]
        assert "100%" in drawn
        assert f"{16 * SIZE / MiB:.1f}M/{16 * SIZE / MiB:.1f}M" in drawn
        assert "\n" not in screen.getvalue().rstrip("\n"), "more than one bar"

    def test_they_are_at_it_at_once(self, pool: Pool, folder: Path) -> None:
        volumes = [filled(pool, f"v{number}.img") for number in range(3)]
        together = threading.Barrier(3, timeout=30)

        def meet(at: TransferProgress) -> None:
            if at.done == 0:
                together.wait()  # breaks, and the transfer with it, if one waits for the other's end

        with ThreadPoolExecutor(3) as threads:
            list(threads.map(lambda v: v.download(folder / v.name, progress=meet), volumes))
        assert files(folder) == {volume.name for volume in volumes}

    def test_more_than_there_are_lanes_for_queue(self, pool: Pool) -> None:
        """Each waits longer than a call may wait for a lane, and calls get through meanwhile."""
        names = [f"v{number}.img" for number in range(6)]
        for name in names:
            pool.volumes.create(VolumeSpec.raw(name, SIZE, allocation=0))

        def slowly() -> Iterator[bytes]:
            for begin in range(0, SIZE, MiB):
                sleep(0.05)
                yield NOISE[begin : begin + MiB]

        with connect(pool.host.uri, lanes=3, timeout=1.0) as host, ThreadPoolExecutor(6) as threads:
            here = host.pools[pool.name]
            uploads = [threads.submit(lambda n=n: here.volumes[n].upload(slowly())) for n in names]  # type: ignore[misc]
            calls = 0
            while not all(upload.done() for upload in uploads):
                calls += here.info().capacity > 0
            for upload in uploads:
                upload.result()
        assert calls > 10
        assert all(Path(pool.volumes[name].path()).read_bytes() == NOISE for name in names)

    def test_copies_within_one_host_do_not_wait_for_one_another(self, pool: Pool) -> None:
        """Each holds a lane and needs another."""
        volumes = [filled(pool, f"v{number}.img") for number in range(6)]
        with connect(pool.host.uri, lanes=3, timeout=4.0) as host, ThreadPoolExecutor(6) as threads:
            here = host.pools[pool.name]
            copies = list(
                threads.map(lambda v: here.volumes[v.name].copy_to(here, f"copy-{v.name}"), volumes)
            )
            assert all(Path(copy.path()).read_bytes() == NOISE for copy in copies)

    def test_an_error_of_one_leaves_the_others_alone(self, pool: Pool) -> None:
        volumes = [
            pool.volumes.create(VolumeSpec.raw(f"v{number}.img", SIZE, allocation=0)) for number in range(4)
        ]

        def fail(at: TransferProgress) -> None:
            if at.done:
                raise ZeroDivisionError

        screen = io.StringIO()
        with TransferBar(file=screen) as bar, ThreadPoolExecutor(4) as threads:
            running = [
                threads.submit(volume.upload, NOISE, progress=fail if number == 1 else bar)
                for number, volume in enumerate(volumes)
            ]
        assert [type(one.exception()) for one in running] == [
            type(None),
            ZeroDivisionError,
            type(None),
            type(None),
        ]
        assert all(
            Path(volume.path()).read_bytes() == NOISE for volume in (volumes[0], volumes[2], volumes[3])
        )


class TestRanges:
    @pytest.mark.parametrize("parallel", [2, 3, 4, 99])
    def test_the_file_is_whole(self, pool: Pool, folder: Path, parallel: int) -> None:
        filled(pool).download(folder / "copy", parallel=parallel)
        assert (folder / "copy").read_bytes() == NOISE
        assert files(folder) == {"copy"}

    @pytest.mark.parametrize(
        ("offset", "length"), [(0, 0), (1, None), (SIZE, None), (MiB - 1, 3 * MiB + 2), (5, 1)]
    )
    def test_parts_are_in_place(self, pool: Pool, folder: Path, offset: int, length: int | None) -> None:
        filled(pool).download(folder / "copy", offset=offset, length=length, parallel=3)
        assert (folder / "copy").read_bytes() == NOISE[offset:][:length]

    def test_holes_are_kept_also_at_the_end(self, pool: Pool, folder: Path) -> None:
        volume = pool.volumes.create(VolumeSpec.raw("sparse.img", 64 * MiB, allocation=0))
        with Path(volume.path()).open("r+b") as file:
            for place in (5 * MiB, 30 * MiB):
                file.seek(place)
                file.write(NOISE[:MiB])
        volume.download(folder / "copy", parallel=3)
        assert (folder / "copy").read_bytes() == Path(volume.path()).read_bytes()
        assert (folder / "copy").stat().st_blocks * 512 < 4 * MiB

    def test_progress_is_that_of_one_transfer(self, pool: Pool, folder: Path) -> None:
        told: list[TransferProgress] = []
        filled(pool).download(folder / "copy", parallel=3, progress=told.append)
        assert [at.done for at in told] == sorted(at.done for at in told)
        assert (told[0].done, told[-1].done, told[-1].total) == (0, SIZE, SIZE)
        assert {at.phase for at in told} == {"download"}

    def test_lanes_that_cannot_be_spared_are_not_waited_for(
        self, daemon: PrivateDaemon, pool: Pool, folder: Path
    ) -> None:
        filled(pool)
        with connect(daemon.uri, lanes=1) as host:
            host.pools[pool.name].volumes["full.img"].download(folder / "copy", parallel=4)
        assert (folder / "copy").read_bytes() == NOISE

    def test_a_lane_is_left_for_others(self, pool: Pool, folder: Path) -> None:
        names: set[str] = set()

        def call(at: TransferProgress) -> None:
            names.update(pool.volumes.names())

        filled(pool).download(folder / "copy", parallel=99, progress=call)
        assert names == {"full.img"}

    def test_progress_is_told_in_the_callers_thread(self, pool: Pool, folder: Path) -> None:
        threads: set[threading.Thread] = set()
        filled(pool).download(
            folder / "copy", parallel=3, progress=lambda _: threads.add(threading.current_thread())
        )
        assert threads == {threading.current_thread()}

    def test_a_slow_file_does_not_fill_the_memory(
        self, pool: Pool, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        size, write, most = 96 * MiB, sinks.Cursor.write, [0]
        volume = pool.volumes.create(VolumeSpec.raw("large.img", size))

        def slowly(place: sinks.Cursor, piece: Piece) -> None:
            sleep(0.008)
            most.append(memory())
            write(place, piece)

        monkeypatch.setattr(sinks.Cursor, "write", slowly)
        before = memory()
        volume.download(folder / "copy", parallel=2, sparse=False)
        assert (folder / "copy").stat().st_size == size
        assert max(most) - before < 24 * MiB


class TestRangesWhereTheyAreFaster:
    @pytest.fixture(autouse=True)
    def small_is_large(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(download, "_WORTHWHILE", 4 * MiB)
        monkeypatch.setattr(download, "_AT_ONCE", 2)

    @pytest.fixture
    def ranges(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """How many ranges at once each download had that was received in ranges."""
        seen: list[int] = []
        receive = Ranges.receive

        def noted(self: Ranges, sink: sinks.NewFileSink, meter: Meter, most: int) -> None:
            seen.append(most)
            receive(self, sink, meter, most)

        monkeypatch.setattr(Ranges, "receive", noted)
        return seen

    def test_a_large_volume_into_a_path(self, pool: Pool, folder: Path, ranges: list[int]) -> None:
        filled(pool).download(folder / "copy")
        assert (folder / "copy").read_bytes() == NOISE
        assert ranges == [2]

    @pytest.mark.parametrize(
        "options",
        [
            {"parallel": 1},
            {"resume": True},
            {"length": MiB},
            {"checksum": f"sha256:{hashlib.sha256(NOISE).hexdigest()}"},
        ],
    )
    def test_others_are_received_in_order(
        self, pool: Pool, folder: Path, ranges: list[int], options: dict[str, Any]
    ) -> None:
        filled(pool).download(folder / "copy", **options)
        assert (folder / "copy").read_bytes() == NOISE[: options.get("length")]
        assert not ranges

    def test_so_are_holes_and_file_objects(self, pool: Pool, folder: Path, ranges: list[int]) -> None:
        volume = pool.volumes.create(VolumeSpec.raw("sparse.img", 64 * MiB, allocation=0))
        volume.upload(NOISE[:MiB])
        volume.download(folder / "copy")
        filled(pool).download(out := io.BytesIO())
        assert out.getvalue() == NOISE
        assert not ranges


class TestRangesFail:
    def test_a_checksum_is_that_of_the_file(self, pool: Pool, folder: Path) -> None:
        volume = filled(pool)
        right = hashlib.sha256(NOISE).hexdigest()
        volume.download(folder / "copy", parallel=3, checksum=f"sha256:{right}")
        with pytest.raises(TransferError, match="sha256"):
            volume.download(folder / "other", parallel=3, checksum="sha256:" + "0" * 64)
        assert files(folder) == {"copy"}

    def test_one_that_breaks_off_ends_all(self, pool: Pool, folder: Path) -> None:
        volume = filled(pool)

        def cut_off(at: TransferProgress) -> None:
            if not at.done:
                os.truncate(volume.path(), 5 * MiB)

        with pytest.raises(TransferError, match="ended after") as broke:
            volume.download(folder / "copy", parallel=2, progress=cut_off)
        assert not files(folder)
        assert f"of {SIZE} bytes were received" in str(broke.value.hint)

    def test_so_does_the_callers_own_error(self, pool: Pool, folder: Path) -> None:
        def fail(at: TransferProgress) -> None:
            if at.done > MiB:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            filled(pool).download(folder / "copy", parallel=3, progress=fail)
        assert not files(folder)
        assert not [thread for thread in threading.enumerate() if "range" in thread.name]

    def test_the_others_end_at_once_and_keep_their_lanes(
        self, pool: Pool, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each is told before any is waited for."""
        volume = pool.volumes.create(VolumeSpec.raw("large.img", 256 * MiB))
        volume.download(folder / "copy", parallel=3, sparse=False)  # the lanes are open now
        lanes, write = connection_of(pool.host)._lanes, sinks.Cursor.write

        def slowly(place: sinks.Cursor, piece: Piece) -> None:
            sleep(0.02)
            write(place, piece)

        def fail(at: TransferProgress) -> None:
            if at.done:
                raise KeyError("mine")

        monkeypatch.setattr(sinks.Cursor, "write", slowly)
        before, began = set(lanes._lanes), monotonic()
        with pytest.raises(KeyError):
            volume.download(folder / "other", parallel=3, sparse=False, progress=fail)
        assert monotonic() - began < 10  # all of it would take 20
        assert before == set(lanes._lanes)
        assert not any(lane.is_cut for lane in before)

    @pytest.mark.parametrize(
        ("target", "options", "told"),
        [
            (lambda folder: io.BytesIO(), {}, "need a path"),
            (lambda folder: folder / "copy", {"resume": True}, "cannot be resumed"),
            (lambda folder: folder / "copy", {"parallel": 0}, "parallel must be a whole number from 1"),
        ],
    )
    def test_what_has_no_ranges_is_refused(
        self,
        pool: Pool,
        folder: Path,
        target: Callable[[Path], Any],
        options: dict[str, Any],
        told: str,
    ) -> None:
        with pytest.raises(InvalidRequestError, match=told) as refused:
            filled(pool).download(target(folder), **{"parallel": 2, **options})
        assert refused.value.outcome == "not_started"
        assert not files(folder)
