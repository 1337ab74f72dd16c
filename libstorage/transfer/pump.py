"""What uploads and downloads share: pieces from a source to a sink, and what is said when that breaks off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from libstorage.connection.lane import Lane
from libstorage.errors import TransferError
from libstorage.transfer.pieces.piece import Sink, Source, length_of
from libstorage.transfer.progress import Meter

if TYPE_CHECKING:
    pass

_MOST: Final = 64 << 20  # bytes of a hole at once, so that one that has to be filled does not take too long


def pump(
    source: Source, sink: Sink | None, meter: Meter, lane: Lane | None = None, *, room: int | None = None
) -> None:
    """Move everything from a source to a sink.

    Args:
        source: Where from.
        sink: Where to; ``None`` for nowhere, when reading is all.
        meter: Knows how much there is, unless the source ends by itself.
        lane: The lane that the sink is on: the source and whoever watches may take as long as they like.
        room: How many bytes the sink takes at most.

    Raises:
        TransferError: The source ended before, or goes on after, what was to be moved.
    """
    while (left := meter.left) is None or left:
        with _own_time(lane, meter.latest):
            piece = source.read(_MOST if left is None else min(left, _MOST))
        if not length_of(piece):
            if left is None:
                return
            raise TransferError(f"{source.name} ended after {meter.done} of {meter.total} bytes")
        if room is not None and meter.done + length_of(piece) > room:
            raise TransferError(
                f"{source.name} does not fit: there is room for {room} bytes", hint="Resize it first."
            )
        if sink is not None:
            sink.write(piece)
        with _own_time(lane, meter.latest):
            meter.add(length_of(piece))


@contextmanager
def _own_time(lane: Lane | None, latest: float) -> Iterator[None]:
    """For what the caller's file and progress do: they may take as long as they like."""
    if lane is None:
        yield
        return
    lane.pause()
    try:
        yield
    finally:
        lane.renew(latest)
