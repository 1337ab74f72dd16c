"""Addresses of connections: parses the addresses that users pass, and refuses dangerous ones.

See https://libvirt.org/uri.html. An address is code: some of its parameters name programs that libvirt runs. libstorage
rebuilds the address from the parsed parts and passes that to libvirt, so that both interpret the address in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

import attrs

from libstorage.connection.address.host_uri import HostURI, invalid, is_loopback, not_text
from libstorage.connection.address.text import HIDDEN, encoded, refuse, without_secrets
from libstorage.connection.address.transports import PORTS, SHELLS, Transport
from libstorage.connection.raw import RawConnect
from libstorage.errors import InvalidRequestError
from libstorage.xml.wording import one_of

__all__ = ["DANGERS", "Address", "HostURI", "Transport", "parse"]

DANGERS: Final = {
    "command": "the address makes libvirt run a program on this machine",
    "netcat": "the address names the program that the remote host runs",
    "no_verify": "the identity of the host is not verified",
    "tcp": "the connection is not encrypted",
    "password": "the address contains a password, which process listings would show",
    "socket-shell": "the socket path contains shell code, which the remote host would run",
}
"""The words of ``connect(allow=…)``, and the danger that each of them accepts."""

_ALIAS = re.compile(r"[A-Za-z0-9_-]+")
_SHELL_SAFE = re.compile(r"(?!~)[\w/.:@%+=,~-]*")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9.-]*)(?:\+([A-Za-z0-9]+))?://([^/?#]*)")
_UNVERIFIED = re.compile(r"ANON|%VERIFY|%DISABLE|%UNSAFE", re.IGNORECASE)
_UNENCRYPTED = re.compile(r"\+?NULL", re.IGNORECASE)
_STORAGE_SOCKET, _SECRET_SOCKET = "virtstoraged-sock", "virtsecretd-sock"
_FROM_A_PICKLE = "A host that was opened with allow= does not open again from a pickle. Call connect() again."


@attrs.frozen
class Address:
    """The address of a connection.

    Attributes:
        uri: The address without its password; ``None`` is libvirt's default.
        driver: ``qemu``, ``storage``, ``secret``, ``test`` and so on.
        transport: The transport.
        port: The port that the TCP socket connects to.
        socket: Path of the socket, if the address names one.
        exact: The address that libvirt gets.
        parts: The parsed address; ``None`` if libstorage has not parsed it.
    """

    uri: str | None
    driver: str = ""
    transport: Transport = Transport.UNKNOWN
    port: int | None = None
    socket: str | None = None
    exact: str | None = attrs.field(
        default=attrs.Factory(lambda self: self.uri, takes_self=True), eq=False, repr=False
    )
    parts: HostURI | None = attrs.field(default=None, eq=False, repr=False)

    @property
    def is_local(self) -> bool:
        """Whether the host is reached without a network."""
        return self.transport in {Transport.UNIX, Transport.NONE}

    def resolved(self, connection: RawConnect) -> Address:
        """Return the address that libvirt resolved a default address or an alias to, once the connection is open.

        Defaults and aliases are the user's own configuration, so nothing in them is refused. Any other address is
        returned unchanged.
        """
        if self.transport is not Transport.UNKNOWN:
            return self
        actual = connection.getURI()
        found = _configured(actual)
        return attrs.evolve(found, uri=self.uri or found.uri, exact=self.exact or actual)

    def secret_twin(self) -> Address:
        """Return the address that gives access to the secrets of the host.

        A ``storage://`` connection does not provide secrets, but a ``secret://`` connection to the same host does. Any
        other address provides both.
        """
        parts = self.parts
        if parts is None or parts.driver != "storage":
            return self
        folder, slash, file = (parts.socket or "").rpartition("/")
        socket = f"{folder}{slash}{_SECRET_SOCKET}" if file == _STORAGE_SOCKET else parts.socket
        name = re.sub(r"^storage(?=:)", "secret", parts.name) if parts.name else parts.name
        return _address(attrs.evolve(parts, driver="secret", socket=socket, name=name))

    def redacted(self, text: str) -> str:
        """Return ``text`` with the password of the address replaced by three asterisks."""
        password = self.parts and self.parts.password
        if not password:
            return text
        for spelt in (password, encoded(password, ""), encoded(password, "!$&'()*+,;=")):
            text = text.replace(spelt, HIDDEN)
        return text


def parse(uri: str | HostURI | None, *, allow: Collection[str] = (), pickled: bool = False) -> Address:
    """Parse an address, and refuse it if it is malformed or dangerous.

    Args:
        uri: The address; ``None`` is libvirt's default.
        allow: Words of ``DANGERS``: the dangers that the caller accepts.
        pickled: Whether the address comes from a pickle.

    Raises:
        InvalidRequestError: If the address is empty, malformed, or dangerous, or ``allow`` has an unknown word.
    """
    _check_words(allow)
    if uri is None:
        return Address(None)
    if isinstance(uri, HostURI):
        parts = uri
    elif not isinstance(uri, str):
        raise not_text(uri)
    elif _ALIAS.fullmatch(uri):
        return Address(str(uri))
    else:
        parts = HostURI.parse(uri)
    if parts.password == HIDDEN:
        refuse(
            parts.shown,
            "the address has *** in place of its password, which was left out for display",
            "Pass the complete address.",
        )
    missing = [word for word in dict.fromkeys(_dangers(parts)) if word not in allow]
    if missing:
        words = ", ".join(f'"{word}"' for word in missing)
        hint = _FROM_A_PICKLE if pickled else f"If you wrote the address yourself, pass allow={{{words}}}."
        refuse(parts.shown, "; ".join(DANGERS[word] for word in missing), hint)
    return _address(parts)


def _address(parts: HostURI) -> Address:
    way = parts.way
    port = parts.port if way in PORTS else None
    return Address(
        parts.without_password, parts.driver, way, port or PORTS.get(way), parts.socket, str(parts), parts
    )


def _dangers(parts: HostURI) -> Iterator[str]:
    """Yield the words of ``DANGERS`` that the address requires."""
    way, priority = parts.way, parts.tls_priority or ""
    away = not is_loopback(parts.host)
    if way is Transport.EXT or parts.command is not None:
        yield "command"
    if parts.netcat is not None:
        yield "netcat"
    if parts.no_verify or parts.no_sanity or _UNVERIFIED.search(priority):
        yield "no_verify"
    if parts.known_hosts_verify in {"auto", "ignore"}:
        yield "no_verify"
    if away and (way is Transport.TCP or parts.api_transport == "http" or _UNENCRYPTED.search(priority)):
        yield "tcp"
    if parts.password is not None:
        yield "password"
    if way in SHELLS and not _SHELL_SAFE.fullmatch(parts.socket or ""):
        yield "socket-shell"


def _check_words(allow: Collection[str]) -> None:
    if isinstance(allow, str) or not callable(getattr(allow, "__contains__", None)):
        raise invalid(
            "allow must be a set of words", f'The words are {", ".join(DANGERS)}. Example: allow={{"tcp"}}.'
        )
    for word in allow:
        if word not in tuple(DANGERS):
            hint = f"Each word must be {one_of(DANGERS, str(word) or '-')}."
            raise invalid(f"allow does not have a word {word!r}", hint)


def _configured(actual: str) -> Address:
    """Parse an address from the user's own configuration, without refusing anything in it."""
    try:
        return _address(HostURI.parse(actual))
    except InvalidRequestError:
        found = _SCHEME.match(actual)
        driver, word, place = found.groups("") if found else ("", "", "")
        way = next((one for one in Transport if one == word), Transport.UNKNOWN)
        if not word and driver:
            way = Transport.TLS if place else Transport.UNIX
        return Address(without_secrets(actual), driver, way, PORTS.get(way), exact=actual)
