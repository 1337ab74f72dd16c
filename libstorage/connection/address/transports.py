"""Transports: how bytes travel between us and a daemon."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


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


WORDS: Final = tuple(word for word in Transport if word not in {Transport.NONE, Transport.UNKNOWN})
"""Those that an address can name."""

SHELLS: Final = frozenset({Transport.SSH, Transport.LIBSSH, Transport.LIBSSH2})
"""Those that give a command to a shell on the remote host."""

PORTS: Final = {Transport.TCP: 16509, Transport.TLS: 16514, Transport.LIBSSH: 22, Transport.LIBSSH2: 22}
"""The ports that their own TCP sockets lead to."""

_ONLY_HERE = frozenset({"test", "vmwareplayer", "vmwarews", "vmwarefusion"})
_ONLY_ELSEWHERE = frozenset({"esx", "gsx", "vpx", "hyperv"})


def named(word: str) -> Transport | None:
    """The transport that an address calls so."""
    return next((one for one in WORDS if one == word), None)


def implied(driver: str, *, has_host: bool) -> Transport:
    """The transport of an address that names none."""
    if driver in (_ONLY_ELSEWHERE if has_host else _ONLY_HERE):
        return Transport.NONE
    return Transport.TLS if has_host else Transport.UNIX
