"""Whether the end of an upload has arrived.

libvirt writes what it receives in a thread, one message after the other, and tells of an error when the next message
comes in. An error in the last messages it does not tell at all: an upload that filled the disk ends well, with some
megabytes missing (seen with libvirt 9.0). As nothing is written after the first error, the end is there only if all is.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from libstorage.transfer.pieces.piece import any_but_zero

KEPT = 4096
"""How many bytes to keep and compare."""


@attrs.frozen
class _Tail:
    """Some bytes of a volume."""

    offset: int
    data: bytes


class MissingBytes(Exception):
    """The end of an upload is not there, though libvirt said that all is well."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


class Ending:
    """The last bytes of an upload, and the last of them that are not zero.

    Zeros that are missing cannot be told from a hole, which reads as zeros: there, what stands before them decides.

    Args:
        offset: Where in the volume the upload begins.
    """

    def __init__(self, offset: int) -> None:
        self._end = offset
        self._last = b""
        self._solid = _Tail(offset, b"")

    def add(self, data: bytes) -> None:
        """These bytes are sent next."""
        if any_but_zero(data):
            self._solid = _Tail(self._end, data)
        self._end += len(data)
        self._last = (self._last + data if len(data) < KEPT else data)[-KEPT:]

    def skip(self, length: int) -> None:
        """So many zeros are left out next."""
        self._end += length
        self._last = (self._last + bytes(min(length, KEPT)))[-KEPT:]

    def first_missing(self, read: Callable[[int, int], bytes]) -> _Tail | None:
        """A piece that is not there; ``None`` when all is.

        Args:
            read: Reads from the volume: from an offset on, so many bytes.
        """
        for piece in {self._last_piece(), self._last_solid_piece()}:
            if piece.data and read(piece.offset, len(piece.data)) != piece.data:
                return piece
        return None

    def _last_piece(self) -> _Tail:
        return _Tail(self._end - len(self._last), self._last)

    def _last_solid_piece(self) -> _Tail:
        data = self._solid.data.rstrip(b"\0")
        start = max(0, len(data) - KEPT)
        return _Tail(self._solid.offset + start, data[start:])
