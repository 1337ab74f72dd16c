"""The local sink of a transfer: a path, whose file appears when all is there, or a file object of the caller's."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import attrs

from libstorage.connection import ending
from libstorage.errors import BusyError, ExistsError, InvalidRequestError, TransferError
from libstorage.transfer.ends.sources import FileSource
from libstorage.transfer.pieces.piece import Hole, Piece, Source, zeros

_PRIVATE = 0o600  # images hold secrets
# Bytes. The kernel takes as much memory at once for the page cache, and in a virtual machine that gives free memory back
# to its host, larger blocks are what it has given back: from 256 KiB on a download takes up to three times as long.
_BLOCK = 128 << 10
_MOST_AT_ONCE = 1024  # parts of one write; Linux takes no more
_LONGEST_NAME = 255 - len("..part-0123456789abcdef")


@attrs.frozen
class SaveOptions:
    """How a file is saved.

    Attributes:
        overwrite: Replace an existing file.
        durable: Sync file and directory to disk before the file gets its name (``fsync``).
        sparse: Make holes where the volume's file has them.
        resume: Keep what a broken download has received beside the path, and resume from it.
    """

    overwrite: bool = False
    durable: bool = False
    sparse: bool = True
    resume: bool = False


class FileSink:
    """The caller's file object, from its current position. Holes are written as zeros, since the file may hold data."""

    def __init__(self, file: BinaryIO | io.RawIOBase) -> None:
        self._file = file

    def write(self, piece: Piece) -> None:
        """Write the whole piece.

        Raises:
            TransferError: If the file object is in non-blocking mode and cannot take data.
        """
        for data in zeros(piece.length) if isinstance(piece, Hole) else (piece,):
            self._write(data)

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            written: int | None = self._file.write(rest)
            if written is None:
                if isinstance(self._file, io.RawIOBase):
                    raise TransferError(f"{self._file!r} cannot take data now: it is in non-blocking mode")
                return
            rest = rest[written:]


class Cursor:
    """Writes a new file from one offset on; holes stay holes. Other cursors may write elsewhere in the file.

    Writes are buffered: writes that end at a block boundary take about a sixth less time.
    """

    def __init__(self, file: io.FileIO, place: int) -> None:
        self._file = file
        self._place = place
        self._waiting: list[memoryview] = []
        self._bytes = 0

    def write(self, piece: Piece) -> None:
        """Write a piece, or skip a hole; ``flush()`` writes what is buffered."""
        if isinstance(piece, Hole):
            self.flush()
            self._place += piece.length
            return
        self._waiting.append(memoryview(piece))
        self._bytes += len(piece)
        behind = (self._place + self._bytes) % _BLOCK
        if behind < len(piece):
            last = self._waiting.pop()
            self._waiting.append(last[: len(last) - behind])
            self.flush()
            self._waiting, self._bytes = [last[len(last) - behind :]], behind

    def flush(self) -> int:
        """Write what was buffered, and return the offset behind it."""
        waiting, self._waiting, self._bytes = list(filter(None, self._waiting)), [], 0
        while waiting:
            written = os.pwritev(self._file.fileno(), waiting[:_MOST_AT_ONCE], self._place)
            self._place += written
            while waiting and written >= len(waiting[0]):
                written -= len(waiting.pop(0))
            if written:
                waiting[0] = waiting[0][written:]
        return self._place


class NewFileSink:
    """A new file, in which holes stay holes.

    Attributes:
        there: Number of bytes that a broken download has left in the file.
    """

    def __init__(self, file: io.FileIO) -> None:
        self.there: int = os.fstat(file.fileno()).st_size
        self._file = file
        self._place = Cursor(file, 0)

    def content(self) -> Source:
        """Return the content as a source, to be read to its end."""
        self._file.seek(0)
        return FileSource(str(self._file.name), self._file)

    def go_on_at(self, place: int) -> None:
        """Keep the first ``place`` bytes, and write behind them."""
        self._file.truncate(place)
        self._place = Cursor(self._file, place)

    def at(self, place: int) -> Cursor:
        """Return a cursor at an offset. When every cursor is done, call ``go_on_at`` with the end."""
        return Cursor(self._file, place)

    def write(self, piece: Piece) -> None:
        """Write a piece, or skip a hole."""
        self._place.write(piece)

    def flush(self) -> int:
        """Write what was buffered, and return the next offset."""
        return self._place.flush()

    def end(self) -> None:
        """Set the final length, which includes a hole at the end."""
        self._file.truncate(self.flush())


@attrs.frozen(eq=False)
class _Half:
    """A file that is being written under a temporary name.

    At the end of the program a daemon thread that writes the file is frozen, and cannot remove it.
    """

    part: str
    folder: int

    def remove(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.part, dir_fd=self.folder)


@contextmanager
def new_file(path: Path, saving: SaveOptions) -> Iterator[NewFileSink]:
    """Write a file that gets its name when the block ends without an error.

    Raises:
        ExistsError: If the file exists and ``saving`` does not allow to replace it.
        InvalidRequestError: If the path names something other than a regular file.
        OSError: If the file cannot be written.
    """
    _check_place(path, overwrite=saving.overwrite)
    folders: list[int] = []
    try:
        # In one step: Ctrl-C cannot strike between a descriptor and what will close it.
        folders.extend(map(os.open, [path.parent], [os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC]))
        (folder,) = folders
        part = _part_name(path, "" if saving.resume else f"-{os.urandom(8).hex()}")
        half = _Half(part, folder)
        try:
            with _open_part(part, path, folder, saving) as file:
                if not saving.resume:
                    ending.end.add(half, _Half.remove)
                sink = NewFileSink(file)
                try:
                    yield sink
                except BaseException:
                    if saving.resume:
                        with contextlib.suppress(OSError):
                            sink.flush()
                    raise
                sink.end()
                if saving.durable:
                    os.fsync(file.fileno())
                os.close(
                    os.dup(file.fileno())
                )  # a network file system may only now say that something is missing
                _publish(part, path, folder, overwrite=saving.overwrite)
        except BaseException:
            if not saving.resume:
                half.remove()
            raise
        finally:
            ending.end.remove(half)
        if saving.durable:
            os.fsync(folder)
    finally:
        while folders:
            os.close(folders.pop())


def _part_name(path: Path, ending: str) -> str:
    return f".{os.fsdecode(os.fsencode(path.name)[:_LONGEST_NAME])}.part{ending}"


def _open_part(part: str, path: Path, folder: int, saving: SaveOptions) -> io.FileIO:
    opener = functools.partial(os.open, mode=_PRIVATE, dir_fd=folder)
    try:
        file = io.FileIO(part, "x+", opener=opener)
    except FileExistsError:
        if not saving.resume:
            raise
        file = io.FileIO(part, "r+", opener=opener)
    try:
        if saving.resume:
            _check_part(file, part, path, folder)
    except BaseException:
        file.close()
        raise
    return file


def _check_part(file: io.FileIO, part: str, path: Path, folder: int) -> None:
    """Check that an existing partial file is this user's partial download.

    Raises:
        BusyError: If another download is writing it.
        InvalidRequestError: If it is something else.
    """
    found = os.fstat(file.fileno())
    with contextlib.suppress(FileNotFoundError):
        is_link = stat.S_ISLNK(os.stat(part, dir_fd=folder, follow_symlinks=False).st_mode)
        is_shared = found.st_nlink > 1 or found.st_uid != os.geteuid() or found.st_mode & 0o077
        if is_link or is_shared or not stat.S_ISREG(found.st_mode):
            raise _not_ours(path.with_name(part))
    import fcntl  # not on Windows, where the module can be imported

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_taken = not os.path.samestat(found, os.stat(part, dir_fd=folder, follow_symlinks=False))
    except (BlockingIOError, FileNotFoundError):
        is_taken = True
    if is_taken:
        raise BusyError(
            f"another download is already writing {path.with_name(part)}",
            hint="Wait until that download ends.",
            outcome="not_started",
            retry="backoff",
        )


def _not_ours(part: Path) -> InvalidRequestError:
    return InvalidRequestError(
        f"{part} is not a partial download of this library",
        hint="Inspect it and remove it, or download without resume=True.",
    )


def _check_place(path: Path, *, overwrite: bool) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISREG(mode) or stat.S_ISLNK(mode):
        if not overwrite:
            raise _exists(path)
        return
    kind = "a directory" if stat.S_ISDIR(mode) else "not a regular file"
    raise InvalidRequestError(
        f"{path} is {kind}",
        hint="Pass the path of a regular file, or a file object.",
    )


def _publish(part: str, path: Path, folder: int, *, overwrite: bool) -> None:
    """Give the finished file its name, in one step."""
    if overwrite:
        os.replace(part, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        return
    try:
        os.link(part, path.name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        raise _exists(path) from None
    except OSError:  # a file system without hard links
        if os.path.lexists(path):  # a dangling link counts
            raise _exists(path) from None
        os.rename(part, path.name, src_dir_fd=folder, dst_dir_fd=folder)
    else:
        os.unlink(part, dir_fd=folder)


def _exists(path: Path) -> ExistsError:
    return ExistsError(
        f"{path} exists already",
        hint="To replace it, pass overwrite=True.",
        outcome="not_started",
        retry="no",
    )
