"""How much an image may hold: what is over the ceiling is refused before it is received, decompressed or shown to a guest."""

from __future__ import annotations

from typing import Final

from libstorage.client.pieces import Piece, Source, length_of
from libstorage.errors import InvalidRequestError
from libstorage.units import Size

_TABLES: Final = 16 << 20  # bytes; the header of LUKS 2


class Capped:
    """A source that may have so many bytes, and no more.

    Args:
        source: Where they come from.
        most: How many there may be.

    Raises:
        InvalidRequestError: It says that it has more.
    """

    def __init__(self, source: Source, most: int) -> None:
        self.name: str = source.name
        self.length: int | None = source.length
        self._source, self._most, self._done = source, most, 0
        check_held(self.name, self.length or 0, most)

    def read(self, most: int) -> Piece:
        """The next piece of the source.

        Raises:
            InvalidRequestError: There is more than there may be.
        """
        piece = self._source.read(most)
        self._done += length_of(piece)
        check_held(self.name, self._done, self._most)
        return piece


def check_held(name: str, found: int, most: int) -> None:
    """Refuse an image that holds more than it may.

    Raises:
        InvalidRequestError: It does.
    """
    if found > most:
        raise _refusal(f"{name}: the image holds {int(found)} bytes or more", most)


def check_shown(name: str, found: int, most: int) -> None:
    """Refuse an image that shows a guest more than it may.

    Raises:
        InvalidRequestError: It does.
    """
    if found > most:
        raise _refusal(f"{name}: a guest would see {int(found)} bytes of the image", most)


def with_tables(ceiling: int) -> int:
    """How many bytes may stand for so many that a guest sees: formats and compressions have tables of their own."""
    return ceiling + ceiling // 16 + _TABLES


def _refusal(said: str, most: int) -> InvalidRequestError:
    return InvalidRequestError(
        f"{said}, more than the ceiling of {int(most)} bytes ({Size(most)})",
        hint="The ceiling is max_capacity=, or else the capacity of the document: raise it if the image is to have that much.",
        outcome="not_started",
        retry="no",
    )
