"""What a transfer moves: pieces of data, and holes, which read as zeros and take no space."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Final, Protocol, TypeAlias, runtime_checkable

import attrs

ZEROS: Final = bytes(1 << 20)
"""What is written where a hole cannot be made."""


@attrs.frozen
class Hole:
    """So many zeros that need no space."""

    length: int


Piece: TypeAlias = bytes | Hole
"""Bytes, or a hole; no bytes at all are the end."""


class Source(Protocol):
    """Where pieces come from."""

    @property
    def name(self) -> str:
        """For messages."""
        ...

    @property
    def length(self) -> int | None:
        """How many bytes there are; ``None`` if it cannot tell."""
        ...

    def read(self, most: int) -> Piece:
        """The next piece, of at most so many bytes; ``b""`` at the end."""
        ...


class Sink(Protocol):
    """Where pieces go to."""

    def write(self, piece: Piece) -> None:
        """Take all of a piece."""
        ...


class PlacedSink(Sink, Protocol):
    """A sink with places, which can be written to side by side."""

    def at(self, place: int) -> PlaceSink:
        """A sink for what stands from this place on."""
        ...


class PlaceSink(Sink, Protocol):
    """One place of a sink."""

    def flush(self) -> int:
        """Write what has waited; where the place is then."""
        ...


@runtime_checkable
class Openable(Protocol):
    """A source that knows itself how it is opened: the content of a volume, or what another thread writes."""

    def opened(self, *, holes: bool, latest: float) -> AbstractContextManager[Source]:
        """Open it.

        Args:
            holes: Give holes as such, and not as zeros.
            latest: When the transfer must be over, by the monotonic clock.
        """
        ...


def length_of(piece: Piece) -> int:
    """How many bytes a piece stands for."""
    return piece.length if isinstance(piece, Hole) else len(piece)


def zeros(length: int) -> Iterator[bytes]:
    """So many zeros, in parts that can be sent."""
    for done in range(0, length, len(ZEROS)):
        yield ZEROS[: length - done]


def taken(source: Source, length: int) -> list[Piece]:
    """The next pieces of a source, of so many bytes together if it has them; small ones are joined."""
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
    """Whether a byte is not zero; in no time if the first one is not."""
    return data[:1] != b"\0" or data != bytes(len(data))


def split(piece: Piece, place: int) -> tuple[Piece, Piece]:
    """A piece as two: so many bytes at most, and the rest."""
    if length_of(piece) <= place:
        return piece, b""
    if isinstance(piece, Hole):
        return Hole(place), Hole(piece.length - place)
    return piece[:place], piece[place:]


PIECE: Final = 640 << 10
"""How many bytes of data to read at once."""


FIRST: Final = 1792 << 10
"""How many bytes to read first: as many as are sent first, so that nothing has to be joined."""
