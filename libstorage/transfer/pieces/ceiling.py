"""The ceiling of an image: what exceeds it is refused before it is received, decompressed or shown to a guest."""

from __future__ import annotations

from typing import Final

from libstorage.errors import InvalidRequestError
from libstorage.transfer.pieces.piece import Piece, Source, length_of
from libstorage.units import Size

_TABLES: Final = 16 << 20  # bytes; the header of LUKS 2


class Capped:
    """A source that fails if it has more bytes than a ceiling.

    Args:
        source: The source.
        ceiling: Largest number of bytes.
        tables: Whether to allow the additional bytes that formats and compressions need for their tables.

    Raises:
        InvalidRequestError: If the source states a larger length.
    """

    def __init__(self, source: Source, ceiling: int, *, tables: bool) -> None:
        self.name: str = source.name
        self.length: int | None = source.length
        self._source, self._ceiling, self._tables, self._done = source, ceiling, tables, 0
        check_held(self.name, self.length or 0, ceiling, tables=tables)

    def read(self, most: int) -> Piece:
        """Return the next piece of the source.

        Raises:
            InvalidRequestError: If the source exceeds the ceiling.
        """
        piece = self._source.read(most)
        self._done += length_of(piece)
        check_held(self.name, self._done, self._ceiling, tables=self._tables)
        return piece


def check_held(name: str, found: int, ceiling: int, *, tables: bool) -> None:
    """Check the number of bytes that an image holds.

    Raises:
        InvalidRequestError: If it exceeds the ceiling.
    """
    most = _with_tables(ceiling) if tables else ceiling
    if found > most:
        more = f", and {int(most)} with all tables" if tables else ""
        raise _refusal(f"{name}: the image holds at least {int(found)} bytes", ceiling, more)


def check_shown(name: str, found: int, ceiling: int) -> None:
    """Check the capacity that an image shows to a guest.

    Raises:
        InvalidRequestError: If it exceeds the ceiling.
    """
    if found > ceiling:
        raise _refusal(f"{name}: a guest would see {int(found)} bytes of the image", ceiling)


def _with_tables(ceiling: int) -> int:
    return ceiling + ceiling // 16 + _TABLES


def _refusal(said: str, ceiling: int, more: str = "") -> InvalidRequestError:
    return InvalidRequestError(
        f"{said}, more than the ceiling of {int(ceiling)} bytes ({Size(ceiling)}){more}",
        hint="The ceiling is max_capacity=, or else the capacity of the spec: raise it to accept this image.",
    )
