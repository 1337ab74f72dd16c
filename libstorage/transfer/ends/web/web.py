"""What a web server has, as a source.

A client of its own, and not fsspec's: behind the length that a server states, aiohttp drops what else comes without a
word, and it ends every request after five minutes. The standard library's takes lengths that are none for no length.
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
"""Seconds to wait for what comes behind the end, if the server leaves the connection open."""

_MARKS = ("etag", "last-modified")
_FAILURES = (OSError, MalformedError)
_PACKED: Final = {
    ".gz": {"gzip", "x-gzip"},
    ".tgz": {"gzip", "x-gzip"},
    ".bz2": {"bzip2", "x-bzip2"},
    ".xz": {"xz", "x-xz"},
    ".zst": {"zstd"},
}
"""What is no encoding of the answer's, but the file itself: some servers say that of all with such a name."""


class WebOrigin:
    """A file of a web server's. Passwords and the caller's headers go to no other server.

    Args:
        url: Its address; ``user:password@`` is sent as basic authentication.
        latest: When the transfer must be over, by the monotonic clock.
        asking: More headers, and where redirects may lead.

    Raises:
        InvalidRequestError: It is none.
    """

    def __init__(self, url: str, latest: float, asking: Asking) -> None:
        self.name: str = redacted_url(url)
        self._latest = latest
        self._asker = Asker(url, latest, asking)

    def open(self) -> tuple[WebBody, Version]:
        """Ask for it.

        Raises:
            StorageError: The server does not give it.
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
        """Ask for the rest of it.

        Raises:
            Broken: The server does not answer, or not now.
            Changed: It gives no parts of files, has no such part, or gives another.
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
        """What is told of a server that breaks the rules."""
        return TransferError(f"{self.name} cannot be had: {self._said(error)}", retry="backoff")

    def _said(self, error: Exception) -> str:
        return self._asker.secrets.hide(str(error))

    def _whole(self, wire: Wire, head: Head, path: str) -> Body:
        """The body of an answer that holds the whole file.

        Raises:
            StorageError: It is not given.
            MalformedError: It holds something else.
        """
        with _ended(wire):
            if head.status != 200:
                raise refusal(self.name, head.status)
            _check_plain(head, path)
            body, part = body_of(wire, head), range_of(head)
            if part is not None and (part.first, part.total, part.length) != (0, part.length, body.length):
                raise MalformedError("it gives a part, and was asked for the whole")
            return body

    def _rest(self, wire: Wire, head: Head, path: str, place: int) -> tuple[Body, Range]:
        """The body of an answer that holds all from ``place`` on, or the beginning of that.

        Raises:
            Broken: The server may give it later.
            MalformedError: It holds something else.
        """
        with _ended(wire):
            if head.status >= 500 or head.status == 429:
                raise_alone(Broken(f"the server answers {head.status}"))
            if head.status >= 400:
                raise_alone(Changed(f"asked for the rest, the server answers {head.status}"))
            part = range_of(head) if head.status == 206 else None
            if part is None or part.first != place:
                raise_alone(Changed("the server cannot give the rest alone (no ranges)"))
            _check_plain(head, path)
            body = body_of(wire, head)
            if body.length not in {None, part.length}:
                raise MalformedError(f"it gives {body.length} bytes, and says that they are {part.length}")
            return body, part

    def _unreachable(self, error: Exception) -> StorageError:
        message = f"{self.name} cannot be had: {self._asker.secrets.describe(error)}"
        if monotonic() >= self._latest:
            return DeadlineError(f"the deadline passed: {message}", outcome="not_started", retry="no")
        if isinstance(error, MalformedError):
            return TransferError(
                f"{self.name} cannot be had: {self._said(error)}", outcome="not_started", retry="backoff"
            )
        is_stranger = isinstance(error, ssl.SSLCertVerificationError)
        return ConnectionFailedError(message, outcome="not_started", retry="no" if is_stranger else "backoff")


class WebBody:
    """One answer of a web server's."""

    def __init__(self, wire: Wire, body: Body, origin: WebOrigin) -> None:
        self._wire, self._body, self._origin = wire, body, origin

    def read(self, most: int) -> bytes:
        """The next bytes that are there.

        Raises:
            Broken: The connection broke.
            TransferError: What comes breaks the rules.
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
        """Whether the server sends more than it said: it was asked to close the connection behind the last byte."""
        try:
            if self._body.length is None:
                return bool(self._body.read(1))
            return self._wire.has_more(LAST_WORD)
        except _FAILURES:
            return False

    def close(self) -> None:
        """End the connection."""
        self._wire.close()


def _check_plain(head: Head, path: str) -> None:
    """Refuse what is not the file's own bytes.

    Raises:
        MalformedError: It is packed, or in parts.
    """
    packed = _PACKED.get(posixpath.splitext(path.partition("?")[0])[1].lower(), set())
    codings = {coding.lower() for coding in head.all("content-encoding")} - {"identity", ""}
    if codings and codings != codings & packed:
        raise MalformedError(f"it packs the file (Content-Encoding {', '.join(sorted(codings))!r}), unasked")
    if (head.get("content-type") or "").lower().startswith("multipart/byteranges"):
        raise MalformedError("it gives parts, and was not asked for any")


@contextmanager
def _ended(wire: Wire) -> Iterator[None]:
    """A connection that ends if the block fails."""
    try:
        yield
    except BaseException:
        wire.close()
        raise


def _marks(head: Head) -> tuple[str | None, ...]:
    return tuple(head.get(mark) for mark in _MARKS)
