"""The local sink of a transfer: a path, whose file appears when all is there, or a file object of the caller's."""

from __future__ import annotations

import contextlib
import io
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias

import attrs

from libstorage.client.pieces import Hole, Piece, Sink, zeros
from libstorage.errors import ExistsError, InvalidRequestError, TransferError

Target: TypeAlias = str | os.PathLike[str] | BinaryIO
"""A path or URL, or a file object opened in binary mode."""

_NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PRIVATE = 0o600  # images hold secrets
_is_url = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?:::|://)").match


@attrs.frozen
class Keeping:
    """How a file is kept.

    Attributes:
        overwrite: Replace one that is there.
        durable: Have it on the disk before it gets its name (``fsync`` of file and folder).
        sparse: Leave holes where the volume's file has them.
    """

    overwrite: bool = False
    durable: bool = False
    sparse: bool = True


@contextmanager
def opened(given: Target, keeping: Keeping) -> Iterator[Sink]:
    """Open what a transfer writes to.

    A path's file appears when the block ends without an error, and there is no trace of it otherwise.

    Raises:
        ExistsError: The file is there, and is not to be overwritten.
        InvalidRequestError: It is nothing to write to, or a path to something else than a file.
        UnsupportedError: A URL needs a package that is not installed.
        OSError: It cannot be written.
    """
    if isinstance(given, str) and _is_url(given):
        from libstorage.client import urls

        with urls.sink(given, keeping) as sink:
            yield sink
    elif isinstance(given, str | os.PathLike):
        with _new_file(Path(given), keeping) as file:
            sink = NewFileSink(file)
            yield sink
            sink.end()
    elif callable(getattr(given, "write", None)):
        yield FileSink(given)
    else:
        raise InvalidRequestError(
            f"a target is a path, a URL or a binary file object, not {given!r}", outcome="not_started"
        )


class FileSink:
    """A file object of the caller's, from where it stands: holes are written as zeros, for it may hold data."""

    def __init__(self, file: BinaryIO | io.RawIOBase) -> None:
        self._file = file

    def write(self, piece: Piece) -> None:
        """Write all of it.

        Raises:
            TransferError: The file object would have to be waited for.
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


class NewFileSink(FileSink):
    """A new file, in which holes stay holes."""

    def __init__(self, file: io.FileIO) -> None:
        super().__init__(file)
        self._new = file

    def write(self, piece: Piece) -> None:
        """Write it, or leave room for it."""
        if isinstance(piece, Hole):
            self._new.seek(piece.length, os.SEEK_CUR)
        else:
            self._write(piece)

    def end(self) -> None:
        """All is written: a hole at the end counts, too."""
        self._new.truncate()


@contextmanager
def _new_file(path: Path, keeping: Keeping) -> Iterator[io.FileIO]:
    _check_place(path, overwrite=keeping.overwrite)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        part = f".{path.name[:100]}.part-{secrets.token_hex(4)}"
        with os.fdopen(os.open(part, _NEW_FILE, _PRIVATE, dir_fd=folder), "r+b", buffering=0) as file:
            try:
                yield file
                if keeping.durable:
                    os.fsync(file.fileno())
                _publish(part, path, folder, overwrite=keeping.overwrite)
            except BaseException:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(part, dir_fd=folder)
                raise
        if keeping.durable:
            os.fsync(folder)
    finally:
        os.close(folder)


def _check_place(path: Path, *, overwrite: bool) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISREG(mode) or stat.S_ISLNK(mode):
        if not overwrite:
            raise _exists(path)
        return
    kind = "a folder" if stat.S_ISDIR(mode) else "no regular file"
    raise InvalidRequestError(
        f"{path} is {kind}",
        hint="Give the path of the file to write, or a file object.",
        outcome="not_started",
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
        f"{path} exists already", hint="Replace it with overwrite=True.", outcome="not_started", retry="no"
    )
