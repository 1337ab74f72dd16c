"""libvirt's streams, with loops of our own; and a volume as the sink of a transfer.

The binding's own loops lose data: they ignore short writes, and those for holes end well after an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from libstorage.connection.identity import VolumeId
from libstorage.connection.lane import Lane
from libstorage.connection.raw import RawStream, RawVolume
from libstorage.connection.resolve import raw_volume
from libstorage.enums import VolumeUploadFlags
from libstorage.errors import TransferError
from libstorage.transfer.pieces.piece import FIRST, PIECE, Hole, Piece, zeros
from libstorage.transfer.volume.ending import Ending, MissingBytes

SEND_BYTES: Final = PIECE
"""How much to send at once; libvirt refuses more than 32 MiB."""
FIRST_BYTES: Final = FIRST
"""How much to send first: from then on the daemon's malloc keeps the memory of messages that are smaller.

Without it the daemon returns their memory after each and takes it again: half of its time, measured with glibc 2.36.
"""


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
        MissingBytes: libvirt says that all is well, and it is not.
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
        raise MissingBytes(missing.offset)
