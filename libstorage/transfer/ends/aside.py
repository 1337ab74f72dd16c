"""What may hang for ever, done in a thread of its own, so that nobody has to wait for it longer than he wants to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import Context, copy_context
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, TypeVar, cast

import attrs

from libstorage.connection import threads
from libstorage.connection.process import NEVER
from libstorage.errors import DeadlineError

T = TypeVar("T")


class Aside:
    """A thread beside this one, which is used one call after the other; none at all if there is no deadline.

    A call that hangs is left behind, and the thread with it: it does not keep the program from ending.

    Args:
        what: What it works for, for messages.
        latest: Until when to wait, by the monotonic clock.
    """

    def __init__(self, what: str, latest: float) -> None:
        self._what, self._latest = what, latest
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def run(self, do: Callable[[], T]) -> T:
        """What it returns, or raises.

        Raises:
            DeadlineError: It takes too long.
        """
        if self._latest == NEVER:
            return do()
        task = self._begun(do)
        try:
            self._wait(task)
        except Empty:
            raise late(self._what) from None
        if task.error is not None:
            raise task.error
        return cast(T, task.result)

    def close(self, do: Callable[[], object]) -> None:
        """Do a last thing, when all else is over; wait for it as for the others, and no longer."""
        if self._thread is None:
            do()
            return
        task = self._begun(do)
        self._tasks.put(None)
        try:
            self._wait(task)
        except Empty:
            return
        if task.error is not None:
            raise task.error

    def _wait(self, task: _Task) -> None:
        assert self._thread is not None
        threads.take(task.over, self._thread, max(0.0, self._latest - monotonic()))

    def __del__(self) -> None:
        self._tasks.put(None)  # the thread knows the queue only

    def _begun(self, do: Callable[[], object]) -> _Task:
        if self._thread is None:
            thread = threading.Thread(target=_work, args=(self._tasks,), name="libstorage-aside", daemon=True)
            threads.start(thread)
            self._thread = thread
        task = _Task(do, copy_context())
        self._tasks.put(task)
        return task


def late(what: str) -> DeadlineError:
    """What is said when there is no time left."""
    return DeadlineError(f"the deadline passed while waiting for {what}")


@attrs.define(eq=False)
class _Task:
    """One call, and what came of it."""

    do: Callable[[], object]
    context: Context
    over: SimpleQueue[None] = attrs.field(factory=SimpleQueue)
    result: Any = None
    error: BaseException | None = None

    def carry_out(self) -> None:
        try:
            self.result = self.context.run(self.do)
        except BaseException as error:  # noqa: BLE001 -- it is raised where it is waited for
            self.error = error
        self.over.put(None)


def _work(tasks: SimpleQueue[_Task | None]) -> None:
    while (task := tasks.get()) is not None:
        task.carry_out()
