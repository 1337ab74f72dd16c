"""The end of the program: ends everything that is open, once, in a fixed order.

Python ends in three steps. First, it waits for the threads that are not daemons; everything still works. Second, it calls
the functions that are registered with ``atexit``; libstorage then ends what is open. From then on, every other thread is
frozen wherever it is, with the locks that it holds: code that takes a lock, starts a thread or waits for one may hang.

``atexit`` calls the functions that were registered last first. Therefore this module is loaded with the package, before a
program can register functions that use the package.
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
"""Seconds that everything that is open may take to end, in total."""

NOWHERE: Final = 99
"""The ``stacklevel`` of a warning at the end of the program, which is not about any line of it."""


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
        """Register an open object that must be ended at the end of the program. The object may be collected before.

        Args:
            thing: The open object.
            end: Reports that the object was left open, and ends it without waiting.
            wait: Waits until the object has ended, up to the given time of the monotonic clock.
        """
        self._open[ref(thing, self._forget)] = end, wait

    def remove(self, thing: object) -> None:
        """Unregister an object that has ended."""
        self._forget(ref(thing))

    def then(self, call: Callable[[], object]) -> None:
        """Register a function to call when everything that is open has ended or has had its time."""
        self._last.append(call)

    def come(self) -> None:
        """End everything that is open. An error, or a warning that is raised as one, does not stop the other steps."""
        self.has_begun = True
        things = [(thing, how) for known, how in list(self._open.items()) if (thing := known()) is not None]
        self._open.clear()
        latest = monotonic() + PATIENCE
        steps: list[Callable[[], object]] = [partial(end, thing) for thing, (end, _) in things]
        steps += [partial(wait, thing, latest) for thing, (_, wait) in things if wait is not None]
        for step in (*steps, *self._last):
            try:
                step()
            except BaseException as error:  # noqa: BLE001 -- no caller could catch it, not even Ctrl-C
                sys.excepthook(type(error), error, error.__traceback__)

    def _forget(self, known: ref[Any]) -> None:
        self._open.pop(known, None)

    def leave_to_parent(self) -> None:
        """In a forked child, drop everything that is open: it belongs to the parent process."""
        self._open.clear()
        self._last.clear()


def is_past() -> bool:
    """Return whether all other threads are frozen."""
    return sys.is_finalizing()


end: Final = End()
"""The end of this program."""

atexit.register(end.come)
if hasattr(os, "register_at_fork"):  # not on Windows, where documents work
    os.register_at_fork(after_in_child=end.leave_to_parent)
