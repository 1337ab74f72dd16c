"""Which socket leads to a program that libvirt has started: ssh, or one of the address's choice.

A pair of sockets has no names, and other parts of a process make pairs, too. But Linux tells which thread has started a
program, which sockets that program has, and which socket is the other end of which.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Collection
from typing import Final

from libstorage.connection.sockets import sockets_in

# linux/netlink.h, linux/sock_diag.h, linux/unix_diag.h
_NETLINK_SOCK_DIAG: Final = 4
_SOCK_DIAG_BY_FAMILY: Final = 20
_NLM_F_REQUEST: Final = 1
_ANY: Final = 0xFFFFFFFF  # of the states, and of the cookies that tell two sockets of one inode apart
_UDIAG_SHOW_PEER: Final = 4
_UNIX_DIAG_PEER: Final = 2
_HEADER: Final = struct.Struct("=IHHII")
_QUESTION: Final = struct.Struct("=BBHIIIII")
_ANSWER: Final = struct.Struct("=BBBBIII")
_ATTRIBUTE: Final = struct.Struct("=HH")
_NUMBER: Final = struct.Struct("=I")
_PATIENCE: Final = 0.5  # seconds; the kernel answers at once


def to_programs_of(thread: int, mine: Collection[int]) -> set[int] | None:
    """Which sockets of this process lead to a program that a thread of it has started.

    Args:
        thread: The thread's number in the system, its ``native_id``; it must still run.
        mine: Inodes of the sockets in question.

    Returns:
        Their inodes; ``None`` if the system does not tell.
    """
    try:
        theirs = _sockets_of_programs(thread)
        ends = _other_ends(mine)
    except OSError:
        return None
    if mine and not ends:  # not even the other end of a pair: this kernel lacks unix_diag
        return None
    return {inode for inode, end in ends.items() if end in theirs}


def _sockets_of_programs(thread: int) -> set[int]:
    with open(f"/proc/self/task/{thread}/children", encoding="ascii") as file:  # noqa: PTH123 -- done often
        programs = file.read().split()
    theirs = set[int]()
    for program in programs:
        descriptors = f"/proc/{program}/fd"
        if os.path.exists(descriptors):  # noqa: PTH110 -- as above; it may have ended meanwhile
            theirs.update(sockets_in(descriptors))
    return theirs


def _other_ends(mine: Collection[int]) -> dict[int, int]:
    """The other end of each unix socket that has one."""
    found: dict[int, int] = {}
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(_PATIENCE)
        for inode in mine:
            question = _QUESTION.pack(socket.AF_UNIX, 0, 0, _ANY, inode, _UDIAG_SHOW_PEER, _ANY, _ANY)
            size = _HEADER.size + len(question)
            kernel.send(_HEADER.pack(size, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 0, 0) + question)
            end = _read_end(kernel.recv(4096))
            if end is not None:
                found[inode] = end
    return found


def _read_end(answer: bytes) -> int | None:
    _, kind, *_ = _HEADER.unpack_from(answer)
    place = _HEADER.size + _ANSWER.size
    while kind == _SOCK_DIAG_BY_FAMILY and place + _ATTRIBUTE.size < len(answer):
        size, attribute = _ATTRIBUTE.unpack_from(answer, place)
        if attribute == _UNIX_DIAG_PEER:
            (end,) = _NUMBER.unpack_from(answer, place + _ATTRIBUTE.size)
            return int(end)
        place += max(_ATTRIBUTE.size, (size + 3) & ~3)
    return None
