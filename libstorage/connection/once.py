"""What one thread opens for all: a connection that several may want at the same time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from libstorage.connection.lane import TimeLimit
from libstorage.connection.limits import Admission, Holder

T = TypeVar("T")


class Once(Generic[T]):
    """What is opened when somebody first wants it.

    One opens it, and the others wait: each for as long as it has time, so that nobody waits for somebody more patient.
    If it cannot be opened, that is told to who tried, and the next one tries.
    """

    def __init__(self) -> None:
        self._turn = Admission(lambda: 1)
        self._value: T | None = None

    def get(
        self, limit: TimeLimit, make: Callable[[], T], is_over: Callable[[T], bool] = lambda _: False
    ) -> T | None:
        """The one that is open, or a new one; ``None`` if somebody else was still opening it when the time was up.

        Args:
            limit: How long to wait for somebody who is opening it.
            make: Opens it.
            is_over: Whether one that was opened is of no use any more.
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
