"""By what a lane can be cut: its socket, or the program that it leads through.

libvirt talks with ssh, and with programs of an address's choice, over a pair of sockets. To shut that down is not enough:
libvirt then reads what the program has to say about it until that ends, in whatever thread has noticed, and ssh ends
when the other side does. The end of the program ends all of it. Linux tells which thread has started which program.
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

_DYING = 0.5  # seconds that a program takes at most that was killed, unless the system cannot end it


class Grip(Protocol):
    """What a lane can be cut by."""

    def end(self) -> None:
        """End whatever waits for the daemon."""
        ...

    def is_there(self) -> bool:
        """Whether there is something to end."""
        ...

    def finish(self) -> None:
        """The connection is closed: let go of it."""
        ...

    def abandon(self) -> None:
        """Let go of it, and touch nothing: it is the parent process's."""
        ...


@attrs.frozen
class SocketGrip:
    """A socket to the daemon, or to its host.

    Attributes:
        inode: Which socket.
        claimed: Inodes of the sockets that belong to lanes, this one among them.
    """

    inode: int
    claimed: set[int]

    def end(self) -> None:
        """Shut it down."""
        sockets.end(self.inode)

    def is_there(self) -> bool:
        """Whether this process still has it."""
        return self.inode in sockets.all_sockets()

    def finish(self) -> None:
        """Somebody else's may have its inode from now on."""
        self.claimed.discard(self.inode)

    def abandon(self) -> None:
        """There is nothing to let go of."""


class ProgramGrip:
    """Programs that libvirt has started, and theirs.

    Args:
        programs: Their numbers, as somebody tells them who knows which are still there: a number that is held is not
            given to another program, but it may have been before.
    """

    def __init__(self, programs: Callable[[], Collection[int]]) -> None:
        self._held: dict[int, int] = {}
        for program in programs():
            with suppress(OSError):  # it has ended, or we have no more descriptors to spare
                self._held[program] = os.pidfd_open(program)
        for program in set(self._held) - set(programs()):
            os.close(self._held.pop(program))

    def end(self) -> None:
        """Kill them, and what they have started: an ssh that leads to another, for one."""
        for program, held in list(self._held.items()):
            if not _has_ended(held):
                below = ProgramGrip(partial(_started_by, program, held))
                below.finish()
            with suppress(OSError):
                signal.pidfd_send_signal(held, signal.SIGKILL)

    def is_there(self) -> bool:
        """Whether there are any."""
        return bool(self._held)

    def finish(self) -> None:
        """Kill them, lest they wait for the other side, and let go of them when they have ended."""
        self.end()
        for held in self._held.values():
            _has_ended(held, _DYING)
        self.abandon()

    def abandon(self) -> None:
        """Let go of them."""
        while self._held:
            os.close(self._held.popitem()[1])


def programs_of(thread: int) -> ProgramGrip:
    """The programs that a thread of this process has started; none if the system does not tell.

    Args:
        thread: The thread's number in the system, its ``native_id``; it must still run.
    """
    return ProgramGrip(partial(_children, f"/proc/self/task/{thread}/children"))


def _started_by(program: int, held: int) -> Collection[int]:
    threads, found = f"/proc/{program}/task", list[int]()
    with suppress(OSError):
        for thread in os.listdir(threads):  # noqa: PTH208 -- names, not paths
            found.extend(_children(f"{threads}/{thread}/children"))
    return () if _has_ended(held) else found  # it may have been another's number


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
