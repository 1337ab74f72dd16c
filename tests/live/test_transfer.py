"""Uploads and downloads: what arrives, what is refused, and what is left when one breaks off."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import random
import socket
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep
from typing import Any, BinaryIO, cast

import pytest

from libstorage import (
    ConnectionLostError,
    ExistsError,
    Host,
    InvalidRequestError,
    MiB,
    NoSpaceError,
    Pool,
    PoolBusyError,
    PoolSpec,
    StorageError,
    TransferError,
    Volume,
    VolumeNotFoundError,
    VolumeSpec,
    connect,
)
from libstorage.testing import PrivateDaemon
from libstorage.transfer import settle
from libstorage.transfer.progress import TransferProgress
from libstorage.transfer.upload import Sparse, Tail
from libstorage.transfer.volume.ending import KEPT, Ending
from libstorage.transfer.volume.intake import RECEIVE_BYTES
from libstorage.transfer.volume.streams import FIRST_BYTES, SEND_BYTES
from tests.live.conftest import started_daemon

SIZES = sorted(
    {
        0,
        1,
        511,
        *(edge + d for edge in (RECEIVE_BYTES, SEND_BYTES, FIRST_BYTES) for d in (-1, 0, 1)),
        3 * SEND_BYTES + 7,
    }
)
NOISE = random.Random(1).randbytes(4 * MiB)


QCOW2 = (
    bytes.fromhex("514649fb00000002") + bytes(12) + bytes.fromhex("00000010 0000000000100000") + bytes(4000)
)
"""As much of a qcow2 image as libvirt looks at."""


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def make(pool: Pool) -> Callable[..., Volume]:
    """Makes a raw volume of a size, full of a letter."""

    def make(size: int, letter: bytes = b"v") -> Volume:
        volume = pool.volumes.create(
            VolumeSpec.raw(f"volume-{size}-{letter.decode()}.img", size, allocation=0)
        )
        Path(volume.path()).write_bytes(letter * size)
        return volume

    return make


def content(volume: Volume) -> bytes:
    return Path(volume.path()).read_bytes()


class TestWhole:
    @pytest.mark.parametrize("size", SIZES)
    def test_what_goes_up_comes_down(self, make: Callable[..., Volume], folder: Path, size: int) -> None:
        data = NOISE[:size]
        (folder / "source").write_bytes(data)
        volume = make(size)
        assert volume.upload(folder / "source") is volume
        assert digest(content(volume)) == digest(data)
        assert volume.download(folder / "copy") is volume
        assert digest((folder / "copy").read_bytes()) == digest(data)

    @pytest.mark.parametrize("size", SIZES)
    def test_through_file_objects(self, make: Callable[..., Volume], size: int) -> None:
        volume, copy = make(size), io.BytesIO()
        volume.upload(io.BytesIO(NOISE[:size])).download(copy)
        assert digest(copy.getvalue()) == digest(NOISE[:size])

    def test_text_paths(self, make: Callable[..., Volume], folder: Path) -> None:
        (folder / "source").write_bytes(NOISE[:100])
        make(100).upload(str(folder / "source")).download(str(folder / "copy"))
        assert (folder / "copy").read_bytes() == NOISE[:100]

    def test_a_file_object_is_read_from_where_it_stands(self, make: Callable[..., Volume]) -> None:
        source = io.BytesIO(NOISE[:1000])
        source.seek(900)
        volume = make(1000)
        volume.upload(source)
        assert content(volume) == NOISE[900:1000] + b"v" * 900

    def test_an_image_becomes_what_it_is(self, pool: Pool, folder: Path) -> None:
        """A pool that saw the volume before must see what it has become, for what follows to be right."""
        image = folder / "image.qcow2"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", image, "20M"], check=True)
        for round_ in range(20):
            volume = pool.volumes.create(VolumeSpec.raw(f"{round_}.img", "1 MiB", allocation=0))
            volume.upload(image)
            assert volume.info().capacity == 20 * MiB
            assert volume.spec().target.format == "qcow2"
            volume.resize("40 MiB").delete()
        assert pool.volumes.count() == 0

    def test_an_image_larger_than_its_volume_was(self, pool: Pool, folder: Path) -> None:
        (folder / "content").write_bytes(NOISE)
        subprocess.run(
            ["qemu-img", "convert", "-O", "qcow2", folder / "content", folder / "image"], check=True
        )
        volume = pool.volumes.create(VolumeSpec.qcow2("v.qcow2", "1 MiB"))
        assert volume.upload(folder / "image").info().capacity == len(NOISE)
        subprocess.run(["qemu-img", "check", "-q", volume.path()], check=True)


class TestParts:
    def test_a_part_in_the_middle(self, make: Callable[..., Volume]) -> None:
        volume, copy = make(3000), io.BytesIO()
        volume.upload(io.BytesIO(NOISE), offset=1000, length=500)
        assert content(volume) == b"v" * 1000 + NOISE[:500] + b"v" * 1500
        volume.download(copy, offset=999, length=502)
        assert copy.getvalue() == b"v" + NOISE[:500] + b"v"

    def test_sizes_may_have_units(self, make: Callable[..., Volume]) -> None:
        volume, copy = make(4096), io.BytesIO()
        volume.upload(io.BytesIO(NOISE), offset="1 KiB", length="1 KiB").download(
            copy, offset="1 KiB", length="1 KiB"
        )
        assert copy.getvalue() == NOISE[:1024]

    def test_the_rest(self, make: Callable[..., Volume]) -> None:
        copy = io.BytesIO()
        make(3000).download(copy, offset=2990)
        assert copy.getvalue() == b"v" * 10

    @pytest.mark.parametrize("offset", [0, 1500, 3000])
    def test_nothing_at_all(self, make: Callable[..., Volume], offset: int) -> None:
        """libvirt takes a length of 0 for no limit."""
        volume, copy = make(3000), io.BytesIO()
        volume.upload(io.BytesIO(NOISE), offset=offset, length=0).download(copy, offset=offset, length=0)
        assert content(volume) == b"v" * 3000
        assert copy.getvalue() == b""

    @pytest.mark.parametrize(("offset", "length"), [(0, 3001), (2999, 2), (3000, 1), (10**12, 1), (0, 2**62)])
    def test_never_past_the_end(self, make: Callable[..., Volume], offset: int, length: int) -> None:
        class Endless(io.RawIOBase):
            def read(self, size: int = -1) -> bytes:
                return bytes(size)

        volume = make(3000)
        with pytest.raises(InvalidRequestError, match=r"resize\(") as refused:
            volume.upload(cast(BinaryIO, Endless()), offset=offset, length=length)
        assert (refused.value.outcome, refused.value.operation) == ("not_started", "volume.upload")
        with pytest.raises(InvalidRequestError, match="past the end"):
            volume.download(io.BytesIO(), offset=offset, length=length)
        assert content(volume) == b"v" * 3000
        assert volume.info().capacity == 3000

    @pytest.mark.parametrize("offset", [3001, 10**12, 2**63 - 1])
    def test_never_past_the_end_without_a_length(
        self, make: Callable[..., Volume], folder: Path, offset: int
    ) -> None:
        volume = make(3000)
        for target in (io.BytesIO(), folder / "copy"):
            with pytest.raises(
                InvalidRequestError, match=r"are past the end of .*, which has 3000 bytes"
            ) as past:
                volume.download(target, offset=offset)
            assert (past.value.outcome, past.value.operation) == ("not_started", "volume.download")
        with pytest.raises(InvalidRequestError, match="do not fit"):
            volume.upload(iter([b"x"]), offset=offset)
        assert not (folder / "copy").exists()
        assert content(volume) == b"v" * 3000

    def test_no_file_grows_beyond_what_libvirt_can_express(self, pool: Pool) -> None:
        volume = pool.volumes.create(VolumeSpec.qcow2("v.qcow2", MiB))
        with pytest.raises(InvalidRequestError, match="cannot grow to hold") as refused:
            volume.upload(cast(BinaryIO, Broken(0, KeyError("read"))), offset=1, length=2**63 - 1)
        assert (refused.value.outcome, refused.value.operation) == ("not_started", "volume.upload")
        with pytest.raises(KeyError):
            volume.upload(cast(BinaryIO, Broken(0, KeyError("read"))), offset=1, length=2**63 - 2)
        with pytest.raises(InvalidRequestError, match="cannot grow to hold"):
            volume.upload(b"x", offset=2 * MiB)

    @pytest.mark.parametrize("wrong", [-1, True, "much", 1.5])
    @pytest.mark.parametrize("name", ["offset", "length"])
    def test_what_is_no_size(self, make: Callable[..., Volume], name: str, wrong: Any) -> None:
        with pytest.raises(InvalidRequestError, match=name):
            make(3000).upload(io.BytesIO(), **{name: wrong})
        with pytest.raises(InvalidRequestError, match=name):
            make(3001).download(io.BytesIO(), **{name: wrong})

    def test_a_folder_has_no_bytes(self, pool: Pool) -> None:
        volume = pool.volumes.create(VolumeSpec.directory("folder"))
        with pytest.raises(InvalidRequestError, match="directory"):
            volume.upload(io.BytesIO(b"x"))
        with pytest.raises(InvalidRequestError, match="directory"):
            volume.download(io.BytesIO())


@pytest.mark.parametrize("tail", ["keep", "zero"])
@pytest.mark.parametrize("sparse", [True, False, "auto"])
@pytest.mark.parametrize("size", [0, 4096])
def test_no_byte_is_dropped_in_silence(pool: Pool, size: int, sparse: Sparse, tail: Tail) -> None:
    """The source does not know its length, and the volume has no room for all of it."""
    volume = pool.volumes.create(VolumeSpec.raw("small", size, allocation=0))
    with pytest.raises(TransferError, match=f"room for {size} bytes"):
        volume.upload(iter([NOISE[: size + 1]]), sparse=sparse, tail=tail)
    assert Path(volume.path()).stat().st_size == size


class TestProgress:
    def test_every_part_is_told(self, make: Callable[..., Volume]) -> None:
        size = FIRST_BYTES + SEND_BYTES + 5
        up: list[tuple[int, int | None]] = []
        down: list[tuple[int, int | None]] = []
        volume = make(size)
        volume.upload(io.BytesIO(NOISE[:size]), progress=lambda p: up.append((p.done, p.total)))
        volume.download(io.BytesIO(), progress=lambda p: down.append((p.done, p.total)))
        assert up == [(done, size) for done in (0, FIRST_BYTES, FIRST_BYTES + SEND_BYTES, size)]
        assert down[0] == (0, size)
        assert down[-1] == (size, size)
        assert down == sorted(down)

    @pytest.mark.parametrize("knows_length", [True, False])
    @pytest.mark.parametrize("how", ["empty", "zero", "resume", "import"])
    def test_zeros_behind_the_source_are_not_counted(self, pool: Pool, how: str, knows_length: bool) -> None:
        seen: list[TransferProgress] = []
        data = NOISE + NOISE[: MiB + 7]
        source = (
            data if knows_length else (data[place : place + 99_999] for place in range(0, len(data), 99_999))
        )
        volume = pool.volumes.create(VolumeSpec.raw("empty.img", 16 * MiB, allocation=0))
        if how == "import":
            volume = pool.volumes.import_image(
                source, name="imported", min_capacity=16 * MiB, progress=seen.append
            )
        else:
            if how != "empty":
                volume.upload(NOISE)
            volume.upload(
                source,
                resume=how == "resume",
                tail="keep" if how == "empty" else "zero",
                progress=seen.append,
            )
        told = [progress for progress in seen if progress.phase == "upload"]
        left = len(data) - (4 * MiB if how == "resume" else 0)
        assert told[-1].done == left
        assert told[-1].total == (left if knows_length or how != "import" else None)
        assert told[0].total == (left if knows_length or how == "resume" else None)
        assert [each.done for each in told] == sorted(each.done for each in told)
        assert content(volume) == data + bytes(16 * MiB - len(data))

    def test_of_nothing(self, pool: Pool) -> None:
        seen: list[TransferProgress] = []
        volume = pool.volumes.create(VolumeSpec.raw("nothing", 0))
        volume.upload(iter([]), progress=seen.append)
        assert (seen[-1].done, seen[-1].total) == (0, 0)

    def test_it_may_stop_the_transfer(self, make: Callable[..., Volume]) -> None:
        class Enough(Exception):
            pass

        def progress(at: TransferProgress) -> None:
            if at.done:
                raise Enough

        volume = make(3 * SEND_BYTES)
        transfers: list[Callable[[], Volume]] = [
            lambda: volume.upload(io.BytesIO(NOISE), progress=progress, length=3 * SEND_BYTES),
            lambda: volume.download(io.BytesIO(), progress=progress),
        ]
        for transfer in transfers:
            with pytest.raises(Enough) as broke:
                transfer()
            assert "broke off" in "".join(broke.value.__notes__)
        volume.delete()


@pytest.fixture
def small_pool(folder: Path) -> Iterator[Pool]:
    """A pool on a small file system. A private daemon sees what was mounted before it started."""
    if os.geteuid() != 0:
        pytest.skip("not run: only root can mount a small file system")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6M", "small", folder], check=True)
    try:
        with started_daemon() as daemon, connect(daemon.uri) as host:
            yield host.pools.define(PoolSpec.dir("small", str(folder / "pool"))).build().start()
    finally:
        subprocess.run(["umount", folder], check=True)


class Broken(io.RawIOBase):
    """A file that fails after so many bytes."""

    def __init__(self, after: int, error: BaseException) -> None:
        self.left = after
        self.error = error

    def read(self, size: int = -1) -> bytes:
        data = NOISE[: min(size, self.left, len(NOISE))]
        self.left -= len(data)
        if not data:
            raise self.error
        return data

    def write(self, data: Any, /) -> int:
        if not self.left:
            raise self.error
        taken = min(self.left, len(data))
        self.left -= taken
        return taken


class Slow(io.RawIOBase):
    """A file that takes its time, and looks how much memory the process has."""

    def __init__(self, seconds: float, stall: float) -> None:
        self.seconds, self.stall = seconds, stall
        self.digest = hashlib.sha256()
        self.before, self.most = memory(), 0

    def write(self, data: Any, /) -> int:
        sleep(self.stall or self.seconds)
        self.stall = 0.0
        self.digest.update(data)
        self.most = max(self.most, memory() - self.before)
        return len(data)


def memory() -> int:
    """How many bytes of this process are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


@pytest.mark.parametrize(("seconds", "stall"), [(0.004, 0.0), (0.0, 1.5)])
@pytest.mark.parametrize("sparse", [False, True])
def test_a_slow_reader_does_not_fill_the_memory(
    make: Callable[..., Volume], seconds: float, stall: float, sparse: bool
) -> None:
    """libvirt keeps what it has received, however much it is."""
    size, part = 96 * MiB, random.Random(3).randbytes(2 * MiB)
    volume = make(size)
    with Path(volume.path()).open("r+b") as file:
        for begin in range(0, size, 4 * MiB if sparse else 2 * MiB):
            file.seek(begin)
            file.write(part)
    with Path(volume.path()).open("rb") as file:
        expected = hashlib.file_digest(file, "sha256").hexdigest()
    slow = Slow(seconds, stall)
    volume.download(cast(BinaryIO, slow), sparse=sparse)
    assert slow.digest.hexdigest() == expected
    assert slow.most < 16 * MiB


class TestBrokenOff:
    @pytest.mark.parametrize(
        "error", [KeyError("mine"), OSError(5, "disk"), KeyboardInterrupt(), SystemExit(3)]
    )
    @pytest.mark.parametrize(("after", "sent"), [(0, 0), (SEND_BYTES, 0), (FIRST_BYTES + 1, FIRST_BYTES)])
    def test_the_reader_raises(
        self, make: Callable[..., Volume], error: BaseException, after: int, sent: int
    ) -> None:
        volume = make(4 * SEND_BYTES)
        with pytest.raises(type(error)) as broke:
            volume.upload(cast(BinaryIO, Broken(after, error)), length=4 * SEND_BYTES)
        assert broke.value is error
        assert f"{sent} of {4 * SEND_BYTES} bytes were sent" in broke.value.__notes__[-1]
        assert "undefined" in broke.value.__notes__[-1]
        volume.upload(io.BytesIO(NOISE), length=4 * SEND_BYTES)
        assert content(volume) == NOISE[: 4 * SEND_BYTES]

    @pytest.mark.parametrize("error", [KeyError("mine"), OSError(28, "full"), KeyboardInterrupt()])
    @pytest.mark.parametrize("after", [0, RECEIVE_BYTES + 1])
    def test_the_writer_raises(self, make: Callable[..., Volume], error: BaseException, after: int) -> None:
        volume = make(3 * SEND_BYTES)
        with pytest.raises(type(error)) as broke:
            volume.download(cast(BinaryIO, Broken(after, error)))
        assert broke.value is error
        assert "is unchanged" in broke.value.__notes__[-1]
        copy = io.BytesIO()
        volume.download(copy)
        assert copy.getvalue() == content(volume)

    def test_the_source_is_shorter_than_it_said(self, make: Callable[..., Volume]) -> None:
        class Short(io.BytesIO):
            def seek(self, *where: int) -> int:
                return super().seek(*where) + (1000 if where[-1] == os.SEEK_END else 0)

        volume = make(5000)
        with pytest.raises(TransferError, match="ended after 3000 of 4000 bytes") as broke:
            volume.upload(Short(NOISE[:3000]))
        assert "bytes 0 to 4000 of volume" in str(broke.value)
        assert (broke.value.outcome, broke.value.operation) == ("unknown", "volume.upload")
        assert broke.value.target == str(volume._id)

    def test_the_volume_is_shorter_than_it_said(self, make: Callable[..., Volume]) -> None:
        volume = make(64 * SEND_BYTES)  # more than can be under way

        def cut_off(at: TransferProgress) -> None:
            os.truncate(volume.path(), SEND_BYTES)

        with pytest.raises(TransferError, match="ended after"):
            volume.download(io.BytesIO(), progress=cut_off)

    @pytest.mark.parametrize("ending", [b"", bytes(100_000), bytes(SEND_BYTES)])
    @pytest.mark.parametrize("missing", [1, SEND_BYTES // 4, 3 * SEND_BYTES])
    def test_the_disk_is_full(self, small_pool: Pool, missing: int, ending: bytes) -> None:
        """libvirt says so in the middle, at the very end, or not at all."""
        data = random.Random(2).randbytes(small_pool.info().available + missing) + ending
        volume = small_pool.volumes.create(VolumeSpec.raw("v.img", len(data), allocation=0))
        with pytest.raises((NoSpaceError, TransferError), match="are now undefined") as broke:
            volume.upload(io.BytesIO(data))
        assert broke.value.outcome == "unknown"
        assert content(volume) != data
        volume.delete()

    def test_zeros_that_fit_nowhere_are_there_all_the_same(self, small_pool: Pool) -> None:
        volume = small_pool.volumes.create(VolumeSpec.raw("v.img", 8 * MiB, allocation=0))
        with contextlib.suppress(
            NoSpaceError
        ):  # which libvirt reports only if another message comes after it
            volume.upload(io.BytesIO(bytes(8 * MiB)))
        assert content(volume) == bytes(8 * MiB)

    def test_a_volume_that_is_gone(self, make: Callable[..., Volume], folder: Path) -> None:
        volume = make(100)
        volume.delete()
        with pytest.raises(VolumeNotFoundError):
            volume.upload(io.BytesIO(b"x"))
        with pytest.raises(VolumeNotFoundError):
            volume.download(folder / "copy")
        assert not (folder / "copy").exists()

    def test_the_daemon_dies(self, own_daemon: PrivateDaemon, folder: Path) -> None:
        with connect(own_daemon.uri) as host:
            pool = host.pools.define(PoolSpec.dir("dying", str(folder / "pool"))).build().start()
            volume = pool.volumes.create(VolumeSpec.raw("v.img", len(NOISE), allocation=0))

            def kill(at: TransferProgress) -> None:
                if at.done:
                    own_daemon.stop(kill=True)

            with pytest.raises(ConnectionLostError, match="are now undefined") as broke:
                volume.upload(io.BytesIO(NOISE), progress=kill)
            assert broke.value.outcome == "unknown"
            own_daemon.start()
            volume.upload(io.BytesIO(NOISE))
            with pytest.raises(ConnectionLostError, match="is unchanged"):
                volume.download(folder / "copy", progress=kill)
            assert [entry.name for entry in folder.iterdir()] == ["pool"]


class TestEnding:
    """What is read back after an upload, since libvirt keeps silent about an error in its last writes."""

    @pytest.mark.parametrize("chunk", [1, 7, 1000, KEPT, KEPT + 1, 10**6])
    @pytest.mark.parametrize(
        "data", [NOISE[:10_000], NOISE[:10_000] + bytes(10_000), bytes(9_000), b"x", b""]
    )
    def test_it_is_found_where_it_was_put(self, data: bytes, chunk: int) -> None:
        self.check(data, chunk, there=b"old" * 10 + data)

    @pytest.mark.parametrize("data", [NOISE[:10_000], NOISE[:10_000] + bytes(10_000), bytes(9_000) + b"x"])
    def test_it_is_missed_where_a_hole_is_left(self, data: bytes) -> None:
        solid = len(data.rstrip(b"\0"))
        for cut in (0, 1, solid // 2, solid - 1):
            there = b"old" * 10 + data[:cut] + bytes(len(data) - cut)
            with pytest.raises(AssertionError):
                self.check(data, 1000, there)

    @pytest.mark.parametrize("data", [NOISE[:10_000], bytes(9_000)])
    def test_it_is_missed_where_old_content_is_left(self, data: bytes) -> None:
        with pytest.raises(AssertionError):
            self.check(data, 1000, b"old" * 10 + data[:-1] + b"o")

    def check(self, data: bytes, chunk: int, there: bytes) -> None:
        ending = Ending(30)
        for start in range(0, len(data), chunk):
            ending.add(data[start : start + chunk])
        assert ending.first_missing(lambda offset, length: there[offset : offset + length]) is None


class TestTheLocalFile:
    def test_it_is_its_owners_alone(self, make: Callable[..., Volume], folder: Path) -> None:
        make(100).download(folder / "copy")
        assert stat.S_IMODE((folder / "copy").stat().st_mode) == 0o600

    def test_it_is_not_overwritten_unasked(self, make: Callable[..., Volume], folder: Path) -> None:
        (folder / "copy").write_text("mine")
        told: list[TransferProgress] = []
        with pytest.raises(ExistsError, match="overwrite=True") as refused:
            make(100).download(folder / "copy", progress=told.append)
        assert told == []  # before anything is received
        assert isinstance(refused.value, FileExistsError)
        assert (folder / "copy").read_text() == "mine"
        make(101).download(folder / "copy", overwrite=True)
        assert (folder / "copy").read_bytes() == b"v" * 101

    def test_one_that_appears_meanwhile_stays(self, make: Callable[..., Volume], folder: Path) -> None:
        def somebody_else(at: TransferProgress) -> None:
            if at.done:
                (folder / "copy").write_text("mine")

        with pytest.raises(ExistsError):
            make(100).download(folder / "copy", progress=somebody_else)
        assert (folder / "copy").read_text() == "mine"
        assert sorted(path.name for path in folder.iterdir()) == ["copy", "pool"]

    @pytest.mark.parametrize("taken", [True, False])
    def test_a_file_system_without_links(
        self, make: Callable[..., Volume], folder: Path, monkeypatch: pytest.MonkeyPatch, taken: bool
    ) -> None:
        """As vfat is; few kernels that tests run on have it."""

        def refuse(*_: object, **__: object) -> None:
            if taken:
                (folder / "copy").write_text("mine")
            raise PermissionError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)
        if taken:
            with pytest.raises(ExistsError):
                make(100).download(folder / "copy")
        else:
            make(100).download(folder / "copy")
            assert (folder / "copy").read_bytes() == b"v" * 100
        assert sorted(path.name for path in folder.iterdir()) == ["copy", "pool"]

    @pytest.mark.parametrize("overwrite", [True, False])
    def test_a_link_is_replaced_and_not_followed(
        self, make: Callable[..., Volume], folder: Path, overwrite: bool
    ) -> None:
        (folder / "precious").write_text("mine")
        (folder / "copy").symlink_to(folder / "precious")
        if overwrite:
            make(100).download(folder / "copy", overwrite=True)
            assert not (folder / "copy").is_symlink()
        else:
            with pytest.raises(ExistsError):
                make(100).download(folder / "copy")
        assert (folder / "precious").read_text() == "mine"

    def test_nothing_is_there_before_all_is(self, make: Callable[..., Volume], folder: Path) -> None:
        seen: set[str] = set()

        def look(at: TransferProgress) -> None:
            seen.update(path.name for path in folder.iterdir())

        make(3 * SEND_BYTES).download(folder / "copy", progress=look)
        assert "copy" not in seen
        assert [name for name in seen if name.startswith(".copy.part-")]
        assert sorted(path.name for path in folder.iterdir()) == ["copy", "pool"]

    @pytest.mark.parametrize("how", [{}, {"overwrite": True}, {"resume": True}, {"parallel": 2}], ids="".join)
    def test_one_that_must_outlast_a_crash_is_synced_before_it_has_its_name(
        self, make: Callable[..., Volume], folder: Path, monkeypatch: pytest.MonkeyPatch, how: dict[str, Any]
    ) -> None:
        synced: list[tuple[str, int, list[str]]] = []
        sync, copy = os.fsync, folder / "copy"

        def record(number: int) -> None:
            found = os.fstat(number)
            kind = "folder" if stat.S_ISDIR(found.st_mode) else "file"
            synced.append((kind, found.st_size, [path.name for path in folder.iterdir() if path == copy]))
            sync(number)

        monkeypatch.setattr(os, "fsync", record)
        make(100).download(copy, **how)
        assert synced == []
        copy.unlink()
        make(3 * MiB + 5).download(copy, durable=True, **how)
        assert [one[0] for one in synced] == ["file", "folder"]
        assert (synced[0][1:], synced[1][2]) == ((3 * MiB + 5, []), ["copy"])

    def test_a_broken_download_leaves_no_trace(self, make: Callable[..., Volume], folder: Path) -> None:
        def fail(at: TransferProgress) -> None:
            if at.done:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            make(3 * SEND_BYTES).download(folder / "copy", progress=fail)
        assert [path.name for path in folder.iterdir()] == ["pool"]

    def test_what_is_no_file(self, make: Callable[..., Volume], folder: Path) -> None:
        volume = make(100)
        os.mkfifo(folder / "pipe")
        for place in (folder, folder / "pipe"):
            for transfer in (volume.upload, volume.download):
                with pytest.raises((InvalidRequestError, IsADirectoryError), match=str(folder)):
                    transfer(place)
        with pytest.raises(FileNotFoundError):
            volume.upload(folder / "nosuch")
        with pytest.raises(FileNotFoundError):
            volume.download(folder / "nosuch" / "copy")
        for wrong in (None, 7):
            with pytest.raises(InvalidRequestError, match="binary file object"):
                volume.upload(wrong)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        for wrong in (None, 7, b"bytes"):  # type: ignore[assignment]
            with pytest.raises(InvalidRequestError, match="binary file object"):
                volume.download(wrong)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


class TestFileObjects:
    def test_text_is_refused(self, make: Callable[..., Volume]) -> None:
        with pytest.raises(InvalidRequestError, match="binary mode"):
            make(100).upload(cast(BinaryIO, io.StringIO("text")), length=4)

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_whatever_is_like_bytes(self, make: Callable[..., Volume], kind: Callable[[bytes], Any]) -> None:
        class Source:
            def read(self, size: int) -> Any:
                return kind(NOISE[:size])

        volume = make(100)
        volume.upload(cast(BinaryIO, Source()), length=100)
        assert content(volume) == NOISE[:100]

    def test_a_source_that_cannot_tell_its_length(self, make: Callable[..., Volume]) -> None:
        def send() -> None:
            with ours:
                ours.sendall(NOISE[:5000])

        ours, theirs = socket.socketpair()
        volume = make(6000)
        with theirs, theirs.makefile("rb") as source:
            threading.Thread(target=send).start()
            volume.upload(cast(BinaryIO, source))
        assert content(volume)[:5000] == NOISE[:5000]

    def test_a_source_that_goes_on_after_the_end_of_the_volume(self, make: Callable[..., Volume]) -> None:
        volume = make(5000)
        with pytest.raises(TransferError, match="room for 5000 bytes"):
            volume.upload(iter([NOISE[:5000], b"x"]))
        assert len(content(volume)) == 5000

    def test_what_goes_on_after_the_end_of_an_empty_volume_is_not_left_out(self, pool: Pool) -> None:
        volume = pool.volumes.create(VolumeSpec.raw("v.img", 5000, allocation=0))
        with pytest.raises(TransferError, match="room for 5000 bytes"):
            volume.upload(iter([NOISE[:5000], b"x"]))

    def test_only_the_length_is_sent_before_zeros(self, pool: Pool) -> None:
        volume = pool.volumes.create(VolumeSpec.raw("v.img", 5000, allocation=0))
        volume.upload(io.BytesIO(NOISE), length=10)
        assert content(volume) == NOISE[:10] + bytes(4990)

    def test_a_source_that_is_cut_off_is_not_filled_with_zeros(self, pool: Pool, folder: Path) -> None:
        def cut_off(at: TransferProgress) -> None:
            os.truncate(folder / "source", MiB)

        (folder / "source").write_bytes(NOISE)
        volume = pool.volumes.create(VolumeSpec.raw("v.img", 5 * MiB, allocation=0))
        with pytest.raises(TransferError, match="ended after"):
            volume.upload(folder / "source", progress=cut_off)

    def test_a_source_that_gives_little_at_a_time(self, make: Callable[..., Volume]) -> None:
        class Dripping(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                return super().read(min(7, size or 0))

        volume = make(1000)
        volume.upload(Dripping(NOISE[:1000]))
        assert content(volume) == NOISE[:1000]

    @pytest.mark.parametrize(
        ("gives", "message"), [(None, "non-blocking"), (bytes(101), "returned 101 bytes")]
    )
    def test_a_source_that_misbehaves(
        self, make: Callable[..., Volume], gives: bytes | None, message: str
    ) -> None:
        class Source:
            def read(self, size: int) -> bytes | None:
                return gives

        with pytest.raises(TransferError, match=message):
            make(100).upload(cast(BinaryIO, Source()), length=100)

    def test_a_target_that_takes_little_at_a_time(self, make: Callable[..., Volume]) -> None:
        taken = bytearray()

        class Slow(io.RawIOBase):
            def write(self, data: Any, /) -> int:
                taken.extend(data[:1000])
                return min(1000, len(data))

        volume = make(100_000)
        volume.download(cast(BinaryIO, Slow()))
        assert taken == content(volume)

    def test_a_target_that_does_not_say_how_much_it_took(self, make: Callable[..., Volume]) -> None:
        class Hash:
            def __init__(self) -> None:
                self.hash = hashlib.sha256()

            def write(self, data: Any) -> None:
                self.hash.update(data)

        target, volume = Hash(), make(100_000)
        volume.download(cast(BinaryIO, target))
        assert target.hash.hexdigest() == digest(content(volume))

    def test_a_raw_target_that_is_full(self, make: Callable[..., Volume]) -> None:
        class Full(io.RawIOBase):
            def write(self, data: Any, /) -> None:
                return None

        with pytest.raises(TransferError, match="non-blocking"):
            make(100).download(cast(BinaryIO, Full()))

    def test_one_that_takes_its_time(self, host: Host, make: Callable[..., Volume]) -> None:
        """The time limit is the daemon's, not the caller's."""

        class Slow(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                sleep(0.5)
                return super().read(size)

        volume = make(100)
        volume.with_options(timeout=0.3).upload(Slow(NOISE[:100]))
        assert content(volume) == NOISE[:100]
        volume.with_options(timeout=0.3).download(io.BytesIO(), progress=lambda *_: sleep(0.5))


class TestAfterTheUpload:
    def test_a_pool_that_is_busy_is_waited_for(self, pool: Pool) -> None:
        """While volumes are being built libvirt refuses to refresh a pool, and its own refresh is left out."""
        stop = threading.Event()

        def build() -> None:
            with connect(pool.host.uri) as another:
                volumes = another.pools[pool.name].volumes
                while not stop.is_set():
                    volumes.create(VolumeSpec.raw("built.img", MiB)).delete()

        with ThreadPoolExecutor(1) as builder:
            building = builder.submit(build)
            try:
                for number in range(10):
                    volume = pool.volumes.create(VolumeSpec.raw(f"up-{number}.img", 5000, allocation=0))
                    volume.upload(io.BytesIO(QCOW2))
                    assert volume.spec().target.format == "qcow2"
            finally:
                stop.set()
            building.result()

    def test_it_gets_its_turn_where_many_volumes_are_made(self, host: Host, pool: Pool) -> None:
        stop = threading.Event()

        def build(number: int) -> int:
            made = 0
            while not stop.is_set():
                pool.volumes.create(VolumeSpec.raw(f"built-{number}.img", 65536)).delete()
                made += 1
            return made

        with ThreadPoolExecutor(8) as builders:
            building = [builders.submit(build, number) for number in range(8)]
            try:
                start = monotonic()
                for number in range(10):
                    volume = pool.volumes.create(VolumeSpec.raw(f"up-{number}.img", 5000, allocation=0))
                    volume.upload(io.BytesIO(QCOW2))
                    assert volume.spec().target.format == "qcow2"
                assert monotonic() - start < 10
            finally:
                stop.set()
            assert all(one.result() for one in building)

    def test_a_pool_that_stays_busy_is_told_of(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settle, "PATIENCE", 0.05)
        (folder / "qemu-img").write_text(
            f"#!/bin/sh\nuntil test -e {folder}/go; do sleep 0.01; done\nexit 1\n"
        )
        (folder / "qemu-img").chmod(0o755)
        with started_daemon(path=[folder]) as daemon, connect(daemon.uri) as host:
            pool = host.pools.define(PoolSpec.dir("busy", str(folder / "pool"))).build().start()
            volume = pool.volumes.create(VolumeSpec.raw("v.img", 100))
            with ThreadPoolExecutor(1) as builder:
                building = builder.submit(pool.volumes.create, VolumeSpec.qcow2("slow.qcow2", MiB))
                wait_until(lambda: "slow.qcow2" in pool.volumes)
                with pytest.raises(PoolBusyError, match="All data has arrived") as busy:
                    volume.upload(io.BytesIO(NOISE[:100]))
                (folder / "go").touch()
                assert isinstance(building.exception(), StorageError)
        assert (busy.value.outcome, busy.value.operation) == ("done", "pool.refresh")
        assert (folder / "pool" / "v.img").read_bytes() == NOISE[:100]


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        sleep(0.01)
    pytest.fail("it did not come to pass within 10 s")
