"""The local end of a transfer: a path or a file object of the caller's."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias

import attrs

from libstorage.errors import ExistsError, InvalidRequestError, TransferError

Local: TypeAlias = str | os.PathLike[str] | BinaryIO
"""A path, or a file object opened in binary mode."""

_EXISTING_FILE = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK  # a pipe would wait for its other end
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PRIVATE = 0o600  # images hold secrets


@attrs.frozen
class Source:
    """Where an upload reads from.

    Attributes:
        name: For messages.
        length: How many bytes there are; ``None`` if it cannot tell.
    """

    name: str
    length: int | None
    _file: BinaryIO

    def read(self, most: int) -> bytes:
        """The next bytes, at most so many; none at its end.

        Raises:
            InvalidRequestError: It gives something else than bytes.
            TransferError: It would have to be waited for, or gave more than asked.
        """
        data: object = self._file.read(most)
        if data is None:
            raise TransferError(f"{self.name} has nothing to read yet: it is in non-blocking mode")
        if not isinstance(data, bytes | bytearray | memoryview):
            raise InvalidRequestError(
                f"{self.name} gives {type(data).__name__}, not bytes",
                hint="Open it in binary mode, as in open(path, 'rb').",
            )
        if len(data) > most:
            raise TransferError(f"{self.name} gave {len(data)} bytes when asked for {most}")
        return bytes(data)


@contextmanager
def source(local: Local) -> Iterator[Source]:
    """Open what an upload reads from.

    Raises:
        InvalidRequestError: It is neither a path nor a file object, or a path to something without a length.
        OSError: It cannot be opened.
    """
    if not isinstance(local, str | os.PathLike):
        if not callable(getattr(local, "read", None)):
            raise InvalidRequestError(
                f"a source is a path or a binary file object, not {local!r}", outcome="not_started"
            )
        yield Source(str(getattr(local, "name", local)), _rest_of(local), local)
        return
    path = os.fspath(local)
    with open(path, "rb", buffering=0, opener=_open_existing) as file:
        mode = os.fstat(file.fileno()).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):
            raise InvalidRequestError(
                f"{path} is neither a file nor a block device",
                hint="Open it yourself, and pass the file object and length=.",
                outcome="not_started",
            )
        yield Source(path, _rest_of(file), file)


def _open_existing(path: str, _flags: int) -> int:
    return os.open(path, _EXISTING_FILE)


def _rest_of(file: BinaryIO) -> int | None:
    try:
        here = file.tell()
        end = file.seek(0, os.SEEK_END)
        file.seek(here)
    except (OSError, AttributeError):  # a pipe, or an object that can only read
        return None
    return max(0, end - here)


@contextmanager
def target(local: Local, *, overwrite: bool) -> Iterator[Callable[[bytes], None]]:
    """Open what a download writes to; gives a function that writes.

    A path's file appears when the block ends without an error, and there is no trace of it otherwise.

    Raises:
        ExistsError: The file is there, and is not to be overwritten.
        InvalidRequestError: It is neither a path nor a file object, or a path to something else than a file.
        OSError: It cannot be written.
    """
    if isinstance(local, str | os.PathLike):
        with _new_file(Path(local), overwrite=overwrite) as file:
            yield _writer(file)
    elif callable(getattr(local, "write", None)):
        yield _writer(local)
    else:
        raise InvalidRequestError(
            f"a target is a path or a binary file object, not {local!r}", outcome="not_started"
        )


def _writer(file: BinaryIO | io.RawIOBase) -> Callable[[bytes], None]:
    def write(data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            written: int | None = file.write(rest)
            if written is None:
                if isinstance(file, io.RawIOBase):
                    raise TransferError(f"{file!r} cannot take data now: it is in non-blocking mode")
                return
            rest = rest[written:]

    return write


@contextmanager
def _new_file(path: Path, *, overwrite: bool) -> Iterator[io.FileIO]:
    _check_place(path, overwrite=overwrite)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        part = f".{path.name[:100]}.part-{secrets.token_hex(4)}"
        with os.fdopen(os.open(part, _NEW_FILE, _PRIVATE, dir_fd=folder), "wb", buffering=0) as file:
            try:
                yield file
                os.fsync(file.fileno())
                _publish(part, path, folder, overwrite=overwrite)
            except BaseException:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(part, dir_fd=folder)
                raise
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
