"""A volume as a file object: read anywhere, written from the start."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

from libstorage.client.leases import leases
from libstorage.client.pieces import Hole, Piece, Source, length_of, split
from libstorage.client.receive import Extent, receiving
from libstorage.client.transfer import check_bytes, is_file
from libstorage.connection.target import VolumeId
from libstorage.errors import TransferError
from libstorage.models.volume import VolumeSpec
from libstorage.operations import VOLUME_DOWNLOAD

if TYPE_CHECKING:
    from libstorage.client.host import Host

BUFFER: Final = 256 * 1024
"""How many bytes a file object reads at once, unless told otherwise."""

_PIECE = 1 << 20  # bytes that are sent at once
_AHEAD = 3  # such pieces that may be on their way
_WHILE = 1.0  # seconds after which to look whether a word of the end was missed


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

Fill: TypeAlias = Callable[[Any], object]
"""Fills a volume from what [sources.opened][libstorage.client.sources.opened] takes."""


class _Aborted(Exception):
    """Nobody writes the rest."""


class _Pipe:
    """What one thread writes and another reads: the source of an upload."""

    length = None

    def __init__(self, name: str) -> None:
        self.name: str = name
        self.error: BaseException | None = None
        self.taken: int = 0
        self._ended: SimpleQueue[bool] = SimpleQueue()
        self._pieces: SimpleQueue[bytes | BaseException] = SimpleQueue()
        self._room: SimpleQueue[bool] = SimpleQueue()
        self._rest: Piece = b""
        self._is_read = self._is_over = self._is_done = False

    @contextmanager
    def _as_source(self, *, holes: bool, latest: float) -> Iterator[Source]:
        yield self

    def read(self, most: int) -> Piece:
        """The next bytes, as soon as there are any."""
        if not self._is_read:
            self._is_read = True
            for _ in range(_AHEAD):
                self._room.put(True)
        if not self._rest and not self._is_over:
            got = self._pieces.get()
            if isinstance(got, BaseException):
                raise got
            self._room.put(True)
            self._rest, self._is_over = got, not got
        piece, self._rest = split(self._rest, most)
        self.taken += length_of(piece)
        return piece

    def run(self, fill: Fill) -> None:
        """What the thread does that reads."""
        try:
            fill(self)
        except BaseException as error:  # noqa: BLE001 -- it is for those who write
            self.error = error
        finally:
            self._is_done = True
            self._room.put(False)
            self._ended.put(True)

    def wait_for_end(self, tries: int | None = None) -> None:
        """Wait until the thread is done; Ctrl-C leaves it as it is, which cannot be said of ``Thread.join()``."""
        while not self._is_done and tries != 0:
            with contextlib.suppress(Empty):
                self._ended.get(timeout=_WHILE)
            tries = None if tries is None else tries - 1

    def wait(self) -> bool:
        """Wait until there is room for a piece; there will be none any more when the upload has ended.

        Raises:
            BaseException: What has ended it.
        """
        while not self._is_done:
            with contextlib.suppress(Empty):
                if self._room.get(timeout=_WHILE):
                    return True
        if self.error is not None:
            raise self.error
        return False

    def put(self, piece: bytes | BaseException) -> None:
        """A piece for which there is room; none at all, or an error, at the end."""
        self._pieces.put(piece)


class VolumeWriter(io.BufferedIOBase):
    """A volume that is open for writing: what [Volume.open][libstorage.Volume.open] gives for ``wb``.

    Args:
        name: Name of the volume.
        fill: Fills it.
        undo: Called when the upload is aborted or has failed.
    """

    mode = "wb"

    def __init__(self, name: str, fill: Fill, undo: Callable[[], object] | None = None) -> None:
        super().__init__()
        self.name: str = name
        self._undo = undo
        self._done = 0
        self._buffer = bytearray()
        self._is_aborted = False
        self._outer: BaseException | None = None
        self._is_entered = False
        self._pipe = _Pipe("what is written")
        self._thread = threading.Thread(
            target=self._pipe.run, args=(fill,), name="libstorage-writer", daemon=True
        )
        try:
            self._thread.start()
            self._pipe.wait()
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
        if self.closed:
            return
        if self._is_entered and sys.exc_info()[1] not in {None, self._outer}:
            self.discard()  # what is around it closes it because of an error
            return
        try:
            if self._buffer:
                self._send(_PIECE)
            self._pipe.put(b"")
            self._pipe.wait_for_end()
            if self._pipe.error is not None:
                raise self._pipe.error
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
        self._is_aborted = True
        self._buffer.clear()
        self._pipe.put(_Aborted("not all was written"))
        self._pipe.wait_for_end(tries=None if self._thread.ident else 1)  # it may be about to start
        super().close()
        if self._undo is not None:
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
        if getattr(self, "_thread", None) is not None and not self.closed:
            try:
                warnings.warn(
                    f"{self.name} was never closed: it is not complete", ResourceWarning, 2, source=self
                )
            finally:  # a warning may be an error
                self.discard()

    def _send(self, most: int) -> None:
        if not self._pipe.wait():
            raise self._full()
        self._pipe.put(bytes(self._buffer[:most]))
        del self._buffer[:most]

    def _full(self) -> TransferError:
        return TransferError(
            f"{self.name} takes no more than {self._pipe.taken} bytes", hint="Resize it first."
        )

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError(f"{self.name} is not open any more")
