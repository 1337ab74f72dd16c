"""Sources that change the pieces of another source on their way."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from libstorage.errors import TransferError
from libstorage.transfer.pieces.checksum import Digest
from libstorage.transfer.pieces.piece import Hole, Piece, Source, any_but_zero, length_of, split

_BLOCK: Final = 64 * 1024
"""Number of zeros that justify a hole."""


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
    """A source followed by a hole, ``length`` bytes together.

    Args:
        source: The source in front of the hole.
        wanted: Number of bytes of the source, which must exist; ``None`` for all.
        length: Number of bytes of source and hole together.

    Attributes:
        content: Number of bytes of the source; ``None`` until it is known.
    """

    def __init__(self, source: Source, wanted: int | None, length: int) -> None:
        self.name: str = source.name
        self.length: int = length
        self.content: int | None = wanted
        self._source, self._wanted, self._left = source, wanted, length

    def read(self, most: int) -> Piece:
        """Return the next piece of the source, or of the hole behind it.

        Raises:
            TransferError: If the source has more than ``length`` bytes.
        """
        piece = self._content(min(most, self._left))
        self._left -= length_of(piece)
        if not self._left and self.content is None:
            if length_of(self._source.read(1)):
                raise TransferError(
                    f"{self.name} does not fit: there is room for {self.length} bytes",
                    hint="Resize it first.",
                )
            self.content = self.length
        return piece

    def _content(self, most: int) -> Piece:
        if self._wanted == 0:
            return Hole(most)
        if self._wanted is not None:
            piece = self._source.read(min(most, self._wanted))
            self._wanted -= length_of(piece)
            return piece
        piece = self._source.read(most)
        if length_of(piece) or not most:
            return piece
        if self.content is None:
            self.content = self.length - self._left
        return Hole(most)


class Preceded:
    """A source with pieces put back in front of the rest."""

    def __init__(self, pieces: Iterable[Piece], source: Source) -> None:
        self.name: str = source.name
        self.length: int | None = source.length
        self._pieces, self._source = deque(pieces), source

    def read(self, most: int) -> Piece:
        """Return the next of the pieces, then of the source."""
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
        """Return the next data, or the next run of zeros as a hole."""
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
