"""Requests to web servers: addresses, headers and redirects."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Final
from urllib.parse import quote, unquote, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import attrs

from libstorage.errors import (
    AuthenticationError,
    ConnectionFailedError,
    InvalidRequestError,
    StorageError,
    TransferError,
    UnsupportedError,
)
from libstorage.models.secret_value import SecretValue
from libstorage.transfer.ends.redaction import Redactor, plain, redacted_url
from libstorage.transfer.ends.web.answer import Head, read_head
from libstorage.transfer.ends.web.asking import Asking, is_public
from libstorage.transfer.ends.web.wire import NotAllowedError, Wire, connected

_MOST_REDIRECTS: Final = 10
_REDIRECTS: Final = {301, 302, 303, 307, 308}
_PORTS: Final = {"http": 80, "https": 443}
_MEANT: Final = "%/:=&?~#+!$,;'@()*[]"  # not to be quoted in an address
_is_host = re.compile(r"[A-Za-z0-9._~-]+|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9._~-]+)?").fullmatch


@attrs.frozen
class Place:
    """The destination of a request.

    Attributes:
        scheme: ``http`` or ``https``.
        host: Name or address of the server.
        port: Port of the server.
        path: Path and query.
        user: ``user:password`` as in the address; empty if it has none.
    """

    scheme: str
    host: str
    port: int
    path: str
    user: SecretValue | None = None

    @classmethod
    def of(cls, url: str) -> Place:
        """Parse the address of a web server's file.

        Raises:
            ValueError: If it is not one.
        """
        parts = urlsplit(url)
        scheme, port = parts.scheme.lower(), parts.port
        if scheme not in _PORTS or not parts.hostname:
            raise ValueError(url)
        host = parts.hostname if ":" in parts.hostname else parts.hostname.encode("idna").decode("ascii")
        if not _is_host(host):
            raise ValueError(url)
        path = quote(parts.path or "/", safe=_MEANT) + (
            f"?{quote(parts.query, safe=_MEANT)}" if parts.query else ""
        )
        user = parts.netloc.rpartition("@")[0]
        return cls(scheme, host, port or _PORTS[scheme], path, SecretValue(user) if user else None)

    @property
    def origin(self) -> tuple[str, str, int]:
        """What distinguishes servers."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """Host and port, as in a request."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The address without user and password."""
        return f"{self.scheme}://{self.authority}{self.path}"

    def logins(self, header: str) -> dict[str, SecretValue]:
        """The header with user and password, if the address has them."""
        if self.user is None:
            return {}
        name, _, password = self.user.reveal().decode().partition(":")
        login = b64encode(f"{unquote(name)}:{unquote(password)}".encode())
        return {header: SecretValue(b"Basic " + login)}


class Asker:
    """Requests one file, following redirects.

    Args:
        url: Its address.
        latest: When all must be over, by the monotonic clock.
        asking: More headers, and where redirects may lead.

    Attributes:
        secrets: Redacts the secrets of the request.
    """

    def __init__(self, url: str, latest: float, asking: Asking) -> None:
        self._latest, self._asking, self._name = latest, asking, redacted_url(url)
        place: Place | None = None
        with suppress(ValueError):
            place = Place.of(url)
        if place is None:
            raise InvalidRequestError(f"{self._name} is not an address")
        self._place = place
        self._headers = dict(asking.headers)
        if place.user:
            if any(name.lower() == "authorization" for name in self._headers):
                raise InvalidRequestError(
                    "the address has a user and headers has an Authorization: give only one of them",
                )
            self._headers.update(place.logins("Authorization"))
        self.secrets: Redactor = Redactor(url, *getproxies().values(), values=_words(self._headers.values()))

    def ask(self, extra: dict[str, str]) -> tuple[Wire, Head, str]:
        """Send the request; return the connection, the head of the response, and the path of the file.

        Raises:
            OSError: If the server does not answer in time.
            MalformedError: If the response violates HTTP.
            TransferError: If a redirect leads to a forbidden address.
        """
        place, own, first, hops = self._place, True, "", 0
        while True:
            wire = self._connected(place, first, own=own)
            first = first or wire.peer
            try:
                wire.send(self._request(place, extra, own=own))
                head = read_head(wire)
                target = head.get("location") if head.status in _REDIRECTS else None
            except BaseException:
                wire.close()
                raise
            if target is None:
                return wire, head, place.path
            wire.close()
            hops += 1
            if hops > _MOST_REDIRECTS:
                raise TransferError(
                    f"{self._name} could not be read: the server redirected {hops} times (HTTP {head.status})",
                    outcome="not_started",
                    retry="no",
                )
            place = self._redirected(place, target, head.status)
            own = own and place.origin == self._place.origin

    def _connected(self, place: Place, first: str, *, own: bool) -> Wire:
        """Connect to a server, directly or through a proxy.

        Args:
            place: The destination.
            first: Address of the first connection; empty if this is the first.
            own: Whether this is still the server of the caller's address.
        """
        proxy = self._proxy(place)
        only_public = bool(first) and self._asking.redirects == "public"
        if proxy is not None:
            if only_public:
                raise self._misled(
                    place, "through a proxy, so it cannot be verified that the address is public"
                )
            return self._through(proxy, place)
        allows: Callable[[str], bool] = lambda _: True  # noqa: E731
        if only_public:
            allows = lambda address: is_public(address) or (own and address == first)  # noqa: E731
        try:
            wire = connected(place.host, place.port, self._latest, allows)
        except NotAllowedError:
            wire = None
        if wire is None:
            raise self._misled(place, "which is not a public address")
        return self._secured(wire, place) if place.scheme == "https" else wire

    def _through(self, proxy: Place, place: Place) -> Wire:
        wire = connected(proxy.host, proxy.port, self._latest, lambda _: True)
        if place.scheme == "http":
            return wire
        host = f"[{place.host}]" if ":" in place.host else place.host
        name = f"{host}:{place.port}"
        try:
            wire.send(_message(f"CONNECT {name}", {"Host": name}, proxy.logins("Proxy-Authorization")))
            head = read_head(wire)
            if head.status != 200:
                raise self._refused(proxy, head.status)
        except BaseException:
            wire.close()
            raise
        return self._secured(wire, place)

    def _secured(self, wire: Wire, place: Place) -> Wire:
        try:
            wire.secure(place.host)
        except BaseException:
            wire.close()
            raise
        return wire

    def _proxy(self, place: Place) -> Place | None:
        address = getproxies().get(place.scheme)
        if not address or proxy_bypass(place.authority):
            return None
        proxy: Place | None = None
        with suppress(ValueError):
            proxy = Place.of(address if "://" in address else f"http://{address}")
        if proxy is None or proxy.scheme != "http":
            raise UnsupportedError(
                f"the proxy {redacted_url(address)} cannot be used: its address must begin with http://",
            )
        return proxy

    def _request(self, place: Place, extra: dict[str, str], *, own: bool) -> SecretValue:
        proxy = self._proxy(place) if place.scheme == "http" else None
        headers = {"Host": place.authority, "Accept-Encoding": "identity", "Connection": "close", **extra}
        more = dict(self._headers) if own else {}
        if not any(name.lower() == "user-agent" for name in more):
            headers["User-Agent"] = "libstorage"
        if proxy is not None:
            more.update(proxy.logins("Proxy-Authorization"))
        return _message(f"GET {place.path if proxy is None else place.url}", headers, more)

    def _redirected(self, place: Place, target: str, status: int) -> Place:
        """Return where a redirect leads.

        Raises:
            TransferError: If it is forbidden, or leads nowhere.
        """
        found: Place | None = None
        with suppress(ValueError):
            found = Place.of(urljoin(place.url, quote(target, safe=_MEANT, encoding="latin-1")))
        said = f"{self._name} cannot be read: the server answered {status}, and redirects to"
        if found is None or found.user:
            raise TransferError(
                f"{said} an address that is not of a web server, or contains a password",
                outcome="not_started",
                retry="no",
            )
        if self._asking.redirects == "forbid":
            raise self._misled(found, "and redirects are forbidden")
        return found

    def _refused(self, proxy: Place, status: int) -> StorageError:
        name = f"{self._name} cannot be read: the proxy {plain(proxy.url)}"
        if status == 407:
            return AuthenticationError(
                f"{name} requires a login",
                hint="Put user and password into its address: https_proxy=http://user:password@proxy:3128",
                outcome="not_started",
                retry="no",
            )
        return ConnectionFailedError(f"{name} answered {status}", outcome="not_started", retry="backoff")

    def _misled(self, place: Place, why: str) -> TransferError:
        return TransferError(
            f"{self._name} redirects to {self.secrets.hide(redacted_url(place.url))}, {why} "
            f"(redirects={self._asking.redirects!r})",
            hint="If the file is there, use that address directly.",
            outcome="not_started",
            retry="no",
        )


def _message(first: str, headers: dict[str, str], secret: dict[str, SecretValue]) -> SecretValue:
    """Build a request. Tracebacks must not show it: its headers may be secret."""
    lines = [f"{first} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    more = [name.encode("ascii") + b": " + value.reveal() for name, value in secret.items()]
    return SecretValue(b"\r\n".join([*(line.encode("latin-1") for line in lines), *more, b"", b""]))


def _words(values: Iterable[SecretValue]) -> Iterator[str]:
    """Yield the secrets of headers: their values, and the part behind a word such as ``Bearer``."""
    for value in values:
        for text in {value.reveal().decode("latin-1"), value.reveal().decode(errors="replace")}:
            yield from (text, text.rpartition(" ")[2])
