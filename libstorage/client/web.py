"""What a web server has, as a source.

The standard library's client and not fsspec's: behind the length that a server states, aiohttp drops what else comes
without a word, and it ends every request after five minutes.
"""

from __future__ import annotations

import re
import select
import ssl
from base64 import b64encode
from http.client import HTTPException, HTTPResponse
from time import monotonic
from typing import Final, cast
from urllib import request
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urlsplit

from libstorage.client.urls import Broken, Changed, Version, refusal, shown, told
from libstorage.errors import (
    ConnectionFailedError,
    DeadlineError,
    InvalidRequestError,
    StorageError,
    TransferError,
)

TIMEOUT: Final = 60.0
"""Seconds that a server may keep silent."""

LAST_WORD = 2.0
"""Seconds to wait for what comes behind the end, if the server leaves the connection open."""

_SHORTEST: Final = 0.001  # seconds; no time at all would mean not to wait
_MEANT = "%/:=&?~#+!$,;'@()*[]"  # not to be quoted in an address
_MARKS = ("ETag", "Last-Modified")
_range = re.compile(r"bytes (\d+)-\d+/(\d+|\*)").fullmatch
_FAILURES = (OSError, HTTPException)


class WebOrigin:
    """A file of a web server's. Redirects are followed; the password goes to no other server.

    Args:
        url: Its address; ``user:password@`` is sent as basic authentication.
        latest: When the transfer must be over, by the monotonic clock.

    Raises:
        InvalidRequestError: It is none.
    """

    def __init__(self, url: str, latest: float) -> None:
        self.name: str = shown(url)
        self._latest = latest
        self._secret = url
        self._url, self._authorization = _without_user(url)
        self._opener = request.OpenerDirector()
        for handler in (
            request.ProxyHandler(),
            request.UnknownHandler(),
            request.HTTPHandler(),
            request.HTTPSHandler(context=ssl.create_default_context()),
            request.HTTPDefaultErrorHandler(),
            request.HTTPRedirectHandler(),
            request.HTTPErrorProcessor(),
        ):
            self._opener.add_handler(handler)

    def open(self) -> tuple[WebBody, Version]:
        """Ask for it.

        Raises:
            StorageError: The server does not give it.
        """
        try:
            response = self._ask({})
        except HTTPError as error:
            error.close()
            raise refusal(self.name, error.code) from None
        except (*_FAILURES, ValueError) as error:
            raise self._unreachable(error) from None
        body = WebBody(response)
        return body, Version(length=body.length, marks=_marks(response))

    def reopen(self, place: int) -> tuple[WebBody, Version]:
        """Ask for the rest of it.

        Raises:
            Broken: The server does not answer, or not now.
            Changed: It gives no parts of files, or has no such part.
        """
        try:
            response = self._ask({"Range": f"bytes={place}-"})
        except HTTPError as error:
            error.close()
            if error.code >= 500 or error.code == 429:
                raise Broken(f"the server answers {error.code}") from None
            raise Changed(f"asked for the rest, the server answers {error.code}") from None
        except _FAILURES as error:
            raise Broken(told(error, self._secret)) from None
        found = _range(response.headers.get("Content-Range", ""))
        if response.status != 206 or found is None or int(found[1]) != place:
            response.close()
            raise Changed("the server cannot give the rest alone (no ranges)")
        body = WebBody(response)
        length = None if found[2] == "*" else int(found[2])
        return body, Version(length=length, marks=_marks(response))

    def _ask(self, headers: dict[str, str]) -> HTTPResponse:
        headers = {"Accept-Encoding": "identity", "User-Agent": "libstorage", **headers}
        asked = request.Request(self._url, headers=headers)  # noqa: S310 -- the opener knows no other schemes
        if self._authorization:
            asked.add_unredirected_header("Authorization", self._authorization)
        return cast(HTTPResponse, self._opener.open(asked, timeout=self._patience()))

    def _patience(self) -> float:
        return min(TIMEOUT, max(_SHORTEST, self._latest - monotonic()))

    def _unreachable(self, error: Exception) -> StorageError:
        reason = error.reason if isinstance(error, URLError) else error
        cause = reason if isinstance(reason, BaseException) else error
        message = f"{self.name} cannot be had: {told(cause, self._secret)}"
        if monotonic() >= self._latest:
            return DeadlineError(f"the deadline passed: {message}", outcome="not_started", retry="no")
        if isinstance(error, ValueError) and not isinstance(error, OSError):
            return InvalidRequestError(message, outcome="not_started", retry="no")
        if isinstance(error, HTTPException):
            return TransferError(message, outcome="not_started", retry="backoff")
        return ConnectionFailedError(message, outcome="not_started", retry="backoff")


class WebBody:
    """One answer of a web server's."""

    def __init__(self, response: HTTPResponse) -> None:
        self.length: int | None = response.length
        self._response = response
        self._left = response.length
        self._goes_on = False

    def read(self, most: int) -> bytes:
        """The next bytes that are there.

        Raises:
            Broken: The connection broke.
        """
        try:
            return self._read(most)
        except _FAILURES as error:
            raise Broken(type(error).__name__) from None

    def goes_on(self) -> bool:
        """Whether the server sends more than it said: it was asked to close the connection behind the last byte."""
        if self._goes_on or self._response.isclosed():
            return self._goes_on
        try:
            if self._left is None:
                return bool(self._response.read1(1))
            there, _, _ = select.select([self._response.fp], [], [], LAST_WORD)
            return bool(there and self._response.fp.read1(1))
        except _FAILURES:
            return False

    def close(self) -> None:
        """End the connection."""
        self._response.close()

    def _read(self, most: int) -> bytes:
        if self._left is None:
            return self._response.read1(most)
        if (
            self._left > 1
        ):  # when all is read the response forgets its connection, and with it what comes behind
            data = self._response.read1(min(most, self._left - 1))
        elif self._left == 1:
            found = self._response.fp.read1(2)
            data, self._goes_on = found[:1], len(found) > 1
        else:
            return b""
        self._left -= len(data)
        return data


def _marks(response: HTTPResponse) -> tuple[str | None, ...]:
    return tuple(response.headers.get(mark) for mark in _MARKS)


def _without_user(url: str) -> tuple[str, str | None]:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise InvalidRequestError(f"{shown(url)} is not an address", outcome="not_started") from None
    user, _, place = parts.netloc.rpartition("@")
    address = quote(parts._replace(netloc=place, fragment="").geturl(), safe=_MEANT)
    if not user:
        return address, None
    name, _, password = user.partition(":")
    token = b64encode(f"{unquote(name)}:{unquote(password)}".encode()).decode("ascii")
    return address, f"Basic {token}"
