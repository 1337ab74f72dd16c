"""Follows the tables of an image, and finds what they point to behind its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush
from typing import Final, TypeAlias

import attrs

from libstorage.transfer.pieces.piece import Hole, Piece, length_of

Peek: TypeAlias = Callable[[int, int], bytes]
"""Reads bytes at an offset, at most the given number, and moves nothing; empty where nothing can be read."""

AHEAD: Final = 16 << 20
"""Number of bytes of tables to read ahead of the transfer."""

_AT_ONCE: Final = 256 << 10
_TAIL: Final = 2048
_FREE_WORK: Final = 64 << 20  # tables that overlap are read again and again: a crafted image could cost days
_MOST_TABLES: Final = 1 << 20


class CutOffError(Exception):
    """A table that is, or points, behind the end of its image."""


class Tables:
    """The tables of an image, read as they come by.

    Args:
        length: Number of bytes of the image; ``None`` if it is known at its end only.

    Attributes:
        length: Number of bytes of the image, or ``None``.
    """

    def __init__(self, length: int | None) -> None:
        self.length: int | None = length
        self._end, self._what = 0, ""
        self._place = self._work = self._number = 0
        self._waiting: list[tuple[int, int, _Reading]] = []
        self._seen: dict[str, set[int]] = {}
        self._missed: list[_Reading] = []
        self._tail, self._end_waits = b"", False
        self._missed_bytes = 0
        self._at_end: list[tuple[int, Callable[[bytes], None]]] = []

    @property
    def has_end(self) -> bool:
        """Whether the end that was asked for has been read, or none was."""
        return not self._at_end and not self._end_waits

    def need(self, end: int, what: str) -> None:
        """State that the image must have ``end`` bytes for ``what``.

        Raises:
            CutOffError: If it is known to be shorter.
        """
        if end > self._end:
            self._end, self._what = end, what
            if self.length is not None:
                self._check(self.length)

    def read(
        self,
        place: int,
        length: int,
        unit: int,
        what: str,
        then: Callable[[bytes], None],
        must: int | None = None,
    ) -> None:
        """Read a table when it comes by, and state that the image must have it.

        Args:
            place: Offset of the table.
            length: Number of bytes.
            unit: Number of bytes of an entry; ``then`` gets whole entries.
            what: Name of the table, for messages.
            then: Called with the entries, in one or more parts.
            must: Number of bytes that the image must have; ``None`` for all.
        """
        self.read_all([place], length, unit, what, then, must)

    def read_all(
        self,
        places: Sequence[int],
        length: int,
        unit: int,
        what: str,
        then: Callable[[bytes], None],
        must: int | None = None,
    ) -> None:
        """Read tables of equal length, each of them once."""
        if not places or not length:
            return
        self.need(max(places) + (length if must is None else must), what)
        seen = self._seen.setdefault(what, set())
        fresh = sorted(set(places) - seen)
        if fresh and len(seen) + len(fresh) <= _MOST_TABLES:
            seen.update(fresh)
            self._put(_Reading(iter(fresh), length, unit, then))

    def read_end(self, length: int, then: Callable[[bytes], None]) -> None:
        """Read the last bytes of the image, which may be at most 2 KiB; a shorter image is read whole."""
        if self.length is None:
            self._at_end.append((length, then))
        elif self.length:
            length = min(length, self.length)
            self._end_waits = True
            self._put(
                _Reading(iter([self.length - length]), length, length, lambda data: self._ended(data, then))
            )

    def look(self, peek: Peek, most: int = AHEAD) -> None:
        """Read tables ahead of the transfer, as far as they can be.

        Raises:
            CutOffError: If a table points behind the end of the image.
        """
        later: list[_Reading] = []
        while self._waiting:
            _, _, reading = heappop(self._waiting)
            data = peek(reading.place, min(reading.left, _AT_ONCE)) if most > 0 else b""
            most -= len(data)
            if not data:
                later.append(reading)
            else:
                reading.take(data)
                self._put(reading)
        for reading in later:
            self._push(reading)

    def feed(self, piece: Piece) -> None:
        """Take the next piece of the image.

        Raises:
            CutOffError: If a table points behind the end of the image.
        """
        start, end = self._place, self._place + length_of(piece)
        while self._waiting and self._waiting[0][0] < end:
            _, _, reading = heappop(self._waiting)
            if self._work > 4 * start + _FREE_WORK:
                continue
            if reading.place < start:
                self._miss(reading)
                continue
            data = _part(piece, reading.place - start, min(reading.left, _AT_ONCE))
            self._work += len(data)
            reading.take(data)
            self._put(reading)
        self._place = end
        if self._at_end and length_of(piece):
            last = min(_TAIL, length_of(piece))
            self._tail = (self._tail + _part(piece, length_of(piece) - last, last))[-_TAIL:]

    def finish(self) -> None:
        """Take the end of the image.

        Raises:
            CutOffError: If a table is, or points, behind it.
        """
        for length, then in self._at_end:
            then(self._tail[-length:])
        self._at_end.clear()
        self._check(self._place)

    def look_back(self, peek: Peek) -> None:
        """Read the tables that had gone by before anything pointed to them; for the end of the image, and once.

        Raises:
            CutOffError: If one points behind the end.
        """
        self.length, self._waiting = self._place, []
        for reading in self._missed:
            self._push(reading)
        self._missed = []
        self.look(peek)

    @property
    def has_missed(self) -> bool:
        """Whether tables had gone by before anything pointed to them."""
        return bool(self._missed)

    def _ended(self, data: bytes, then: Callable[[bytes], None]) -> None:
        self._end_waits = False
        then(data)

    def _check(self, length: int) -> None:
        if self._end > length:
            raise CutOffError(f"its {self._what} reaches to byte {self._end}, and it has {length} bytes")

    def _put(self, reading: _Reading) -> None:
        """Wait for the rest of a reading's table, or its next one."""
        if reading.begin():
            self._push(reading)

    def _miss(self, reading: _Reading) -> None:
        """Note a table that has gone by already."""
        if self._missed_bytes < AHEAD:
            self._missed_bytes += reading.left
            self._missed.append(attrs.evolve(reading, places=iter(())))
        reading.left = 0
        self._put(reading)

    def _push(self, reading: _Reading) -> None:
        self._number += 1
        heappush(self._waiting, (reading.place, self._number, reading))


@attrs.define(eq=False)
class _Reading:
    """Tables of equal length, the first of them in progress."""

    places: Iterator[int]
    length: int
    unit: int
    then: Callable[[bytes], None]
    place: int = 0
    left: int = 0
    carry: bytes = b""

    def begin(self) -> bool:
        """Go to the next table, unless this one is in progress; return whether there is one."""
        if not self.left:
            place = next(self.places, None)
            if place is None:
                return False
            self.place, self.left, self.carry = place, self.length, b""
        return True

    def take(self, data: bytes) -> None:
        """Hand over entries."""
        self.place += len(data)
        self.left -= len(data)
        data = self.carry + data
        whole = len(data) // self.unit * self.unit
        self.carry = data[whole:]
        if whole:
            self.then(data[:whole])


def _part(piece: Piece, place: int, length: int) -> bytes:
    if isinstance(piece, Hole):
        return bytes(min(length, piece.length - place))
    return piece[place : place + length]
