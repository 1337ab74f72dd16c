"""Checks that the end of an upload has arrived.

libvirt writes what it receives in a thread, one message after the other, and reports an error when the next message
arrives. It never reports an error in the last messages: an upload that filled the disk reports success with some
megabytes missing (seen with libvirt 9.0). Nothing is written after the first error, so if the end is there, all is.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from libstorage.transfer.pieces.piece import any_but_zero

KEPT = 4096
"""Number of bytes to keep and compare."""


@attrs.frozen
class Tail:
    """Bytes of a volume, with their offset."""

    offset: int
    data: bytes


class MissingBytes(Exception):
    """The end of an upload is missing although libvirt reported success.

    Attributes:
        offset: The first byte that is known to be missing.
        again: Whether the same bytes were lost again when they were sent a second time.
    """

    def __init__(self, offset: int, *, again: bool) -> None:
        super().__init__(offset)
        self.offset = offset
        self.again = again


class Ending:
    """The last bytes of an upload, and the last bytes that are not zero.

    Missing zeros cannot be distinguished from a hole, which reads as zeros; then the bytes before them decide.

    Args:
        offset: First byte of the upload in the volume.
    """

    def __init__(self, offset: int) -> None:
        self._end = offset
        self._last = b""
        self._solid = Tail(offset, b"")

    def add(self, data: bytes) -> None:
        """Note bytes that are sent."""
        if any_but_zero(data):
            self._solid = Tail(self._end, data)
        self._end += len(data)
        self._last = (self._last + data if len(data) < KEPT else data)[-KEPT:]

    def skip(self, length: int) -> None:
        """Note zeros that are skipped."""
        self._end += length
        self._last = (self._last + bytes(min(length, KEPT)))[-KEPT:]

    def first_missing(self, read: Callable[[int, int], bytes]) -> Tail | None:
        """Return the first kept bytes that the volume does not have, ``None`` if it has all.

        Args:
            read: Reads from the volume: takes an offset and a number of bytes.
        """
        for piece in {self._last_piece(), self._last_solid_piece()}:
            if piece.data and read(piece.offset, len(piece.data)) != piece.data:
                return piece
        return None

    def _last_piece(self) -> Tail:
        return Tail(self._end - len(self._last), self._last)

    def _last_solid_piece(self) -> Tail:
        data = self._solid.data.rstrip(b"\0")
        start = max(0, len(data) - KEPT)
        return Tail(self._solid.offset + start, data[start:])
