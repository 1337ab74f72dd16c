"""The local source of a transfer: a path, a file object, bytes, or an iterable of bytes."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import BinaryIO

from libstorage.connection.clock import NEVER
from libstorage.errors import InvalidRequestError, TransferError
from libstorage.transfer.ends.aside import Aside, late
from libstorage.transfer.pieces.piece import FIRST, PIECE, Hole, Piece, Source, peek_of


class FileSource:
    """The caller's file object, from its current position."""

    def __init__(self, name: str, file: BinaryIO | io.BytesIO | io.FileIO) -> None:
        self.name = name
        self.length: int | None = _rest_of(file)
        self._file = file
        self._start = _start_of(file)
        self._at_once = FIRST

    def read(self, most: int) -> Piece:
        """The next bytes.

        Raises:
            InvalidRequestError: If the file object returns something other than bytes.
            TransferError: If the file object is in non-blocking mode and has no data, or returns more than requested.
        """
        data: object = self._file.read(min(most, self._at_once))
        self._at_once = PIECE
        if data is None:
            raise TransferError(f"{self.name} has no data yet: it is in non-blocking mode")
        found = _bytes(self.name, data, "Open the file in binary mode: open(path, 'rb').")
        if len(found) > most:
            raise TransferError(f"{self.name} returned {len(found)} bytes when {most} were requested")
        return found

    def peek(self, place: int, most: int) -> bytes:
        """Return bytes from an offset, of bytes and of files of this machine that are read as they are."""
        start = self._start
        if start is None:
            return b""
        if isinstance(self._file, io.BytesIO):
            return bytes(self._file.getbuffer()[start + place : start + place + most])
        return os.pread(self._file.fileno(), most, start + place)


class SparseFileSource:
    """A file whose holes are found without reading them (``SEEK_DATA`` and ``SEEK_HOLE``)."""

    def __init__(self, name: str, file: io.FileIO) -> None:
        self.name = name
        self.length: int = os.fstat(file.fileno()).st_size
        self._file = file
        self._place = self._data = self._data_end = 0
        self._at_once = FIRST

    def read(self, most: int) -> Piece:
        """Return the next bytes or the next hole."""
        left = min(most, self.length - self._place)
        if left <= 0:
            return b""
        if self._place >= self._data_end:
            self._find_data()
        if self._place < self._data:
            hole = Hole(min(left, self._data - self._place))
            self._place += hole.length
            return hole
        length = min(left, self._data_end - self._place, self._at_once)
        data = os.pread(self._file.fileno(), length, self._place)
        self._at_once = PIECE
        self._place += len(data)
        return data

    def peek(self, place: int, most: int) -> bytes:
        """Return bytes from an offset."""
        return os.pread(self._file.fileno(), most, place)

    def _find_data(self) -> None:
        """Find where data begins, here or behind a hole, and where it ends."""
        number = self._file.fileno()
        try:
            self._data = os.lseek(number, self._place, os.SEEK_DATA)
            self._data_end = os.lseek(number, self._data, os.SEEK_HOLE)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            # Nothing but a hole up to the end; behind the end of a file that was cut off, reading will find nothing.
            self._data, self._data_end = os.fstat(number).st_size, self.length


class IterableSource:
    """An iterable of bytes."""

    def __init__(self, given: Iterable[object]) -> None:
        self.name: str = f"the {type(given).__name__}"
        self.length: int | None = None
        self._parts = iter(given)
        self._rest = memoryview(b"")
        self._at_once = FIRST

    def read(self, most: int) -> Piece:
        """The next bytes.

        Raises:
            InvalidRequestError: If the iterable yields something other than bytes.
        """
        while not self._rest:
            try:
                self._rest = memoryview(_bytes(self.name, next(self._parts), "Give bytes."))
            except StopIteration:
                return b""
        length = min(most, self._at_once)
        self._at_once = PIECE
        data, self._rest = self._rest[:length], self._rest[length:]
        return bytes(data)


class Until:
    """A source that is not read after the deadline: decompression may read for long without output."""

    def __init__(self, source: Source, latest: float) -> None:
        self.name: str = source.name
        self.length: int | None = source.length
        self._source, self._latest = source, latest

    def read(self, most: int) -> Piece:
        """The next piece of the source.

        Raises:
            DeadlineError: If the deadline has passed.
        """
        if monotonic() >= self._latest:
            raise late(self.name)
        return self._source.read(most)

    def peek(self, place: int, most: int) -> bytes:
        """Return bytes of the source from an offset, if it can."""
        return peek_of(self._source)(place, most)


class Timed:
    """The caller's source, which may hang: the transfer waits for it until the deadline only."""

    def __init__(self, source: Source, aside: Aside, latest: float) -> None:
        self.name: str = source.name
        self.length: int | None = source.length
        self._source, self._aside = Until(source, latest), aside

    def read(self, most: int) -> Piece:
        """The next piece of the source.

        Raises:
            DeadlineError: If the source takes too long.
        """
        return self._aside.run(lambda: self._source.read(most))


def until(source: Source, latest: float) -> Source:
    """Return the source, or one that is not read any more after ``latest``."""
    return source if latest == NEVER else Until(source, latest)


@contextmanager
def timed(source: Source, latest: float) -> Iterator[Source]:
    """Read the caller's source, which may hang, in a separate thread if there is a deadline."""
    if latest == NEVER:
        yield source
        return
    aside = Aside(source.name, latest)
    try:
        yield Timed(source, aside, latest)
    finally:
        aside.close(lambda: None)


@contextmanager
def file_source(path: str, *, holes: bool) -> Iterator[Source]:
    """Open a file or block device as a source.

    Raises:
        InvalidRequestError: If the path names something without a length, such as a pipe.
        OSError: If it cannot be opened.
    """
    mode = os.stat(path).st_mode  # noqa: PTH116 -- as it was given; opening a pipe would wait for its other end
    if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):
        raise InvalidRequestError(
            f"{path} is neither a file nor a block device",
            hint="Open it yourself and pass the file object.",
        )
    with io.FileIO(path) as file:
        found = os.fstat(file.fileno())
        if stat.S_ISREG(found.st_mode) and holes and found.st_size:
            yield SparseFileSource(path, file)
        else:
            yield FileSource(path, file)


def _start_of(file: object) -> int | None:
    """Return where a file begins to be read; ``None`` if it may be more than the plain bytes of a local file."""
    raw = file.raw if type(file) is io.BufferedReader else file
    if not isinstance(raw, io.FileIO | io.BytesIO) or type(raw) not in (io.FileIO, io.BytesIO):
        return None
    try:
        return file.tell() if raw.seekable() else None  # type: ignore[attr-defined]
    except OSError:
        return None


def _bytes(name: str, data: object, hint: str) -> bytes:
    if isinstance(data, bytes):
        return data
    if isinstance(data, bytearray | memoryview):
        return bytes(data)
    raise InvalidRequestError(f"{name} returns {type(data).__name__}, not bytes", hint=hint)


def _rest_of(file: BinaryIO | io.BytesIO | io.FileIO) -> int | None:
    try:
        here = file.tell()
        end = file.seek(0, os.SEEK_END)
        file.seek(here)
    except (OSError, AttributeError):  # a pipe, or an object that can only read
        return None
    return max(0, end - here) if end else None  # devices and files of the kernel's say 0, and give more
