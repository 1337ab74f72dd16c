"""Transports: how the bytes travel between this process and a daemon."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Transport(StrEnum):
    """How the bytes travel between this process and the daemon."""

    UNIX = "unix"
    """A socket of this machine."""
    TCP = "tcp"
    """TCP without encryption."""
    TLS = "tls"
    """TCP with TLS: the default for an address with a host and without a transport."""
    SSH = "ssh"
    """ssh, by the program ``ssh``."""
    LIBSSH = "libssh"
    """ssh, by the library libssh inside this process."""
    LIBSSH2 = "libssh2"
    """ssh, by the library libssh2 inside this process."""
    EXT = "ext"
    """A program of the caller's choice."""
    NONE = "none"
    """No daemon: libvirt's driver works inside this process, as ``test:///`` does."""
    UNKNOWN = "unknown"
    """Unknown until libvirt has opened the connection: for the default address, or an alias."""


WORDS: Final = tuple(word for word in Transport if word not in {Transport.NONE, Transport.UNKNOWN})
"""The transports that an address can name."""

SHELLS: Final = frozenset({Transport.SSH, Transport.LIBSSH, Transport.LIBSSH2})
"""The transports that pass a command to a shell on the remote host."""

PORTS: Final = {Transport.TCP: 16509, Transport.TLS: 16514, Transport.LIBSSH: 22, Transport.LIBSSH2: 22}
"""The default ports of the transports that open a TCP socket themselves."""

_ONLY_HERE = frozenset({"test", "vmwareplayer", "vmwarews", "vmwarefusion"})
_ONLY_ELSEWHERE = frozenset({"esx", "gsx", "vpx", "hyperv"})


def named(word: str) -> Transport | None:
    """Return the transport of that name; ``None`` if an address cannot name it."""
    return next((one for one in WORDS if one == word), None)


def implied(driver: str, *, has_host: bool) -> Transport:
    """Return the transport of an address that does not name one."""
    if driver in (_ONLY_ELSEWHERE if has_host else _ONLY_HERE):
        return Transport.NONE
    return Transport.TLS if has_host else Transport.UNIX
