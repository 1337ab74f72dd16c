"""Sources that are compressed: gzip, xz, bzip2, zstd, as their bytes come, a little at a time."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final, Literal, Protocol, TypeAlias

from libstorage.errors import InvalidRequestError, TransferError, UnsupportedError
from libstorage.transfer.pieces.filters import Preceded
from libstorage.transfer.pieces.piece import Hole, Piece, Source, taken

Compression: TypeAlias = Literal["auto", "gzip", "xz", "bzip2", "zstd"]
"""How a source is compressed; ``auto`` is what its first bytes say, which may be not at all."""

SUFFIXES: Final = {"gzip": (".gz",), "xz": (".xz",), "bzip2": (".bz2",), "zstd": (".zst", ".zstd")}
"""What compressed files are called."""

_MOST: Final = 1 << 20  # bytes to decompress at once
_INPUT: Final = 64 * 1024
_XZ_MEMORY: Final = 192 << 20  # xz -9 needs 65 MiB, and twice its dictionary 129
_ZSTD_WINDOW: Final = 128 << 20  # what zstd takes unless told otherwise
_MAGIC_BYTES: Final = 10
_BZIP2_BLOCKS: Final = (b"1AY&SY", b"\x17rE8P\x90")  # the first one, or none at all


class Decompressed:
    """What a compressed source holds, which cannot tell its length.

    Args:
        source: The compressed bytes.
        how: How they are compressed.

    Attributes:
        how: How they are compressed.
    """

    def __init__(self, source: Source, how: str) -> None:
        self.name: str = source.name
        self.length: int | None = None
        self.how = how
        self._rest = b""
        self._parts = _KINDS[how][0](_Reader(source, how))

    def read(self, most: int) -> Piece:
        """The next bytes.

        Raises:
            TransferError: The source is damaged, ends too early, or goes on with something else.
        """
        while not self._rest:
            try:
                self._rest = next(self._parts)
            except StopIteration:
                return b""
        data, self._rest = self._rest[:most], self._rest[most:]
        return data


def decompressed(source: Source, how: Compression | None) -> Source:
    """What a source holds when it is decompressed; the source itself, or one like it, when it is not compressed.

    Args:
        source: Where bytes come from.
        how: How it is compressed; ``None`` leaves it as it is.

    Raises:
        InvalidRequestError: There is no such compression.
        UnsupportedError: It needs a package that is not installed.
    """
    if how is None:
        return source
    if how == "auto":
        head = taken(source, _MAGIC_BYTES)
        source, found = Preceded(head, source), _compression(_bytes(head))
        return source if found is None else Decompressed(source, found)
    if how not in _KINDS:
        raise InvalidRequestError(
            f"{how!r} is no compression: there are auto, {', '.join(_KINDS)}, and None",
        )
    return Decompressed(source, how)


def _compression(head: bytes) -> str | None:
    return next((how for how, (_, is_magic) in _KINDS.items() if is_magic(head)), None)


def _bytes(pieces: list[Piece]) -> bytes:
    return b"".join(bytes(piece.length) if isinstance(piece, Hole) else piece for piece in pieces)


class _Reader:
    """The compressed bytes of a source, some of which can be given back."""

    def __init__(self, source: Source, how: str) -> None:
        self._source, self._how = source, how
        self._back = b""

    def some(self) -> bytes:
        """The next bytes, of which there must be some."""
        data, self._back = self._back or _bytes([self._source.read(_INPUT)]), b""
        if not data:
            raise TransferError(
                f"{self._source.name} ends in the middle of its {self._how} data",
                hint="It was cut off on its way.",
            )
        return data

    def exactly(self, length: int) -> bytes:
        """So many bytes, which must be there."""
        data = b""
        while len(data) < length:
            data += self.some()
        self.give_back(data[length:])
        return data[:length]

    def give_back(self, data: bytes) -> None:
        """These are for the next."""
        self._back = data + self._back

    def goes_on(self) -> bool:
        """Whether there is another part of the same kind; zeros may stand in between or at the end.

        Raises:
            TransferError: There is something else.
        """
        while not self._back.lstrip(b"\0"):
            self._back = _bytes([self._source.read(_INPUT)])
            if not self._back:
                return False
        head = self._back.lstrip(b"\0")
        while len(head) < _MAGIC_BYTES and (more := _bytes([self._source.read(_INPUT)])):
            head += more
        self._back = head
        if not _KINDS[self._how][1](head):
            raise TransferError(
                f"{self._source.name} goes on with something else after its {self._how} data",
                hint="It is damaged, or more than one file.",
            )
        return True

    def damaged(self, error: Exception) -> TransferError:
        """What to tell of data that cannot be decompressed."""
        return TransferError(
            f"{self._source.name} is no {self._how} data, or damaged: {error}",
            hint="decompress=None takes its bytes as they are.",
        )


class _Decompressor(Protocol):
    """What the decompressors of the standard library have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gzip:
    """zlib's, as the others are."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        found = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self.needs_input = not self._inner.unconsumed_tail and len(found) < max_length
        return found


def _by(make: Callable[[], _Decompressor]) -> Callable[[_Reader], Iterator[bytes]]:
    """Streams one after the other, each with a decompressor of its own."""

    def parts(reader: _Reader) -> Iterator[bytes]:
        while True:
            one = make()
            while not one.eof:
                data = reader.some() if one.needs_input else b""
                try:
                    part = one.decompress(data, _MOST)
                except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:
                    raise reader.damaged(error) from None
                if part:
                    yield part
            reader.give_back(one.unused_data)
            if not reader.goes_on():
                return

    return parts


def _zstd_parts(reader: _Reader) -> Iterator[bytes]:
    """Frame by frame, block by block: the package alone takes data that was cut off for complete."""
    zstandard = _zstandard()
    while True:
        magic = reader.exactly(4)
        if _is_skippable(magic):
            _skip(reader, int.from_bytes(reader.exactly(4), "little"))
        else:
            one = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
            for block in _blocks(reader, magic):
                try:
                    part = one.decompress(block)
                except zstandard.ZstdError as error:
                    raise reader.damaged(error) from None
                if part:
                    yield part
            if not one.eof:
                raise reader.damaged(ValueError("its frame does not end with its last block"))
        if not reader.goes_on():
            return


def _blocks(reader: _Reader, magic: bytes) -> Iterator[bytes]:
    """The header of a frame, each of its blocks (of at most 128 KiB, decompressed), and its checksum."""
    descriptor = reader.exactly(1)
    size, one_segment, dictionary = descriptor[0] >> 6, descriptor[0] >> 5 & 1, descriptor[0] & 3
    length = (not one_segment) + (0, 1, 2, 4)[dictionary] + ((one_segment, 2, 4, 8)[size])
    yield magic + descriptor + reader.exactly(length)
    last = 0
    while not last:
        header = reader.exactly(3)
        number = int.from_bytes(header, "little")
        last, kind, size = number & 1, number >> 1 & 3, number >> 3
        yield header + reader.exactly(1 if kind == 1 else size)
    if descriptor[0] & 4:
        yield reader.exactly(4)


def _skip(reader: _Reader, length: int) -> None:
    while length:
        data = reader.some()
        reader.give_back(data[length:])
        length -= min(length, len(data))


def _zstandard() -> Any:
    try:
        import zstandard
    except ImportError:
        raise UnsupportedError(
            "zstd data cannot be decompressed: the Python package zstandard is not installed",
            hint="pip install 'libstorage[zstd]', or decompress it yourself.",
        ) from None
    return zstandard


def _is_skippable(magic: bytes) -> bool:
    return magic[1:4] == b"\x2a\x4d\x18" and magic[0] >> 4 == 5


def _is_bzip2(head: bytes) -> bool:
    return head[:3] == b"BZh" and head[3:4].isdigit() and head[4:10] in _BZIP2_BLOCKS


_KINDS: Final[dict[str, tuple[Callable[[_Reader], Iterator[bytes]], Callable[[bytes], bool]]]] = {
    "gzip": (_by(_Gzip), lambda head: head[:3] == b"\x1f\x8b\x08"),
    "xz": (
        _by(lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)),
        lambda head: head[:6] == b"\xfd7zXZ\0",
    ),
    "bzip2": (_by(bz2.BZ2Decompressor), _is_bzip2),
    "zstd": (_zstd_parts, lambda head: head[:4] == b"\x28\xb5\x2f\xfd" or _is_skippable(head[:4])),
}
