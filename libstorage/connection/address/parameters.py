"""The parameters of addresses: names, valid values, and the transports that accept them.

See https://libvirt.org/uri.html and https://libvirt.org/drvesx.html. libvirt ignores the case of parameter names. libvirt
also ignores parameters that a transport does not support, and passes unknown parameters on to the daemon; libstorage
refuses both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

import attrs

from libstorage.connection.address.transports import SHELLS, Transport
from libstorage.xml.wording import one_of

_UNIX, _SSH, _TLS, _EXT = Transport.UNIX, Transport.SSH, Transport.TLS, Transport.EXT
_LIBRARIES = SHELLS - {_SSH}
_NETWORKED = "esx gsx vpx hyperv"
_VMWARE = "esx gsx vpx"


def _split(words: str | frozenset[str]) -> frozenset[str]:
    return frozenset(words.split()) if isinstance(words, str) else words


@attrs.frozen
class Parameter:
    """One parameter.

    Attributes:
        name: libvirt's name for the parameter.
        is_valid: Returns a true value if libvirt accepts the value.
        expected: Description of the valid values, for messages.
        transports: The transports that support the parameter; if empty, every daemon does.
        drivers: The drivers without a daemon that support the parameter.
        is_switch: Whether the value is ``1`` or ``0``.
    """

    name: str
    is_valid: Callable[[str], object]
    expected: str
    transports: frozenset[Transport] = frozenset()
    drivers: frozenset[str] = attrs.field(default=frozenset(), converter=_split)
    is_switch: bool = False

    def serves(self, driver: str, transport: Transport) -> bool:
        """Return whether ``driver`` supports the parameter over ``transport``."""
        if transport is Transport.NONE:
            return driver in self.drivers
        return transport in self.transports or not (self.transports or self.drivers)


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_AUTH = re.compile(r"(?i:none|polkit|sasl(?:\.[a-z0-9_-]+)?)")
_PRIORITY = re.compile(r"[A-Za-z0-9@%+!:_.,-]+")
_METHODS = frozenset({"agent", "privkey", "password", "keyboard-interactive"})
_PROXY = re.compile(r"(?:(?:http|socks|socks4|socks4a|socks5)://)?[A-Za-z0-9.-]+(?::[0-9]{1,5})?")
_SERVER = re.compile(r"\*|[A-Za-z0-9.:\[\]_-]+")


def _any_socket(text: str) -> bool:
    return bool(text) and "\0" not in text


def _plain(text: str) -> bool:
    return bool(text) and not _CONTROL.search(text)


def _path(text: str) -> bool:
    return _plain(text) and not text.startswith("-")


def _methods(text: str) -> bool:
    return all(method.lower() in _METHODS for method in text.split(","))


def _switch(name: str, *transports: Transport, drivers: str = "") -> Parameter:
    return Parameter(
        name, re.compile("[01]").fullmatch, "0 or 1", frozenset(transports), drivers, is_switch=True
    )


def _file(name: str, *transports: Transport, drivers: str = "") -> Parameter:
    expected = "the path of a file, without control characters, and must not start with a hyphen"
    return Parameter(name, _path, expected, frozenset(transports), drivers)


def _choice(name: str, *transports: Transport, words: str, drivers: str = "") -> Parameter:
    choices = words.split()
    return Parameter(name, choices.__contains__, one_of(choices), frozenset(transports), drivers)


PARAMETERS: Final = (
    Parameter(
        "socket",
        _any_socket,
        "the path of a socket",
        frozenset({_UNIX, *SHELLS}),
    ),
    _choice("mode", _UNIX, *SHELLS, words="auto direct legacy"),
    _choice("proxy", *SHELLS, words="auto native netcat"),
    Parameter("netcat", _plain, "a program on the remote host", SHELLS),
    _file("keyfile", *SHELLS),
    _file("known_hosts", *_LIBRARIES),
    _choice("known_hosts_verify", *_LIBRARIES, words="normal auto ignore"),
    Parameter(
        "sshauth", _methods, f"one or more of {', '.join(sorted(_METHODS))}, separated by commas", _LIBRARIES
    ),
    _switch("no_tty", _SSH),
    _switch("no_verify", _SSH, _TLS, drivers=_NETWORKED),
    _switch("no_sanity", _TLS),
    _file("pkipath", _TLS),
    Parameter("tls_priority", _PRIORITY.fullmatch, "a GnuTLS priority string", frozenset({_TLS})),
    Parameter("command", _plain, "a program on this machine", frozenset({_SSH, _EXT})),
    Parameter("auth", _AUTH.fullmatch, "none, polkit, sasl or sasl.MECHANISM"),
    _file("authfile", *Transport, drivers=_NETWORKED),
    Parameter("name", lambda text: not _CONTROL.search(text), "an address on the remote host"),
    _choice("transport", words="http https", drivers=_NETWORKED),
    Parameter("vcenter", _SERVER.fullmatch, "a host, or *", drivers=_VMWARE),
    _switch("auto_answer", drivers=_VMWARE),
    Parameter("proxy", _PROXY.fullmatch, "type://host:port", drivers=_VMWARE),
)


def known(driver: str, transport: Transport) -> dict[str, Parameter]:
    """Return the parameters that ``driver`` supports over ``transport``, by name."""
    return {one.name: one for one in PARAMETERS if one.serves(driver, transport)}


def names() -> Iterable[str]:
    """Return the names of all parameters, without duplicates."""
    return dict.fromkeys(one.name for one in PARAMETERS)
