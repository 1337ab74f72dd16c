"""Volumes made of images: what they are in the end, and that nothing is left of those that fail."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any, BinaryIO, cast

import pytest
import zstandard

from libstorage import (
    BackingStore,
    Compression,
    ConnectionLostError,
    DeadlineError,
    Encryption,
    InvalidRequestError,
    MiB,
    NoSpaceError,
    Permissions,
    Pool,
    PoolInactiveError,
    PoolSpec,
    SecretRef,
    Size,
    StorageError,
    TransferError,
    UnsupportedError,
    VolumeExistsError,
    VolumeFormat,
    VolumeSpec,
    connect,
)
from libstorage.connection.identity import VolumeId
from libstorage.provision import fill
from libstorage.provision.create import create_volume
from libstorage.testing import PrivateDaemon
from libstorage.transfer.progress import TransferProgress
from tests.live.conftest import started_daemon

NOISE = random.Random(5).randbytes(3 * MiB)
SIZE = 4 * MiB
FORMATS = ("raw", "qcow", "qcow2", "qed", "vdi", "vmdk", "vpc")
PACK: dict[Compression | None, Callable[[bytes], bytes]] = {
    None: bytes,
    "gzip": lambda data: gzip.compress(data, 1),
    "xz": lambda data: lzma.compress(data, preset=0),
    "bzip2": lambda data: bz2.compress(data, 1),
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,  # as the program does
}
SUFFIX = {None: "", "gzip": ".gz", "xz": ".xz", "bzip2": ".bz2", "zstd": ".zst"}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same content in every format."""
    folder = tmp_path_factory.mktemp("images")
    (folder / "web.raw").write_bytes((NOISE[:100_000] + bytes(2 * MiB) + NOISE[:MiB]).ljust(SIZE, b"\0"))
    for name in FORMATS[1:]:
        options = ("-o", "force_size=on") if name == "vpc" else ()
        subprocess.run(
            ["qemu-img", "convert", "-O", name, *options, "web.raw", f"web.{name}"], cwd=folder, check=True
        )
    return {name: folder / f"web.{name}" for name in FORMATS}


def content(volume: Any) -> bytes:
    return Path(volume.path()).read_bytes()


def place_of(pool: Pool) -> Path:
    target = pool.spec().target
    assert target is not None
    return Path(target.path or "")


def files(pool: Pool) -> list[str]:
    """What is in the pool's folder, and what libvirt knows of it."""
    known = sorted(pool.volumes.names())
    there = sorted(path.name for path in place_of(pool).iterdir())
    assert known == there
    return there


class TestEveryFormat:
    @pytest.mark.parametrize("how", PACK)
    @pytest.mark.parametrize("name", FORMATS)
    def test_it_becomes_what_it_is(
        self, pool: Pool, images: dict[str, Path], folder: Path, name: str, how: Compression | None
    ) -> None:
        image = images[name].read_bytes()
        packed = folder / f"web.{name}{SUFFIX[how]}"
        packed.write_bytes(PACK[how](image))
        volume = pool.volumes.import_image(packed)
        assert volume.name == f"web.{name}"
        assert (volume.spec().target.format, volume.info().capacity) == (name, SIZE)
        assert content(volume) == image
        assert files(pool) == [volume.name]

    @pytest.mark.parametrize("how", PACK)
    def test_zeros_take_no_space(self, pool: Pool, folder: Path, how: Compression | None) -> None:
        with (folder / "image").open("wb") as file:
            file.write(PACK[how](bytes(64 * MiB) + b"end")) if how else file.truncate(64 * MiB)
        volume = pool.volumes.import_image(folder / "image")
        assert volume.info().capacity >= 64 * MiB
        assert (volume.info().allocation or 0) < 3 * MiB

    def test_a_cd(self, pool: Pool) -> None:
        image = bytes(32768) + b"\1CD001\1" + bytes(100_000)
        volume = pool.volumes.import_image(image, name="cd.iso")
        assert (volume.spec().target.format, volume.info().capacity) == (VolumeFormat.ISO, len(image))

    @pytest.mark.parametrize("size", [0, 1, 511, MiB + 1])
    def test_odd_sizes(self, pool: Pool, size: int) -> None:
        volume = pool.volumes.import_image(NOISE[:size], name="odd")
        assert content(volume) == NOISE[:size]
        assert volume.info().capacity == size

    def test_what_libvirt_cannot_read(self, pool: Pool, folder: Path) -> None:
        for name in ("vhdx", "parallels"):
            subprocess.run(["qemu-img", "create", "-q", "-f", name, "image", "8M"], cwd=folder, check=True)
            with pytest.raises(UnsupportedError, match="qemu-img convert -O qcow2") as refused:
                pool.volumes.import_image(folder / "image")
            assert refused.value.outcome == "not_started"
        assert files(pool) == []


class TestSources:
    def test_an_iterable(self, pool: Pool, images: dict[str, Path]) -> None:
        image = images["qcow2"].read_bytes()
        parts = (image[place : place + 10_000] for place in range(0, len(image), 10_000))
        assert content(pool.volumes.import_image(parts, name="a")) == image

    def test_a_pipe(self, pool: Pool, images: dict[str, Path]) -> None:
        with subprocess.Popen(["cat", images["qcow2"]], stdout=subprocess.PIPE) as cat:
            assert cat.stdout
            volume = pool.volumes.import_image(cast(BinaryIO, cat.stdout), name="a", verify=True)
        assert content(volume) == images["qcow2"].read_bytes()

    def test_another_volume(self, pool: Pool, images: dict[str, Path]) -> None:
        first = pool.volumes.import_image(
            PACK["xz"](images["qcow2"].read_bytes()), name="a.xz", decompress=None
        )
        assert first.spec().target.format == VolumeFormat.RAW
        second = pool.volumes.import_image(first)
        assert second.name == "a"
        assert content(second) == images["qcow2"].read_bytes()

    def test_names(self, pool: Pool, folder: Path) -> None:
        for name in ("jammy.img.xz", "matrix.xz"):
            (folder / name).write_bytes(lzma.compress(b"\0x"))
        (folder / "plain.xz").write_bytes(b"x")
        with (folder / "jammy.img.xz").open("rb") as file:
            made = [
                pool.volumes.import_image(file),
                pool.volumes.import_image(str(folder / "matrix.xz")),
                pool.volumes.import_image(folder / "plain.xz"),
                pool.volumes.import_image(folder / "matrix.xz", decompress=None),
                pool.volumes.import_image(b"x", VolumeSpec(name="of the spec")),
                pool.volumes.import_image(b"x", VolumeSpec(name="of the spec"), name="given"),
            ]
        assert [volume.name for volume in made] == [
            "jammy.img",
            "matrix",
            "plain.xz",
            "matrix.xz",
            "of the spec",
            "given",
        ]

    @pytest.mark.parametrize("source", [b"x", [b"x"], io.BytesIO(b"x")])
    def test_without_a_name(self, pool: Pool, source: Any) -> None:
        with pytest.raises(InvalidRequestError, match="name="):
            pool.volumes.import_image(source)
        assert files(pool) == []

    def test_a_bad_name(self, pool: Pool, folder: Path) -> None:
        (folder / "two\nlines").write_bytes(b"x")
        with pytest.raises(InvalidRequestError, match="control character"):
            pool.volumes.import_image(folder / "two\nlines")
        assert files(pool) == []

    def test_progress(self, pool: Pool, images: dict[str, Path]) -> None:
        seen: list[TransferProgress] = []
        pool.volumes.import_image(images["raw"], verify=True, progress=seen.append)
        assert {at.phase for at in seen} == {"upload", "verify"}
        assert (seen[-1].done, seen[-1].total) == (SIZE, SIZE)
        assert "web.raw" in seen[0].name


class TestWhatIsAskedFor:
    @pytest.mark.parametrize("name", ["raw", "qcow2"])
    def test_it_grows(self, pool: Pool, images: dict[str, Path], name: str) -> None:
        volume = pool.volumes.import_image(images[name], min_capacity="20 MiB")
        assert (volume.info().capacity, volume.spec().target.format) == (20 * MiB, name)
        assert pool.volumes.import_image(images[name], name="b", min_capacity=MiB).info().capacity == SIZE
        spec = VolumeSpec.image("c", name, "30 MiB")
        grown = pool.volumes.import_image(images[name], spec, min_capacity="20 MiB")
        assert grown.info().capacity == 30 * MiB
        subprocess.run(["qemu-img", "compare", "-q", images["raw"], grown.path()], check=True)

    def test_permissions(self, pool: Pool, images: dict[str, Path]) -> None:
        spec = VolumeSpec.qcow2("web", permissions=Permissions(mode=0o640))
        volume = pool.volumes.import_image(images["qcow2"], spec)
        assert Path(volume.path()).stat().st_mode & 0o777 == 0o640

    @pytest.mark.parametrize(
        ("spec", "message"),
        [
            (VolumeSpec.raw("a"), "is a qcow2 image, but .* has format raw"),
            (VolumeSpec.image("a", "vmdk"), "is a qcow2 image, but .* has format vmdk"),
            (VolumeSpec.qcow2("a", "1 MiB"), "ceiling of 1048576 bytes"),
            (VolumeSpec.qcow2("a", backing=BackingStore(path="/b", format="raw")), "has no backing file"),
        ],
    )
    def test_what_the_image_is_not(
        self, pool: Pool, images: dict[str, Path], spec: VolumeSpec, message: str
    ) -> None:
        with pytest.raises(InvalidRequestError, match=message) as refused:
            pool.volumes.import_image(images["qcow2"], spec)
        assert refused.value.outcome == "not_started"
        assert files(pool) == []

    def test_a_backing_file_is_refused_unless_allowed(self, pool: Pool, folder: Path) -> None:
        qemu = ("qemu-img", "create", "-q", "-f", "qcow2")
        (folder / "base").write_bytes(bytes(MiB))
        subprocess.run([*qemu, "-b", folder / "base", "-F", "raw", "image"], cwd=folder, check=True)
        with pytest.raises(InvalidRequestError, match=f"refers to '{folder}/base'"):
            pool.volumes.import_image(folder / "image")
        assert files(pool) == []
        volume = pool.volumes.import_image(folder / "image", allow_backing_file=True)
        store = volume.spec().backing_store
        assert store is not None
        assert store.path == str(folder / "base")

    def test_an_external_data_file_is_refused(self, pool: Pool, folder: Path) -> None:
        options = ("-o", "data_file=data.raw")
        subprocess.run(
            ["qemu-img", "create", "-q", "-f", "qcow2", *options, "image", "8M"], cwd=folder, check=True
        )
        with pytest.raises(InvalidRequestError, match="refers to other files"):
            pool.volumes.import_image(PACK["zstd"]((folder / "image").read_bytes()), name="a")
        assert files(pool) == []

    def test_a_broken_header_is_refused(self, pool: Pool) -> None:
        with pytest.raises(InvalidRequestError, match="begins like an image, but is not valid"):
            pool.volumes.import_image(b"QFI\xfb\0\0\0\3", name="a")
        assert files(pool) == []


def gone(error: BaseException, pool: Pool) -> None:
    """It says that the volume is gone, and it is."""
    told = str(error) if isinstance(error, StorageError) else "".join(error.__notes__)
    assert "was deleted again" in told
    if isinstance(error, StorageError):
        assert error.outcome == "not_started"
        assert error.retry != "after_reconcile"
    assert files(pool) == []


class TestNothingIsLeft:
    @pytest.mark.parametrize("how", PACK)
    def test_a_checksum(self, pool: Pool, images: dict[str, Path], how: Compression | None) -> None:
        """It is that of the bytes as they are given."""
        packed = PACK[how](images["raw"].read_bytes())
        right = hashlib.sha256(packed).hexdigest()
        wrong = hashlib.sha256(packed + b"x").hexdigest()
        with pytest.raises(TransferError, match=f"is {right}, not {wrong}") as broke:
            pool.volumes.import_image(packed, name="a", checksum=f"sha256:{wrong}")
        gone(broke.value, pool)
        volume = pool.volumes.import_image(packed, name="a", checksum=f"sha256:{right}")
        assert content(volume) == images["raw"].read_bytes()

    @pytest.mark.parametrize("error", [KeyError("mine"), OSError(5, "disk"), KeyboardInterrupt()])
    @pytest.mark.parametrize("after", [0, 1000, 2 * MiB, 2 * MiB + 1, 3 * MiB - 1, 3 * MiB])
    def test_the_source_fails(self, pool: Pool, error: BaseException, after: int) -> None:
        def source() -> Iterator[bytes]:
            for place in range(0, after, 100_000):
                yield NOISE[place : min(after, place + 100_000)]
            raise error

        with pytest.raises(type(error)) as broke:
            pool.volumes.import_image(source(), name="a")
        assert broke.value is error
        if after >= 2 * MiB:
            gone(broke.value, pool)
        assert files(pool) == []

    @pytest.mark.parametrize("damage", ["cut off", "garbage", "changed"])
    @pytest.mark.parametrize("how", [how for how in PACK if how])
    def test_the_compressed_data_is_damaged(self, pool: Pool, how: Compression, damage: str) -> None:
        packed = bytearray(PACK[how](NOISE))
        if damage == "changed":
            packed[-200_000] ^= 1
        else:
            packed = packed[:-1] if damage == "cut off" else packed + b"x"
        with pytest.raises(TransferError) as broke:
            pool.volumes.import_image(packed, name="a")
        gone(broke.value, pool)

    def test_the_program_is_interrupted_at_every_step(self, pool: Pool, images: dict[str, Path]) -> None:
        steps, at = 0, 0

        def interrupt(_: TransferProgress) -> None:
            nonlocal at
            at += 1
            if at > steps:
                raise KeyboardInterrupt

        while True:
            at = 0
            try:
                pool.volumes.import_image(images["raw"], verify=True, progress=interrupt)
            except KeyboardInterrupt as broke:
                gone(broke, pool)
                steps += 1
            else:
                break
        assert steps >= 8

    @pytest.mark.parametrize("is_made", [False, True])
    def test_ctrl_c_while_the_volume_is_made(
        self, pool: Pool, images: dict[str, Path], monkeypatch: pytest.MonkeyPatch, is_made: bool
    ) -> None:
        """A volume of that name that was there before is not ours to delete."""
        there = pool.volumes.import_image(images["raw"], name="there")

        def interrupt(*given: Any) -> VolumeId:
            if is_made:
                create_volume(*given)
            raise KeyboardInterrupt

        monkeypatch.setattr(fill, "create_volume", interrupt)
        name = "made" if is_made else "there"
        makes: list[Callable[[], object]] = [
            lambda: pool.volumes.import_image(images["qcow2"], name=name),
            lambda: there.copy_to(pool, name),
        ]
        for make in makes:
            with pytest.raises(KeyboardInterrupt):
                make()
            assert files(pool) == ["there"]
        assert content(there) == images["raw"].read_bytes()

    def test_the_deadline_passes(self, pool: Pool, images: dict[str, Path]) -> None:
        end = monotonic() + 1.2
        with pytest.raises(DeadlineError) as late:
            pool.volumes.import_image(
                images["raw"], deadline=1.0, progress=lambda _: sleep(max(0.0, end - monotonic()))
            )
        gone(late.value, pool)

    def test_growing_fails(self, pool: Pool, images: dict[str, Path]) -> None:
        with pytest.raises(StorageError) as broke:
            pool.volumes.import_image(images["vmdk"], min_capacity="1 GiB")
        gone(broke.value, pool)

    def test_libvirt_sees_another_format(self, pool: Pool) -> None:
        image = (b"OOOM" + (2).to_bytes(4, "big") + bytes(1028) + (MiB).to_bytes(8, "big")).ljust(MiB, b"\0")
        with pytest.raises(TransferError, match="libvirt sees a cow volume") as broke:
            pool.volumes.import_image(image, name="a")
        gone(broke.value, pool)

    def test_it_becomes_longer_before_libvirt_sees_it(self, pool: Pool) -> None:
        def lengthen(at: TransferProgress) -> None:
            if at.phase == "verify" and at.done == at.total:
                os.truncate(place_of(pool) / "a", 2 * len(NOISE))

        with pytest.raises(TransferError, match="libvirt sees a raw volume of 6 MiB") as broke:
            pool.volumes.import_image(NOISE, name="a", verify=True, progress=lengthen)
        gone(broke.value, pool)

    def test_the_source_is_longer_than_it_said(self, pool: Pool) -> None:
        class Long(io.BytesIO):
            def seek(self, *where: int) -> int:
                return super().seek(*where) - (1000 if where[-1] == os.SEEK_END else 0)

        with pytest.raises(
            TransferError, match=f"is longer than its stated length of {len(NOISE) - 1000} bytes"
        ) as broke:
            pool.volumes.import_image(Long(NOISE), name="a")
        gone(broke.value, pool)

    def test_it_was_to_be_encrypted(self, pool: Pool) -> None:
        encryption = Encryption(format="luks", secrets=(SecretRef(usage="mine"),))
        with pytest.raises(TransferError, match="is not encrypted") as broke:
            pool.volumes.import_image(NOISE, VolumeSpec.raw("a", encryption=encryption))
        gone(broke.value, pool)

    def test_the_name_is_taken(self, pool: Pool, images: dict[str, Path]) -> None:
        there = pool.volumes.import_image(images["raw"], name="a")
        for source in (images["qcow2"], PACK["xz"](b"x")):
            with pytest.raises(VolumeExistsError) as refused:
                pool.volumes.import_image(source, name="a")
            assert "deleted" not in str(refused.value)
        assert content(there) == images["raw"].read_bytes()

    def test_a_pool_that_does_not_run(self, pool: Pool) -> None:
        pool.stop()
        with pytest.raises(PoolInactiveError):
            pool.volumes.import_image(b"x", name="a")
        pool.start()
        assert files(pool) == []

    @pytest.mark.parametrize("how", [None, "gzip"])
    @pytest.mark.parametrize("name", ["raw", "qcow2"])
    def test_the_pool_is_too_small(
        self, images: dict[str, Path], folder: Path, name: str, how: Compression | None
    ) -> None:
        if os.geteuid() != 0:
            pytest.skip("not run: only root can mount a small file system")
        packed = PACK[how](images[name].read_bytes())
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=900K", "small", folder], check=True)
        try:
            with started_daemon() as daemon, connect(daemon.uri) as host:
                pool = host.pools.define(PoolSpec.dir("small", str(folder / "pool"))).build().start()
                with pytest.raises(NoSpaceError) as full:
                    pool.volumes.import_image(packed, name="a")
                gone(full.value, pool)
        finally:
            subprocess.run(["umount", folder], check=True)

    def test_the_daemon_dies(self, own_daemon: PrivateDaemon, folder: Path, images: dict[str, Path]) -> None:
        def kill(at: TransferProgress) -> None:
            if at.done:
                own_daemon.stop(kill=True)

        with connect(own_daemon.uri) as host:
            pool = host.pools.define(PoolSpec.dir("dying", str(folder / "pool"))).build().start()
            with pytest.raises(ConnectionLostError, match="could not be deleted: delete it") as lost:
                pool.volumes.import_image(images["raw"], progress=kill)
            assert (lost.value.outcome, lost.value.retry) == ("unknown", "after_reconcile")
            own_daemon.start()
            pool.volumes["web.raw"].delete()
            pool.volumes.import_image(images["raw"])


class TestPoolsOfDevices:
    """Where a volume does not grow as it is filled: refused before anything is made, so that no device is needed."""

    @pytest.fixture
    def logical(self, tmp_path: Path) -> Iterator[Pool]:
        (tmp_path / "node.xml").write_text(
            "<node><pool type='logical'><name>vg</name><source><name>vg</name></source>"
            "<target><path>/dev/vg</path></target></pool></node>"
        )
        with connect(f"test://{tmp_path}/node.xml") as host:
            yield host.pools["vg"]

    def test_the_length_must_be_known(self, logical: Pool) -> None:
        with pytest.raises(InvalidRequestError, match="min_capacity"):
            logical.volumes.import_image(gzip.compress(NOISE), name="a")
        assert logical.volumes.names() == ()

    def test_plain_bytes_only(self, logical: Pool, images: dict[str, Path]) -> None:
        with pytest.raises(UnsupportedError, match="convert -O raw"):
            logical.volumes.import_image(images["qcow2"])
        assert logical.volumes.names() == ()

    @pytest.mark.parametrize("floor", [None, 5 * MiB])
    def test_what_is_asked_for(self, logical: Pool, floor: Size | None) -> None:
        """libvirt's test driver makes the volume, but has no streams: it is deleted again."""
        with pytest.raises(UnsupportedError) as broke:
            logical.volumes.import_image(NOISE, name="a", min_capacity=floor)
        assert "was deleted again" in str(broke.value)
        assert logical.volumes.names() == ()
