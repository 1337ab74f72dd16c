"""The bytes of a volume as the source of a transfer: a thread receives them while earlier ones are written."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from queue import Empty, SimpleQueue
from time import monotonic

from libstorage.connection import threads
from libstorage.connection.clock import NEVER
from libstorage.connection.lane import Lane
from libstorage.errors import TransferError
from libstorage.session.channel import Channel
from libstorage.transfer.pieces.piece import Hole, Piece, length_of, split
from libstorage.transfer.volume.intake import Intake, Stopped, ended
from libstorage.transfer.volume.range import VolumeRange

# With pieces of 1 MiB or more at once malloc gives memory back and takes it again all the time.
_BATCH = 256 << 10  # bytes that are worth waking those who read
_AHEAD = 1 << 20  # bytes that may be received before they are asked for
_HOLE_COST = 4096  # how many bytes a hole counts for: there may be very many


@contextmanager
def receiving(channel: Channel, extent: VolumeRange, *, latest: float = NEVER) -> Iterator[Receiver]:
    """Open a range of a volume as a source: a thread receives the bytes while earlier ones are written.

    Args:
        channel: The host that the volume is on.
        extent: The range.
        latest: End of the transfer's time, by the monotonic clock.
    """
    receiver = Receiver(channel, extent, latest)
    try:
        receiver.start()
        yield receiver
    finally:
        receiver.stop()


class _Ahead:
    """Pieces that were received and not read yet.

    Pieces are passed on in batches: a switch between threads costs more than a piece. The waiting reader can be
    interrupted, which ``threading.Condition`` does not allow.

    Attributes:
        waited: Seconds that the reader has kept the stream waiting.
        is_unwanted: Whether the rest is no longer wanted.
    """

    def __init__(self) -> None:
        self.waited: float = 0.0
        self.is_unwanted: bool = False
        self._batches: SimpleQueue[deque[Piece] | BaseException | None] = SimpleQueue()
        self._room: SimpleQueue[None] = SimpleQueue()
        self._batch: deque[Piece] = deque()
        self._bytes = 0
        for _ in range(_AHEAD // _BATCH):
            self._room.put(None)

    def put(self, piece: Piece) -> None:
        self._batch.append(piece)
        self._bytes += _HOLE_COST if isinstance(piece, Hole) else len(piece)

    def hand_over(self, lane: Lane, latest: float, patience: float | None) -> bool:
        if self._bytes >= _BATCH:
            if not self._has_room(lane, latest, patience):
                return False
            self._batches.put(self._batch)
            self._batch, self._bytes = deque(), 0
        lane.renew(latest)
        if self.is_unwanted:
            raise Stopped
        return True

    def _has_room(self, lane: Lane, latest: float, patience: float | None) -> bool:
        """Wait for room, with the lane's time limit suspended."""
        began = monotonic()
        try:
            with lane.paused(latest) if self._room.empty() else nullcontext():
                self._room.get(timeout=patience)
        except Empty:
            return False
        finally:
            self.waited += monotonic() - began
        return True

    def end(self, error: BaseException | None = None) -> None:
        """Note the end."""
        self._batches.put(self._batch)
        self._batches.put(error)

    def abandon(self) -> None:
        """Stop the receiving thread: the rest is not wanted."""
        self.is_unwanted = True
        self._room.put(None)

    def take(self, giver: threading.Thread) -> deque[Piece] | None:
        """Return the next batch; ``None`` at the end.

        Args:
            giver: The receiving thread.

        Raises:
            BaseException: The error that ended the receiving thread.
        """
        got = threads.take(self._batches, giver)
        if isinstance(got, deque):
            self._room.put(None)
            return got
        self._batches.put(got)  # for the next call
        if got is not None:
            raise got
        return None


class Receiver:
    """The bytes of a volume, received ahead of the reader."""

    def __init__(self, channel: Channel, extent: VolumeRange, latest: float) -> None:
        self.name: str = str(extent.volume)
        self.length: int = extent.length
        self._ahead = _Ahead()
        self._intake = Intake(channel, extent, self._ahead, latest)
        self._pieces: deque[Piece] = deque()
        self._unread = extent.length
        self._thread = threading.Thread(
            target=_run, args=(self._intake, self._ahead), name="libstorage-receiver", daemon=True
        )
        # Ctrl-C can interrupt before stop() is called: then the thread ends when the receiver is collected.
        weakref.finalize(self, self._ahead.abandon).atexit = False

    def start(self) -> None:
        """Start to receive."""
        if self.length:  # libvirt takes a length of 0 as no limit
            threads.start(self._thread)

    def read(self, most: int) -> Piece:
        """Return the next bytes or the next hole; the last piece only when libvirt has confirmed the transfer.

        So an error at the end of the stream is an error of the read, while the sink is not complete yet.

        Raises:
            TransferError: If the volume is shorter than its stated length.
            StorageError: If the transfer broke off.
        """
        if not self._unread:
            return b""
        while not self._pieces:
            pieces = self._ahead.take(self._thread)
            if pieces is None:
                raise TransferError(f"{self.name} ended {self._unread} bytes before its end")
            self._pieces = pieces
        piece = self._pieces.popleft()
        if length_of(piece) > most:
            piece, rest = split(piece, most)
            self._pieces.appendleft(rest)
        self._unread -= length_of(piece)
        if not self._unread:
            self._wait_for_end()
        return piece

    def _wait_for_end(self) -> None:
        while self._ahead.take(self._thread) is not None:
            pass

    def stop(self) -> None:
        """End the receiving thread, whatever it waits for."""
        self._ahead.abandon()
        ended(self._thread, self._intake)


def _run(intake: Intake, ahead: _Ahead) -> None:
    try:
        if not ahead.is_unwanted:  # Ctrl-C may have interrupted the start of this thread
            intake.run()
    except BaseException as error:  # noqa: BLE001 -- the reader raises it
        ahead.end(error)
    else:
        ahead.end()
