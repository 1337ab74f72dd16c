"""Chance that can be repeated, and that goes astray as often as it is told to."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


class Chance(random.Random):
    """Random numbers of one seed; ``rate`` is how often :meth:`astray` says to do what is not allowed."""

    rate = 0.0
    _steps_before: int | None = None

    def astray(self) -> bool:
        if self._steps_before is not None:
            self._steps_before -= 1
            return self._steps_before == -1
        return self.rate > 0 and self.random() < self.rate

    def often(self, share: float) -> bool:
        return self.random() < share

    @contextmanager
    def at_rate(self, rate: float) -> Iterator[None]:
        before, self.rate = self.rate, rate
        try:
            yield
        finally:
            self.rate = before

    def astray_at(self, step: int, make: Callable[[Chance], T]) -> T | None:
        """What ``make`` makes when it goes astray at one step only, or ``None`` where it has fewer steps."""
        self._steps_before = step
        made = make(self)
        left, self._steps_before = self._steps_before, None
        return made if left < 0 else None

    def merged(self, lists: Sequence[Sequence[T]]) -> list[T]:
        """One list of them all, in which the members of each keep their order."""
        turns = [number for number, members in enumerate(lists) for _ in members]
        self.shuffle(turns)
        rest = [iter(members) for members in lists]
        return [next(rest[turn]) for turn in turns]
