"""Decompresses sources incrementally: gzip, xz, bzip2, zstd."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final, Literal, Protocol, TypeAlias

from libstorage.errors import InvalidRequestError, TransferError, UnsupportedError
from libstorage.transfer.pieces.filters import Preceded
from libstorage.transfer.pieces.piece import Piece, Source, joined, taken

Compression: TypeAlias = Literal["auto", "gzip", "xz", "bzip2", "zstd"]
"""Compression of a source; ``auto`` detects it by the first bytes."""

SUFFIXES: Final = {"gzip": (".gz",), "xz": (".xz",), "bzip2": (".bz2",), "zstd": (".zst", ".zstd")}
"""Suffixes of compressed files."""

_MOST: Final = 1 << 20  # bytes to decompress at once
_INPUT: Final = 64 * 1024
_XZ_MEMORY: Final = 192 << 20  # xz -9 needs 65 MiB, and twice its dictionary 129
_ZSTD_WINDOW: Final = 128 << 20  # what zstd takes unless told otherwise
_MAGIC_BYTES: Final = 10
_BZIP2_BLOCKS: Final = (b"1AY&SY", b"\x17rE8P\x90")  # the first one, or none at all


class Decompressed:
    """The decompressed content of a source, whose length is unknown.

    Args:
        source: The compressed bytes.
        how: The compression.

    Attributes:
        how: The compression.
    """

    def __init__(self, source: Source, how: str) -> None:
        self.name: str = source.name
        self.length: int | None = None
        self.how = how
        self._rest = b""
        self._parts = _KINDS[how][0](_Reader(source, how))

    def read(self, most: int) -> Piece:
        """Return the next bytes.

        Raises:
            TransferError: If the source is damaged, truncated, or followed by other data.
        """
        while not self._rest:
            try:
                self._rest = next(self._parts)
            except StopIteration:
                return b""
        data, self._rest = self._rest[:most], self._rest[most:]
        return data


def decompressed(source: Source, how: Compression | None) -> Source:
    """Return a source of the decompressed content; if the source is not compressed, an equal source.

    Args:
        source: The source.
        how: The compression; ``None`` does not decompress.

    Raises:
        InvalidRequestError: If there is no such compression.
        UnsupportedError: If the compression needs a package that is not installed.
    """
    if how is None:
        return source
    if how == "auto":
        head = taken(source, _MAGIC_BYTES)
        source, found = Preceded(head, source), compression_of(joined(head))
        return source if found is None else Decompressed(source, found)
    if how not in _KINDS:
        raise InvalidRequestError(
            f"decompress must be auto, {', '.join(_KINDS)} or None, not {how!r}",
        )
    return Decompressed(source, how)


def compression_of(head: bytes) -> str | None:
    """Return the compression that begins with these bytes, if it can be undone."""
    return next((how for how, (_, is_magic) in _KINDS.items() if is_magic(head)), None)


class _Reader:
    """The compressed bytes of a source; bytes can be pushed back."""

    def __init__(self, source: Source, how: str) -> None:
        self._source, self._how = source, how
        self._back = b""

    def some(self) -> bytes:
        """Return the next bytes; there must be at least one."""
        data, self._back = self._back or joined([self._source.read(_INPUT)]), b""
        if not data:
            raise TransferError(
                f"{self._source.name} ends in the middle of its {self._how} data",
                hint="The data was truncated in transit.",
            )
        return data

    def exactly(self, length: int) -> bytes:
        """Return exactly ``length`` bytes."""
        data = b""
        while len(data) < length:
            data += self.some()
        self.give_back(data[length:])
        return data[:length]

    def give_back(self, data: bytes) -> None:
        """Push bytes back for the next read."""
        self._back = data + self._back

    def goes_on(self) -> bool:
        """Return whether another stream of the same compression follows; zeros in between or at the end are skipped.

        Raises:
            TransferError: If other data follows.
        """
        while not self._back.lstrip(b"\0"):
            self._back = joined([self._source.read(_INPUT)])
            if not self._back:
                return False
        head = self._back.lstrip(b"\0")
        while len(head) < _MAGIC_BYTES and (more := joined([self._source.read(_INPUT)])):
            head += more
        self._back = head
        if not _KINDS[self._how][1](head):
            raise TransferError(
                f"{self._source.name} has other data after its {self._how} data",
                hint="The data is damaged, or holds more than one file.",
            )
        return True

    def damaged(self, error: Exception) -> TransferError:
        """Return the error for data that cannot be decompressed."""
        return TransferError(
            f"{self._source.name} is damaged, or is not {self._how} data: {error}",
            hint="With decompress=None the bytes are taken unchanged.",
        )


class _Decompressor(Protocol):
    """The common interface of the standard library's decompressors."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gzip:
    """zlib's decompressor with the interface of the others."""

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
    """Decompress consecutive streams, each with its own decompressor."""

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
    """Decompress frame by frame, block by block: the package alone accepts truncated data as complete."""
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
                raise reader.damaged(ValueError("its frame continues after its last block"))
        if not reader.goes_on():
            return


def _blocks(reader: _Reader, magic: bytes) -> Iterator[bytes]:
    """Yield the header of a frame, each block (at most 128 KiB decompressed), and the checksum."""
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
            hint="Install it with: pip install 'libstorage[zstd]', or decompress the data yourself.",
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
