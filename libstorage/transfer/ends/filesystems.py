"""Files of fsspec's file systems, as source and as sink."""

from __future__ import annotations

import contextlib
import posixpath
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from libstorage.errors import (
    AccessDeniedError,
    ExistsError,
    InvalidRequestError,
    NotFoundError,
    StorageError,
    StorageIOError,
    TransferError,
    UnsupportedError,
)
from libstorage.transfer.ends.addresses import refusal
from libstorage.transfer.ends.aside import Aside
from libstorage.transfer.ends.origin import Broken, Changed, Version
from libstorage.transfer.ends.redaction import Redactor, raise_alone, redacted_url
from libstorage.transfer.ends.sinks import SaveOptions, new_file
from libstorage.transfer.pieces.piece import Hole, Piece, Sink, zeros

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

BLOCK: Final = 4 << 20
"""Number of bytes that fsspec's files read ahead, or buffer before sending."""

_MARKS = ("ETag", "etag", "md5", "md5Hash", "LastModified", "last_modified", "mtime", "updated")

File: TypeAlias = Any
"""An open file of fsspec, whose file systems share no common class."""


class RemoteOrigin:
    """A file of one of fsspec's file systems.

    Args:
        url: URL of the file.
        latest: End of the transfer's time, by the monotonic clock.
    """

    def __init__(self, url: str, latest: float) -> None:
        self.name: str = redacted_url(url)
        self._url = url
        self._aside = Aside(self.name, latest)
        with _typed(url):
            self._system, self._path = self._aside.run(lambda: _located(url))

    def open(self) -> tuple[RemoteBody, Version]:
        """Open from the beginning.

        Raises:
            StorageError: If it cannot be read.
        """
        with _typed(self._url):
            return self._aside.run(self._opened)

    def _opened(self) -> tuple[RemoteBody, Version]:
        version = self._look()
        return self._begun(), version

    def _begun(self) -> RemoteBody:
        return RemoteBody(self._system.open(self._path, "rb", block_size=BLOCK), self._url, self._aside)

    def reopen(self, place: int) -> tuple[RemoteBody, Version]:
        """Open from an offset.

        Raises:
            Broken: If it may be tried again.
            Changed: If the file is gone.
        """
        try:
            return self._aside.run(lambda: self._begun_again(place))
        except StorageError:
            raise
        except FileNotFoundError:
            raise Changed("it is gone") from None
        except Exception as error:  # noqa: BLE001 -- each file system has errors of its own
            raise_alone(Broken(Redactor(self._url).describe(error)))

    def _begun_again(self, place: int) -> tuple[RemoteBody, Version]:
        self._system.invalidate_cache()
        version = self._look()
        file = self._system.open(self._path, "rb", block_size=BLOCK)
        file.seek(place)
        return RemoteBody(file, self._url, self._aside), version

    def _look(self) -> Version:
        info = self._system.info(self._path)
        if info.get("type") == "directory":
            raise InvalidRequestError(f"{self.name} is a directory")
        marks = (info.get(mark) for mark in _MARKS)
        return Version(
            length=info.get("size"), marks=tuple(None if mark is None else str(mark) for mark in marks)
        )


class RemoteBody:
    """An open file of fsspec."""

    def __init__(self, file: File, url: str, aside: Aside) -> None:
        self._file, self._url, self._aside = file, url, aside

    def read(self, most: int) -> bytes:
        """The next bytes.

        Raises:
            Broken: If it could not be read.
        """
        try:
            return self._aside.run(lambda: bytes(self._file.read(most)))
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001 -- each file system has errors of its own
            raise_alone(Broken(Redactor(self._url).describe(error)))

    def goes_on(self) -> bool:
        """Return whether more data follows the expected end."""
        try:
            return self._aside.run(lambda: bool(self._file.read(1)))
        except Exception:  # noqa: BLE001 -- nothing came
            return False

    def close(self) -> None:
        """Close it."""
        with contextlib.suppress(Exception):
            self._aside.run(self._file.close)


# ---- writing --------------------------------------------------------------------------------------------------------


@contextmanager
def writing(url: str, saving: SaveOptions) -> Iterator[Sink]:
    """Write a file of fsspec. See ``url_sink``."""
    with _typed(url):
        system, path = _located(url)
    if "file" in _protocols(system):
        with new_file(Path(path.removeprefix("file://")), saving) as sink:
            yield sink
        return
    with _typed(url):
        _check_place(system, path, url, overwrite=saving.overwrite)
        draft = Draft(system, path)
    sent = RemoteSink(draft.file, url)
    try:
        yield sent
        with _typed(url):
            draft.file.close()
            _check_place(system, path, url, overwrite=saving.overwrite or draft.is_there_already)
            draft.publish()
            _check_length(system, path, url, sent.done)
    except BaseException:
        with contextlib.suppress(Exception):
            draft.drop()
        raise


class RemoteSink:
    """A file of fsspec that is being written."""

    def __init__(self, file: File, url: str) -> None:
        self.done: int = 0
        self._file = file
        self._url = url

    def write(self, piece: Piece) -> None:
        """Write a piece; a hole as zeros."""
        for data in zeros(piece.length) if isinstance(piece, Hole) else (piece,):
            with _typed(self._url):
                self._file.write(data)
            self.done += len(data)


class Draft:
    """A file that is being written.

    Depending on the file system: under a temporary name, if files can be moved; held back until it is committed, as
    in fsspec's transactions; or else under the final name.
    """

    def __init__(self, system: AbstractFileSystem, path: str) -> None:
        self._system, self._path = system, path
        can_move = _can_move(system)
        self._name = _hidden(path) if can_move else path
        self.file: File = self._opened(autocommit=can_move)
        self._is_held = not can_move and _is_held(self.file)
        if not can_move:
            with contextlib.suppress(ValueError):
                system.transaction.files.remove(
                    self.file
                )  # it is ours, and not of a transaction of the caller's

    def _opened(self, *, autocommit: bool) -> File:
        try:
            return self._system.open(self._name, "wb", block_size=BLOCK, autocommit=autocommit)
        except NotImplementedError:
            if autocommit:
                raise
            return self._opened(autocommit=True)

    @property
    def is_there_already(self) -> bool:
        """Whether the file has its final name from the start."""
        return not self._is_held and self._name == self._path

    def publish(self) -> None:
        """Give the closed, complete file its name."""
        if self._is_held:
            self.file.commit()
        elif self._name != self._path:
            self._system.mv(self._name, self._path)

    def drop(self) -> None:
        """Remove the file, if possible."""
        discard = getattr(self.file, "discard", None)
        if discard is not None:
            with contextlib.suppress(Exception):
                discard()
        if not self._is_held:
            with contextlib.suppress(Exception):
                self.file.close()
            self._system.rm(self._name)


def _can_move(system: AbstractFileSystem) -> bool:
    from fsspec import AbstractFileSystem as Base

    return type(system).mv is not Base.mv  # which copies, and removes


def _is_held(file: File) -> bool:
    from fsspec.spec import AbstractBufferedFile

    commit = getattr(type(file), "commit", None)
    knows = commit not in {None, AbstractBufferedFile.commit}
    return knows and getattr(file, "autocommit", True) is False  # some do not listen


def _hidden(path: str) -> str:
    folder, name = posixpath.split(path)
    return posixpath.join(folder, f".{name[:100]}.part-{secrets.token_hex(4)}")


def _check_place(system: AbstractFileSystem, path: str, url: str, *, overwrite: bool) -> None:
    try:
        kind = system.info(path).get("type")
    except FileNotFoundError:
        return
    if kind == "directory":
        raise InvalidRequestError(f"{redacted_url(url)} is a directory")
    if not overwrite:
        raise ExistsError(
            f"{redacted_url(url)} exists already",
            hint="To replace it, pass overwrite=True.",
            outcome="not_started",
            retry="no",
        )


def _check_length(system: AbstractFileSystem, path: str, url: str, wanted: int) -> None:
    system.invalidate_cache()
    found = system.info(path).get("size")
    if found not in {None, wanted}:
        raise TransferError(f"{redacted_url(url)} has {found} bytes, but {wanted} were written")


# ---- both -----------------------------------------------------------------------------------------------------------


def _located(url: str) -> tuple[AbstractFileSystem, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise UnsupportedError(
            f"{redacted_url(url)} needs the package fsspec",
            hint="Install it with: pip install 'libstorage[url]'.",
        ) from None
    located: tuple[AbstractFileSystem, str] = url_to_fs(url)
    return located


def _protocols(system: AbstractFileSystem) -> tuple[str, ...]:
    protocol = system.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)


@contextmanager
def _typed(url: str) -> Iterator[None]:
    """Translate exceptions of file systems into errors of this library, without secrets."""
    try:
        yield
    except StorageError:
        raise
    except Exception as error:  # noqa: BLE001 -- each file system has errors of its own
        raise_alone(_translated(error, url))


def _translated(error: Exception, url: str) -> StorageError:
    name, said, status = redacted_url(url), Redactor(url).describe(error), _status_of(error)
    if status is not None:
        return refusal(name, status)
    match error:
        case FileNotFoundError():
            return NotFoundError(f"{name} does not exist", outcome="not_started", retry="no")
        case FileExistsError():
            return ExistsError(f"{name} exists already", outcome="not_started", retry="no")
        case PermissionError():
            return AccessDeniedError(f"{name}: access denied: {said}", retry="no")
        case ImportError():
            hint = "pip install 'libstorage[url]' installs the package for web servers; other servers need packages of their own."
            return UnsupportedError(f"{name} needs a package: {said}", hint=hint)
        case NotImplementedError():
            return UnsupportedError(f"{name} cannot be opened in this mode: {said}")
        case ValueError() if "rotocol" in said:
            return InvalidRequestError(f"{name} cannot be opened: {said}")
        case OSError(errno=int(number)):
            return StorageIOError(f"{name} failed: {said}", errno=number)
    return TransferError(f"{name} failed: {said}")


def _status_of(error: BaseException | None) -> int | None:
    """Return the HTTP status behind an exception: fsspec reports most statuses as a missing file."""
    while error is not None:
        status = getattr(error, "status", None)
        if isinstance(status, int) and status >= 400:
            return status
        error = error.__cause__ or error.__context__
    return None
