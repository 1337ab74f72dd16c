"""Volumes as file objects: what Python's own readers and writers make of them, and what an error leaves behind."""

from __future__ import annotations

import contextlib
import csv
import gc
import gzip
import io
import os
import random
import shutil
import signal
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from libstorage import (
    InvalidRequestError,
    Pool,
    PoolSpec,
    StorageError,
    TransferError,
    Volume,
    VolumeBusyError,
    VolumeNotFoundError,
    VolumeSpec,
    connect,
)
from libstorage.testing import PrivateDaemon
from libstorage.transfer.reader import BUFFER, VolumeReader
from tests.live.rpc import RpcCounter

MiB = 1 << 20
VOL_DOWNLOAD = 209  # of libvirt's remote protocol
NOISE = random.Random(5).randbytes(4 * MiB + 11)


@pytest.fixture
def make(pool: Pool) -> Callable[..., Volume]:
    def make(data: bytes = NOISE) -> Volume:
        volume = pool.volumes.create(VolumeSpec.raw("v.img", len(data), allocation=0))
        Path(volume.path()).write_bytes(data)
        pool.refresh()
        return volume

    return make


def content(volume: Volume) -> bytes:
    return Path(volume.path()).read_bytes()


def write(volume: Volume, *parts: bytes, error: BaseException | None = None) -> None:
    with volume.open("wb") as file:
        for part in parts:
            file.write(part)
        if error:
            raise error


class TestReading:
    @pytest.mark.parametrize("size", [0, 1, BUFFER - 1, BUFFER, BUFFER + 1, len(NOISE)])
    def test_all_of_it(self, make: Callable[..., Volume], size: int) -> None:
        with make(NOISE[:size]).open() as file:
            assert file.read() == NOISE[:size]
            assert file.read() == b""

    @pytest.mark.parametrize("step", [1, 4095, BUFFER, BUFFER + 1, MiB + 1])
    def test_bit_by_bit(self, make: Callable[..., Volume], step: int) -> None:
        data = NOISE[: max(5000, 3 * step)]
        with make(data).open("rb") as file:
            assert b"".join(iter(lambda: file.read(step), b"")) == data

    def test_here_and_there(self, make: Callable[..., Volume]) -> None:
        volume, dice = make(), random.Random(6)
        for buffering in (1, 4096, BUFFER):
            with volume.open(buffering=buffering) as file, io.BytesIO(NOISE) as same:
                for _ in range(60):
                    place, length = dice.randrange(len(NOISE) + 100), dice.choice([0, 1, 5000, MiB])
                    assert file.seek(place) == same.seek(place)
                    assert file.read(length) == same.read(length)
                    assert file.tell() == same.tell()
                assert file.seek(-7, os.SEEK_END) == len(NOISE) - 7
                assert file.read() == NOISE[-7:]
                assert file.seek(-3, os.SEEK_CUR) == len(NOISE) - 3
                for wrong in ((-1, os.SEEK_SET), (-1 - len(NOISE), os.SEEK_END)):
                    with pytest.raises(ValueError, match="negative"):
                        file.raw.seek(*wrong)
                with pytest.raises(ValueError, match="whence"):
                    file.raw.seek(0, 9)

    @pytest.mark.parametrize("buffering", [-1, 0])
    def test_without_a_size_the_usual_one_is_read_ahead(
        self, make: Callable[..., Volume], buffering: int
    ) -> None:
        with make().open(buffering=buffering) as file:
            assert len(file.peek(1)) == BUFFER
            assert file.read() == NOISE

    def test_sizes_that_are_none(self, make: Callable[..., Volume]) -> None:
        volume = make()
        for wrong in (-2, (1 << 30) + 1, True, "much"):
            for mode in ("rb", "wb"):
                with pytest.raises(InvalidRequestError, match="buffering must be a whole number from -1"):
                    volume.open(mode, buffering=wrong)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
        volume.delete()  # nothing is open

    def test_into_a_buffer_of_an_exact_length(self, make: Callable[..., Volume]) -> None:
        with make().open() as file:
            assert isinstance(file.raw, VolumeReader)
            numbers = memoryview(bytearray(8 * 100_000)).cast("Q")
            assert file.raw.readinto(numbers) == 800_000
            assert numbers.tobytes() == NOISE[:800_000]
            file.seek(-5, os.SEEK_END)
            assert file.raw.readinto(bytearray(10)) == 5

    def test_holes_are_zeros(self, pool: Pool) -> None:
        volume = pool.volumes.create(VolumeSpec.raw("sparse.img", 8 * MiB, allocation=0))
        with Path(volume.path()).open("r+b") as file:
            file.seek(5 * MiB)
            file.write(b"data")
        with volume.open() as reader:
            assert reader.read() == bytes(5 * MiB) + b"data" + bytes(3 * MiB - 4)

    def test_who_reads_on_gets_one_stream(self, make: Callable[..., Volume], counter: RpcCounter) -> None:
        volume = make()
        with (
            connect(counter.uri) as host,
            host.pools[volume.pool.name].volumes[volume.name].open() as file,
        ):
            for _ in range(len(NOISE) // 1000):
                file.read(1000)
        assert (
            counter.procedures[VOL_DOWNLOAD] == 2
        )  # the beginning, and when that is read to its end, the rest

    def test_after_a_seek_more_is_received_than_is_asked_for(
        self, make: Callable[..., Volume], counter: RpcCounter
    ) -> None:
        volume = make()
        with (
            connect(counter.uri) as host,
            host.pools[volume.pool.name].volumes[volume.name].open() as file,
        ):
            for place in (MiB, 3 * MiB):
                file.raw.seek(place, os.SEEK_SET)
                read = b"".join(file.raw.read(10) or b"" for _ in range(100))
                assert read == NOISE[place : place + 1000]
        assert counter.procedures[VOL_DOWNLOAD] == 2

    def test_it_is_leased(self, make: Callable[..., Volume]) -> None:
        volume = make()
        with volume.open() as file, volume.open() as other:
            assert file.read(10) == other.read(10)
            for change in (volume.delete, lambda: volume.upload(b"x"), lambda: volume.open("wb")):
                with pytest.raises(VolumeBusyError):
                    change()
        with pytest.raises(ValueError, match=r"closed file|not open"):
            file.read(1)
        volume.delete()
        with pytest.raises(VolumeNotFoundError):
            volume.open()

    def test_one_that_is_dropped_lets_go(self, make: Callable[..., Volume]) -> None:
        volume = make()
        file = volume.open()
        file.read(1)
        file.seek(2 * MiB)
        file.read(BUFFER + 1)
        del file
        gc.collect()
        volume.delete()

    def test_many_open_files_do_not_block_each_other(self, make: Callable[..., Volume]) -> None:
        volume = make()
        files = [volume.open() for _ in range(20)]
        for file in files:
            assert file.read(4) == NOISE[:4]
            file.close()

    def test_one_that_became_shorter(self, make: Callable[..., Volume]) -> None:
        volume = make()
        with volume.open() as file:
            os.truncate(volume.path(), MiB)
            with pytest.raises(TransferError, match="ended after"):
                file.read()

    def test_a_folder_and_wrong_modes(self, pool: Pool, make: Callable[..., Volume]) -> None:
        Path(make(b"").path()).with_name("folder").mkdir()
        pool.refresh()
        folder = pool.volumes["folder"]
        for mode in ("rb", "wb"):
            with pytest.raises(InvalidRequestError, match="directory"):
                folder.open(mode)  # pyright: ignore[reportArgumentType, reportCallIssue]
        for mode in ("r", "w", "ab", "r+b", ""):
            with pytest.raises(InvalidRequestError, match="'rb' or 'wb'"):
                folder.open(mode)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]


class TestWriting:
    @pytest.mark.parametrize("step", [1000, MiB - 1, MiB, MiB + 1, len(NOISE)])
    def test_in_parts(self, make: Callable[..., Volume], step: int) -> None:
        volume = make(bytes(len(NOISE)))
        with volume.open("wb") as file:
            for start in range(0, len(NOISE), step):
                part = NOISE[start : start + step]
                assert file.write(part) == len(part)
            assert file.tell() == len(NOISE)
        assert content(volume) == NOISE
        assert file.closed

    @pytest.mark.parametrize("allocation", [0, None])
    def test_what_is_behind_stays(self, pool: Pool, allocation: int | None) -> None:
        volume = pool.volumes.create(VolumeSpec.raw("v.img", 5000, allocation=allocation))
        with volume.open("wb") as file:
            file.write(b"new")
        assert content(volume) == b"new" + bytes(4997)
        with volume.open("wb"):
            pass
        assert content(volume) == b"new" + bytes(4997)

    def test_of_an_empty_volume(self, pool: Pool) -> None:
        volume = pool.volumes.create(VolumeSpec.raw("empty.img", 0))
        volume.open("wb").close()
        with pytest.raises(TransferError, match=r"at most 0 bytes|does not fit"), volume.open("wb") as file:
            file.write(b"x")
        assert content(volume) == b""

    @pytest.mark.parametrize("allocation", [0, None])
    @pytest.mark.parametrize("size", [10, 3 * MiB])
    def test_more_than_there_is_room_for(self, pool: Pool, size: int, allocation: int | None) -> None:
        volume = pool.volumes.create(VolumeSpec.raw("v.img", size, allocation=allocation))
        with pytest.raises(TransferError, match="does not fit"):
            write(volume, *[b"x" * (size // 10 + 1)] * 100)
        assert len(content(volume)) == size

    def test_the_pool_sees_it(self, pool: Pool) -> None:
        image = b"QFI\xfb" + struct.pack(">IQIIQ", 2, 0, 0, 16, 20 * MiB) + bytes(4000)
        volume = pool.volumes.create(VolumeSpec.raw("v.img", len(image), allocation=0))
        with volume.open("wb") as file:
            file.write(image)
        assert volume.spec().target.format == "qcow2"
        assert volume.info().capacity == 20 * MiB

    @pytest.mark.parametrize("after", [0, 10, 3 * MiB])
    def test_an_error_aborts(self, make: Callable[..., Volume], pool: Pool, after: int) -> None:
        volume = make(bytes(len(NOISE)))
        with pytest.raises(KeyboardInterrupt):
            write(volume, NOISE[:after], error=KeyboardInterrupt())
        assert content(volume)[after:] == bytes(len(NOISE) - after)
        with volume.open("wb") as again:
            again.write(NOISE)
        assert content(volume) == NOISE

    @pytest.mark.filterwarnings("ignore:.*never closed:ResourceWarning")
    @pytest.mark.filterwarnings("ignore:.*VolumeWriter.__del__")  # where the signal struck the destructor
    def test_ctrl_c_anywhere_leaves_nothing_behind(self, make: Callable[..., Volume]) -> None:
        def interrupt(number: int, frame: object) -> None:
            raise KeyboardInterrupt

        volume, dice = make(bytes(len(NOISE))), random.Random(9)
        before = signal.signal(signal.SIGALRM, interrupt)
        try:
            for _ in range(50):
                with contextlib.suppress(KeyboardInterrupt):
                    signal.setitimer(signal.ITIMER_REAL, dice.uniform(0.0005, 0.02))
                    write(volume, *[NOISE[:70_000]] * 50)
                    signal.setitimer(signal.ITIMER_REAL, 0)
                signal.setitimer(signal.ITIMER_REAL, 0)
                gc.collect()
                volume.upload(b"free")
        finally:
            signal.signal(signal.SIGALRM, before)

    def test_an_error_in_what_is_around_it_aborts(self, make: Callable[..., Volume]) -> None:
        volume = make(b"-" * 5000)

        def write_text() -> None:
            with volume.open("wb") as file, io.TextIOWrapper(file, "utf-8") as text:
                text.write("half")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            write_text()
        assert content(volume) == b"-" * 5000

    def test_one_that_is_closed_because_of_an_error_says_so(self, make: Callable[..., Volume]) -> None:
        volume = make(b"-" * 5000)

        def write_and_close() -> None:
            with volume.open("wb") as file:
                try:
                    file.write(b"half")
                    raise ZeroDivisionError
                except ZeroDivisionError:
                    file.close()

        with pytest.raises(TransferError, match="incomplete"):
            write_and_close()
        assert content(volume) == b"-" * 5000

    def test_where_an_error_is_being_handled_already(self, make: Callable[..., Volume]) -> None:
        volume = make(b"-" * 5)
        try:
            raise ZeroDivisionError
        except ZeroDivisionError:
            with volume.open("wb") as file, io.BufferedWriter(file) as around:
                around.write(b"whole")
        assert content(volume) == b"whole"

    def test_one_that_is_dropped_is_not_complete(self, make: Callable[..., Volume]) -> None:
        volume = make(b"-" * 5000)
        files = [volume.open("wb")]
        files[0].write(b"half")
        with pytest.warns(ResourceWarning, match="never closed"):
            files.clear()
        assert content(volume) == b"-" * 5000
        volume.delete()

    def test_it_is_leased(self, make: Callable[..., Volume]) -> None:
        volume = make()
        with volume.open("wb"):
            for other in (volume.open, lambda: volume.open("wb"), volume.delete):
                with pytest.raises(VolumeBusyError):
                    other()
        volume.delete()
        with pytest.raises(VolumeNotFoundError):
            volume.open("wb")

    def test_a_daemon_that_dies(self, own_daemon: PrivateDaemon, folder: Path) -> None:
        with connect(own_daemon.uri) as host:
            pool = host.pools.define(PoolSpec.dir("p", str(folder / "p"))).build().start()
            volume = pool.volumes.create(VolumeSpec.raw("v.img", 100 * MiB, allocation=0))
            file = volume.open("wb")
            file.write(NOISE)
            own_daemon.stop(kill=True)
            with pytest.raises(StorageError) as broken:
                file.close()
            assert broken.value.outcome != "done"

    def test_what_it_is_not_for(self, make: Callable[..., Volume]) -> None:
        with make().open("wb") as file:
            assert (file.writable(), file.readable(), file.seekable()) == (True, False, False)
            with pytest.raises(io.UnsupportedOperation):
                file.read(1)
            with pytest.raises(io.UnsupportedOperation):
                file.seek(0)
        with pytest.raises(ValueError, match="is closed"):
            file.write(b"x")


class TestPythonsOwnReaders:
    def test_copyfileobj(self, make: Callable[..., Volume], pool: Pool) -> None:
        other = pool.volumes.create(VolumeSpec.raw("other.img", len(NOISE), allocation=0))
        with make().open() as source, other.open("wb") as target:
            shutil.copyfileobj(source, target)
        assert content(other) == NOISE

    def test_tar(self, make: Callable[..., Volume]) -> None:
        volume = make(bytes(6 * MiB))
        with volume.open("wb") as file, tarfile.open(fileobj=file, mode="w|") as archive:
            for name in ("a", "b"):
                member = tarfile.TarInfo(name)
                member.size = 2 * MiB + 1
                archive.addfile(member, io.BytesIO(NOISE))
        with volume.open() as reader, tarfile.open(fileobj=reader) as archive:
            assert archive.getnames() == ["a", "b"]
            found = archive.extractfile("b")
            assert found is not None
            assert found.read() == NOISE[: 2 * MiB + 1]

    def test_gzip_and_text(self, make: Callable[..., Volume]) -> None:
        volume = make(bytes(MiB))
        rows = [[str(n), f"größe {n}"] for n in range(10_000)]
        with (
            volume.open("wb") as file,
            gzip.open(file, "wb") as packed,
            io.TextIOWrapper(packed, "utf-8", newline="") as text,
        ):
            csv.writer(text).writerows(rows)
        with (
            volume.open() as reader,
            gzip.GzipFile(fileobj=reader) as unpacked,
            io.TextIOWrapper(unpacked, "utf-8", newline="") as text,
        ):
            assert list(csv.reader(text)) == rows

    def test_zip(self, make: Callable[..., Volume], pool: Pool) -> None:
        volume = make(bytes(5 * MiB))
        with volume.open("wb") as file, zipfile.ZipFile(file, "w") as archive:
            archive.writestr("a", NOISE)
            archive.writestr("b", b"data")
            archive.close()
            end = file.tell()
        with volume.open() as reader, pytest.raises(zipfile.BadZipFile):
            zipfile.ZipFile(reader)  # its end must be the end of the file
        os.truncate(volume.path(), end)
        pool.refresh()
        with volume.open() as reader, zipfile.ZipFile(reader) as archive:
            assert archive.read("b") == b"data"
            assert archive.read("a") == NOISE

    def test_a_header(self, pool: Pool) -> None:
        volume = pool.volumes.create(VolumeSpec.qcow2("v.qcow2", "20 GiB"))
        with volume.open() as file:
            magic, version, backing, size, bits, capacity = struct.unpack(">4sIQIIQ", file.read(32))
            assert (magic, backing, size, capacity) == (b"QFI\xfb", 0, 0, 20 << 30)
            assert version in {2, 3}
            file.seek(40)
            (l1_offset,) = struct.unpack(">Q", file.read(8))
            assert l1_offset % (1 << bits) == 0
