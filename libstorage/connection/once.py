"""Opens a connection once for several threads that need it at the same time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from libstorage.connection.clock import TimeLimit
from libstorage.connection.limits import Admission, Holder

T = TypeVar("T")


class Once(Generic[T]):
    """A value that is opened on first use.

    One thread opens the value, and the others wait, each up to its own time limit, even if the opening thread has more
    time. If opening fails, only the thread that tried gets the error, and the next thread tries.
    """

    def __init__(self) -> None:
        self._turn = Admission(lambda: 1)
        self._value: T | None = None

    def get(
        self, limit: TimeLimit, make: Callable[[], T], is_over: Callable[[T], bool] = lambda _: False
    ) -> T | None:
        """Return the open value, or a new one; ``None`` if another thread was still opening it when the time ran out.

        Args:
            limit: How long to wait for another thread that is opening the value.
            make: Opens the value.
            is_over: Returns whether an open value can no longer be used.
        """
        value = self._value
        if value is not None and not is_over(value):
            return value
        holder = Holder()
        if not self._turn.enter(holder, limit):
            return None
        try:
            if self._value is None or is_over(self._value):
                self._value = make()
            return self._value
        finally:
            self._turn.leave(holder)
