"""Transfers that break off: what is said, what is left, and that the next one works."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import random
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from typing import Any, BinaryIO, cast

import libvirt
import pytest

from libstorage import (
    BusyError,
    ConnectionFailedError,
    ConnectionLostError,
    DeadlineError,
    Host,
    InvalidRequestError,
    KiB,
    MiB,
    NoSpaceError,
    Pool,
    PoolSpec,
    TransferError,
    Volume,
    VolumeBusyError,
    VolumeSpec,
    connect,
)
from libstorage.connection.lane import Lane
from libstorage.known_faults import KILLED_UPLOAD
from libstorage.session.leases import leases
from libstorage.testing import PrivateDaemon
from libstorage.transfer.progress import TransferProgress
from tests.inside import connection_of
from tests.live.conftest import ORDINARY_USER, started_daemon
from tests.live.rest import are_back, resources_at_rest
from tests.live.test_transfer import Broken, content

NOISE = random.Random(7).randbytes(4 * MiB)
INTERRUPTS = os.environ.get("LIBSTORAGE_INTERRUPTS", "50")
"""How many uploads and downloads Ctrl-C strikes in; more take minutes on a busy machine."""

SIZE = 3 * MiB + 5


@pytest.fixture
def volume(pool: Pool) -> Volume:
    """A raw volume full of letters."""
    volume = pool.volumes.create(VolumeSpec.raw("v.img", SIZE, allocation=0))
    Path(volume.path()).write_bytes(b"v" * SIZE)
    return volume


def at(phase: str, done: int, act: Callable[[], object]) -> Callable[[TransferProgress], None]:
    """A progress that does something once, when a phase is that far."""
    left = [act]

    def progress(told: TransferProgress) -> None:
        if told.phase == phase and told.done >= done and left:
            left.pop()()

    return progress


def fail() -> None:
    """Break a transfer off."""
    raise KeyError("mine")


def mounted_at(pool: Pool) -> Path:
    """Where the file system of a pool is mounted."""
    target = pool.spec().target
    assert target is not None
    return Path(target.path or "").parent


def noise(size: int) -> Iterator[bytes]:
    """So many bytes in pieces of 1 MiB at most."""
    for place in range(0, size, MiB):
        yield NOISE[: min(MiB, size - place)]


def change(path: str | Path, place: int) -> None:
    """Change one byte."""
    with Path(path).open("r+b") as file:
        file.seek(place)
        old = file.read(1)
        file.seek(place)
        file.write(bytes([old[0] ^ 1]))


# ---- full -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["tmpfs", "ext4", "ext4 with a reserve"])
def full_pool(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    """A pool on a small file system. A private daemon sees what was mounted before it started."""
    if os.geteuid() != 0:
        pytest.skip("not run: only root can mount a small file system")
    folder = tmp_path_factory.mktemp("full")
    if request.param == "tmpfs":
        mount = ["-t", "tmpfs", "-o", "size=6M", "small"]
    else:
        image = tmp_path_factory.mktemp("image") / "image"
        size, options = (6, ["-O", "^has_journal", "-m", "0"]) if request.param == "ext4" else (128, [])
        with image.open("wb") as file:
            file.truncate(size * MiB)
        subprocess.run(["mkfs.ext4", "-q", *options, image], check=True)
        mount = ["-t", "ext4", "-o", "loop", str(image)]
    subprocess.run(["mount", *mount, folder], check=True)
    try:
        with started_daemon() as daemon, connect(daemon.uri) as host:
            yield host.pools.define(PoolSpec.dir("full", str(folder / "pool"))).build().start()
    finally:
        subprocess.run(["umount", folder], check=True)


class TestFull:
    @pytest.mark.parametrize("number", range(50))
    def test_at_many_places(self, full_pool: Pool, number: int) -> None:
        """libvirt tells of it in the middle, when it ends, or not at all."""
        free = full_pool.refresh().info().available
        ballast = mounted_at(full_pool) / "ballast"
        with (
            contextlib.suppress(OSError),
            ballast.open("wb") as file,
        ):  # a file system needs some space for itself
            os.posix_fallocate(file.fileno(), 0, max(1, free - 80 * KiB * (number + 1) - 5))
        try:
            free = full_pool.refresh().info().available
            missing = [1, 4096, 70_001, MiB][number % 4] + 16 * KiB
            data = random.Random(number).randbytes(free + missing)
            volume = full_pool.volumes.create(VolumeSpec.raw("v.img", len(data), allocation=0))
            with pytest.raises(NoSpaceError) as full:
                volume.upload(data)
            assert (full.value.errno, full.value.operation) == (errno.ENOSPC, "volume.upload")
            assert content(volume) != data
            volume.delete()
            volume = full_pool.volumes.create(VolumeSpec.raw("v.img", 100, allocation=0))
            ballast.unlink()
            volume.upload(data[:100], verify=True).delete()
        finally:
            ballast.unlink(missing_ok=True)

    @pytest.mark.parametrize("number", range(4))
    def test_if_libvirt_never_says_why(
        self, full_pool: Pool, number: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The last message is lost when it is sent again, too: then the space that is left decides."""
        monkeypatch.setattr("libstorage.transfer.volume.streams._send_again", lambda *_: None)
        ballast = mounted_at(full_pool) / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while file.write(bytes(MiB)):
                pass
        os.truncate(ballast, max(0, ballast.stat().st_size - 3 * MiB))
        data = random.Random(number).randbytes(4 * MiB + [1, 4096, 70_001, MiB][number])
        volume = full_pool.volumes.create(VolumeSpec.raw("v.img", len(data), allocation=0))
        try:
            with pytest.raises(NoSpaceError):
                volume.upload(data)
        finally:
            volume.delete()
            ballast.unlink()

    def test_here(self, full_pool: Pool, volume: Volume) -> None:
        mounted = mounted_at(full_pool)
        with contextlib.suppress(OSError), (mounted / "ballast").open("wb", buffering=0) as file:
            while file.write(bytes(MiB)):
                pass
        os.truncate(mounted / "ballast", (mounted / "ballast").stat().st_size - MiB)
        before = sorted(mounted.iterdir())
        try:
            with pytest.raises(OSError, match="No space left") as full:
                volume.download(mounted / "copy", sparse=False)
            assert full.value.errno == errno.ENOSPC
            assert sorted(mounted.iterdir()) == before
            with pytest.raises(OSError, match="No space left"):
                volume.download(mounted / "copy", sparse=False, resume=True)
            (mounted / "ballast").unlink()
            volume.download(mounted / "copy", resume=True)
            assert (mounted / "copy").read_bytes() == content(volume)
        finally:
            (mounted / "copy").unlink(missing_ok=True)
            (mounted / "ballast").unlink(missing_ok=True)


class TestADaemonThatDiesOfAFullDisk:
    """As libvirt 10.1 to 12.6 are; this one says that it is one, and no write may fail in it."""

    @pytest.fixture(autouse=True)
    def unbroken(self, a_full_disk_is_deadly: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
        failed: list[str] = []

        def watched(name: str) -> Callable[..., Any]:
            usual = getattr(libvirt.virStream, name)

            def call(stream: libvirt.virStream, *given: Any) -> Any:
                try:
                    return usual(stream, *given)
                except libvirt.libvirtError as error:
                    failed.append(f"{name}: {error}")
                    raise

            return call

        for name in ("send", "sendHole", "finish", "abort"):
            monkeypatch.setattr(libvirt.virStream, name, watched(name))
        yield failed
        assert failed == []

    @staticmethod
    def fill(pool: Pool, other: Pool, way: str, size: int) -> None:
        """Write so many bytes into a volume of the pool, in one of the ways that there are."""
        if way == "upload":
            pool.volumes.create(VolumeSpec.raw("full.img", size, allocation=0)).upload(noise(size))
        elif way == "import":
            pool.volumes.import_image(noise(size), name="full.img")
        elif way == "open":
            with pool.volumes.create(VolumeSpec.raw("full.img", size, allocation=0)).open("wb") as file:
                for piece in noise(size):
                    file.write(piece)
        else:
            large = other.volumes.create(VolumeSpec.raw("large.img", size, allocation=0))
            large.upload(noise(size)).copy_to(pool, "full.img")

    @pytest.mark.parametrize("way", ["upload", "import", "open", "copy"])
    @pytest.mark.parametrize("missing", [1, MiB])
    def test_it_is_never_filled(self, full_pool: Pool, pool: Pool, way: str, missing: int) -> None:
        free = full_pool.refresh().info().available
        try:
            with pytest.raises(NoSpaceError, match="bytes left") as full:
                self.fill(full_pool, pool, way, free + missing)
            assert full.value.errno == errno.ENOSPC
            assert full_pool.refresh().info().available > 0
        finally:
            for each in (full_pool, pool):
                for name in {"full.img", "large.img"} & set(each.volumes.names()):
                    each.volumes[name].delete()

    def test_what_fits_is_taken(self, full_pool: Pool) -> None:
        info = full_pool.refresh().info()
        size = info.available - min(20 * MiB, info.capacity // 10) - MiB // 2
        volume = full_pool.volumes.create(VolumeSpec.raw("full.img", size, allocation=0))
        try:
            volume.upload(noise(size), verify=True)
        finally:
            volume.delete()

    def test_others_fill_it_meanwhile(self, full_pool: Pool) -> None:
        ballast = mounted_at(full_pool) / "ballast"
        free = full_pool.refresh().info().available
        volume = full_pool.volumes.create(VolumeSpec.raw("v.img", free, allocation=0))

        def data() -> Iterator[bytes]:
            for number, piece in enumerate(noise(free * 6 // 10)):
                if number == 1:
                    with ballast.open("wb") as file:
                        os.posix_fallocate(file.fileno(), 0, free * 6 // 10)
                yield piece

        try:
            with pytest.raises(NoSpaceError):
                volume.upload(data(), length=free * 6 // 10)
        finally:
            ballast.unlink(missing_ok=True)
            volume.delete()

    def test_what_is_allocated_needs_no_room(self, full_pool: Pool) -> None:
        full_pool.refresh()
        volume = full_pool.volumes.create(VolumeSpec.raw("v.img", MiB, allocation=MiB))
        ballast = mounted_at(full_pool) / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while file.write(bytes(MiB)):
                pass
        try:
            volume.upload(NOISE[:MiB], verify=True)
        finally:
            ballast.unlink()
            volume.delete()

    def test_holes_need_no_room(self, full_pool: Pool, folder: Path) -> None:
        size = 4 * full_pool.refresh().info().capacity
        with (folder / "sparse").open("wb") as file:
            file.write(NOISE[: 100 * KiB])
            file.truncate(size)
        volume = full_pool.volumes.import_image(folder / "sparse", name="v.img", verify=True)
        assert volume.info().capacity == size
        volume.delete()

    def test_with_one_lane(self, full_pool: Pool) -> None:
        with connect(full_pool.host.uri, lanes=1, timeout=20) as host:
            pool = host.pools[full_pool.name]
            volume = pool.volumes.create(VolumeSpec.raw("v.img", MiB, allocation=0))
            assert content(volume.upload(NOISE[: 500 * KiB]))[: 500 * KiB] == NOISE[: 500 * KiB]
            volume.delete()


# ---- the caller's own side -------------------------------------------------------------------------------------------


class TestOurSide:
    @pytest.mark.parametrize("error", [KeyError("mine"), KeyboardInterrupt()])
    def test_the_reader_or_writer_raises_anywhere(
        self, host: Host, volume: Volume, folder: Path, error: BaseException
    ) -> None:
        volume.upload(NOISE[:SIZE]).download(io.BytesIO())
        before = resources_at_rest()
        for place in range(0, SIZE, SIZE // 50):
            with pytest.raises(type(error)):
                volume.upload(cast(BinaryIO, Broken(place, error)), length=SIZE)
            with pytest.raises(type(error)):
                volume.download(cast(BinaryIO, Broken(place, error)))
        assert not leases()._held
        assert are_back(before)
        volume.upload(NOISE[:SIZE]).download(folder / "copy")
        assert (folder / "copy").read_bytes() == NOISE[:SIZE]

    @pytest.fixture
    def endings(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """How streams and lanes end, in order."""
        done: list[str] = []

        def noted(owner: type, name: str) -> None:
            usual = getattr(owner, name)

            def call(*given: Any) -> Any:
                done.append(name)
                return usual(*given)

            monkeypatch.setattr(owner, name, call)

        noted(libvirt.virStream, "abort")
        noted(Lane, "close")
        noted(Lane, "cut")
        return done

    def test_closing_the_host_aborts_an_upload_before_its_connection(
        self, uri: str, volume: Volume, endings: list[str]
    ) -> None:
        """A daemon may hang if an upload is cut."""
        started, errors = threading.Event(), list[BaseException]()

        def dripping() -> Iterator[bytes]:
            yield NOISE[:MiB]
            started.set()
            while True:
                sleep(0.01)
                yield NOISE[:MiB]

        def upload() -> None:
            try:
                host.pools[volume.pool.name].volumes["v.img"].upload(dripping(), length=1 << 40)
            except BaseException as error:  # noqa: BLE001 -- looked at below
                errors.append(error)

        volume.resize(1 << 40)
        host = connect(uri)
        thread = threading.Thread(target=upload)
        thread.start()
        assert started.wait(10)
        host.close()
        thread.join(10)
        assert endings[0] == "abort"
        assert "cut" not in endings
        (error,) = errors
        assert isinstance(error, ConnectionLostError)
        assert (error.outcome, error.retry) == ("unknown", "after_reconcile")
        assert not leases()._held

    @pytest.mark.parametrize("seconds", [0.05, 0.11, 0.2])
    def test_a_deadline_aborts_an_upload_before_its_connection(
        self, host: Host, volume: Volume, endings: list[str], seconds: float
    ) -> None:
        volume.resize(1 << 40)
        error = None
        while error is None or error.outcome != "unknown":  # else nothing was sent yet
            with pytest.raises(DeadlineError) as caught:
                volume.upload((NOISE for _ in count()), length=1 << 40, deadline=seconds)
            error = caught.value
        assert endings[0] == "abort"
        assert "cut" not in endings
        assert connection_of(host).is_alive()

    def test_ctrl_c_anywhere(self, host: Host, folder: Path) -> None:
        pool = host.pools.define(PoolSpec.dir("interrupted", str(folder / "pool"))).build().start()
        command = [sys.executable, "-m", "tests.live.interrupted", host.uri, str(folder), INTERRUPTS]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        pool.stop().undefine()
        assert (done.returncode, done.stdout) == (0, ""), done.stderr  # where a signal struck a destructor


# ---- the daemon's side ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mortal() -> Iterator[PrivateDaemon]:
    """A daemon that dies in these tests, and is started again by each."""
    with started_daemon() as daemon:
        yield daemon


@pytest.fixture
def lost(mortal: PrivateDaemon, folder: Path) -> Iterator[Volume]:
    """A volume on a daemon that may die."""
    with connect(mortal.uri) as host:
        pool = host.pools.define(PoolSpec.dir("dying", str(folder / "pool"))).build().start()
        yield pool.volumes.create(VolumeSpec.raw("v.img", SIZE, allocation=0)).upload(NOISE[:SIZE])
        pool.stop().undefine()


class Dripping(io.BytesIO):
    """A file that gives 64 KiB at a time."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size or 0, 64 * KiB))


class TestTheDaemon:
    @pytest.mark.parametrize("place", [SIZE * n // 20 for n in range(1, 21)])
    def test_dies(self, mortal: PrivateDaemon, lost: Volume, folder: Path, place: int) -> None:
        transfers: list[tuple[str, Callable[..., object], str]] = [
            ("upload", lambda **options: lost.upload(Dripping(NOISE[:SIZE]), **options), "are now undefined"),
            ("download", lambda **options: lost.download(folder / "copy", **options), "is unchanged"),
        ]
        for phase, transfer, told in transfers:
            kill = at(phase, place, lambda: mortal.stop(kill=True))
            try:
                transfer(progress=kill)
            except (ConnectionLostError, TransferError) as broke:
                assert told in str(broke)  # noqa: PT017 -- or it does not break
                assert [entry.name for entry in folder.iterdir()] == ["pool"]
            else:  # all had been received ahead
                assert phase == "download"
                assert (folder / "copy").read_bytes() == NOISE[:SIZE]
                (folder / "copy").unlink()
            finally:
                mortal.start()
        assert not leases()._held
        lost.upload(NOISE[:SIZE], verify=True)

    def test_dies_before_anything_is_sent(self, mortal: PrivateDaemon, lost: Volume, folder: Path) -> None:
        with pytest.raises((ConnectionLostError, ConnectionFailedError), match="is unchanged") as broke:
            lost.upload(NOISE[:SIZE], progress=at("upload", 0, lambda: mortal.stop(kill=True)))
        mortal.start()
        assert broke.value.outcome == "not_started"
        assert content(lost) == NOISE[:SIZE]

    @pytest.mark.parametrize("place", [0, SIZE // 2, SIZE])
    @pytest.mark.parametrize("phase", ["upload", "verify", "compare"])
    def test_hangs_during_an_upload(
        self, mortal: PrivateDaemon, lost: Volume, phase: str, place: int
    ) -> None:
        self.check_deadline(
            mortal,
            lambda: lost.upload(
                io.BytesIO(NOISE[:SIZE]),
                verify=phase == "verify",
                resume=phase == "compare",
                deadline=0.5,
                progress=at(phase, place, mortal.pause),
            ),
        )
        if KILLED_UPLOAD.affects(libvirt.getVersion()):  # one of four hangs for good after that
            mortal.stop(kill=True)
            mortal.start()
        lost.upload(NOISE[:SIZE], verify=True)

    @pytest.mark.parametrize("place", [0, 1])
    def test_hangs_during_a_download(
        self, mortal: PrivateDaemon, lost: Volume, folder: Path, place: int
    ) -> None:
        large = lost.pool.volumes.create(VolumeSpec.raw("large.img", 64 * MiB, allocation=0))
        target = folder / "copy"
        hang = at("download", place, mortal.pause)
        self.check_deadline(mortal, lambda: large.download(target, sparse=False, deadline=0.5, progress=hang))
        assert [entry.name for entry in folder.iterdir()] == ["pool"]
        lost.download(target)

    def check_deadline(self, daemon: PrivateDaemon, transfer: Callable[[], object]) -> None:
        start = monotonic()
        try:
            with pytest.raises(DeadlineError):
                transfer()
        finally:
            daemon.resume()
        assert monotonic() - start < 5
        assert not leases()._held


# ---- checks and resuming --------------------------------------------------------------------------------------------


class TestChecks:
    def test_a_checksum_that_does_not_fit(self, volume: Volume, folder: Path) -> None:
        right = f"SHA256:{hashlib.sha256(NOISE[:SIZE]).hexdigest()}"
        wrong = f"sha256:{'0' * 64}"
        volume.upload(NOISE[:SIZE], checksum=right).download(folder / "copy", checksum=right)
        with pytest.raises(TransferError, match="not 0000") as other:
            volume.upload(NOISE[:SIZE], checksum=wrong)
        assert other.value.outcome == "unknown"
        with pytest.raises(TransferError, match="not 0000"):
            volume.download(folder / "other", checksum=wrong)
        assert sorted(path.name for path in folder.iterdir()) == ["copy", "pool"]
        for text in ("", "sha256", "sha256:", "md4711:00", f"sha256:{'g' * 64}", "shake_128:00", b"x", 7):
            with pytest.raises(InvalidRequestError, match="checksum"):
                volume.upload(b"x", checksum=cast(str, text))

    @pytest.mark.parametrize("place", [0, SIZE // 2, SIZE - 1])
    def test_a_byte_that_changes_behind_our_back(self, volume: Volume, place: int) -> None:
        spoil = at("verify", 0, lambda: change(volume.path(), place))
        with pytest.raises(TransferError, match="holds other bytes"):
            volume.upload(NOISE[:SIZE], verify=True, progress=spoil)
        volume.upload(NOISE[:SIZE], verify=True)


class TestResume:
    @pytest.mark.parametrize("known", [True, False])
    @pytest.mark.parametrize("place", [None, 0, 5 * MiB, 12 * MiB])
    def test_an_upload(self, pool: Pool, known: bool, place: int | None) -> None:
        data = NOISE * 3 + NOISE[:77]
        volume = pool.volumes.create(VolumeSpec.raw("large.img", len(data), allocation=0))
        with pytest.raises(KeyError):
            volume.upload(data, progress=at("upload", 10 * MiB, fail))
        if place is not None:
            with Path(volume.path()).open("r+b") as file:
                file.write(data[: 12 * MiB])
            change(volume.path(), place)
        # What was sent last may have been on its way when the upload was aborted: the file says what arrived.
        have, block = content(volume), 4 * MiB
        starts = range(0, len(data), block)
        arrived = next(at for at in starts if have[at : at + block] != data[at : at + block])
        told: list[TransferProgress] = []
        parts = (data[start : start + 1000] for start in range(0, len(data), 1000))
        volume.upload(data if known else parts, resume=True, verify=True, progress=told.append)
        assert content(volume) == data
        same = max(one.done for one in told if one.phase == "compare")
        assert same == arrived
        assert place is None or same == {0: 0, 5 * MiB: 4 * MiB, 12 * MiB: 12 * MiB}[place]
        assert sum(one.done for one in told if one.phase == "upload" and one.done) > 0
        assert max(one.done for one in told if one.phase == "upload") == len(data) - same

    @pytest.mark.parametrize("length", [0, 1, MiB, SIZE - 1])
    def test_an_upload_of_less_than_the_volume_has(self, volume: Volume, length: int) -> None:
        """All of it is there already, and the source does not say that it ends."""
        volume.upload(NOISE[:SIZE])
        parts = [NOISE[start : min(start + 1000, length)] for start in range(0, length, 1000)]
        for source in (parts, NOISE[:length]):
            volume.upload(source, resume=True, deadline=10)
            assert content(volume) == NOISE[:SIZE]

    @pytest.mark.parametrize("place", [None, 0, 5 * MiB, 9 * MiB])
    @pytest.mark.parametrize("part", [{}, {"offset": 1000, "length": 11 * MiB}])
    def test_a_download(self, pool: Pool, folder: Path, place: int | None, part: dict[str, Any]) -> None:
        data = NOISE * 3 + NOISE[:77]
        volume = pool.volumes.create(VolumeSpec.raw("large.img", len(data), allocation=0)).upload(data)
        left, copy = folder / ".copy.part", folder / "copy"
        with pytest.raises(KeyError):
            volume.download(copy, resume=True, progress=at("download", 10 * MiB, fail), **part)
        assert stat.S_IMODE(left.stat().st_mode) == 0o600
        assert left.stat().st_size >= 9 * MiB
        assert not copy.exists()
        if place is not None:
            change(left, place)
        told: list[TransferProgress] = []
        volume.download(copy, resume=True, progress=told.append, **part)
        start = part.get("offset", 0)
        assert copy.read_bytes() == data[start : start + part.get("length", len(data))]
        assert sorted(path.name for path in folder.iterdir()) == ["copy", "pool"]
        same = max(one.done for one in told if one.phase == "compare")
        assert same == 0 if place == 0 else same >= 4 * MiB

    def test_a_rest_that_is_longer(self, volume: Volume, folder: Path) -> None:
        (folder / ".copy.part").write_bytes(b"v" * SIZE + b"more")
        (folder / ".copy.part").chmod(0o600)
        volume.download(folder / "copy", resume=True)
        assert (folder / "copy").read_bytes() == content(volume)

    @pytest.mark.parametrize(
        "what",
        ["link", "hard link", "folder", "pipe", "another's", "0o640", "0o660", "0o610", "0o604", "0o602"],
    )
    def test_what_is_not_ours_is_left_alone(self, volume: Volume, folder: Path, what: str) -> None:
        left, precious = folder / ".copy.part", folder / "precious"
        precious.write_bytes(b"mine")
        precious.chmod(0o600)
        if what == "link":
            left.symlink_to(precious)
        elif what == "hard link":
            left.hardlink_to(precious)
        elif what == "folder":
            left.mkdir()
        elif what == "pipe":
            os.mkfifo(left, 0o600)
        else:
            left.write_bytes(b"theirs")
            left.chmod(int(what, 8) if what.startswith("0o") else 0o600)
        if what == "another's":
            if os.geteuid() != 0:
                pytest.skip("not run: needs root, who can give a file away")
            os.chown(left, ORDINARY_USER, ORDINARY_USER)
        with pytest.raises((InvalidRequestError, OSError), match=re.escape(left.name)):
            volume.download(folder / "copy", resume=True)
        assert precious.read_bytes() == b"mine"
        assert sorted(path.name for path in folder.iterdir()) == [".copy.part", "pool", "precious"]

    def test_two_at_once(self, volume: Volume, folder: Path) -> None:
        refused: list[BaseException] = []

        def again() -> None:
            with pytest.raises(BusyError, match="another download") as busy:
                volume.download(folder / "copy", resume=True)
            refused.append(busy.value)

        volume.download(folder / "copy", resume=True, progress=at("download", 1, again))
        assert refused
        assert (folder / "copy").read_bytes() == content(volume)

    def test_only_paths(self, volume: Volume) -> None:
        with pytest.raises(InvalidRequestError, match="path"):
            volume.download(io.BytesIO(), resume=True)
        with pytest.raises(InvalidRequestError, match="path"):
            volume.download("memory://copy", resume=True)

    @pytest.mark.parametrize("resume", [True, False])
    def test_a_name_as_long_as_can_be(self, volume: Volume, folder: Path, resume: bool) -> None:
        for name in ("n" * 255, "é" * 127, "x" + "漢" * 84):
            volume.download(folder / name, resume=resume)
            assert (folder / name).read_bytes() == content(volume)


# ---- one at a time --------------------------------------------------------------------------------------------------


class TestOneAtATime:
    def test_during_an_upload(self, pool: Pool, volume: Volume, folder: Path) -> None:
        others: list[Callable[[], object]] = [
            lambda: volume.upload(b"x"),
            lambda: volume.download(io.BytesIO()),
            volume.delete,
            volume.wipe,
            lambda: volume.resize(2 * SIZE),
            lambda: volume.clone("clone.img"),
            lambda: pool.volumes.create(VolumeSpec.raw("w.img", SIZE, allocation=0)).upload(volume),
        ]
        self.check(lambda progress: volume.upload(NOISE[:SIZE], progress=progress), "upload", others)
        assert content(volume) == NOISE[:SIZE]

    def test_during_a_download(self, volume: Volume, folder: Path) -> None:
        others: list[Callable[[], object]] = [
            lambda: volume.upload(b"x"),
            volume.delete,
            volume.wipe,
            lambda: volume.resize(2 * SIZE),
        ]
        copy = io.BytesIO()
        self.check(lambda progress: volume.download(folder / "copy", progress=progress), "download", others)
        volume.download(folder / "more", progress=at("download", 1, lambda: volume.download(copy)))
        assert copy.getvalue() == content(volume)

    def test_into_itself(self, volume: Volume) -> None:
        with pytest.raises(VolumeBusyError):
            volume.upload(volume)

    def check(
        self, transfer: Callable[[Any], object], phase: str, others: list[Callable[[], object]]
    ) -> None:
        refused: list[str] = []

        def try_all() -> None:
            for other in others:
                thread = threading.Thread(target=refuse, args=(other,))
                thread.start()
                thread.join()

        def refuse(other: Callable[[], object]) -> None:
            try:
                other()
            except VolumeBusyError as busy:
                refused.append(busy.retry or "")

        transfer(at(phase, 1, try_all))
        assert refused == ["backoff"] * len(others)
        assert not leases()._held
