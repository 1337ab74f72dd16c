"""Copies of volumes whose bytes pass through this program, within a host and from one to another."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep

import pytest

from libstorage import (
    BackingStore,
    ConnectionLostError,
    DeadlineError,
    Host,
    InvalidRequestError,
    MiB,
    NoSpaceError,
    Permissions,
    Pool,
    PoolSpec,
    StorageError,
    TransferError,
    Volume,
    VolumeBusyError,
    VolumeExistsError,
    VolumeFormat,
    VolumeNotFoundError,
    VolumeSpec,
    connect,
)
from libstorage.testing import PrivateDaemon
from libstorage.transfer.progress import TransferProgress
from tests.live.conftest import remove, started_daemon

NOISE = random.Random(6).randbytes(2 * MiB)
SIZE = 4 * MiB
MORE = NOISE * 8
"""More than is received ahead."""
LUKS = b"LUKS\xba\xbe\0\1".ljust(104, b"\0") + (4096).to_bytes(4, "big")


@pytest.fixture(scope="module")
def other_host() -> Iterator[Host]:
    """Another daemon."""
    with started_daemon() as daemon, connect(daemon.uri) as host:
        yield host


@pytest.fixture
def other(other_host: Host, folder: Path) -> Iterator[Pool]:
    """A pool on the other daemon."""
    name = f"pool-{uuid.uuid4().hex[:8]}"
    pool = other_host.pools.define(PoolSpec.dir(name, str(folder / "other"))).build().start()
    yield pool
    remove(pool)


@pytest.fixture(params=["the same pool", "another host"])
def target(request: pytest.FixtureRequest, pool: Pool) -> Pool:
    """Where to copy to."""
    if request.param == "the same pool":
        return pool
    found: Pool = request.getfixturevalue("other")
    return found


Make = Callable[..., Volume]


@pytest.fixture
def make(pool: Pool, folder: Path) -> Make:
    """Makes a volume of a format, with a hole."""

    def make(name: str = "web", kind: str = "raw") -> Volume:
        (folder / "image").write_bytes((NOISE[:100_000] + bytes(2 * MiB) + NOISE[:MiB]).ljust(SIZE, b"\0"))
        subprocess.run(
            ["qemu-img", "convert", "-f", "raw", "-O", kind, "image", "converted"], cwd=folder, check=True
        )
        return pool.volumes.import_image(folder / "converted", name=name)

    return make


def content(volume: Volume) -> bytes:
    return Path(volume.path()).read_bytes()


def names(pool: Pool) -> list[str]:
    """What is in the pool's folder, and what libvirt knows of it."""
    target = pool.spec().target
    assert target is not None
    there = sorted(path.name for path in Path(target.path or "").iterdir())
    assert sorted(pool.volumes.names()) == there
    return there


class TestCopies:
    @pytest.mark.parametrize("kind", ["raw", "qcow2", "qed", "vmdk", "vdi", "vpc", "qcow"])
    def test_every_format(self, make: Make, target: Pool, kind: str) -> None:
        volume = make(kind=kind)
        copy = volume.copy_to(target, "copy", verify=True)
        assert (copy.name, copy.pool) == ("copy", target)
        assert hashlib.sha256(content(copy)).digest() == hashlib.sha256(content(volume)).digest()
        assert copy.info().capacity == volume.info().capacity
        assert copy.spec().target.format == volume.spec().target.format == kind

    def test_its_own_name(self, make: Make, other: Pool) -> None:
        assert make("web.img").copy_to(other).name == "web.img"
        assert names(other) == ["web.img"]

    @pytest.mark.parametrize("sparse", ["auto", True, False])
    def test_holes(self, make: Make, target: Pool, sparse: bool) -> None:
        copy = make().copy_to(target, "copy", sparse=sparse)
        allocation = copy.info().allocation
        assert allocation is not None
        assert (allocation < 2 * MiB) is (sparse is not False)

    @pytest.mark.parametrize("size", [0, 1, 4097])
    def test_odd_sizes(self, pool: Pool, target: Pool, size: int) -> None:
        volume = pool.volumes.import_image(NOISE[:size], name="odd")
        assert content(volume.copy_to(target, "copy")) == NOISE[:size]

    def test_a_document_of_ones_own(self, make: Make, target: Pool) -> None:
        spec = VolumeSpec.qcow2("copy", "20 MiB", permissions=Permissions(mode=0o640))
        copy = make(kind="qcow2").copy_to(target, spec)
        assert copy.info().capacity == 20 * MiB
        assert Path(copy.path()).stat().st_mode & 0o777 == 0o640

    def test_its_permissions_are_kept(self, make: Make, target: Pool) -> None:
        volume = make()
        Path(volume.path()).chmod(0o604)
        volume.pool.refresh()
        copy = volume.copy_to(target, "copy")
        assert Path(copy.path()).stat().st_mode & 0o777 == 0o604

    def test_encrypted_bytes_stay_as_they_are(self, pool: Pool, target: Pool) -> None:
        image = LUKS.ljust(4096 * 512, b"\0") + NOISE[:MiB]
        volume = pool.volumes.import_image(image, name="secret")
        copy = volume.copy_to(target, "copy")
        assert content(copy) == image
        for one in (volume, copy):
            assert one.info().capacity == MiB
            encryption = one.spec().target.encryption
            assert encryption is not None
            assert encryption.format == "luks"

    def test_progress(self, make: Make, target: Pool) -> None:
        seen: list[TransferProgress] = []
        make().copy_to(target, "copy", verify=True, progress=seen.append)
        assert {at.phase for at in seen} == {"upload", "verify"}
        assert (seen[-1].done, seen[-1].total) == (SIZE, SIZE)


class TestLanes:
    """What is read keeps a lane while what is written waits for one."""

    def test_one_lane_is_enough(self, uri: str, pool: Pool) -> None:
        volume = pool.volumes.import_image(MORE, name="more")
        with connect(uri, lanes=1, timeout=5) as host:
            here = host.pools[pool.name]
            copy = here.volumes[volume.name].copy_to(here, "copy", verify=True)
            assert content(copy) == MORE

    def test_many_at_once(self, uri: str, pool: Pool, other: Pool) -> None:
        volume = pool.volumes.import_image(MORE, name="more")
        with connect(uri, lanes=2, timeout=10) as host, ThreadPoolExecutor(4) as threads:
            here = host.pools[pool.name]
            reader = here.volumes[volume.name]
            there = [
                threads.submit(reader.copy_to, place, f"{number}")
                for number in range(2)
                for place in (here, other)
            ]
            assert {content(one.result()) for one in there} == {MORE}


class TestWhatIsLinked:
    @pytest.fixture
    def linked(self, make: Make, pool: Pool) -> Volume:
        return make("base").clone("linked", mode="linked")

    def test_it_is_refused(self, linked: Volume, target: Pool) -> None:
        before = names(target)
        for new in (None, "copy", VolumeSpec.qcow2("copy")):
            with pytest.raises(InvalidRequestError, match="holds only what differs") as refused:
                linked.copy_to(target, new)
            assert refused.value.outcome == "not_started"
        assert names(target) == before

    def test_another_backing_store_is_refused(self, linked: Volume, target: Pool) -> None:
        with pytest.raises(InvalidRequestError, match="holds only what differs"):
            linked.copy_to(
                target, VolumeSpec.qcow2("copy", backing=BackingStore(path="/other", format="raw"))
            )

    def test_the_same_backing_store_is_given(self, linked: Volume, target: Pool) -> None:
        store = linked.spec().backing_store
        assert store is not None
        backing = BackingStore(path=store.path, format=store.format)
        copy = linked.copy_to(target, VolumeSpec.qcow2("copy", backing=backing))
        found = copy.spec().backing_store
        assert found is not None
        assert found.path == store.path
        assert content(copy) == content(linked)

    def test_what_a_guest_wrote_is_not_believed(self, pool: Pool, target: Pool, folder: Path) -> None:
        """A raw volume whose bytes begin like a qcow2 image with a backing file: seen as one, the copy would read it."""
        volume = pool.volumes.create(VolumeSpec.raw("guest", MiB))
        options = ("-u", "-b", "/etc/shadow", "-F", "raw")
        subprocess.run(
            ["qemu-img", "create", "-q", "-f", "qcow2", *options, "evil", "1M"], cwd=folder, check=True
        )
        with Path(volume.path()).open("r+b") as file:
            file.write((folder / "evil").read_bytes())
        with pytest.raises(InvalidRequestError, match="/etc/shadow"):
            volume.copy_to(target, "copy")
        assert "copy" not in names(target)

    @pytest.mark.parametrize("new", ["copy", VolumeSpec(name="copy")])
    def test_nor_what_format_it_has(
        self, pool: Pool, target: Pool, folder: Path, new: str | VolumeSpec
    ) -> None:
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "image", "1M"], cwd=folder, check=True)
        volume = pool.volumes.create(VolumeSpec.raw("guest", MiB))
        with Path(volume.path()).open("r+b") as file:
            file.write((folder / "image").read_bytes())
        with pytest.raises(InvalidRequestError, match=r"is a qcow2 image, but .* has format raw"):
            volume.copy_to(target, new)
        assert "copy" not in names(target)


class TestRefused:
    def test_the_name_is_taken(self, make: Make, pool: Pool) -> None:
        volume = make()
        with pytest.raises(VolumeExistsError):
            volume.copy_to(pool)
        assert len(content(volume)) == SIZE

    def test_a_bad_name(self, make: Make, target: Pool) -> None:
        with pytest.raises(InvalidRequestError, match="separates directories"):
            make().copy_to(target, "a/b")

    @pytest.mark.parametrize(
        ("spec", "message"),
        [
            (VolumeSpec.qcow2("copy"), "is a raw image, but .* has format qcow2"),
            (VolumeSpec.raw("copy", MiB), "more than the ceiling"),
        ],
    )
    def test_what_it_is_not(self, make: Make, target: Pool, spec: VolumeSpec, message: str) -> None:
        with pytest.raises(InvalidRequestError, match=message):
            make().copy_to(target, spec)
        assert "copy" not in names(target)

    def test_a_volume_that_is_gone(self, make: Make, target: Pool) -> None:
        volume = make()
        volume.delete()
        with pytest.raises(VolumeNotFoundError):
            volume.copy_to(target, "copy")

    def test_a_folder(self, pool: Pool, target: Pool) -> None:
        with pytest.raises(InvalidRequestError):
            pool.volumes.create(VolumeSpec.directory("folder")).copy_to(target, "copy")
        assert "copy" not in names(target)

    def test_while_it_is_being_written(self, make: Make, target: Pool) -> None:
        volume, seen = make(), list[StorageError]()

        def copy(at: TransferProgress) -> None:
            if at.done and not seen:
                with pytest.raises(VolumeBusyError) as busy:
                    volume.copy_to(target, "copy")
                seen.append(busy.value)

        volume.upload(NOISE, progress=copy)
        assert seen
        assert "copy" not in names(target)


class TestNothingIsLeft:
    def test_interrupted_at_every_step(self, make: Make, target: Pool) -> None:
        volume, steps, at = make(), 0, 0
        told: set[str] = set()

        def interrupt(_: TransferProgress) -> None:
            nonlocal at
            at += 1
            if at > steps:
                raise KeyboardInterrupt

        while True:
            at = 0
            try:
                volume.copy_to(target, "copy", verify=True, progress=interrupt)
            except KeyboardInterrupt as broke:
                told.update(broke.__notes__)
                assert "copy" not in names(target)
                steps += 1
            else:
                break
        assert steps >= 8
        assert [note for note in told if "was deleted again" in note]

    def test_the_source_becomes_shorter(self, pool: Pool, target: Pool) -> None:
        volume = pool.volumes.import_image(MORE, name="more")

        def cut_off(at: TransferProgress) -> None:
            os.truncate(volume.path(), 2 * MiB + 300_000)

        with pytest.raises(TransferError, match="was deleted again") as broke:
            volume.copy_to(target, "copy", progress=cut_off)
        assert broke.value.outcome == "not_started"
        assert "copy" not in names(target)

    def test_the_deadline_passes(self, make: Make, target: Pool) -> None:
        with pytest.raises(DeadlineError):
            make().copy_to(target, "copy", deadline=0.001)
        with pytest.raises(DeadlineError, match="was deleted again"):
            make("other").copy_to(target, "copy", deadline=1.0, progress=lambda at: sleep(0.3))
        assert "copy" not in names(target)

    def test_the_pool_is_too_small(self, make: Make, folder: Path) -> None:
        if os.geteuid() != 0:
            pytest.skip("not run: only root can mount a small file system")
        volume, small = make(), folder / "small"
        small.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=900K", "small", small], check=True)
        try:
            with started_daemon() as daemon, connect(daemon.uri) as host:
                pool = host.pools.define(PoolSpec.dir("small", str(small / "pool"))).build().start()
                with pytest.raises(NoSpaceError, match="was deleted again"):
                    volume.copy_to(pool)
                assert names(pool) == []
        finally:
            subprocess.run(["umount", small], check=True)

    @pytest.mark.parametrize("which", ["source", "target"])
    def test_a_daemon_dies(self, own_daemon: PrivateDaemon, pool: Pool, which: str) -> None:
        def kill(at: TransferProgress) -> None:
            if at.done and own_daemon.socket.exists():
                own_daemon.stop(kill=True)

        volume = pool.volumes.import_image(MORE, name="more")
        with connect(own_daemon.uri) as host:
            place = Path(volume.path()).parent.parent / "dying"
            dying = host.pools.define(PoolSpec.dir("dying", str(place))).build().start()
            if which == "target":
                with pytest.raises(ConnectionLostError, match="delete it") as lost:
                    volume.copy_to(dying, progress=kill)
                assert lost.value.outcome == "unknown"
                return
            reader = volume.copy_to(dying, "source")
            with pytest.raises(StorageError, match="was deleted again") as broke:
                reader.copy_to(pool, "copy", progress=kill)
            assert isinstance(broke.value, ConnectionLostError | TransferError)
            assert names(pool) == ["more"]


def test_a_raw_volume_may_hold_a_cd(pool: Pool, other: Pool) -> None:
    volume = pool.volumes.import_image(bytes(32769) + b"CD001" + bytes(9000), name="cd")
    assert volume.copy_to(other).spec().target.format == VolumeFormat.ISO
    assert volume.copy_to(other, VolumeSpec.raw("as raw")).spec().target.format == VolumeFormat.ISO
