"""A pipe: what one thread writes is the source of another thread's upload."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeAlias

from libstorage.connection import ending, threads
from libstorage.errors import StorageError
from libstorage.transfer.pieces.piece import Piece, Source, length_of, split

_AHEAD: Final = 3  # pieces that may be in transit
_WHILE: Final = 1.0  # seconds that a thread may take to start

Fill: TypeAlias = Callable[[Any], object]
"""Fills a volume from what ``opened_source`` takes."""


class Aborted(Exception):
    """The writing thread has given up."""


class Pipe:
    """What one thread writes and another uploads.

    Args:
        fill: Runs in the other thread: uploads from the pipe.
        undo: Runs there afterwards if ``fill`` fails.
    """

    length = None
    name = "what is written"

    def __init__(self, fill: Fill, undo: Callable[[], object]) -> None:
        self.error: BaseException | None = None
        self.taken: int = 0
        self._fill, self._undo = fill, undo
        self._pieces: SimpleQueue[bytes | BaseException] = SimpleQueue()
        self._room: SimpleQueue[bool] = SimpleQueue()
        self._ended: SimpleQueue[bool] = SimpleQueue()
        self._rest: Piece = b""
        self._is_read = self._is_over = False
        self._thread = threading.Thread(target=self._run, name="libstorage-writer", daemon=True)

    def start(self) -> None:
        """Start the thread, and wait until it takes pieces.

        Raises:
            BaseException: The error that ended the thread.
        """
        threads.start(self._thread)
        self.wait()

    @contextmanager
    def opened(self, *, holes: bool, latest: float) -> Iterator[Source]:
        """The pipe itself, which knows no holes; its end is up to the thread that writes."""
        yield self

    def read(self, most: int) -> Piece:
        """Return the next bytes, as soon as some are written."""
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

    def wait(self) -> bool:
        """Wait until there is room for a piece; return False if the upload has ended.

        Raises:
            BaseException: The error that ended the upload.
        """
        if threads.take(self._room, self._thread):
            return True
        self._room.put(False)  # for the next caller
        if self.error is not None:
            raise self.error
        return False

    def put(self, piece: bytes | BaseException) -> None:
        """Write a piece for which there is room; an empty piece or an error is the end."""
        self._pieces.put(piece)

    def wait_for_end(self, seconds: float | None = None) -> None:
        """Wait until the thread has ended, or can no longer end."""
        with contextlib.suppress(Empty):
            try:
                threads.take(self._ended, self._thread, seconds)
            except StorageError:  # or the thread is about to start: Ctrl-C may have interrupted that
                self._ended.get(timeout=0 if ending.is_past() else _WHILE)

    def _run(self) -> None:
        try:
            self._fill(self)
        except BaseException as error:  # noqa: BLE001 -- the writing thread raises it
            self.error = error
            self._take_back(error)
        finally:
            self._room.put(False)
            self._ended.put(True)

    def _take_back(self, error: BaseException) -> None:
        try:
            self._undo()
        except Exception as another:  # noqa: BLE001 -- the first error matters
            error.add_note(f"The new volume could not be removed: {another}")
