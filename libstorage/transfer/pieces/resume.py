"""Going on where a transfer broke off: after the longest beginning that is the same on both sides."""

from __future__ import annotations

from typing import Final

from libstorage.transfer.pieces.checksum import Digest
from libstorage.transfer.pieces.filters import Preceded
from libstorage.transfer.pieces.piece import Piece, Source, length_of, taken
from libstorage.transfer.progress import Meter

_BLOCK: Final = 4 << 20
"""How many bytes to compare at once: of a block that differs all is moved again."""


def after_what_is_there(source: Source, have: Source, meter: Meter) -> Source:
    """The rest of a source, behind what its sink has already; ``meter.done`` says how many bytes these are.

    What is there is read and compared by digest, block by block; a count of bytes says nothing of what has arrived.

    Args:
        source: What the sink is to hold.
        have: What it holds.
        meter: Knows how much to compare.
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
