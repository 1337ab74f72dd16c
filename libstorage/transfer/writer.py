"""A volume as a file object: read anywhere, written from the start."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import Any, Self

from libstorage.connection import ending, threads
from libstorage.errors import TransferError
from libstorage.transfer.pipe import Aborted, Fill, Pipe

_PIECE = 1 << 20  # bytes that are sent at once
_DROPPED = 2.0  # seconds; a finalizer may run where others wait for it


# ---- writing --------------------------------------------------------------------------------------------------------


class VolumeWriter(io.BufferedIOBase):
    """A volume that is open for writing: what [Volume.open][libstorage.Volume.open] returns for ``wb``.

    If the program ends while the writer is open, the upload is aborted with a ``ResourceWarning``.

    Args:
        name: Name of the volume.
        fill: Uploads what is written.
        undo: Called if the upload is aborted or fails.
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
        """Return True.

        Raises:
            ValueError: If the writer is closed.
        """
        self._check_open()
        return True

    def tell(self) -> int:
        """Return the number of bytes written.

        Raises:
            ValueError: If the writer is closed.
        """
        self._check_open()
        return self._done

    def write(self, data: Any, /) -> int:
        """Write all of ``data``. Small writes are buffered and sent together.

        Raises:
            ValueError: If the writer is closed.
            NoSpaceError: If the storage under the pool is full.
            TransferError: If the data does not fit into the volume.
            StorageError: If the upload broke off; the message says what state the volume is in.
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
        """Send the rest, wait until all data has arrived, and refresh the pool.

        Raises:
            StorageError: If the upload broke off; the message says what state the volume is in.
        """
        if self._too_late is not None:
            self._check_open()
        if self.closed:
            return
        if self._is_entered and sys.exc_info()[1] not in {None, self._outer}:
            self.discard()  # a wrapper closes the writer because of an error
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
        """Abort the upload: what was written does not count. Does nothing if the writer is closed."""
        if self.closed:
            return
        self._abort(Aborted("the writer was discarded"))
        self._pipe.wait_for_end()
        super().close()
        if self._pipe.error is None:  # the upload ended well, or never began
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
            raise TransferError(f"{self.name} was closed because of an error, and is incomplete")

    def __del__(self) -> None:
        if getattr(self, "_pipe", None) is None or self.closed or self._process_id != os.getpid():
            return
        try:
            self._warn(3)
        finally:  # a warning filter may raise
            self._abort(Aborted("the writer was discarded"))
            self._pipe.wait_for_end(_DROPPED)
            super().close()

    def _end(self) -> None:
        """At the end of the program: warn and abort, without waiting."""
        if self.closed or self._is_closing:
            return
        try:
            self._warn(ending.NOWHERE)
        finally:
            self._too_late = TransferError(
                f"{self.name} is incomplete: the program ended before the writer was closed",
                hint="Close the writer: use a with block.",
            )
            self._abort(self._too_late)
            super().close()

    def _wait(self, latest: float) -> None:
        """At the end of the program: wait for the abort, at most until ``latest`` by the monotonic clock."""
        self._pipe.wait_for_end(max(0.0, latest - monotonic()))

    def _warn(self, level: int) -> None:
        warnings.warn(f"{self.name} was never closed: it is incomplete", ResourceWarning, level, source=self)

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
        return TransferError(f"{self.name} takes at most {self._pipe.taken} bytes", hint="Resize it first.")

    def _check_open(self) -> None:
        if self._too_late is not None:
            threads.linger()
            raise self._too_late
        if self.closed:
            raise ValueError(f"{self.name} is closed")


def _nothing() -> None:
    pass
