"""Recognizes archives and compressions by their first bytes, also inside a compression."""

from __future__ import annotations

import lzma
from contextlib import suppress
from typing import Final

from libstorage.errors import StorageError
from libstorage.transfer.pieces.decompress import Decompressed, compression_of
from libstorage.transfer.pieces.piece import Piece, joined

_INSIDE: Final = 4096  # enough for the header of a tar archive
_MEMORY: Final = 192 << 20

_MAGIC: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"PK\3\4", "zip"),
    (0, b"PK\5\6", "zip"),
    (0, b"PK\7\x08PK", "zip"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\7", "rar"),
    (0, b"!<arch>\ndebian-binary", "deb"),
    (0, b"!<arch>\n", "ar"),
    (0, b"!<thin>\n", "ar"),
    (0, b"\xed\xab\xee\xdb", "rpm"),
    (0, b"MSCF\0\0\0\0", "cab"),
    (0, b"MSWIM\0\0\0", "wim"),
    (0, b"xar!", "xar"),
    (0, b"070701", "cpio"),
    (0, b"070702", "cpio"),
    (0, b"070707", "cpio"),
    (0, b"\x04\x22\x4d\x18", "lz4"),
    (0, b"\x02\x21\x4c\x18", "lz4"),
    (0, b"LZIP\1", "lzip"),
    (0, b"LRZI\0", "lrzip"),
    (0, b"\x89LZO\0\r\n\x1a\n", "lzop"),
    (0, b"\xff\6\0\0sNaPpY", "snappy"),
    (0, b"\x3a\xff\x26\xed\1\0", "Android sparse"),
    (0, b"partclone-image", "partclone"),
)
_LZMA_SIZES: Final = {size << shift for size in (2, 3) for shift in range(11, 31)}
_MOST: Final = 4  # layers; some files decompress to themselves


def packed_by(head: bytes, most: int = _MOST) -> tuple[str, ...]:
    """Return the archives and compressions around a content, outermost first; none for a plain content.

    Args:
        head: The first bytes.
        most: Largest number of layers to look into.
    """
    found = compression_of(head)
    if found is not None:
        return (found, *(packed_by(_inside(head, found), most - 1) if most else ()))
    return next(((name,) for find in _FINDERS if (name := find(head))), ())


def _inside(head: bytes, how: str) -> bytes:
    """Return the first bytes of a compressed content, as far as they are there."""
    found = b""
    with suppress(StorageError):  # cut off, damaged, or a package is missing
        inner = Decompressed(_Bytes(head), how)
        while len(found) < _INSIDE and (piece := inner.read(_INSIDE)):
            found += joined([piece])
    return found


class _Bytes:
    """Bytes as a source."""

    name = "the head"

    def __init__(self, data: bytes) -> None:
        self.length: int | None = len(data)
        self._data = data

    def read(self, most: int) -> Piece:
        """The next bytes."""
        data, self._data = self._data[:most], self._data[most:]
        return data


def _by_magic(head: bytes) -> str | None:
    return next((name for at, magic, name in _MAGIC if head[at : at + len(magic)] == magic), None)


def _by_tar(head: bytes) -> str | None:
    """Find a tar archive by the checksum of its first header."""
    if len(head) < 512 or not head[0]:
        return None
    try:
        stated = int(head[148:156].strip(b"\0 "), 8)
    except ValueError:
        return None
    name = head[:100].rstrip(b"\0")
    kind = "ova (tar)" if name.endswith(b".ovf") else "tar"
    return kind if stated == sum(head[:148]) + sum(head[156:512]) + 8 * 32 else None


def _by_cpio(head: bytes) -> str | None:
    """Find a header of binary cpio: its magic has two bytes only, so its name must fit, too."""
    if head[:2] not in (b"\xc7\x71", b"\x71\xc7"):
        return None
    length = int.from_bytes(head[20:22], "little" if head[0] == 0xC7 else "big")
    name = head[26 : 26 + length]
    return "cpio" if 1 < length <= 1024 and name.find(b"\0") == length - 1 else None


def _by_compress(head: bytes) -> str | None:
    fits = head[:2] == b"\x1f\x9d" and len(head) > 2 and not head[2] & 0x60 and 9 <= head[2] & 31 <= 16
    return "compress (.Z)" if fits else None


def _by_lzma(head: bytes) -> str | None:
    """Find an ``.lzma`` file, which has no magic: its header must fit, and its data decompress."""
    size = int.from_bytes(head[5:13], "little")
    fits = head[:1] == b"\x5d" and int.from_bytes(head[1:5], "little") in _LZMA_SIZES and head[13:14] == b"\0"
    if not fits or not (0 < size < 1 << 38 or size == 2**64 - 1):
        return None
    try:
        found = lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_MEMORY).decompress(head, _INSIDE)
    except lzma.LZMAError:
        return None
    return "lzma" if found else None


_FINDERS: Final = (_by_magic, _by_tar, _by_cpio, _by_compress, _by_lzma)
