"""What a transfer moves: pieces of data, and holes, which read as zeros and take no space."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, Protocol, TypeAlias

import attrs

from libstorage.errors import TransferError

ZEROS: Final = bytes(1 << 20)
"""What is written where a hole cannot be made."""

_BLOCK: Final = 64 * 1024
"""How many zeros are worth a hole."""


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


class Digest:
    """The digest of all pieces that went by.

    Args:
        algorithm: One of ``hashlib``'s.
    """

    def __init__(self, algorithm: str = "sha256") -> None:
        import hashlib  # brings OpenSSL, which a plain transfer does without

        self._hash = hashlib.new(algorithm)

    def add(self, piece: Piece) -> None:
        """This piece is next."""
        for data in zeros(piece.length) if isinstance(piece, Hole) else (piece,):
            self._hash.update(data)

    def hex(self) -> str:
        """In hexadecimal digits."""
        return self._hash.hexdigest()


class Hashed:
    """A source whose pieces are added to a digest as they are read."""

    def __init__(self, source: Source, digest: Digest) -> None:
        self.name: str = source.name
        self.length: int | None = source.length
        self._source, self._digest = source, digest

    def read(self, most: int) -> Piece:
        """The next piece of the source."""
        piece = self._source.read(most)
        self._digest.add(piece)
        return piece


class Padded:
    """A source with a hole behind it, so that there are ``length`` bytes.

    Args:
        source: What comes before the hole.
        wanted: How many bytes of it, which must be there; ``None`` for all.
        length: How many bytes there are together.
    """

    def __init__(self, source: Source, wanted: int | None, length: int) -> None:
        self.name: str = source.name
        self.length: int | None = length
        self._source, self._wanted, self._left = source, wanted, length

    def read(self, most: int) -> Piece:
        """The next piece of the source, or of the hole behind it.

        Raises:
            TransferError: The source has more than ``length`` bytes.
        """
        piece = self._content(min(most, self._left))
        self._left -= length_of(piece)
        if not self._left and self._wanted is None and length_of(self._source.read(1)):
            raise TransferError(
                f"{self.name} does not fit: there is room for {self.length} bytes", hint="Resize it first."
            )
        return piece

    def _content(self, most: int) -> Piece:
        if self._wanted == 0:
            return Hole(most)
        if self._wanted is None:
            return self._source.read(most) or Hole(most)
        piece = self._source.read(min(most, self._wanted))
        self._wanted -= length_of(piece)
        return piece


class Preceded:
    """A source with pieces that were taken out of it put back before the rest."""

    def __init__(self, pieces: Iterable[Piece], source: Source) -> None:
        self.name: str = source.name
        self.length: int | None = source.length
        self._pieces, self._source = deque(pieces), source

    def read(self, most: int) -> Piece:
        """The next of the pieces, and then of the source."""
        if not self._pieces:
            return self._source.read(most)
        piece, rest = split(self._pieces.popleft(), most)
        if length_of(rest):
            self._pieces.appendleft(rest)
        return piece


class Sparsified:
    """A source whose long runs of zeros are holes."""

    def __init__(self, source: Source) -> None:
        self.name: str = source.name
        self.length: int | None = source.length
        self._source = source
        self._rest = b""

    def read(self, most: int) -> Piece:
        """The next data, or the next run of zeros."""
        if not self._rest:
            piece = self._source.read(most)
            if isinstance(piece, Hole) or not piece:
                return piece
            self._rest = piece
        data, self._rest = self._rest[:most], self._rest[most:]
        blocks = range(0, len(data), _BLOCK)
        zero = not any_but_zero(data[:_BLOCK])
        end = next((b for b in blocks if any_but_zero(data[b : b + _BLOCK]) is zero), len(data))
        self._rest = data[end:] + self._rest
        return Hole(end) if zero else data[:end]


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
