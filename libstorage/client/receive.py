"""The bytes of a volume as the source of a transfer: received by a thread while others are being written."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Final, Protocol

import attrs

from libstorage.client.pieces import Hole, Piece, length_of, split
from libstorage.client.raw import raw_volume
from libstorage.client.streams import stream
from libstorage.connection import ending, threads
from libstorage.connection.identity import VolumeId
from libstorage.connection.lane import Lane
from libstorage.connection.process import NEVER
from libstorage.connection.raw import RawStream, RawVolume
from libstorage.enums import StreamRecvFlags, VolumeDownloadFlags
from libstorage.errors import DeadlineError, TransferError
from libstorage.operations import VOLUME_DOWNLOAD

if TYPE_CHECKING:
    from libstorage.client.host import Host

RECEIVE_BYTES: Final = 262_120
"""How much to ask for at once: libvirt gives no more, and a negative number would end the interpreter."""

# With pieces of 1 MiB or more at once malloc gives memory back and takes it again all the time.
_BATCH = 256 << 10  # bytes that are worth waking those who read
_AHEAD = 1 << 20  # bytes that may be received before they are asked for
_PART = 4 << 20  # bytes that are asked for at once by a slow reader
_SLOW = 0.2  # seconds that a reader may keep a stream waiting
_RARELY = 0.1  # how much of the time, if it counts as one that keeps pace
_HOLE_COST = 4096  # how many bytes a hole counts for: there may be very many
_HOLE = -3  # what recvFlags answers where a hole begins
_PATIENCE = 1.0  # seconds until a receiver that is to stop is cut off


@attrs.frozen
class Extent:
    """A part of a volume that is to be received.

    Attributes:
        volume: Which volume.
        offset: Where the part begins.
        length: How many bytes it has; there must be so many.
        holes: Whether holes of the volume's file are given as such, and not as zeros.
    """

    volume: VolumeId
    offset: int
    length: int
    holes: bool


@contextmanager
def receiving(host: Host, extent: Extent, *, latest: float = NEVER) -> Iterator[Receiver]:
    """Bytes of a volume, as a source: a thread receives them while others are being written.

    Args:
        host: Where the volume is.
        extent: Which bytes.
        latest: When it must be over, by the monotonic clock.
    """
    receiver = Receiver(host, extent, latest)
    try:
        receiver.start()
        yield receiver
        receiver.end()
    finally:
        receiver.stop()


# ---- the loop -------------------------------------------------------------------------------------------------------


class Stopped(Exception):
    """Nobody wants the rest."""


class Outlet(Protocol):
    """Where received pieces go.

    Attributes:
        waited: For how many seconds it has kept the stream waiting.
    """

    waited: float

    def put(self, piece: Piece) -> None:
        """One more."""
        ...

    def hand_over(self, lane: Lane, latest: float, patience: float | None) -> bool:
        """Get rid of them, if they are worth it; whether that was possible in so many seconds.

        Raises:
            Stopped: Nobody wants them.
        """
        ...


class _Slow(Exception):
    """The outlet does not keep pace."""


class Intake:
    """Receives a part of a volume, in the thread that runs it."""

    def __init__(self, host: Host, extent: Extent, outlet: Outlet, latest: float) -> None:
        self._host, self._extent, self._outlet, self._latest = host, extent, outlet, latest
        self._lane: Lane | None = None

    def run(self) -> None:
        """Receive all: in one stream as long as the outlet keeps pace, else in parts.

        libvirt takes from the socket whatever comes, and keeps it: a slow reader would have all of it in memory.

        Raises:
            TransferError: The volume is shorter than it said.
            StorageError: The transfer broke off.
        """
        try:
            with self._host._lane(VOLUME_DOWNLOAD, self._extent.volume, latest=self._latest) as lane:
                self._lane, lane.is_receiving = lane, True
                try:
                    self._receive(lane)
                finally:
                    self._lane, lane.is_receiving = None, False
        except DeadlineError:
            if monotonic() < self._latest:
                raise
            raise self._too_late() from None

    def cut(self) -> None:
        """End it, whatever it waits for."""
        lane = self._lane
        if lane is not None:
            lane.cut()

    def _receive(self, lane: Lane) -> None:
        outlet, length = self._outlet, self._extent.length
        raw, done, most = raw_volume(lane, self._extent.volume), 0, length
        while done < length:
            began, waited = monotonic(), outlet.waited
            wanted = min(most, length - done)
            got = self._receive_part(lane, raw, done, wanted)
            done += got
            if got < wanted:
                outlet.hand_over(lane, self._latest, None)
                most = _PART
            elif outlet.waited - waited < _RARELY * (monotonic() - began):
                most *= 2

    def _receive_part(self, lane: Lane, raw: RawVolume, begin: int, length: int) -> int:
        """Receive some; how many bytes, which is fewer when the outlet is slow."""
        flags = VolumeDownloadFlags.SPARSE_STREAM if self._extent.holes else 0
        outlet, offset, left = self._outlet, self._extent.offset + begin, length
        waited = outlet.waited
        with suppress(_Slow), stream(lane, lambda s: raw.download(s, offset, length, flags)) as opened:
            while left:
                piece = self._next(opened, min(RECEIVE_BYTES, left))
                if not length_of(piece):
                    told = f"ended after {begin + length - left} of {self._extent.length} bytes"
                    raise TransferError(f"{self._extent.volume} {told}")
                piece, _ = split(piece, left)
                left -= length_of(piece)
                outlet.put(piece)
                patience = max(0.0, _SLOW + waited - outlet.waited) if left and length > _PART else None
                if not outlet.hand_over(lane, self._latest, patience):
                    raise _Slow
        return length - left

    def _next(self, opened: RawStream, most: int) -> Piece:
        if not self._extent.holes:
            return opened.recv(most)
        got = opened.recvFlags(most, StreamRecvFlags.STOP_AT_HOLE)
        if got == _HOLE:
            return Hole(opened.recvHole())
        if isinstance(got, int):
            raise TransferError(f"libvirt answered {got} instead of data")
        return got

    def _too_late(self) -> DeadlineError:
        volume = self._extent.volume
        return DeadlineError(
            f"the deadline passed while {volume} was being received",
            operation=VOLUME_DOWNLOAD.name,
            target=str(volume),
            uri=volume.uri,
        )


# ---- a thread of its own --------------------------------------------------------------------------------------------


class _Ahead:
    """Pieces that were received and not read yet.

    They are handed over many at once: every switch from one thread to another costs more than a piece. The reader may
    be interrupted while it waits, which cannot be said of ``threading.Condition``.
    """

    def __init__(self) -> None:
        self.waited: float = 0.0
        self._batches: SimpleQueue[deque[Piece] | BaseException | None] = SimpleQueue()
        self._room: SimpleQueue[None] = SimpleQueue()
        self._batch: deque[Piece] = deque()
        self._bytes = 0
        self._is_unwanted = False
        for _ in range(_AHEAD // _BATCH):
            self._room.put(None)

    def put(self, piece: Piece) -> None:
        self._batch.append(piece)
        self._bytes += _HOLE_COST if isinstance(piece, Hole) else len(piece)

    def hand_over(self, lane: Lane, latest: float, patience: float | None) -> bool:
        if self._bytes >= _BATCH:
            if not self._has_room(lane, patience):
                return False
            self._batches.put(self._batch)
            self._batch, self._bytes = deque(), 0
        lane.renew(latest)
        if self._is_unwanted:
            raise Stopped
        return True

    def _has_room(self, lane: Lane, patience: float | None) -> bool:
        """Wait for room; the lane has all the time."""
        began = monotonic()
        if self._room.empty():
            lane.pause()
        try:
            self._room.get(timeout=patience)
        except Empty:
            return False
        finally:
            self.waited += monotonic() - began
        return True

    def end(self, error: BaseException | None = None) -> None:
        """There are no more."""
        self._batches.put(self._batch)
        self._batches.put(error)

    def abandon(self) -> None:
        """Nobody wants more."""
        self._is_unwanted = True
        self._room.put(None)

    def take(self, giver: threading.Thread) -> deque[Piece] | None:
        """The next ones; ``None`` at the end.

        Args:
            giver: The thread that receives them.

        Raises:
            BaseException: What ended it.
        """
        got = threads.take(self._batches, giver)
        if isinstance(got, deque):
            self._room.put(None)
            return got
        self._batches.put(got)  # for whoever asks again
        if got is not None:
            raise got
        return None


class Receiver:
    """The bytes of a volume, received ahead."""

    def __init__(self, host: Host, extent: Extent, latest: float) -> None:
        self.name: str = str(extent.volume)
        self.length: int = extent.length
        self._ahead = _Ahead()
        self._intake = Intake(host, extent, self._ahead, latest)
        self._pieces: deque[Piece] = deque()
        self._unread = extent.length
        self._thread = threading.Thread(
            target=_run, args=(self._intake, self._ahead), name="libstorage-receiver", daemon=True
        )
        # Ctrl-C can strike before stop() is called: then the thread ends when its reader is gone.
        weakref.finalize(self, self._ahead.abandon).atexit = False

    def start(self) -> None:
        """Begin to receive."""
        if self.length:  # libvirt takes a length of 0 for no limit
            threads.start(self._thread)

    def read(self, most: int) -> Piece:
        """The next bytes, or the next hole.

        Raises:
            TransferError: The volume is shorter than it said.
            StorageError: The transfer broke off.
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
        return piece

    def end(self) -> None:
        """If all was read, wait until libvirt has said that it was right.

        Raises:
            StorageError: It was not.
        """
        if self.length and not self._unread:
            while self._ahead.take(self._thread) is not None:
                pass

    def stop(self) -> None:
        """End the thread, whatever it is doing."""
        self._ahead.abandon()
        ended(self._thread, self._intake)


def _run(intake: Intake, ahead: _Ahead) -> None:
    try:
        intake.run()
    except BaseException as error:  # noqa: BLE001 -- it is for those who read
        ahead.end(error)
    else:
        ahead.end()


def ended(thread: threading.Thread, intake: Intake | None) -> None:
    """Wait until a thread is over that was told to stop, and cut it off if it hangs."""
    if not thread.ident:  # also one that Ctrl-C struck while it started: it finds that all is over
        return
    threads.join(thread, _PATIENCE)
    if thread.is_alive() and intake is not None and not ending.is_past():
        intake.cut()
    threads.join(thread)
