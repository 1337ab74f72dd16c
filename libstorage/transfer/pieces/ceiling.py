"""How much an image may hold: what is over the ceiling is refused before it is received, decompressed or shown to a guest."""

from __future__ import annotations

from typing import Final

from libstorage.errors import InvalidRequestError
from libstorage.transfer.pieces.piece import Piece, Source, length_of
from libstorage.units import Size

_TABLES: Final = 16 << 20  # bytes; the header of LUKS 2


class Capped:
    """A source that may have so many bytes, and no more.

    Args:
        source: Where they come from.
        ceiling: How many there may be.
        tables: There may be as many more as formats and compressions need for themselves.

    Raises:
        InvalidRequestError: It says that it has more.
    """

    def __init__(self, source: Source, ceiling: int, *, tables: bool) -> None:
        self.name: str = source.name
        self.length: int | None = source.length
        self._source, self._ceiling, self._tables, self._done = source, ceiling, tables, 0
        check_held(self.name, self.length or 0, ceiling, tables=tables)

    def read(self, most: int) -> Piece:
        """The next piece of the source.

        Raises:
            InvalidRequestError: There is more than there may be.
        """
        piece = self._source.read(most)
        self._done += length_of(piece)
        check_held(self.name, self._done, self._ceiling, tables=self._tables)
        return piece


def check_held(name: str, found: int, ceiling: int, *, tables: bool) -> None:
    """Refuse an image that holds more than it may.

    Raises:
        InvalidRequestError: It does.
    """
    most = _with_tables(ceiling) if tables else ceiling
    if found > most:
        more = f", and {int(most)} with all tables" if tables else ""
        raise _refusal(f"{name}: the image holds {int(found)} bytes or more", ceiling, more)


def check_shown(name: str, found: int, ceiling: int) -> None:
    """Refuse an image that shows a guest more than it may.

    Raises:
        InvalidRequestError: It does.
    """
    if found > ceiling:
        raise _refusal(f"{name}: a guest would see {int(found)} bytes of the image", ceiling)


def _with_tables(ceiling: int) -> int:
    return ceiling + ceiling // 16 + _TABLES


def _refusal(said: str, ceiling: int, more: str = "") -> InvalidRequestError:
    return InvalidRequestError(
        f"{said}, more than the ceiling of {int(ceiling)} bytes ({Size(ceiling)}){more}",
        hint="The ceiling is max_capacity=, or else the capacity of the document: raise it if the image is to have that much.",
    )
