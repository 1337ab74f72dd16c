"""What a transfer moves: pieces of data, and holes, which read as zeros and take no space."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Final, Protocol, TypeAlias, runtime_checkable

import attrs

ZEROS: Final = bytes(1 << 20)
"""Zeros to write where a hole cannot be made."""


@attrs.frozen
class Hole:
    """A run of zeros that needs no space."""

    length: int


Piece: TypeAlias = bytes | Hole
"""Bytes or a hole; empty bytes are the end."""


class Source(Protocol):
    """A source of pieces."""

    @property
    def name(self) -> str:
        """Name for messages."""
        ...

    @property
    def length(self) -> int | None:
        """Number of bytes; ``None`` if unknown."""
        ...

    def read(self, most: int) -> Piece:
        """Return the next piece, of at most ``most`` bytes; ``b""`` at the end."""
        ...


@runtime_checkable
class Peekable(Protocol):
    """A source that can be read elsewhere, too."""

    def peek(self, place: int, most: int) -> bytes:
        """Return at most ``most`` bytes from an offset, and stay where the source is; empty if that is impossible."""
        ...


class Sink(Protocol):
    """A sink of pieces."""

    def write(self, piece: Piece) -> None:
        """Write the whole piece."""
        ...


class PlacedSink(Sink, Protocol):
    """A sink that can be written at several offsets at once."""

    def at(self, place: int) -> PlaceSink:
        """Return a sink that writes from ``place`` on."""
        ...


class PlaceSink(Sink, Protocol):
    """A sink that writes from one offset on."""

    def flush(self) -> int:
        """Write what was buffered, and return the offset behind it."""
        ...


@runtime_checkable
class Openable(Protocol):
    """A source that opens itself: the content of a volume, or what another thread writes."""

    def opened(self, *, holes: bool, latest: float) -> AbstractContextManager[Source]:
        """Open it.

        Args:
            holes: Return holes as holes, not as zeros.
            latest: End of the transfer's time, by the monotonic clock.
        """
        ...


def peek_of(source: Source) -> Callable[[int, int], bytes]:
    """Return what reads a source elsewhere; it finds nothing if the source can be read in order only."""
    return source.peek if isinstance(source, Peekable) else lambda _place, _most: b""


def length_of(piece: Piece) -> int:
    """Return the number of bytes of a piece."""
    return piece.length if isinstance(piece, Hole) else len(piece)


def joined(pieces: list[Piece]) -> bytes:
    """Return the bytes of pieces."""
    return b"".join(bytes(piece.length) if isinstance(piece, Hole) else piece for piece in pieces)


def zeros(length: int) -> Iterator[bytes]:
    """Yield ``length`` zeros, in parts that can be sent."""
    for done in range(0, length, len(ZEROS)):
        yield ZEROS[: length - done]


def taken(source: Source, length: int) -> list[Piece]:
    """Take pieces from a source, ``length`` bytes together if it has them; small pieces are joined."""
    pieces: list[Piece] = []
    data = bytearray()
    while length and length_of(piece := source.read(length)):
        length -= length_of(piece)
        if not isinstance(piece, Hole):
            data += piece
        if data and (isinstance(piece, Hole) or len(data) >= len(ZEROS)):
            pieces.append(bytes(data))
            data.clear()
        if isinstance(piece, Hole):
            pieces.append(piece)
    return [*pieces, bytes(data)] if data else pieces


def any_but_zero(data: bytes) -> bool:
    """Return whether any byte is not zero; fast if the first byte is not."""
    return data[:1] != b"\0" or data != bytes(len(data))


def split(piece: Piece, place: int) -> tuple[Piece, Piece]:
    """Split a piece after at most ``place`` bytes."""
    if length_of(piece) <= place:
        return piece, b""
    if isinstance(piece, Hole):
        return Hole(place), Hole(piece.length - place)
    return piece[:place], piece[place:]


PIECE: Final = 640 << 10
"""Number of bytes of data to read at once."""


FIRST: Final = 1792 << 10
"""Number of bytes to read first: as many as are sent first, so no pieces have to be joined."""
