"""Opens sources and targets: the only place that distinguishes paths, URLs, file objects, bytes and volumes."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias

from libstorage.connection.clock import NEVER
from libstorage.errors import InvalidRequestError, UnsupportedError
from libstorage.transfer.ends.addresses import is_url, is_web
from libstorage.transfer.ends.origin import Origin, UrlSource
from libstorage.transfer.ends.redaction import redacted_url
from libstorage.transfer.ends.sinks import FileSink, SaveOptions, new_file
from libstorage.transfer.ends.sources import FileSource, IterableSource, file_source, timed, until
from libstorage.transfer.ends.web.asking import USUAL, Asking
from libstorage.transfer.pieces.piece import Openable, Sink, Source

UploadSource: TypeAlias = (
    "str | os.PathLike[str] | BinaryIO | bytes | bytearray | memoryview | Iterable[bytes] | Openable"
)
"""A path or URL, a file object in binary mode, bytes, an iterable of bytes, or a volume's content."""

DownloadTarget: TypeAlias = str | os.PathLike[str] | BinaryIO
"""A path or URL, or a file object in binary mode."""


# ---- sources --------------------------------------------------------------------------------------------------------


@contextmanager
def opened_source(
    given: UploadSource, *, holes: bool, latest: float = NEVER, asking: Asking = USUAL
) -> Iterator[Source]:
    """Open the source of a transfer.

    Args:
        given: The caller's source.
        holes: Return holes of files as holes, not as zeros.
        latest: End of the transfer's time, by the monotonic clock.
        asking: Headers and redirect policy for a web server.

    Raises:
        InvalidRequestError: If the source is not readable, or is a path to something without a length.
        UnsupportedError: If a URL needs a package that is not installed.
        OSError: If the file cannot be opened.
    """
    if isinstance(given, bytes | bytearray | memoryview):
        yield until(FileSource(f"{len(given)} bytes", io.BytesIO(given)), latest)
    elif isinstance(given, str) and is_url(given):
        with url_source(given, latest, asking) as source:
            yield source
    elif isinstance(given, str | os.PathLike):
        with file_source(os.fspath(given), holes=holes) as source:
            yield until(source, latest)
    elif isinstance(given, Openable):
        with given.opened(holes=holes, latest=latest) as source:
            yield source
    elif callable(getattr(given, "read", None)):
        with timed(FileSource(str(getattr(given, "name", given)), given), latest) as source:  # type: ignore[arg-type]
            yield source
    elif isinstance(given, Iterable):
        with timed(IterableSource(given), latest) as source:
            yield source
    else:
        raise InvalidRequestError(
            f"source must be a path, a URL, a binary file object, bytes or an iterable of bytes, not {given!r}",
        )


@contextmanager
def url_source(url: str, latest: float = NEVER, asking: Asking = USUAL) -> Iterator[Source]:
    """Open a URL as a source. If the connection breaks, it is resumed at the same offset.

    Args:
        url: ``http:`` and ``https:``, or any other that fsspec knows, chained ones included.
        latest: End of the transfer's time, by the monotonic clock.
        asking: More headers, and where redirects may lead; of web servers only.

    Raises:
        NotFoundError: If the file does not exist.
        AccessDeniedError: If access is denied.
        ConnectionFailedError: If the server cannot be reached.
        UnsupportedError: If a package is missing.
        TransferError: If the server or file system fails otherwise.
    """
    opened = UrlSource(_origin(url, latest, asking), latest)
    try:
        yield opened
    finally:
        opened.close()


def _origin(url: str, latest: float, asking: Asking) -> Origin:
    if is_web(url):
        from libstorage.transfer.ends.web.web import WebOrigin

        return WebOrigin(url, latest, asking)
    if not asking.is_plain:
        raise UnsupportedError(
            f"{redacted_url(url)} does not support headers= and redirects=, which are for http:// and https:// only",
        )
    from libstorage.transfer.ends.filesystems import RemoteOrigin

    return RemoteOrigin(url, latest)


# ---- sinks ----------------------------------------------------------------------------------------------------------


@contextmanager
def opened_sink(given: DownloadTarget, saving: SaveOptions) -> Iterator[Sink]:
    """Open the sink of a transfer.

    A path's file appears when the block ends without an error. Otherwise there is no trace of it, unless what was
    received is kept to go on with: then it is in ``.NAME.part`` beside it.

    Raises:
        ExistsError: If the file exists, and may not be overwritten.
        InvalidRequestError: If the target is not writable, is a path to something other than a regular file, or cannot
            be resumed.
        BusyError: If another download resumes the same file.
        UnsupportedError: If a URL needs a package that is not installed.
        OSError: If the file cannot be written.
    """
    if saving.resume and not is_path(given):
        raise InvalidRequestError("only a download to a path can be resumed")
    if isinstance(given, str) and not is_path(given):
        with url_sink(given, saving) as sink:
            yield sink
    elif isinstance(given, str | os.PathLike):
        with new_file(Path(given), saving) as sink:
            yield sink
    elif callable(getattr(given, "write", None)):
        yield FileSink(given)
    else:
        raise InvalidRequestError(f"target must be a path, a URL or a binary file object, not {given!r}")


@contextmanager
def url_sink(url: str, saving: SaveOptions) -> Iterator[Sink]:
    """Open a URL as a sink. The file appears when the block ends without an error, if the server supports that.

    Raises:
        ExistsError: If the file exists, and may not be overwritten.
        AccessDeniedError: If access is denied.
        UnsupportedError: If a package is missing, or the server cannot be written to.
        TransferError: If the file system fails otherwise.
    """
    from libstorage.transfer.ends.filesystems import writing

    with writing(url, saving) as sink:
        yield sink


def is_path(given: DownloadTarget) -> bool:
    """Return whether the target is a local path, not a URL or a file object."""
    return isinstance(given, os.PathLike) or (isinstance(given, str) and not is_url(given))
