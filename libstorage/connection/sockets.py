"""Which socket belongs to a lane, and how to end it.

libvirt has no time limit per call and does not tell the socket of a connection. But ``shutdown(2)`` on that socket
ends whatever waits for it, at once and cleanly. A socket is remembered by its inode and not by its descriptor, which
may be closed and used again meanwhile. Works on Linux.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Collection
from contextlib import suppress

from libstorage.connection.uri import Address, Transport

_DESCRIPTORS = "/proc/self/fd"
_PREFIX = "socket:["


def can_be_told() -> bool:
    """Whether this system shows a process its sockets; where it does not, lanes have no deadlines."""
    return os.path.isdir(_DESCRIPTORS)  # noqa: PTH112 -- as below


def all_sockets() -> dict[int, int]:
    """Inode and descriptor of every socket of this process."""
    found: dict[int, int] = {}
    if not can_be_told():
        return found
    for descriptor in os.listdir(_DESCRIPTORS):  # noqa: PTH208 -- names, not paths: this is done for every lane
        try:
            link = os.readlink(f"{_DESCRIPTORS}/{descriptor}")  # noqa: PTH115 -- see above
        except OSError:  # closed meanwhile
            continue
        if link.startswith(_PREFIX):
            found[int(link[len(_PREFIX) : -1])] = int(descriptor)
    return found


def end(inode: int) -> bool:
    """Shut a socket down for both directions; ``False`` if this process has no such socket (any more)."""
    descriptor = all_sockets().get(inode)
    pinned = None if descriptor is None else _pin(inode, descriptor)
    if pinned is None:
        return False
    with pinned, suppress(OSError):  # not connected any more
        pinned.shutdown(socket.SHUT_RDWR)
    return True


def candidates(address: Address, known: Collection[int], *, connected: bool = False) -> set[int]:
    """Inodes of the sockets that may belong to a connection to that address.

    Args:
        address: Where the connection leads.
        known: Inodes of sockets that belong to others.
        connected: Only those that have reached their peer.
    """
    found = set()
    for inode, descriptor in all_sockets().items():
        if inode in known or (pinned := _pin(inode, descriptor)) is None:
            continue
        with pinned:
            if _fits(pinned, address, connected):
                found.add(inode)
    return found


def _pin(inode: int, descriptor: int) -> socket.socket | None:
    """The socket behind a descriptor, if it still is that one: a duplicate, which cannot change under us."""
    try:
        pinned = socket.socket(fileno=os.dup(descriptor))
    except OSError:
        return None
    if os.fstat(pinned.fileno()).st_ino == inode:
        return pinned
    pinned.close()
    return None


def _fits(pinned: socket.socket, address: Address, connected: bool) -> bool:
    if pinned.type != socket.SOCK_STREAM:
        return False
    if address.transport is not Transport.UNKNOWN and (pinned.family == socket.AF_UNIX) != (
        address.port is None
    ):
        return False
    try:
        return _is_peer(pinned.getpeername(), address)
    except OSError:  # on its way
        return not connected


def _is_peer(peer: str | bytes | tuple[object, ...], address: Address) -> bool:
    if address.transport in {Transport.SSH, Transport.EXT}:
        return not peer  # one end of a pair; the program has the other
    if isinstance(peer, tuple):
        return peer[1] == address.port or address.transport is Transport.UNKNOWN
    return bool(peer) and address.socket in {None, peer}
