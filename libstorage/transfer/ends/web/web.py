"""A file of a web server as a source.

This is our own client, not fsspec's: aiohttp silently drops data behind the stated length, and ends every request after
five minutes. The standard library's client takes an invalid length for no length.
"""

from __future__ import annotations

import posixpath
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Final

from libstorage.errors import ConnectionFailedError, DeadlineError, StorageError, TransferError
from libstorage.transfer.ends.addresses import refusal
from libstorage.transfer.ends.origin import Broken, Changed, Version
from libstorage.transfer.ends.redaction import raise_alone, redacted_url
from libstorage.transfer.ends.web.answer import Body, Head, Range, body_of, range_of
from libstorage.transfer.ends.web.asking import Asking
from libstorage.transfer.ends.web.request import Asker
from libstorage.transfer.ends.web.wire import EndedError, MalformedError, Wire

LAST_WORD = 2.0
"""Seconds to wait for data behind the end, if the server leaves the connection open."""

_MARKS = ("etag", "last-modified")
_FAILURES = (OSError, MalformedError)
_PACKED: Final = {
    ".gz": {"gzip", "x-gzip"},
    ".tgz": {"gzip", "x-gzip"},
    ".bz2": {"bzip2", "x-bzip2"},
    ".xz": {"xz", "x-xz"},
    ".zst": {"zstd"},
}
"""Encodings that some servers state for every file with such a suffix, although the file itself is compressed."""


class WebOrigin:
    """A file of a web server. Passwords and the caller's headers are sent to no other server.

    Args:
        url: URL of the file; ``user:password@`` is sent as basic authentication.
        latest: End of the transfer's time, by the monotonic clock.
        asking: More headers, and where redirects may lead.

    Raises:
        InvalidRequestError: If the URL is invalid.
    """

    def __init__(self, url: str, latest: float, asking: Asking) -> None:
        self.name: str = redacted_url(url)
        self._latest = latest
        self._asker = Asker(url, latest, asking)

    def open(self) -> tuple[WebBody, Version]:
        """Request the file.

        Raises:
            StorageError: If the server does not send it.
        """
        body: Body | None = None
        try:
            wire, head, path = self._asker.ask({})
            body = self._whole(wire, head, path)
        except StorageError:
            raise
        except _FAILURES as error:
            problem = self._unreachable(error)
        else:
            return WebBody(wire, body, self), Version(length=body.length, marks=_marks(head))
        return raise_alone(problem)

    def reopen(self, place: int) -> tuple[WebBody, Version]:
        """Request the rest of the file.

        Raises:
            Broken: If the server does not answer, or not now.
            Changed: If the server does not support ranges, has no such range, or sends another.
        """
        try:
            wire, head, path = self._asker.ask({"Range": f"bytes={place}-"})
            body, part = self._rest(wire, head, path, place)
        except MalformedError as error:
            problem: Exception = Changed(self._said(error))
        except StorageError:
            raise
        except OSError as error:
            problem = Broken(self._asker.secrets.describe(error))
        else:
            return WebBody(wire, body, self), Version(length=part.total, marks=_marks(head))
        return raise_alone(problem)

    def malformed(self, error: MalformedError) -> TransferError:
        """Return the error for a server that violates HTTP."""
        return TransferError(f"{self.name} could not be read: {self._said(error)}", retry="backoff")

    def _said(self, error: Exception) -> str:
        return self._asker.secrets.hide(str(error))

    def _whole(self, wire: Wire, head: Head, path: str) -> Body:
        """Return the body of a response with the whole file.

        Raises:
            StorageError: If the server refuses it.
            MalformedError: If the response holds something else.
        """
        with _ended(wire):
            if head.status != 200:
                raise refusal(self.name, head.status)
            _check_plain(head, path)
            body, part = body_of(wire, head), range_of(head)
            if part is not None and (part.first, part.total, part.length) != (0, part.length, body.length):
                raise MalformedError("it sent a part when the whole file was requested")
            return body

    def _rest(self, wire: Wire, head: Head, path: str, place: int) -> tuple[Body, Range]:
        """Return the body of a response with the bytes from ``place`` on, or the first of them.

        Raises:
            Broken: If the server may send it later.
            MalformedError: If the response holds something else.
        """
        with _ended(wire):
            if head.status >= 500 or head.status == 429:
                raise_alone(Broken(f"the server answered HTTP {head.status}"))
            if head.status >= 400:
                raise_alone(Changed(f"when asked for the rest, the server answered HTTP {head.status}"))
            part = range_of(head) if head.status == 206 else None
            if part is None or part.first != place:
                raise_alone(Changed("the server does not support ranges"))
            _check_plain(head, path)
            body = body_of(wire, head)
            if body.length not in {None, part.length}:
                raise MalformedError(f"it sent {body.length} bytes and stated {part.length}")
            return body, part

    def _unreachable(self, error: Exception) -> StorageError:
        message = f"{self.name} could not be read: {self._asker.secrets.describe(error)}"
        if monotonic() >= self._latest:
            return DeadlineError(f"the deadline passed: {message}", outcome="not_started", retry="no")
        if isinstance(error, MalformedError):
            return TransferError(
                f"{self.name} could not be read: {self._said(error)}", outcome="not_started", retry="backoff"
            )
        is_stranger = isinstance(error, ssl.SSLCertVerificationError)
        return ConnectionFailedError(message, outcome="not_started", retry="no" if is_stranger else "backoff")


class WebBody:
    """The body of one response."""

    def __init__(self, wire: Wire, body: Body, origin: WebOrigin) -> None:
        self._wire, self._body, self._origin = wire, body, origin

    def read(self, most: int) -> bytes:
        """Return the next available bytes.

        Raises:
            Broken: If the connection broke.
            TransferError: If the server violates HTTP.
        """
        try:
            return self._body.read(most)
        except EndedError as error:
            problem: Exception = Broken(str(error))
        except MalformedError as error:
            problem = self._origin.malformed(error)
        except OSError as error:
            problem = Broken(type(error).__name__)
        return raise_alone(problem)

    def goes_on(self) -> bool:
        """Return whether the server sends more than it stated: it was asked to close the connection after the last byte."""
        try:
            if self._body.length is None:
                return bool(self._body.read(1))
            return self._wire.has_more(LAST_WORD)
        except _FAILURES:
            return False

    def close(self) -> None:
        """Close the connection."""
        self._wire.close()


def _check_plain(head: Head, path: str) -> None:
    """Check that the body is the file's own bytes.

    Raises:
        MalformedError: If it is encoded, or in parts.
    """
    packed = _PACKED.get(posixpath.splitext(path.partition("?")[0])[1].lower(), set())
    codings = {coding.lower() for coding in head.all("content-encoding")} - {"identity", ""}
    if codings and codings != codings & packed:
        raise MalformedError(f"it encoded the file unasked (Content-Encoding {', '.join(sorted(codings))!r})")
    if (head.get("content-type") or "").lower().startswith("multipart/byteranges"):
        raise MalformedError("it sent parts that were not requested")


@contextmanager
def _ended(wire: Wire) -> Iterator[None]:
    """Close the connection if the block fails."""
    try:
        yield
    except BaseException:
        wire.close()
        raise


def _marks(head: Head) -> tuple[str | None, ...]:
    return tuple(head.get(mark) for mark in _MARKS)
