"""Receives a range of a volume, in the thread that runs it."""

from __future__ import annotations

import threading
from contextlib import suppress
from time import monotonic
from typing import Final, Protocol

from libstorage.connection import ending, threads
from libstorage.connection.lane import Lane
from libstorage.connection.raw import RawStream, RawVolume
from libstorage.connection.resolve import raw_volume
from libstorage.enums import StreamRecvFlags, VolumeDownloadFlags
from libstorage.errors import DeadlineError, TransferError
from libstorage.operations import VOLUME_DOWNLOAD
from libstorage.session.channel import Channel
from libstorage.transfer.pieces.piece import Hole, Piece, length_of, split
from libstorage.transfer.volume.range import VolumeRange
from libstorage.transfer.volume.streams import stream

RECEIVE_BYTES: Final = 262_120
"""Number of bytes to request at once: libvirt returns no more, and a negative number crashes the interpreter."""


_PART = 4 << 20  # bytes that are asked for at once by a slow reader


_SLOW = 0.2  # seconds that a reader may keep a stream waiting


_RARELY = 0.1  # how much of the time, if it counts as one that keeps pace


_HOLE = -3  # what recvFlags answers where a hole begins


_PATIENCE = 1.0  # seconds until a receiver that is to stop is cut off


class Stopped(Exception):
    """The rest is no longer wanted."""


class Outlet(Protocol):
    """The consumer of received pieces.

    Attributes:
        waited: Seconds that the consumer has kept the stream waiting.
    """

    waited: float

    def put(self, piece: Piece) -> None:
        """Take a piece."""
        ...

    def hand_over(self, lane: Lane, latest: float, patience: float | None) -> bool:
        """Pass the buffered pieces on once there are enough of them.

        Return False if the consumer did not take them within ``patience`` seconds.

        Raises:
            Stopped: If the rest is no longer wanted.
        """
        ...


class _Slow(Exception):
    """The consumer does not keep pace."""


class Intake:
    """Receives a part of a volume, in the thread that runs it."""

    def __init__(self, channel: Channel, extent: VolumeRange, outlet: Outlet, latest: float) -> None:
        self._channel, self._extent, self._outlet, self._latest = channel, extent, outlet, latest
        self._lane: Lane | None = None

    def run(self) -> None:
        """Receive all bytes: in one stream while the consumer keeps pace, else in parts.

        libvirt reads everything from the socket and keeps it, so a slow consumer would have the whole volume in memory.

        Raises:
            TransferError: If the volume is shorter than its stated length.
            StorageError: If the transfer broke off.
        """
        try:
            with self._channel.lane(VOLUME_DOWNLOAD, self._extent.volume, latest=self._latest) as lane:
                self._lane = lane
                try:
                    with lane.receiving():
                        self._receive(lane)
                finally:
                    self._lane = None
        except DeadlineError:
            if monotonic() < self._latest:
                raise
            raise self._too_late() from None

    def cut(self) -> None:
        """Cut the lane, whatever the thread waits for."""
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
        """Receive a part; return the number of bytes, which is smaller if the consumer is slow."""
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
            raise TransferError(f"libvirt returned {got} instead of data")
        return got

    def _too_late(self) -> DeadlineError:
        volume = self._extent.volume
        return DeadlineError(
            f"the deadline passed while {volume} was being received",
            operation=VOLUME_DOWNLOAD.name,
            target=str(volume),
            uri=volume.uri,
        )


def ended(thread: threading.Thread, intake: Intake | None) -> None:
    """Wait for a thread that was told to stop; cut its lane if it hangs."""
    if not thread.ident:  # or Ctrl-C interrupted its start: then it finds that the transfer is over
        return
    threads.join(thread, _PATIENCE)
    if thread.is_alive() and intake is not None and not ending.is_past():
        intake.cut()
    threads.join(thread)
