"""Where connections lead: addresses as users give them, and which of them are refused.

See https://libvirt.org/uri.html. An address is code: some of its parameters name programs that libvirt runs. libvirt is given
one that is built anew from what was understood, so that there is one reading of it only.
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
    "command": "it makes libvirt run a program on this machine",
    "netcat": "it names the program that the remote host runs",
    "no_verify": "nobody makes sure that the host is the one that is meant",
    "tcp": "all that is said is readable on the way",
    "password": "it holds a password, which would show up in lists of processes",
    "socket-shell": "its socket is a piece of shell code for the remote host",
}
"""The words of ``connect(allow=…)``, and what each lets happen."""

_ALIAS = re.compile(r"[A-Za-z0-9_-]+")
_SHELL_SAFE = re.compile(r"(?!~)[\w/.:@%+=,~-]*")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9.-]*)(?:\+([A-Za-z0-9]+))?://([^/?#]*)")
_UNVERIFIED = re.compile(r"ANON|%VERIFY|%DISABLE|%UNSAFE", re.IGNORECASE)
_UNENCRYPTED = re.compile(r"\+?NULL", re.IGNORECASE)
_STORAGE_SOCKET, _SECRET_SOCKET = "virtstoraged-sock", "virtsecretd-sock"
_FROM_A_PICKLE = "A host that was opened with allow= does not open again from a pickle. Connect anew."


@attrs.frozen
class Address:
    """Where a connection leads.

    Attributes:
        uri: The address, without a password; ``None`` is libvirt's default.
        driver: ``qemu``, ``storage``, ``secret``, ``test`` and so on.
        transport: How bytes travel.
        port: The port that a TCP socket leads to.
        socket: The file of the socket, where the address names it.
        exact: What libvirt is given.
        parts: What the address says, where it is known.
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
        """Whether no network lies between us and the host."""
        return self.transport in {Transport.UNIX, Transport.NONE}

    def resolved(self, connection: RawConnect) -> Address:
        """What libvirt has made of it, now that it is open: known where this was its default or an alias.

        Both are the user's own configuration, so that nothing in them is refused.
        """
        if self.transport is not Transport.UNKNOWN:
            return self
        actual = connection.getURI()
        found = _configured(actual)
        return attrs.evolve(found, uri=self.uri or found.uri, exact=self.exact or actual)

    def secret_twin(self) -> Address:
        """The address under which the secrets of the host are reached.

        A ``storage://`` connection has no secrets; the same daemon's ``secret://`` connection has. Any other address
        serves both.
        """
        parts = self.parts
        if parts is None or parts.driver != "storage":
            return self
        folder, slash, file = (parts.socket or "").rpartition("/")
        socket = f"{folder}{slash}{_SECRET_SOCKET}" if file == _STORAGE_SOCKET else parts.socket
        name = re.sub(r"^storage(?=:)", "secret", parts.name) if parts.name else parts.name
        return _address(attrs.evolve(parts, driver="secret", socket=socket, name=name))

    def redacted(self, text: str) -> str:
        """What somebody said of it, without its password."""
        password = self.parts and self.parts.password
        if not password:
            return text
        for spelt in (password, encoded(password, ""), encoded(password, "!$&'()*+,;=")):
            text = text.replace(spelt, HIDDEN)
        return text


def parse(uri: str | HostURI | None, *, allow: Collection[str] = (), pickled: bool = False) -> Address:
    """Take an address apart, and refuse one that is a mistake or a trap.

    Args:
        uri: The address; ``None`` is libvirt's default.
        allow: Words of ``DANGERS``: what the address may let happen.
        pickled: Whether it comes from a pickle.

    Raises:
        InvalidRequestError: It is empty, malformed, or dangerous; or there is no such word.
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
        refuse(parts.shown, "its password was left out where it was shown", "Give the whole address.")
    missing = [word for word in dict.fromkeys(_dangers(parts)) if word not in allow]
    if missing:
        words = ", ".join(f'"{word}"' for word in missing)
        hint = _FROM_A_PICKLE if pickled else f"Pass allow={{{words}}} if you wrote it yourself."
        refuse(parts.shown, "; ".join(DANGERS[word] for word in missing), hint)
    return _address(parts)


def _address(parts: HostURI) -> Address:
    way = parts.way
    port = parts.port if way in PORTS else None
    return Address(
        parts.without_password, parts.driver, way, port or PORTS.get(way), parts.socket, str(parts), parts
    )


def _dangers(parts: HostURI) -> Iterator[str]:
    """The words that an address needs."""
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
        raise invalid("allow takes a set of words", f'They are {", ".join(DANGERS)}: allow={{"tcp"}}.')
    for word in allow:
        if word not in tuple(DANGERS):
            raise invalid(f"allow has no word {word!r}", f"It takes {one_of(DANGERS, str(word) or '-')}.")


def _configured(actual: str) -> Address:
    """An address of the user's own configuration, whatever it says."""
    try:
        return _address(HostURI.parse(actual))
    except InvalidRequestError:
        found = _SCHEME.match(actual)
        driver, word, place = found.groups("") if found else ("", "", "")
        way = next((one for one in Transport if one == word), Transport.UNKNOWN)
        if not word and driver:
            way = Transport.TLS if place else Transport.UNIX
        return Address(without_secrets(actual), driver, way, PORTS.get(way), exact=actual)
