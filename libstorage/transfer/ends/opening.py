"""Opens what the caller gave: the one place that tells paths, URLs, file objects, bytes and volumes apart."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias

from libstorage.connection.process import NEVER
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
"""A path or URL, a file object opened in binary mode, bytes, whatever gives bytes when it is iterated over, or a volume."""

DownloadTarget: TypeAlias = str | os.PathLike[str] | BinaryIO
"""A path or URL, or a file object opened in binary mode."""


# ---- sources --------------------------------------------------------------------------------------------------------


@contextmanager
def opened_source(
    given: UploadSource, *, holes: bool, latest: float = NEVER, asking: Asking = USUAL
) -> Iterator[Source]:
    """Open what a transfer reads from.

    Args:
        given: What the caller gave.
        holes: Give holes of files as such, and not as zeros.
        latest: When the transfer must be over, by the monotonic clock.
        asking: How a web server is asked.

    Raises:
        InvalidRequestError: It is nothing to read from, or a path to something without a length.
        UnsupportedError: A URL needs a package that is not installed.
        OSError: It cannot be opened.
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
            f"a source is a path, a URL, a binary file object, bytes or an iterable of bytes, not {given!r}",
        )


@contextmanager
def url_source(url: str, latest: float = NEVER, asking: Asking = USUAL) -> Iterator[Source]:
    """What is behind a URL. A connection that breaks is taken up again where it broke.

    Args:
        url: ``http:`` and ``https:``, or any other that fsspec knows, chained ones included.
        latest: When the transfer must be over, by the monotonic clock.
        asking: More headers, and where redirects may lead; of web servers only.

    Raises:
        NotFoundError: There is nothing.
        AccessDeniedError: It is not for us.
        ConnectionFailedError: The server cannot be reached.
        UnsupportedError: A package is missing.
        TransferError: Anything else that the server or file system refuses.
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
            f"{redacted_url(url)} is not asked by us: headers= and redirects= are for http:// and https:// alone",
        )
    from libstorage.transfer.ends.filesystems import RemoteOrigin

    return RemoteOrigin(url, latest)


# ---- sinks ----------------------------------------------------------------------------------------------------------


@contextmanager
def opened_sink(given: DownloadTarget, saving: SaveOptions) -> Iterator[Sink]:
    """Open what a transfer writes to.

    A path's file appears when the block ends without an error. Otherwise there is no trace of it, unless what was
    received is kept to go on with: then it is in ``.NAME.part`` beside it.

    Raises:
        ExistsError: The file is there, and is not to be overwritten.
        InvalidRequestError: It is nothing to write to, a path to something else than a file, or nothing to go on with.
        BusyError: Another download goes on there.
        UnsupportedError: A URL needs a package that is not installed.
        OSError: It cannot be written.
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
        raise InvalidRequestError(f"a target is a path, a URL or a binary file object, not {given!r}")


@contextmanager
def url_sink(url: str, saving: SaveOptions) -> Iterator[Sink]:
    """What is to be behind a URL: there when the block ends without an error, and not before where that can be had.

    Raises:
        ExistsError: There is something already, and it is not to be overwritten.
        AccessDeniedError: It is not for us.
        UnsupportedError: A package is missing, or nothing can be written there.
        TransferError: Anything else that the file system refuses.
    """
    from libstorage.transfer.ends.filesystems import writing

    with writing(url, saving) as sink:
        yield sink


def is_path(given: DownloadTarget) -> bool:
    """Whether that is a path on this machine, and no URL and no file object."""
    return isinstance(given, os.PathLike) or (isinstance(given, str) and not is_url(given))
