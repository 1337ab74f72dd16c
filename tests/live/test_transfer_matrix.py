"""Every source into every sink, as a whole and in part, plain and sparse: the bytes are right, and holes stay holes."""

from __future__ import annotations

import io
import itertools
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import libvirt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libstorage import InvalidRequestError, KiB, MiB, Pool, Size, TransferError, Volume, VolumeSpec
from libstorage.transfer.ends.opening import UploadSource
from libstorage.transfer.upload import Sparse
from libstorage.transfer.volume.intake import RECEIVE_BYTES
from libstorage.transfer.volume.streams import SEND_BYTES

_RANDOM = random.Random(3)
DATA = (
    bytes(256 * KiB)
    + _RANDOM.randbytes(100_000)
    + bytes(MiB)
    + _RANDOM.randbytes(5000)
    + bytes(300_000)
    + _RANDOM.randbytes(65_536)
    + bytes(256 * KiB + 77)
)
SIZE = len(DATA)
SOLID = 100_000 + 5000 + 65_536
SLACK = 6 * 65_536
"""Holes are made in whole blocks, and runs of zeros looked for in blocks of 64 KiB: either end of solid data may cost one."""

PARTS: list[dict[str, Any]] = [
    {},
    {"offset": 300_001},
    {"length": 1_000_003},
    {"offset": 4096, "length": 65_536},
]
SOURCES = ["path", "sparse path", "file object", "bytes", "iterable", "volume"]


def write_sparse(path: Path, data: bytes) -> None:
    """Write what is not zero, in blocks."""
    with path.open("wb") as file:
        for start in range(0, len(data), 4096):
            if any(block := data[start : start + 4096]):
                file.seek(start)
                file.write(block)
        file.truncate(len(data))


def space(path: str | Path) -> int:
    return Path(path).stat().st_blocks * 512


def solid(path: str | Path) -> dict[int, bytes]:
    """What is not zero in a file, and where; holes are not read."""
    found: dict[int, bytes] = {}
    with Path(path).open("rb", buffering=0) as file:
        end = 0
        while True:
            try:
                place = os.lseek(file.fileno(), end, os.SEEK_DATA)
            except OSError:  # nothing but a hole up to the end
                return found
            end = os.lseek(file.fileno(), place, os.SEEK_HOLE)
            for block in range(place, end, 4096):
                if any(data := os.pread(file.fileno(), min(4096, end - block), block)):
                    found[block] = data


@pytest.fixture
def source_of(pool: Pool, folder: Path) -> Callable[[str, bytes], UploadSource | Volume]:
    """Makes a source of a kind from bytes."""

    def source_of(kind: str, data: bytes) -> UploadSource | Volume:
        path = folder / "source"
        if kind == "sparse path":
            write_sparse(path, data)
            assert space(path) < space_of_a_dense_file(len(data))
        elif kind == "path":
            path.write_bytes(data)
        elif kind == "file object":
            return io.BytesIO(data)
        elif kind == "iterable":
            return (data[start : start + 70_001] for start in range(0, len(data), 70_001))
        elif kind == "volume":
            volume = pool.volumes.create(VolumeSpec.raw("source.img", len(data), allocation=0))
            write_sparse(Path(volume.path()), data)
            return volume
        else:
            return data
        return path

    return source_of


def space_of_a_dense_file(size: int) -> int:
    return -(-size // 4096) * 4096


@pytest.fixture
def raw(pool: Pool) -> Callable[[int, bool], Volume]:
    """Makes a raw volume that was never written to, or one that is full of letters."""

    def raw(size: int, dirty: bool) -> Volume:
        volume = pool.volumes.create(VolumeSpec.raw("target.img", size, allocation=0))
        if dirty:
            Path(volume.path()).write_bytes(b"d" * size)
        return volume

    return raw


class TestUploads:
    @pytest.mark.parametrize("dirty", [False, True])
    @pytest.mark.parametrize("sparse", ["auto", True, False])
    @pytest.mark.parametrize("part", PARTS)
    @pytest.mark.parametrize("kind", SOURCES)
    def test_into_a_raw_volume(
        self,
        raw: Callable[[int, bool], Volume],
        source_of: Callable[[str, bytes], UploadSource | Volume],
        kind: str,
        part: dict[str, Any],
        sparse: Sparse,
        dirty: bool,
    ) -> None:
        offset, length = part.get("offset", 0), part.get("length", SIZE)
        size = offset + length + 200_000
        volume = raw(size, dirty)
        volume.upload(source_of(kind, DATA), sparse=sparse, **part)
        old = (b"d" if dirty else b"\0") * size
        path = Path(volume.path())
        assert path.read_bytes() == old[:offset] + DATA[:length] + old[offset + length :]
        info = volume.info()
        assert (info.capacity, info.allocation) == (size, space(path))
        knows_holes = sparse is True or (sparse == "auto" and kind in ("sparse path", "volume"))
        if not dirty and knows_holes:
            assert space(path) <= SOLID + SLACK
        if dirty or sparse is False:
            assert space(path) >= length

    @pytest.mark.parametrize("dirty", [False, True])
    @pytest.mark.parametrize("sparse", ["auto", True, False])
    @pytest.mark.parametrize("kind", SOURCES)
    def test_an_image_into_a_qcow2_volume(
        self,
        pool: Pool,
        folder: Path,
        source_of: Callable[[str, bytes], UploadSource | Volume],
        kind: str,
        sparse: Sparse,
        dirty: bool,
    ) -> None:
        write_sparse(folder / "content", DATA[: SIZE // 512 * 512])
        image = folder / "image"
        subprocess.run(["qemu-img", "convert", "-O", "qcow2", folder / "content", image], check=True)
        volume = pool.volumes.create(VolumeSpec.qcow2("target.qcow2", MiB))
        if dirty:
            with Path(volume.path()).open("r+b") as file:
                file.seek(0, os.SEEK_END)
                file.write(b"d" * 300_000)
        volume.upload(source_of(kind, image.read_bytes()), sparse=sparse, verify=True)
        path = Path(volume.path())
        assert path.read_bytes()[: image.stat().st_size] == image.read_bytes()
        info = volume.info()
        assert (info.capacity, info.allocation) == (SIZE // 512 * 512, space(path))
        subprocess.run(["qemu-img", "compare", "-q", path, folder / "content"], check=True)
        subprocess.run(["qemu-img", "check", "-q", path], check=True)

    @pytest.mark.parametrize("sparse", ["auto", True, False])
    @pytest.mark.parametrize("dirty", [False, True])
    @pytest.mark.parametrize("kind", ["sparse path", "iterable"])
    def test_what_is_behind_a_shorter_source(
        self,
        raw: Callable[[int, bool], Volume],
        source_of: Callable[[str, bytes], UploadSource | Volume],
        kind: str,
        dirty: bool,
        sparse: Sparse,
    ) -> None:
        volume = raw(SIZE + 99_999, dirty)
        path = Path(volume.path())
        volume.upload(source_of(kind, DATA), sparse=sparse, tail="keep", verify=True)
        assert path.read_bytes() == DATA + (b"d" if dirty else b"\0") * 99_999
        volume.upload(source_of("bytes", DATA[:-1]), sparse=sparse, tail="zero", verify=True)
        assert path.read_bytes() == DATA[:-1] + bytes(100_000)

    @pytest.mark.parametrize("dirty", [False, True])
    @pytest.mark.parametrize("sparse", ["auto", True, False])
    @pytest.mark.parametrize("tail", ["keep", "zero"])
    def test_a_source_longer_than_the_room_for_it(
        self, raw: Callable[[int, bool], Volume], dirty: bool, sparse: Sparse, tail: Any
    ) -> None:
        volume = raw(100_000, dirty)
        with pytest.raises(TransferError, match="room for 99000 bytes"):
            volume.upload(iter([DATA[-99_000:], b"x"]), offset=1000, sparse=sparse, tail=tail)
        assert Path(volume.path()).stat().st_size == 100_000


class TestDownloads:
    @pytest.mark.parametrize("dense", [False, True])
    @pytest.mark.parametrize("sparse", [False, True])
    @pytest.mark.parametrize("part", PARTS)
    @pytest.mark.parametrize("kind", ["path", "new path for resume", "file object"])
    def test_from_a_raw_volume(
        self,
        raw: Callable[[int, bool], Volume],
        folder: Path,
        kind: str,
        part: dict[str, Any],
        sparse: bool,
        dense: bool,
    ) -> None:
        volume = raw(SIZE, False)
        if dense:
            Path(volume.path()).write_bytes(DATA)
        else:
            write_sparse(Path(volume.path()), DATA)
        offset = part.get("offset", 0)
        wanted = DATA[offset : offset + part.get("length", SIZE)]
        copy = folder / "copy"
        if kind == "file object":
            copy.write_bytes(b"d" * (SIZE + 7))
            with copy.open("r+b") as file:
                file.seek(7)
                volume.download(file, sparse=sparse, **part)
            assert copy.read_bytes() == b"d" * 7 + wanted + b"d" * (SIZE - len(wanted))
            return
        volume.download(copy, sparse=sparse, resume=kind != "path", **part)
        assert copy.read_bytes() == wanted
        assert sorted(path.name for path in folder.iterdir()) == ["copy", "pool"]
        if sparse and not dense:
            assert space(copy) <= SOLID + SLACK
        else:
            assert space(copy) >= len(wanted)

    def test_an_image(self, pool: Pool, folder: Path) -> None:
        volume = pool.volumes.create(VolumeSpec.qcow2("v.qcow2", 10 * MiB))
        subprocess.run(
            ["qemu-io", "-f", "qcow2", "-c", "write -P 7 3M 200k", volume.path()],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        for sparse in (True, False):
            volume.download(folder / "copy", overwrite=True, sparse=sparse)
            assert (folder / "copy").read_bytes() == Path(volume.path()).read_bytes()
        subprocess.run(["qemu-img", "compare", "-q", folder / "copy", volume.path()], check=True)


EDGES = [0, 1, *(edge + d for edge in (RECEIVE_BYTES, SEND_BYTES, 65_536) for d in (-1, 0, 1))]


class TestSizes:
    @pytest.mark.parametrize("data", ["noise", "zeros"])
    @pytest.mark.parametrize("size", EDGES)
    def test_at_the_edges(
        self,
        raw: Callable[[int, bool], Volume],
        source_of: Callable[[str, bytes], UploadSource | Volume],
        folder: Path,
        size: int,
        data: str,
    ) -> None:
        content = bytes(size) if data == "zeros" else random.Random(4).randbytes(size)
        volume = raw(size, False)
        sources = itertools.product(["path", "bytes", "iterable"], ("auto", True, False))
        for number, (kind, sparse) in enumerate(sources):
            volume.upload(source_of(kind, content), sparse=cast(Sparse, sparse), verify=True, tail="zero")
            assert Path(volume.path()).read_bytes() == content
            volume.download(folder / f"copy-{number}", sparse=sparse is not False)
            assert (folder / f"copy-{number}").read_bytes() == content

    def test_a_large_file_with_little_in_it(self, raw: Callable[[int, bool], Volume], folder: Path) -> None:
        size = 1 << 30
        places = (0, 1, 500 * MiB - 3, 500 * MiB + 123, size - 5)
        with (folder / "source").open("wb") as file:
            for place in places:
                file.seek(place)
                file.write(b"hello")
            file.truncate(size)
        volume = raw(size, False)
        volume.upload(folder / "source").download(folder / "copy")
        for path in (volume.path(), folder / "copy"):
            assert Path(path).stat().st_size == size
            assert space(path) <= len(places) * 65_536
            assert solid(path) == solid(folder / "source")

    @pytest.mark.parametrize("place", ["/proc/cpuinfo", "/dev/zero"])
    def test_files_whose_size_says_nothing(self, raw: Callable[[int, bool], Volume], place: str) -> None:
        volume = raw(100, True)
        with Path(place).open("rb", buffering=0) as file:
            volume.upload(cast(BinaryIO, file), length=100)
        assert b"d" not in Path(volume.path()).read_bytes()[:1]
        if place.startswith("/proc"):
            volume.upload(place, length=50)
            assert Path(volume.path()).read_bytes()[:50] == Path(place).read_bytes()[:50]


class Spy:
    """Every size that reaches libvirt's streams."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ranges: list[tuple[int, int]] = []
        self.sizes: list[int] = []
        volume: Any = libvirt.virStorageVol
        stream: Any = libvirt.virStream
        for name in ("upload", "download"):
            monkeypatch.setattr(volume, name, self.ranged(getattr(volume, name)))
        for name in ("recv", "recvFlags", "sendHole"):
            monkeypatch.setattr(stream, name, self.sized(getattr(stream, name), int))
        monkeypatch.setattr(stream, "send", self.sized(stream.send, len))

    def ranged(self, function: Any) -> Any:
        def spy(raw: Any, stream: Any, offset: int, length: int, flags: int) -> Any:
            self.ranges.append((offset, length))
            return function(raw, stream, offset, length, flags)

        return spy

    def sized(self, function: Any, size: Callable[[Any], int]) -> Any:
        def spy(stream: Any, what: Any, *more: Any) -> Any:
            self.sizes.append(size(what))
            return function(stream, what, *more)

        return spy


NUMBERS = st.one_of(
    st.none(),
    st.integers(-5, 20_000),
    st.sampled_from([d + (s << n) for n in (31, 32, 62, 63, 64) for s in (-1, 1) for d in (-1, 0, 1)]),
    st.sampled_from([True, 1.5, float("nan"), "1 KiB", "-1", "8 EiB", "x", b"1"]),
)


class TestWhatReachesLibvirt:
    @pytest.fixture
    def spy(self) -> Iterator[Spy]:
        with pytest.MonkeyPatch.context() as patch:
            yield Spy(patch)

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(offset=NUMBERS, length=NUMBERS, image=st.booleans(), known=st.booleans())
    def test_no_size_is_negative_or_huge(
        self, pool: Pool, spy: Spy, offset: Any, length: Any, image: bool, known: bool
    ) -> None:
        name = "image.qcow2" if image else "plain.img"
        volume = pool.volumes.get(name) or pool.volumes.create(
            VolumeSpec.qcow2(name, MiB) if image else VolumeSpec.raw(name, 10_000, allocation=0)
        )
        end = Path(volume.path()).stat().st_size
        part: dict[str, Any] = {"offset": 0 if offset is None else offset, "length": length}
        data = bytes(5000)
        transfers: list[Callable[[], Volume]] = [
            lambda: volume.upload(data if known else iter([data]), **part),
            lambda: volume.download(io.BytesIO(), **part),
        ]
        for transfer in transfers:
            try:
                transfer()
            except (InvalidRequestError, TransferError):
                pass
            else:
                assert Size(part["offset"]) <= end
        assert all(0 <= place <= end + 20_000 and 0 <= size < 1 << 63 for place, size in spy.ranges)
        assert all(place + size < 1 << 63 for place, size in spy.ranges)
        assert all(0 <= size <= MiB for size in spy.sizes)
        assert Path(volume.path()).stat().st_size <= max(end, 25_000)

    @pytest.mark.parametrize(
        "wrong", [{"sparse": "Auto"}, {"sparse": None}, {"tail": "Zero"}, {"tail": None}]
    )
    def test_words_that_are_none(self, raw: Callable[[int, bool], Volume], wrong: dict[str, Any]) -> None:
        with pytest.raises(InvalidRequestError, match=next(iter(wrong))):
            raw(100, True).upload(b"x", **wrong)
