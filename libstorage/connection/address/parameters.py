"""The parameters of addresses: which there are for each transport, and what their values may be.

See https://libvirt.org/uri.html and https://libvirt.org/drvesx.html. libvirt ignores the case of their names, ignores those
that a transport does not have, and hands those that it does not know to the daemon. Here such are refused.
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
        name: libvirt's word.
        is_valid: Whether libvirt takes a value.
        expected: What it takes, for a message.
        transports: Where it is of use; empty is with every daemon.
        drivers: The drivers without a daemon that take it.
        is_switch: Whether its value is ``1`` or ``0``.
    """

    name: str
    is_valid: Callable[[str], object]
    expected: str
    transports: frozenset[Transport] = frozenset()
    drivers: frozenset[str] = attrs.field(default=frozenset(), converter=_split)
    is_switch: bool = False

    def serves(self, driver: str, transport: Transport) -> bool:
        """Whether it is of use to a driver that is reached so."""
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
    expected = "the path of a file, without control characters or a hyphen in front"
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
    Parameter("netcat", _plain, "a program of the remote host", SHELLS),
    _file("keyfile", *SHELLS),
    _file("known_hosts", *_LIBRARIES),
    _choice("known_hosts_verify", *_LIBRARIES, words="normal auto ignore"),
    Parameter("sshauth", _methods, f"some of {', '.join(sorted(_METHODS))}, with commas", _LIBRARIES),
    _switch("no_tty", _SSH),
    _switch("no_verify", _SSH, _TLS, drivers=_NETWORKED),
    _switch("no_sanity", _TLS),
    _file("pkipath", _TLS),
    Parameter("tls_priority", _PRIORITY.fullmatch, "a priority string of GnuTLS", frozenset({_TLS})),
    Parameter("command", _plain, "a program of this machine", frozenset({_SSH, _EXT})),
    Parameter("auth", _AUTH.fullmatch, "none, polkit, sasl or sasl.MECHANISM"),
    _file("authfile", *Transport, drivers=_NETWORKED),
    Parameter("name", lambda text: not _CONTROL.search(text), "an address on the remote host"),
    _choice("transport", words="http https", drivers=_NETWORKED),
    Parameter("vcenter", _SERVER.fullmatch, "a host, or *", drivers=_VMWARE),
    _switch("auto_answer", drivers=_VMWARE),
    Parameter("proxy", _PROXY.fullmatch, "type://host:port", drivers=_VMWARE),
)


def known(driver: str, transport: Transport) -> dict[str, Parameter]:
    """The parameters that a driver takes where it is reached so, by name."""
    return {one.name: one for one in PARAMETERS if one.serves(driver, transport)}


def names() -> Iterable[str]:
    """All names that there are."""
    return dict.fromkeys(one.name for one in PARAMETERS)
