"""Resumes a transfer after the longest prefix that source and destination share."""

from __future__ import annotations

from typing import Final

from libstorage.transfer.pieces.checksum import Digest
from libstorage.transfer.pieces.filters import Preceded
from libstorage.transfer.pieces.piece import Piece, Source, length_of, taken
from libstorage.transfer.progress import Meter

_BLOCK: Final = 4 << 20
"""Number of bytes to compare at once; a block that differs is transferred again."""


def after_what_is_there(source: Source, have: Source, meter: Meter) -> Source:
    """Return the rest of a source behind what the sink already has; ``meter.done`` is the number of shared bytes.

    The sink's content is read and compared by digest, block by block: its length does not prove what has arrived.

    Args:
        source: The desired content.
        have: The sink's present content.
        meter: Counts the compared bytes, up to its total.
    """
    while meter.left:
        block = taken(source, min(_BLOCK, meter.left))
        length = sum(map(length_of, block))
        if not length or _digest(block) != _digest(taken(have, length)):
            return Preceded(block, source)
        meter.add(length)
    return source


def _digest(block: list[Piece]) -> str:
    digest = Digest()
    for piece in block:
        digest.add(piece)
    return digest.hex()
