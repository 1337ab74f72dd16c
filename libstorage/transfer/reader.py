"""A volume as a file object for reading."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

from libstorage.connection import ending
from libstorage.connection.identity import VolumeId
from libstorage.models.volume import VolumeSpec
from libstorage.operations import VOLUME_DOWNLOAD
from libstorage.session.channel import Channel
from libstorage.session.leases import leases
from libstorage.transfer.pieces.piece import Hole, Piece, length_of
from libstorage.transfer.volume.range import VolumeRange, check_bytes, is_file
from libstorage.transfer.volume.receiver import receiving

BUFFER: Final = 256 * 1024
"""Default number of bytes that a file object reads at once."""


class VolumeReader(io.RawIOBase):
    """A volume that is open for reading: [Volume.open][libstorage.Volume.open] without a buffer.

    After a seek, only a small range is received. Sequential reads from there share one stream up to the end of the volume,
    which stays open until the next seek.
    """

    mode = "rb"

    def __init__(
        self, channel: Channel, volume: VolumeId, read_spec: Callable[[], VolumeSpec], ahead: int = BUFFER
    ) -> None:
        super().__init__()
        self._channel, self._volume, self._ahead = channel, volume, ahead
        self._place = 0
        self._window: _Window | None = None
        with ExitStack() as opening:
            opening.enter_context(leases().reading(volume, VOLUME_DOWNLOAD))
            spec = read_spec()
            check_bytes(VOLUME_DOWNLOAD, volume, spec)
            self.size: int = int(spec.physical or spec.capacity or 0)
            self._is_file = is_file(spec)
            self._lease = opening.pop_all()
        ending.end.add(self, VolumeReader._warn)

    @property
    def name(self) -> str:
        """Name of the volume."""
        return self._volume.name

    def readable(self) -> bool:
        """Return True."""
        self._check_open()
        return True

    def seekable(self) -> bool:
        """Return True."""
        self._check_open()
        return True

    def tell(self) -> int:
        """Return the offset of the next byte."""
        self._check_open()
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to an offset, which may be behind the end."""
        self._check_open()
        if whence not in {os.SEEK_SET, os.SEEK_CUR, os.SEEK_END}:
            raise ValueError(f"invalid whence {whence}")
        place = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self.size}[whence]
        if place < 0:
            raise ValueError(f"negative seek position {place}")
        self._place = place
        return place

    def readinto(self, buffer: Any, /) -> int:
        """Fill a buffer; at the end of the volume, as far as the bytes go.

        Raises:
            TransferError: If the volume is shorter than its stated length.
            StorageError: If the bytes cannot be received.
        """
        self._check_open()
        view = memoryview(buffer).cast("B")
        wanted, done = max(0, min(len(view), self.size - self._place)), 0
        while done < wanted:
            piece = self._window_here(wanted - done).read(wanted - done)
            length = length_of(piece)
            view[done : done + length] = bytes(length) if isinstance(piece, Hole) else piece
            done += length
            self._place += length
        return done

    def close(self) -> None:
        """Close the file object and its stream."""
        if not self.closed:
            try:
                if self._window is not None:
                    self._window.close()
            finally:
                if hasattr(self, "_lease"):  # missing if opening failed
                    self._lease.close()
                super().close()

    def _warn(self) -> None:
        if not self.closed:
            warnings.warn(f"{self._volume} was never closed", ResourceWarning, ending.NOWHERE, source=self)

    def _window_here(self, wanted: int) -> _Window:
        window = self._window
        if window is not None and window.reach(self._place):
            return window
        end = self.size
        if window is None or window.end != self._place:  # random access
            end = min(end, self._place + max(wanted, self._ahead))
        if window is not None:
            window.close()
        self._window = _Window(self._channel, self._volume, self._place, end, holes=self._is_file)
        return self._window

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError(f"{self._volume} is closed")


class _Window:
    """A range of a volume that is being received."""

    def __init__(self, channel: Channel, volume: VolumeId, place: int, end: int, *, holes: bool) -> None:
        self.end = end
        self._place = place
        with ExitStack() as opening:
            extent = VolumeRange(volume, place, end - place, holes)
            self._source = opening.enter_context(receiving(channel, extent))
            self._stream = opening.pop_all()

    def reach(self, place: int) -> bool:
        """Move to ``place`` if it is in the window, or slightly ahead; return whether it is."""
        if not self._place <= place < min(self.end, self._place + BUFFER):
            return False
        while self._place < place:
            self.read(place - self._place)
        return True

    def read(self, most: int) -> Piece:
        """Return the next piece; the last piece ends the stream."""
        piece = self._source.read(most)
        self._place += length_of(piece)
        if self._place == self.end:
            self.close()
        return piece

    def close(self) -> None:
        """End the stream."""
        self._stream.close()
