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
from typing import Any, Final, TypeVar
from weakref import ref

T = TypeVar("T")

PATIENCE: Final = 1.0
"""Seconds that all that is open may take to end, together."""

NOWHERE: Final = 99
"""A warning at the end of the program is about no line of it: as its ``stacklevel``."""


class End:
    """The end of this program.

    Attributes:
        has_begun: Whether what was open has been ended.
    """

    def __init__(self) -> None:
        self.has_begun: bool = False
        self._open: dict[ref[Any], tuple[Callable[[Any], object], Callable[[Any, float], object] | None]] = {}
        self._last: list[Callable[[], object]] = []

    def add(
        self, thing: T, end: Callable[[T], object], wait: Callable[[T, float], object] | None = None
    ) -> None:
        """Something is open, and is not to be left as it is by the end of the program; it may be dropped before.

        Args:
            thing: What is open.
            end: Says that it was left open, and ends it, waiting for nobody.
            wait: Waits until it has ended, but only until then by the monotonic clock.
        """
        self._open[ref(thing, self._forget)] = end, wait

    def remove(self, thing: object) -> None:
        """It has ended."""
        self._forget(ref(thing))

    def then(self, call: Callable[[], object]) -> None:
        """Call it when all that is open has ended, or has had its time."""
        self._last.append(call)

    def come(self) -> None:
        """End all that is open. An error in that, also a warning that is one, keeps nothing else from ending."""
        self.has_begun = True
        things = [(thing, how) for known, how in list(self._open.items()) if (thing := known()) is not None]
        self._open.clear()
        latest = monotonic() + PATIENCE
        steps: list[Callable[[], object]] = [partial(end, thing) for thing, (end, _) in things]
        steps += [partial(wait, thing, latest) for thing, (_, wait) in things if wait is not None]
        for step in (*steps, *self._last):
            try:
                step()
            except BaseException as error:  # noqa: BLE001 -- nobody is there to catch it, be it Ctrl-C
                sys.excepthook(type(error), error, error.__traceback__)

    def _forget(self, known: ref[Any]) -> None:
        self._open.pop(known, None)

    def leave_to_parent(self) -> None:
        """In a forked child: what is open is the parent's."""
        self._open.clear()
        self._last.clear()


def is_past() -> bool:
    """Whether all other threads are frozen."""
    return sys.is_finalizing()


end: Final = End()
"""That of this program."""

atexit.register(end.come)
os.register_at_fork(after_in_child=end.leave_to_parent)
