"""Grips cut lanes: by the socket of the lane, or by the program that its connection goes through.

libvirt talks to ssh, and to a program that an address names, over a pair of sockets. Shutting the pair down is not enough:
libvirt then reads the program's error output until the program ends, in whatever thread noticed the shutdown, and ssh
ends only when the other side does. Ending the program ends all of that. Linux shows which thread started which program.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from typing import Protocol

import attrs

from libstorage.connection import sockets

_DYING = 0.5  # seconds that a killed program takes to end at most, unless the system cannot end it


class Grip(Protocol):
    """Cuts a lane."""

    def end(self) -> None:
        """End whatever waits for the daemon."""
        ...

    def is_there(self) -> bool:
        """Return whether the grip still holds something to end."""
        ...

    def finish(self) -> None:
        """Release the grip after the connection was closed."""
        ...

    def abandon(self) -> None:
        """Release the grip without touching the connection, which belongs to the parent process."""
        ...


@attrs.frozen
class SocketGrip:
    """Cuts a lane by its socket to the daemon, or to the daemon's host.

    Attributes:
        inode: Inode of the socket.
        claimed: Inodes of the sockets that belong to lanes, including this one.
    """

    inode: int
    claimed: set[int]

    def end(self) -> None:
        """Shut the socket down."""
        sockets.end(self.inode)

    def is_there(self) -> bool:
        """Return whether this process still has the socket."""
        return self.inode in sockets.all_sockets()

    def finish(self) -> None:
        """Release the inode, which another socket may get from now on."""
        self.claimed.discard(self.inode)

    def abandon(self) -> None:
        """Do nothing: there is nothing to release."""


class ProgramGrip:
    """Cuts a lane by the programs that libvirt has started, and the programs that these have started.

    Args:
        programs: Returns the process ids of the programs that still run. It is called again once they are held: a
            process id that is held is not reused, but it may have been reused before.
    """

    def __init__(self, programs: Callable[[], Collection[int]]) -> None:
        self._held: dict[int, int] = {}
        for program in programs():
            with suppress(OSError):  # the program has ended, or this process has no descriptors left
                self._held[program] = os.pidfd_open(program)
        for program in set(self._held) - set(programs()):
            os.close(self._held.pop(program))

    def end(self) -> None:
        """Kill the programs, and the programs that these have started, such as an ssh through another ssh."""
        for program, held in list(self._held.items()):
            if not _has_ended(held):
                below = ProgramGrip(partial(_started_by, program, held))
                below.finish()
            with suppress(OSError):
                signal.pidfd_send_signal(held, signal.SIGKILL)

    def is_there(self) -> bool:
        """Return whether any program is held."""
        return bool(self._held)

    def finish(self) -> None:
        """Kill the programs, so that they do not wait for the other side, and release them when they have ended."""
        self.end()
        for held in self._held.values():
            _has_ended(held, _DYING)
        self.abandon()

    def abandon(self) -> None:
        """Release the programs."""
        while self._held:
            os.close(self._held.popitem()[1])


def programs_of(thread: int) -> ProgramGrip:
    """Return a grip on the programs that a thread of this process has started; empty if the system does not show them.

    Args:
        thread: The ``native_id`` of the thread, which must still run.
    """
    return ProgramGrip(partial(_children, f"/proc/self/task/{thread}/children"))


def _started_by(program: int, held: int) -> Collection[int]:
    threads, found = f"/proc/{program}/task", list[int]()
    with suppress(OSError):
        for thread in os.listdir(threads):  # noqa: PTH208 -- names, not paths
            found.extend(_children(f"{threads}/{thread}/children"))
    return () if _has_ended(held) else found  # the process id may have been reused


def _has_ended(held: int, within: float = 0.0) -> bool:
    looking = select.poll()
    looking.register(held, select.POLLIN)
    return bool(looking.poll(within * 1000))


def _children(told: str) -> Collection[int]:
    try:
        with open(told, encoding="ascii") as file:  # noqa: PTH123 -- at a deadline time matters
            return [int(number) for number in file.read().split()]
    except OSError:  # no such thread, program or file
        return ()
