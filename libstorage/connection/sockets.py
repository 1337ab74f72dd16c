"""Identifies the sockets of lanes, and shuts them down.

libvirt does not have a time limit per call, and does not expose the socket of a connection. But ``shutdown(2)`` on that
socket ends every call that waits for it, immediately and cleanly. A socket is identified by its inode and not by its
descriptor, which may be closed and reused meanwhile. Works on Linux.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Collection
from contextlib import suppress
from typing import Final

from libstorage.connection.address.uri import Address, Transport

PROGRAMS: Final = frozenset({Transport.SSH, Transport.EXT})
"""Transports over which libvirt talks to a program that it starts, over a pair of sockets, whatever port the address names."""

_DESCRIPTORS = "/proc/self/fd"
_PREFIX = "socket:["


def can_be_told() -> bool:
    """Return whether the system lets a process list its own sockets; if it does not, lanes have no deadlines."""
    return os.path.isdir(_DESCRIPTORS)  # noqa: PTH112 -- as below


def all_sockets() -> dict[int, int]:
    """Return the inode and descriptor of every socket of this process."""
    return sockets_in(_DESCRIPTORS) if can_be_told() else {}


def sockets_in(descriptors: str) -> dict[int, int]:
    """Return the inode and descriptor of every socket of a process.

    Args:
        descriptors: The directory in which the system lists the descriptors of the process.

    Raises:
        OSError: If the system does not let this process list them, or the other process is gone.
    """
    found: dict[int, int] = {}
    for descriptor in os.listdir(descriptors):  # noqa: PTH208 -- names, not paths: this is done for every lane
        try:
            link = os.readlink(f"{descriptors}/{descriptor}")  # noqa: PTH115 -- see above
        except OSError:  # closed meanwhile
            continue
        if link.startswith(_PREFIX):
            found[int(link[len(_PREFIX) : -1])] = int(descriptor)
    return found


def end(inode: int) -> bool:
    """Shut a socket down in both directions; return ``False`` if this process does not have that socket (any more)."""
    descriptor = all_sockets().get(inode)
    pinned = None if descriptor is None else _pin(inode, descriptor)
    if pinned is None:
        return False
    with pinned, suppress(OSError):  # not connected any more
        pinned.shutdown(socket.SHUT_RDWR)
    return True


def candidates(address: Address, known: Collection[int], *, connected: bool = False) -> set[int]:
    """Return the inodes of the sockets that may belong to a connection to an address.

    Args:
        address: The address of the connection.
        known: Inodes of sockets that belong to other connections.
        connected: Whether to return only sockets that are connected to their peer.
    """
    found, named = set[int](), set[int]()
    for inode, descriptor in all_sockets().items():
        if inode in known or (pinned := _pin(inode, descriptor)) is None:
            continue
        with pinned:
            if not _has_family(pinned, address.transport):
                continue
            peer = _peer(pinned)
            if not connected if peer is None else _is_peer(peer, address):
                found.add(inode)
            if peer is not None and peer == address.socket:
                named.add(inode)
    return named or found


def _pin(inode: int, descriptor: int) -> socket.socket | None:
    """Return a duplicate of a descriptor, which cannot change meanwhile; ``None`` if it no longer is that socket."""
    try:
        pinned = socket.socket(fileno=os.dup(descriptor))
    except OSError:
        return None
    if os.fstat(pinned.fileno()).st_ino == inode:
        return pinned
    pinned.close()
    return None


def _has_family(pinned: socket.socket, transport: Transport) -> bool:
    """Return whether the socket may be, or become, a connection of the kind that ``transport`` makes."""
    if pinned.type != socket.SOCK_STREAM or pinned.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        return False
    if pinned.family == socket.AF_UNIX:
        return transport in {Transport.UNIX, Transport.UNKNOWN}
    return pinned.family in {socket.AF_INET, socket.AF_INET6} and transport is not Transport.UNIX


def _peer(pinned: socket.socket) -> str | bytes | tuple[object, ...] | None:
    """Return the peer of a socket; ``None`` while the socket is not connected yet."""
    try:
        peer: str | bytes | tuple[object, ...] = pinned.getpeername()
    except OSError:
        return None
    return peer


def _is_peer(peer: str | bytes | tuple[object, ...], address: Address) -> bool:
    if isinstance(peer, tuple):
        return peer[1] == address.port or address.transport is Transport.UNKNOWN
    return isinstance(peer, str) and _is_daemons(peer, address.socket)


def _is_daemons(peer: str, named: str | None) -> bool:
    """Return whether ``peer`` is the daemon's socket. Its name is where it was bound; the address may use another path."""
    if _LIBVIRTS.search(peer) or (named and os.path.basename(peer) == os.path.basename(named)):  # noqa: PTH119
        return True
    try:
        return named is not None and os.path.samefile(peer, named)  # noqa: PTH121 -- names, not paths, as above
    except OSError:
        return False


_LIBVIRTS = re.compile(r"(?:libvirt|virt[a-z]+d)-sock(?:-ro)?$")
