"""Compressed sources: what comes out, what is refused, and how much memory that takes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from libstorage import InvalidRequestError, MiB, TransferError, UnsupportedError
from libstorage.transfer.ends.sources import FileSource, IterableSource
from libstorage.transfer.pieces.decompress import Compression, Decompressed, decompressed
from libstorage.transfer.pieces.piece import Hole, Piece, length_of, zeros

NOISE: Final = random.Random(4).randbytes(200_000)

KINDS: dict[Compression, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
}
PROGRAMS: dict[Compression, str] = {"gzip": "gzip", "xz": "xz", "bzip2": "bzip2", "zstd": "zstd"}
CONTENTS = {
    "nothing": b"",
    "a byte": b"x",
    "noise": NOISE,
    "zeros": bytes(3 * MiB + 7),
    "both": NOISE + bytes(2 * MiB) + NOISE,
}

each_kind = pytest.mark.parametrize("kind", KINDS)


def source(data: bytes) -> FileSource:
    return FileSource("image.z", io.BytesIO(data))


def read(data: bytes, how: Compression | None = "auto", most: int = 1 << 20) -> bytes:
    opened, found = decompressed(source(data), how), bytearray()
    while length_of(piece := opened.read(most)):
        assert not isinstance(piece, Hole)
        assert len(piece) <= most
        found += piece
    return bytes(found)


class TestContent:
    @each_kind
    @pytest.mark.parametrize("content", CONTENTS)
    @pytest.mark.parametrize("auto", [True, False])
    def test_it_comes_out(self, kind: Compression, content: str, auto: bool) -> None:
        data = CONTENTS[content]
        assert read(KINDS[kind](data), "auto" if auto else kind) == data

    @each_kind
    @pytest.mark.parametrize("content", CONTENTS)
    def test_as_the_programs_write_it(self, kind: Compression, content: str) -> None:
        data = CONTENTS[content]
        packed = subprocess.run([PROGRAMS[kind], "-c"], input=data, check=True, capture_output=True).stdout
        assert read(packed) == data

    @each_kind
    def test_a_few_bytes_at_a_time(self, kind: Compression) -> None:
        packed = KINDS[kind](NOISE[:5000])
        opened = decompressed(IterableSource(packed[i : i + 1] for i in range(len(packed))), "auto")
        assert isinstance(opened, Decompressed)
        assert (opened.how, opened.length) == (kind, None)
        found = b""
        while piece := opened.read(7):
            assert isinstance(piece, bytes)
            found += piece
        assert found == NOISE[:5000]

    @each_kind
    def test_several_streams_are_one(self, kind: Compression) -> None:
        pack = KINDS[kind]
        assert read(pack(b"one") + pack(b"") + pack(NOISE) + pack(b"three")) == b"one" + NOISE + b"three"

    @each_kind
    def test_zeros_may_stand_between_and_behind(self, kind: Compression) -> None:
        pack = KINDS[kind]
        assert read(pack(b"one") + bytes(200_000) + pack(b"two") + bytes(200_000)) == b"onetwo"

    def test_parts_of_zstd_that_mean_nothing(self) -> None:
        note = b"\x5a\x2a\x4d\x18" + (100_000).to_bytes(4, "little") + bytes(100_000)
        assert read(note + KINDS["zstd"](NOISE) + note) == NOISE

    @pytest.mark.parametrize("level", [-5, 1, 19])
    @pytest.mark.parametrize("flags", [{}, {"write_content_size": False}, {"write_checksum": True}])
    def test_frames_of_zstd_of_every_kind(self, level: int, flags: dict[str, Any]) -> None:
        for data in (b"", b"a" * 300_000, NOISE, NOISE[:300] * 1000):
            one = zstandard.ZstdCompressor(level=level, **flags)
            stream = one.compressobj()
            assert read(one.compress(data)) == data
            assert read(stream.compress(data) + stream.flush()) == data


class TestWhatIsNotCompressed:
    @pytest.mark.parametrize("data", [b"", b"x", NOISE, b"BZh9 but nothing of the kind", b"\x1f\x8b\x07"])
    def test_it_is_left_as_it_is(self, data: bytes) -> None:
        opened = decompressed(source(data), "auto")
        assert opened.length == source(data).length
        assert read(data) == data

    @each_kind
    def test_nothing_is_done_unasked(self, kind: Compression) -> None:
        packed = KINDS[kind](NOISE)
        assert read(packed, None) == packed

    def test_holes_stay_holes(self) -> None:
        class Sparse:
            name, length = "sparse", int(3 * MiB)

            def __init__(self) -> None:
                self.left = self.length

            def read(self, most: int) -> Piece:
                length = min(most, self.left)
                self.left -= length
                return Hole(length)

        opened, found = decompressed(Sparse(), "auto"), []
        while length_of(piece := opened.read(1 << 62)):
            found.append(piece)
        assert sum(map(length_of, found)) == 3 * MiB
        assert all(isinstance(piece, Hole) for piece in found)

    def test_there_are_no_other_ways(self) -> None:
        with pytest.raises(InvalidRequestError, match="gzip, xz, bzip2, zstd"):
            decompressed(source(b""), "lz4")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


class TestDamage:
    @each_kind
    def test_whatever_is_cut_off_is_noticed(self, kind: Compression) -> None:
        packed = KINDS[kind](NOISE[:3000])
        for length in [*range(12, len(packed), 97), len(packed) - 4, len(packed) - 1]:
            with pytest.raises(TransferError, match=f"image.z (ends in the middle|is no {kind} data)"):
                read(packed[:length])
        with pytest.raises(TransferError, match="ends in the middle"):
            read(b"", kind)

    @each_kind
    def test_a_second_stream_that_is_cut_off(self, kind: Compression) -> None:
        packed = KINDS[kind](NOISE[:3000])
        with pytest.raises(TransferError, match="ends in the middle"):
            read(packed + packed[:-1])

    @each_kind
    @pytest.mark.parametrize("rest", [b"x", b"\0\0\0x", bytes(100_000) + b"garbage" * 10, b"\xff" * 100_000])
    def test_something_else_behind_it(self, kind: Compression, rest: bytes) -> None:
        with pytest.raises(TransferError, match="has other data after"):
            read(KINDS[kind](NOISE) + rest)

    @each_kind
    def test_another_kind(self, kind: Compression) -> None:
        with pytest.raises(TransferError):
            read(NOISE, kind)

    @each_kind
    @pytest.mark.parametrize("place", [0.2, 0.5, 0.9])
    def test_changed_bytes(self, kind: Compression, place: float) -> None:
        packed = bytearray(KINDS[kind](NOISE))
        packed[int(len(packed) * place)] ^= 0x55
        with pytest.raises(TransferError):
            read(bytes(packed))

    @given(st.sampled_from(list(KINDS)), st.data())
    def test_whatever_comes(self, kind: Compression, data: st.DataObject) -> None:
        """Right, or a TransferError; never another error, never for ever, never other bytes."""
        packed = bytearray(KINDS[kind](NOISE[:200] * 10))
        for _ in range(data.draw(st.integers(0, 3))):
            packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
        packed = packed[: data.draw(st.integers(0, len(packed)))] + data.draw(st.binary(max_size=20))
        try:
            found = read(bytes(packed), kind)
        except TransferError:
            return
        assert found == NOISE[:200] * 10

    def test_an_xz_that_wants_too_much_memory(self) -> None:
        filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 29}]
        packed = bytearray(lzma.compress(b"x", filters=filters))
        with pytest.raises(TransferError):
            read(bytes(packed))

    @pytest.mark.parametrize(("eighths", "fits"), [(0, True), (1, False), (8, False)])
    def test_a_zstd_that_wants_too_much_memory(self, eighths: int, fits: bool) -> None:
        """A frame says how far it refers back; libstorage takes 128 MiB, as the program does."""
        window = ((27 - 10) << 3) + eighths  # 128 MiB, and as many eighths of that
        block = (4 << 3 | 1).to_bytes(3, "little") + b"data"
        frame = b"\x28\xb5\x2f\xfd\0" + bytes([window]) + block
        if fits:
            assert read(frame) == b"data"
        else:
            with pytest.raises(TransferError, match="is damaged"):
                read(frame)

    @pytest.mark.parametrize(("size", "fits"), [(64 << 20, True), (256 << 20, False)])
    def test_the_largest_xz(self, size: int, fits: bool) -> None:
        packed = bytearray(lzma.compress(b"data", filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}]))
        place = packed.index(b"\x21\x01") + 2  # the property of LZMA2, in the header of the block
        packed[place] = 2 * (size.bit_length() - 13)
        header = 12, 12 + 4 * (packed[12] + 1) - 4
        packed[header[1] : header[1] + 4] = zlib.crc32(packed[slice(*header)]).to_bytes(4, "little")
        if fits:
            assert read(bytes(packed)) == b"data"
        else:
            with pytest.raises(TransferError, match="is damaged"):
                read(bytes(packed))


def bomb(kind: Compression, size: int) -> Iterator[bytes]:
    """So many zeros, compressed, little by little."""
    if kind == "gzip":
        packer: Any = zlib.compressobj(wbits=31)
    elif kind == "zstd":
        packer = zstandard.ZstdCompressor().compressobj()
    else:
        packer = lzma.LZMACompressor(preset=0) if kind == "xz" else bz2.BZ2Compressor()
    for data in zeros(size):
        yield packer.compress(data)
    yield packer.flush()


@each_kind
def test_memory_is_bounded(kind: Compression) -> None:
    """The decompressors' own memory is not traced: it is what their formats need, up to a limit."""
    size = 64 * MiB
    packed = b"".join(bomb(kind, size))
    opened = decompressed(source(packed), "auto")
    tracemalloc.start()
    try:
        done = 0
        while piece := opened.read(1 << 62):
            done += length_of(piece)
            assert length_of(piece) <= MiB
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert done == size
    assert peak < 6 * MiB


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = KINDS["zstd"](NOISE)
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(UnsupportedError, match=r"zstandard is not installed") as missing:
        read(packed)
    assert "libstorage[zstd]" in str(missing.value)
