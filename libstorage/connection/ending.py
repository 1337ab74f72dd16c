"""The end of the program: what is open is ended then, once, in one order.

Python ends in three steps. It waits for the threads that are not daemons, and all works as ever. It calls what is
registered with ``atexit``: there what is open is ended. From then on every other thread is frozen wherever it is, with
the locks that it holds: whoever takes a lock, starts a thread or waits for one may wait for ever.

What was registered with ``atexit`` later is called earlier, so this is loaded with the package, before a program can
register what uses it.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Final, Protocol
from weakref import ref

PATIENCE: Final = 1.0
"""Seconds that all that is open may take to end, together."""

NOWHERE: Final = 99
"""A warning at the end of the program is about no line of it: as its ``stacklevel``."""


class Unfinished(Protocol):
    """Something that is open, and would be left as it is by the end of the program."""

    def end(self) -> None:
        """Say that it was left open, and end it; wait for nobody."""
        ...

    def wait(self, latest: float) -> None:
        """Wait until it has ended, but only until then by the monotonic clock."""
        ...


class End:
    """The end of this program.

    Attributes:
        has_begun: Whether what was open has been ended.
    """

    def __init__(self) -> None:
        self.has_begun: bool = False
        self._open: set[ref[Unfinished]] = set()
        self._last: list[Callable[[], object]] = []

    def add(self, thing: Unfinished) -> None:
        """End it at the end, unless it was removed or is no more."""
        self._open.add(ref(thing, self._open.discard))

    def remove(self, thing: Unfinished) -> None:
        """It has ended."""
        self._open.discard(ref(thing))

    def then(self, call: Callable[[], object]) -> None:
        """Call it when all that is open has ended, or has had its time."""
        self._last.append(call)

    def come(self) -> None:
        """End all that is open. An error in that, also a warning that is one, keeps nothing else from ending."""
        self.has_begun = True
        things = [thing for known in list(self._open) if (thing := known()) is not None]
        self._open.clear()
        steps: list[Callable[[], object]] = [thing.end for thing in things]
        steps += [partial(_wait_for_all, things), *self._last]
        for step in steps:
            try:
                step()
            except BaseException as error:  # noqa: BLE001 -- nobody is there to catch it, be it Ctrl-C
                sys.excepthook(type(error), error, error.__traceback__)

    def leave_to_parent(self) -> None:
        """In a forked child: what is open is the parent's."""
        self._open.clear()
        self._last.clear()


def _wait_for_all(things: list[Unfinished]) -> None:
    latest = monotonic() + PATIENCE
    for thing in things:
        thing.wait(latest)


def is_past() -> bool:
    """Whether all other threads are frozen."""
    return sys.is_finalizing()


end: Final = End()
"""That of this program."""

atexit.register(end.come)
os.register_at_fork(after_in_child=end.leave_to_parent)
