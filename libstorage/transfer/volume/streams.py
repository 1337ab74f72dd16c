"""libvirt's streams, with our own loops; and a volume as the sink of a transfer.

The binding's own loops lose data: they ignore short writes, and its loops for holes report success after an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from time import sleep
from typing import Final, TypeAlias

from libstorage.connection.identity import VolumeId
from libstorage.connection.lane import Lane
from libstorage.connection.raw import RawStream, RawVolume
from libstorage.connection.resolve import raw_volume
from libstorage.enums import VolumeUploadFlags
from libstorage.errors import ConnectionFailedError, ConnectionLostError, DeadlineError, TransferError
from libstorage.transfer.pieces.piece import FIRST, PIECE, Hole, Piece, zeros
from libstorage.transfer.volume.ending import Ending, MissingBytes, Tail

SEND_BYTES: Final = PIECE
"""Number of bytes to send at once; libvirt refuses more than 32 MiB."""
FIRST_BYTES: Final = FIRST
"""Number of bytes to send first: afterwards the daemon's malloc keeps the memory of smaller messages.

Otherwise the daemon returns the memory after each message and allocates it again: half of its time, with glibc 2.36.
"""

Take: TypeAlias = Callable[[int, int], object]
"""Called with offset and length of data before it is sent."""

_WRITTEN: Final = 0.05  # seconds in which the daemon writes a few kilobytes


@contextmanager
def stream(lane: Lane, begin: Callable[[RawStream], object]) -> Iterator[RawStream]:
    """Open a stream; finish it if the block succeeds, abort it if the block fails."""
    opened = lane.connection.newStream(0)
    try:
        begin(opened)
        yield opened
    except BaseException:
        with suppress(Exception):  # the error would repeat the first one
            opened.abort()
        raise
    opened.finish()


class Sender:
    """A volume as a sink, while an upload runs.

    Args:
        opened: The stream.
        offset: First byte of the volume to write.
        clean_from: Offset from which the volume is known to read as zeros, so that holes can be skipped.
        before: Called before data is sent, with its offset and length; raises to stop the upload.

    Attributes:
        ending: The last bytes written.
        sent: Number of bytes sent, including holes.
    """

    def __init__(self, opened: RawStream, offset: int, clean_from: int | None, before: Take) -> None:
        self.ending: Ending = Ending(offset)
        self.sent: int = 0
        self._stream = opened
        self._place = offset
        self._clean_from = clean_from
        self._before = before
        self._waiting: list[bytes] = []
        self._enough = FIRST_BYTES

    def write(self, piece: Piece) -> None:
        """Send a piece; skip a hole where the volume is known to read as zeros."""
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
        """Send what was buffered."""
        data, begin = b"".join(self._waiting), 0  # join() does not copy a single piece
        self._waiting.clear()
        self._before(self._place - len(data), len(data))
        while begin < len(data):
            sent = self._stream.send(data[begin:])
            if sent <= 0:
                raise TransferError(f"the stream took none of {len(data) - begin} bytes")
            begin += sent
            self.sent += sent
            self._enough = SEND_BYTES

    def _add(self, data: bytes) -> None:
        """Buffer data, and send the buffer when it is large enough."""
        self.ending.add(data)
        self._place += len(data)
        self._waiting.append(data)
        if sum(map(len, self._waiting)) >= self._enough:
            self.flush()


@contextmanager
def sending(
    lane: Lane,
    volume: VolumeId,
    offset: int,
    length: int,
    clean_from: int | None,
    take: Take | None = None,
) -> Iterator[Sender]:
    """Open a volume as a sink. If the block succeeds, the last bytes sent are read back and compared.

    Args:
        lane: The lane to send on.
        volume: The volume.
        offset: First byte to write.
        length: Largest number of bytes; 0 for no limit.
        clean_from: Offset from which the volume is known to read as zeros; ``None`` if unknown.
        take: Called before data is sent; raises to stop the upload. The lane's time limit is suspended meanwhile.

    Raises:
        MissingBytes: If libvirt reports success although the last bytes are missing.
    """
    raw = raw_volume(lane, volume, fresh=True)
    flags = 0 if clean_from is None else VolumeUploadFlags.SPARSE_STREAM
    with lane.sending(), stream(lane, lambda s: raw.upload(s, offset, length, flags)) as opened:
        sender = Sender(opened, offset, clean_from, partial(_before, lane, take))
        yield sender
        sender.flush()
    _check_end(lane, raw, sender.ending)


def _before(lane: Lane, take: Take | None, place: int, length: int) -> None:
    """Look whether data may be sent.

    Raises:
        DeadlineError: If the time for the upload has run out.
        ConnectionLostError: If the host was closed meanwhile.
        NoSpaceError: If the pool may not have the room.
    """
    if lane.is_late:
        raise DeadlineError("the time for the upload has run out", retry="after_reconcile")
    if lane.is_unwanted:
        raise ConnectionLostError("the host was closed during the upload", retry="after_reconcile")
    if take is None:
        return
    try:
        with lane.paused():
            take(place, length)
    except (DeadlineError, ConnectionFailedError, ConnectionLostError):
        if lane.is_alive():
            raise  # else the stream says what has happened


def _check_end(lane: Lane, raw: RawVolume, ending: Ending) -> None:
    """Check that the end has arrived. If it has not, send it once more: libvirt may say then why it cannot be written.

    Raises:
        MissingBytes: If the end was missing.
    """

    def read(offset: int, length: int) -> bytes:
        found = b""
        with stream(lane, lambda s: raw.download(s, offset, length, 0)) as opened:
            while len(found) < length and (data := opened.recv(length - len(found))):
                found += data
        return found

    missing = ending.first_missing(read)
    if missing is not None:
        _send_again(lane, raw, missing)
        raise MissingBytes(missing.offset, again=ending.first_missing(read) is not None)


def _send_again(lane: Lane, raw: RawVolume, tail: Tail) -> None:
    """Send bytes slowly: libvirt reports that it could not write a message when the next message arrives."""
    data, half = tail.data, len(tail.data) // 2
    with stream(lane, lambda s: raw.upload(s, tail.offset, len(tail.data), 0)) as opened:
        while data:
            data = data[opened.send(data[: half or 1]) :]
            sleep(_WRITTEN)
