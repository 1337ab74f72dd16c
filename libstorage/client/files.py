"""A volume as a file object: read anywhere, written from the start."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from libstorage.client.leases import leases
from libstorage.client.pieces import Hole, Piece, length_of
from libstorage.client.pipe import Aborted, Fill, Pipe
from libstorage.client.receive import Extent, receiving
from libstorage.client.transfer import check_bytes, is_file
from libstorage.connection import ending, threads
from libstorage.connection.identity import VolumeId
from libstorage.errors import TransferError
from libstorage.models.volume import VolumeSpec
from libstorage.operations import VOLUME_DOWNLOAD

if TYPE_CHECKING:
    from libstorage.client.host import Host

BUFFER: Final = 256 * 1024
"""How many bytes a file object reads at once, unless told otherwise."""

_PIECE = 1 << 20  # bytes that are sent at once
_DROPPED = 2.0  # seconds; a finalizer may run where others wait for it


# ---- reading --------------------------------------------------------------------------------------------------------


class VolumeReader(io.RawIOBase):
    """A volume that is open for reading: [Volume.open][libstorage.Volume.open] without a buffer.

    After a jump only a little is received; who reads on from there gets a stream up to the end of the volume, which
    stays open until the next jump.
    """

    mode = "rb"

    def __init__(
        self, host: Host, volume: VolumeId, read_spec: Callable[[], VolumeSpec], ahead: int = BUFFER
    ) -> None:
        super().__init__()
        self._host, self._volume, self._ahead = host, volume, ahead
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
        """The volume's name."""
        return self._volume.name

    def readable(self) -> bool:
        """It is."""
        self._check_open()
        return True

    def seekable(self) -> bool:
        """It is."""
        self._check_open()
        return True

    def tell(self) -> int:
        """Where the next byte comes from."""
        self._check_open()
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go somewhere; also behind the end, where nothing is."""
        self._check_open()
        if whence not in {os.SEEK_SET, os.SEEK_CUR, os.SEEK_END}:
            raise ValueError(f"invalid whence {whence}")
        place = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self.size}[whence]
        if place < 0:
            raise ValueError(f"negative seek position {place}")
        self._place = place
        return place

    def readinto(self, buffer: Any, /) -> int:
        """Fill a buffer; less than that only at the end of the volume.

        Raises:
            TransferError: The volume is shorter than it said.
            StorageError: The host does not give it.
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
        """End what is being received."""
        if not self.closed:
            try:
                if self._window is not None:
                    self._window.close()
            finally:
                if hasattr(self, "_lease"):  # not if it could not be opened
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
        if window is None or window.end != self._place:  # somebody who looks here and there
            end = min(end, self._place + max(wanted, self._ahead))
        if window is not None:
            window.close()
        self._window = _Window(self._host, self._volume, self._place, end, holes=self._is_file)
        return self._window

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError(f"{self._volume} is not open any more")


class _Window:
    """A part of a volume that is being received."""

    def __init__(self, host: Host, volume: VolumeId, place: int, end: int, *, holes: bool) -> None:
        self.end = end
        self._place = place
        with ExitStack() as opening:
            extent = Extent(volume, place, end - place, holes)
            self._source = opening.enter_context(receiving(host, extent))
            self._stream = opening.pop_all()

    def reach(self, place: int) -> bool:
        """Go to a place, if it is here or a little further on."""
        if not self._place <= place < min(self.end, self._place + BUFFER):
            return False
        while self._place < place:
            self.read(place - self._place)
        return True

    def read(self, most: int) -> Piece:
        """The next piece; after the last one the stream is over."""
        piece = self._source.read(most)
        self._place += length_of(piece)
        if self._place == self.end:
            self.close()
        return piece

    def close(self) -> None:
        """End it."""
        self._stream.close()


# ---- writing --------------------------------------------------------------------------------------------------------


class VolumeWriter(io.BufferedIOBase):
    """A volume that is open for writing: what [Volume.open][libstorage.Volume.open] gives for ``wb``.

    One that is open when the program ends is aborted, with a ``ResourceWarning``.

    Args:
        name: Name of the volume.
        fill: Fills it.
        undo: Called when the upload is aborted or has failed.
    """

    mode = "wb"

    def __init__(self, name: str, fill: Fill, undo: Callable[[], object] | None = None) -> None:
        super().__init__()
        self.name: str = name
        self._undo = undo or _nothing
        self._done = 0
        self._buffer = bytearray()
        self._is_aborted = False
        self._too_late: TransferError | None = None
        self._outer: BaseException | None = None
        self._is_entered = self._is_closing = False
        self._process_id = os.getpid()
        self._pipe = Pipe(fill, self._undo)
        try:
            self._pipe.start()
            ending.end.add(self, VolumeWriter._end, VolumeWriter._wait)
        except BaseException:
            self.discard()
            raise

    def writable(self) -> bool:
        """It is.

        Raises:
            ValueError: It is closed.
        """
        self._check_open()
        return True

    def tell(self) -> int:
        """How many bytes were written.

        Raises:
            ValueError: It is closed.
        """
        self._check_open()
        return self._done

    def write(self, data: Any, /) -> int:
        """Take all of it; it is sent when there is enough.

        Raises:
            ValueError: It is closed.
            NoSpaceError: The storage under it is full.
            TransferError: The volume takes no more.
            StorageError: The upload broke off; the message says what state the volume is in.
        """
        self._check_open()
        view = memoryview(data).cast("B")
        for start in range(0, len(view), _PIECE):
            self._buffer += view[start : start + _PIECE]
            if len(self._buffer) >= _PIECE:
                self._send(_PIECE)
        self._done += len(view)
        return len(view)

    def close(self) -> None:
        """Send the rest, wait until all has arrived, and let the pool see it.

        Raises:
            StorageError: The upload broke off; the message says what state the volume is in.
        """
        if self._too_late is not None:
            self._check_open()
        if self.closed:
            return
        if self._is_entered and sys.exc_info()[1] not in {None, self._outer}:
            self.discard()  # what is around it closes it because of an error
            return
        try:
            if self._buffer:
                self._send(_PIECE)
            self._is_closing = True
            self._pipe.put(b"")
            while self._pipe.wait():
                pass
            if self._pipe.taken != self._done:
                raise self._full()
        except BaseException:
            self.discard()
            raise
        super().close()

    def discard(self) -> None:
        """Abort: what was written is not to be kept. Does nothing once it is closed."""
        if self.closed:
            return
        self._abort(Aborted("not all was written"))
        self._pipe.wait_for_end()
        super().close()
        if self._pipe.error is None:  # it ended well, or never began
            self._undo()

    def __enter__(self) -> Self:
        self._check_open()
        self._is_entered, self._outer = True, sys.exc_info()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.discard()
            return
        self.close()
        if self._is_aborted:
            raise TransferError(f"{self.name} was closed because of an error, and is not complete")

    def __del__(self) -> None:
        if getattr(self, "_pipe", None) is None or self.closed or self._process_id != os.getpid():
            return
        try:
            self._warn(3)
        finally:  # a warning may be an error
            self._abort(Aborted("not all was written"))
            self._pipe.wait_for_end(_DROPPED)
            super().close()

    def _end(self) -> None:
        """At the end of the program: warn, and abort; wait for nobody."""
        if self.closed or self._is_closing:
            return
        try:
            self._warn(ending.NOWHERE)
        finally:
            self._too_late = TransferError(
                f"{self.name} is not complete: the program ended before it was closed",
                hint="Close it, in a with block.",
            )
            self._abort(self._too_late)
            super().close()

    def _wait(self, latest: float) -> None:
        """At the end of the program: wait until it is aborted, but only until then by the monotonic clock."""
        self._pipe.wait_for_end(max(0.0, latest - monotonic()))

    def _warn(self, level: int) -> None:
        warnings.warn(
            f"{self.name} was never closed: it is not complete", ResourceWarning, level, source=self
        )

    def _abort(self, error: Exception) -> None:
        self._is_aborted = True
        self._buffer.clear()
        self._pipe.put(error)

    def _send(self, most: int) -> None:
        try:
            has_room = self._pipe.wait()
        except TransferError as error:
            if error is self._too_late:
                threads.linger()
            raise
        if not has_room:
            raise self._full()
        self._pipe.put(bytes(self._buffer[:most]))
        del self._buffer[:most]

    def _full(self) -> TransferError:
        return TransferError(
            f"{self.name} takes no more than {self._pipe.taken} bytes", hint="Resize it first."
        )

    def _check_open(self) -> None:
        if self._too_late is not None:
            threads.linger()
            raise self._too_late
        if self.closed:
            raise ValueError(f"{self.name} is not open any more")


def _nothing() -> None:
    pass
