"""The bytes of a volume as source and as sink of a transfer: libvirt's streams, with loops of our own.

The binding's own loops lose data: they ignore short writes, and those for holes end well after an exception.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Final

from libstorage.client.arrival import Ending, Missing
from libstorage.client.pieces import Hole, Piece, length_of, split, zeros
from libstorage.client.raw import raw_volume
from libstorage.client.sources import FIRST, PIECE
from libstorage.connection.lane import Lane
from libstorage.connection.process import NEVER
from libstorage.connection.raw import RawStream, RawVolume
from libstorage.connection.target import VolumeId
from libstorage.enums import StreamRecvFlags, VolumeDownloadFlags, VolumeUploadFlags
from libstorage.errors import DeadlineError, TransferError
from libstorage.operations import VOLUME_DOWNLOAD

if TYPE_CHECKING:
    from libstorage.client.host import Host

SEND_BYTES: Final = PIECE
"""How much to send at once; libvirt refuses more than 32 MiB."""
FIRST_BYTES: Final = FIRST
"""How much to send first: from then on the daemon's malloc keeps the memory of messages that are smaller.

Without it the daemon returns their memory after each and takes it again: half of its time, measured with glibc 2.36.
"""
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


@contextmanager
def stream(lane: Lane, begin: Callable[[RawStream], object]) -> Iterator[RawStream]:
    """A stream that is finished when the block ends well, and aborted when it does not; either once."""
    opened = lane.connection.newStream(0)
    try:
        begin(opened)
        yield opened
    except BaseException:
        with suppress(Exception):  # it repeats what went wrong
            opened.abort()
        raise
    opened.finish()


# ---- receiving ------------------------------------------------------------------------------------------------------


@contextmanager
def receiving(
    host: Host, volume: VolumeId, offset: int, length: int, *, holes: bool, latest: float = NEVER
) -> Iterator[Receiver]:
    """Bytes of a volume, as a source: a thread receives them while others are being written.

    Args:
        host: Where the volume is.
        volume: Which one.
        offset: Where to begin.
        length: How many bytes; there must be so many.
        holes: Give holes of its file as such, and not as zeros.
        latest: When it must be over, by the monotonic clock.
    """
    receiver = Receiver(host, volume, offset, length, holes=holes, latest=latest)
    try:
        receiver.start()
        yield receiver
        receiver.end()
    finally:
        receiver.stop()


class _Stopped(Exception):
    """Nobody wants the rest."""


class _Slow(Exception):
    """Whoever reads does not keep pace."""


class _Ahead:
    """Pieces that were received and not read yet.

    They are handed over many at once: every switch from one thread to another costs more than a piece. The reader may
    be interrupted while it waits, which cannot be said of ``threading.Condition``.

    Attributes:
        waited: For how many seconds there was no room.
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
        """One more."""
        self._batch.append(piece)
        self._bytes += _HOLE_COST if isinstance(piece, Hole) else len(piece)

    def hand_over(self, lane: Lane, latest: float, patience: float | None) -> bool:
        """Let them be read, if they are worth it; whether there was room for them in so many seconds.

        Raises:
            _Stopped: Nobody wants them.
        """
        if self._bytes >= _BATCH:
            if not self._has_room(lane, patience):
                return False
            self._batches.put(self._batch)
            self._batch, self._bytes = deque(), 0
        lane.renew(latest)
        if self._is_unwanted:
            raise _Stopped
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

    def take(self) -> deque[Piece] | None:
        """The next ones; ``None`` at the end.

        Raises:
            BaseException: What ended it.
        """
        got = self._batches.get()
        if isinstance(got, deque):
            self._room.put(None)
            return got
        self._batches.put(got)  # for whoever asks again
        if got is not None:
            raise got
        return None


class Receiver:
    """The bytes of a volume, received ahead."""

    def __init__(
        self, host: Host, volume: VolumeId, offset: int, length: int, *, holes: bool, latest: float
    ) -> None:
        self.name: str = str(volume)
        self.length = length
        self._host, self._volume, self._offset, self._holes = host, volume, offset, holes
        self._latest = latest
        self._ahead = _Ahead()
        self._pieces: deque[Piece] = deque()
        self._lane: Lane | None = None
        self._unread = length
        self._thread = threading.Thread(target=self._run, name="libstorage-receiver", daemon=True)

    def start(self) -> None:
        """Begin to receive."""
        if self.length:  # libvirt takes a length of 0 for no limit
            self._thread.start()

    def read(self, most: int) -> Piece:
        """The next bytes, or the next hole.

        Raises:
            TransferError: The volume is shorter than it said.
            StorageError: The transfer broke off.
        """
        if not self._unread:
            return b""
        while not self._pieces:
            pieces = self._ahead.take()
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
            while self._ahead.take() is not None:
                pass

    def stop(self) -> None:
        """End the thread, whatever it is doing."""
        self._ahead.abandon()
        if not self._thread.ident:  # also one that Ctrl-C struck while it started: it finds that all is over
            return
        self._thread.join(_PATIENCE)
        if self._thread.is_alive() and self._lane is not None:
            self._lane.cut()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._receive()
        except BaseException as error:  # noqa: BLE001 -- it is for those who read
            is_late = isinstance(error, DeadlineError) and monotonic() >= self._latest
            self._ahead.end(self._too_late() if is_late else error)
        else:
            self._ahead.end()

    def _too_late(self) -> DeadlineError:
        return DeadlineError(
            f"the deadline passed while {self.name} was being received",
            operation=VOLUME_DOWNLOAD.name,
            target=self.name,
            uri=self._volume.uri,
        )

    def _receive(self) -> None:
        """Receive all: in one stream as long as the reader keeps pace, else in parts.

        libvirt takes from the socket whatever comes, and keeps it: a slow reader would have all of it in memory.
        """
        with self._host._lane(VOLUME_DOWNLOAD, self._volume, latest=self._latest) as lane:
            self._lane = lane
            raw, done, most = raw_volume(lane, self._volume), 0, self.length
            while done < self.length:
                began, waited = monotonic(), self._ahead.waited
                length = min(most, self.length - done)
                part = self._receive_part(lane, raw, done, length)
                done += part
                if part < length:
                    self._ahead.hand_over(lane, self._latest, None)
                    most = _PART
                elif self._ahead.waited - waited < _RARELY * (monotonic() - began):
                    most *= 2

    def _receive_part(self, lane: Lane, raw: RawVolume, begin: int, length: int) -> int:
        """Receive some; how many bytes, which is fewer when the reader is slow."""
        flags = VolumeDownloadFlags.SPARSE_STREAM if self._holes else 0
        offset, left, waited = self._offset + begin, length, self._ahead.waited
        with suppress(_Slow), stream(lane, lambda s: raw.download(s, offset, length, flags)) as opened:
            while left:
                piece = self._next(opened, min(RECEIVE_BYTES, left))
                if not length_of(piece):
                    done = begin + length - left
                    raise TransferError(f"{self.name} ended after {done} of {self.length} bytes")
                piece, _ = split(piece, left)
                left -= length_of(piece)
                self._ahead.put(piece)
                patience = max(0.0, _SLOW + waited - self._ahead.waited) if left and length > _PART else None
                if not self._ahead.hand_over(lane, self._latest, patience):
                    raise _Slow
        return length - left

    def _next(self, opened: RawStream, most: int) -> Piece:
        if not self._holes:
            return opened.recv(most)
        got = opened.recvFlags(most, StreamRecvFlags.STOP_AT_HOLE)
        if got == _HOLE:
            return Hole(opened.recvHole())
        if isinstance(got, int):
            raise TransferError(f"libvirt answered {got} instead of data")
        return got


# ---- sending --------------------------------------------------------------------------------------------------------


class Sender:
    """A volume as a sink, while an upload runs.

    Args:
        opened: The stream.
        offset: Where in the volume it begins.
        clean_from: From there on the volume is known to read as zeros, so that holes can be left out.

    Attributes:
        ending: The end of what was written.
        sent: How many bytes were sent, those of holes too.
    """

    def __init__(self, opened: RawStream, offset: int, clean_from: int | None) -> None:
        self.ending: Ending = Ending(offset)
        self.sent: int = 0
        self._stream = opened
        self._place = offset
        self._clean_from = clean_from
        self._waiting: list[bytes] = []
        self._enough = FIRST_BYTES

    def write(self, piece: Piece) -> None:
        """Send it, or leave it out where it is a hole and the volume is known to be clean."""
        if not isinstance(piece, Hole):
            self._add(piece)
            return
        dirty = piece.length
        if self._clean_from is not None:
            dirty = max(0, min(piece.length, self._clean_from - self._place))
        for data in zeros(dirty):
            self._add(data)
        if skipped := piece.length - dirty:
            self.flush()
            self._stream.sendHole(skipped, 0)
            self.ending.skip(skipped)
            self.sent += skipped
            self._place += skipped

    def flush(self) -> None:
        """Send what has waited for more."""
        data, begin = b"".join(self._waiting), 0  # of one alone it makes no copy
        self._waiting.clear()
        while begin < len(data):
            sent = self._stream.send(data[begin:])
            if sent <= 0:
                raise TransferError(f"the stream took none of {len(data) - begin} bytes")
            begin += sent
            self.sent += sent
            self._enough = SEND_BYTES

    def _add(self, data: bytes) -> None:
        """Send it, together with what comes next if it is small."""
        self.ending.add(data)
        self._place += len(data)
        self._waiting.append(data)
        if sum(map(len, self._waiting)) >= self._enough:
            self.flush()


@contextmanager
def sending(
    lane: Lane, volume: VolumeId, offset: int, length: int, clean_from: int | None
) -> Iterator[Sender]:
    """A volume as a sink; when the block ends well, the end of what was sent is there.

    Args:
        lane: The lane to send on.
        volume: Which volume.
        offset: Where to begin.
        length: How many bytes at most; 0 for no limit.
        clean_from: From there on the volume is known to read as zeros; ``None`` if that is not known of any part.

    Raises:
        Missing: libvirt says that all is well, and it is not.
    """
    raw = raw_volume(lane, volume, fresh=True)
    flags = 0 if clean_from is None else VolumeUploadFlags.SPARSE_STREAM
    with stream(lane, lambda s: raw.upload(s, offset, length, flags)) as opened:
        sender = Sender(opened, offset, clean_from)
        yield sender
        sender.flush()
    _check_end(lane, raw, sender.ending)


def _check_end(lane: Lane, raw: RawVolume, ending: Ending) -> None:
    def read(offset: int, length: int) -> bytes:
        found = b""
        with stream(lane, lambda s: raw.download(s, offset, length, 0)) as opened:
            while len(found) < length and (data := opened.recv(length - len(found))):
                found += data
        return found

    missing = ending.first_missing(read)
    if missing is not None:
        raise Missing(missing.offset)
