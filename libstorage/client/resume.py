"""Going on where an upload broke off: after the longest beginning that is the same on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from libstorage.client.pieces import Digest, Piece, Preceded, Source, length_of, taken
from libstorage.client.progress import Watch
from libstorage.client.streams import receiving
from libstorage.connection.target import VolumeId

if TYPE_CHECKING:
    from libstorage.client.host import Host

_BLOCK: Final = 4 << 20
"""How many bytes to compare at once: of a block that differs all is sent again."""


def after_what_is_there(
    host: Host, volume: VolumeId, source: Source, offset: int, there: int, watch: Watch
) -> tuple[Source, int]:
    """The rest of a source, and how many bytes of it the volume has already.

    What the volume has is read back and compared by digest, block by block; a count of bytes says nothing of what
    has arrived.

    Args:
        host: Where the volume is.
        volume: Which one.
        source: What it is to hold.
        offset: From where on.
        there: How many bytes it has from there on.
        watch: The transfer.
    """
    meter = watch.phase("compare", there)
    with receiving(host, volume, offset, there, holes=False) as have:
        while meter.left:
            block = taken(source, min(_BLOCK, meter.left))
            length = sum(map(length_of, block))
            if not length or _digest(block) != _digest(taken(have, length)):
                source = Preceded(block, source)
                break
            meter.add(length)
    return source, meter.done


def _digest(block: list[Piece]) -> str:
    digest = Digest()
    for piece in block:
        digest.add(piece)
    return digest.hex()
