"""Moves pieces from a source to a sink."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Final

from libstorage.connection.lane import Lane
from libstorage.errors import TransferError
from libstorage.transfer.pieces.piece import Sink, Source, length_of
from libstorage.transfer.progress import Meter

_MOST: Final = 64 << 20  # bytes of a hole at once, so that filling it with zeros does not take too long


def pump(
    source: Source, sink: Sink | None, meter: Meter, lane: Lane | None = None, *, room: int | None = None
) -> None:
    """Move all pieces from a source to a sink.

    Args:
        source: The source.
        sink: The sink; ``None`` only reads.
        meter: Counts the bytes, and knows their number unless the source ends by itself.
        lane: The lane of the sink. Its time limit is suspended while the source and the progress function run.
        room: Largest number of bytes that the sink takes.

    Raises:
        TransferError: If the source is shorter or longer than the number of bytes to move.
    """
    while (left := meter.left) is None or left:
        with nullcontext() if lane is None else lane.paused(meter.latest):
            piece = source.read(_MOST if left is None else min(left, _MOST))
        if not length_of(piece):
            if left is None:
                return
            done, total = meter.told
            raise TransferError(f"{source.name} ended after {done} of {total} bytes")
        if room is not None and meter.done + length_of(piece) > room:
            raise TransferError(
                f"{source.name} does not fit: there is room for {room} bytes", hint="Resize it first."
            )
        if sink is not None:
            sink.write(piece)
        with nullcontext() if lane is None else lane.paused(meter.latest):
            meter.add(length_of(piece))
