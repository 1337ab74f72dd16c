"""Runs calls that may hang in a separate thread, so that the caller can stop waiting at its deadline."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import Context, copy_context
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, TypeVar, cast

import attrs

from libstorage.connection import threads
from libstorage.connection.clock import NEVER
from libstorage.errors import DeadlineError

T = TypeVar("T")


class Aside:
    """A thread that runs one call after the other; without a deadline, calls run directly.

    A call that hangs is abandoned with its thread, which does not keep the program from ending.

    Args:
        what: What the caller waits for, for messages.
        latest: End of the waiting time, by the monotonic clock.
    """

    def __init__(self, what: str, latest: float) -> None:
        self._what, self._latest = what, latest
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def run(self, do: Callable[[], T]) -> T:
        """Return what ``do`` returns.

        Raises:
            DeadlineError: If it takes too long.
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
        """Run a last call, waiting for it at most as long as for the others."""
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
    """Return the error for a wait that has used up the time."""
    return DeadlineError(f"the deadline passed while waiting for {what}")


@attrs.define(eq=False)
class _Task:
    """One call and its result."""

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
