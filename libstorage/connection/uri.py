"""Addresses of hosts: what they say about the way to the daemon, and which of them are refused.

See https://libvirt.org/uri.html. An address is code: some of its parameters name programs that libvirt runs.
"""

from __future__ import annotations

import re
from enum import StrEnum
from urllib.parse import SplitResult, unquote, urlsplit

import attrs

from libstorage.connection.raw import RawConnect
from libstorage.errors import InvalidRequestError


class Transport(StrEnum):
    """How bytes travel between us and the daemon."""

    UNIX = "unix"
    """A socket of this machine."""
    TCP = "tcp"
    """TCP without encryption."""
    TLS = "tls"
    """TCP with TLS: what an address with a host and no word about it means."""
    SSH = "ssh"
    """The program ``ssh``."""
    LIBSSH = "libssh"
    """ssh inside this process."""
    LIBSSH2 = "libssh2"
    """ssh inside this process, by another library."""
    EXT = "ext"
    """A program of the caller's choice."""
    NONE = "none"
    """No daemon: libvirt's driver works inside this process, as ``test:///`` does."""
    UNKNOWN = "unknown"
    """Nobody knows before libvirt has opened it: its default address, or an alias."""


_PORTS = {Transport.TCP: 16509, Transport.TLS: 16514, Transport.LIBSSH: 22, Transport.LIBSSH2: 22}
_DRIVERS_WITHOUT_DAEMON = frozenset(
    {"test", "esx", "gsx", "vpx", "hyperv", "vmwarews", "vmwareplayer", "phyp"}
)
_ALIAS = re.compile(r"[A-Za-z0-9_-]+")
_SHELL_SAFE = re.compile(r"[A-Za-z0-9/._:@%+=,-]*")
_SOCKETS_OF_TWINS = ("virtstoraged-sock", "virtsecretd-sock")


@attrs.frozen
class Address:
    """The address of a host, taken apart.

    Attributes:
        uri: As it was given; ``None`` is libvirt's default.
        driver: ``qemu``, ``storage``, ``secret``, ``test`` and so on.
        transport: How bytes travel.
        port: The port that a TCP socket leads to.
        socket: The file of the socket, where the address names it.
    """

    uri: str | None
    driver: str = ""
    transport: Transport = Transport.UNKNOWN
    port: int | None = None
    socket: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether no network lies between us and the host."""
        return self.transport in {Transport.UNIX, Transport.NONE}

    def resolved(self, connection: RawConnect) -> Address:
        """What libvirt has made of it, now that it is open: known where this was its default or an alias."""
        if self.transport is not Transport.UNKNOWN:
            return self
        actual = connection.getURI()
        return attrs.evolve(parse(actual, unsafe=True), uri=self.uri or actual)


def parse(uri: str | None, *, unsafe: bool = False) -> Address:
    """Take an address apart, and refuse one that is a mistake or a trap.

    Args:
        uri: The address; ``None`` is libvirt's default.
        unsafe: Take addresses that make libvirt run a program of the address's choice, and such as hold a password.

    Raises:
        InvalidRequestError: It is empty, malformed, or dangerous.
    """
    if uri is None:
        return Address(None)
    if not uri:
        raise _refusal(
            uri, "it is empty", "None stands for libvirt's default; qemu:///system is this machine."
        )
    if any(not character.isprintable() or character.isspace() for character in uri):
        raise _refusal(
            uri, "it holds a space or a control character", "Quote it as %20, if it belongs there."
        )
    if _ALIAS.fullmatch(uri):
        return Address(uri)
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError as error:
        raise _refusal(uri, str(error), _EXAMPLES) from None
    if not parts.scheme:
        raise _refusal(uri, "it does not begin with a driver", _EXAMPLES)
    driver, _, word = parts.scheme.partition("+")
    transport = _transport(uri, driver, word, bool(parts.hostname))
    # libvirt splits at ";" as well, so that a socket's name can smuggle in another parameter
    parameters = [
        (name, unquote(value))
        for name, _, value in (pair.partition("=") for pair in re.split("[&;]", parts.query))
        if name
    ]
    if not unsafe:
        _refuse_traps(uri, parts, transport, parameters)
    return Address(uri, driver, transport, port or _PORTS.get(transport), dict(parameters).get("socket"))


def secret_twin(uri: str) -> str:
    """The address under which the secrets of a host are reached.

    A ``storage://`` connection has no secrets; the same daemon's ``secret://`` connection has. Any other address
    serves both.
    """
    scheme, separator, rest = uri.partition(":")
    driver, plus, transport = scheme.partition("+")
    if driver != "storage":
        return uri
    return f"secret{plus}{transport}{separator}{rest.replace(*_SOCKETS_OF_TWINS)}"


_EXAMPLES = (
    "Addresses look like qemu:///system, qemu+ssh://user@host/system or storage:///session?socket=/path."
)


def _transport(uri: str, driver: str, word: str, has_host: bool) -> Transport:
    if not word:
        if driver in _DRIVERS_WITHOUT_DAEMON:
            return Transport.NONE
        return Transport.TLS if has_host else Transport.UNIX
    try:
        transport = Transport(word)
    except ValueError:
        transport = Transport.UNKNOWN
    if transport in {Transport.NONE, Transport.UNKNOWN}:
        raise _refusal(uri, f"{word!r} is no transport", "Transports: unix tcp tls ssh libssh libssh2 ext.")
    return transport


def _refuse_traps(
    uri: str, parts: SplitResult, transport: Transport, parameters: list[tuple[str, str]]
) -> None:
    insist = "Pass unsafe=True if you wrote it yourself."
    if parts.password is not None:
        raise _refusal(
            parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(),
            "it holds a password, which would show up in messages and pickles",
            "Use a key or libvirt's auth.conf.",
        )
    if transport is Transport.EXT or "command" in dict(parameters):
        raise _refusal(uri, "it makes libvirt run a program on this machine", insist)
    if transport in {Transport.SSH, Transport.LIBSSH, Transport.LIBSSH2}:
        for name, value in parameters:
            if name == "socket" and not _SHELL_SAFE.fullmatch(value):
                raise _refusal(uri, "its socket= is a piece of shell code for the remote host", insist)


def _refusal(uri: str, reason: str, hint: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"cannot connect to {uri!r}: {reason}",
        operation="host.open",
        hint=hint,
        outcome="not_started",
        retry="no",
    )
