"""How many may be at one thing at once: slow calls of a host, lanes of bulk reads, lanes of transfers.

Who has a place is known by an object that stands for it, weakly: Ctrl-C can strike between any two steps of the main
thread, and a place whose holder is gone is free.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Final
from weakref import WeakKeyDictionary, ref

from libstorage.connection.lane import TimeLimit

LOOK_AGAIN: Final = 1.0
"""Seconds after which one who waits looks whether a holder is gone without a word."""


class Holder:
    """Stands for somebody who has a place."""

    __slots__ = ("__weakref__",)


class Word:
    """What one thread tells another, once. Unlike ``threading.Event``, it may be interrupted while it waits."""

    __slots__ = ("_told",)

    def __init__(self) -> None:
        self._told = threading.Lock()
        self._told.acquire()

    def tell(self) -> None:
        """Let the other go on."""
        self._told.release()

    def wait(self, limit: TimeLimit) -> bool:
        """Wait for it, at most for a while; whether it came."""
        left = limit.patience()
        return self._told.acquire(timeout=LOOK_AGAIN if left is None else min(left, LOOK_AGAIN))


class _Waiter:
    """One who wants to begin."""

    def __init__(self, holder: object, key: Hashable) -> None:
        self.holder = ref(holder)
        self.key = key
        self.is_admitted = False
        self.word = Word()


class Admission:
    """Lets so many in at once, first come, first served.

    Args:
        most: How many places there are at the moment.
    """

    def __init__(self, most: Callable[[], int]) -> None:
        self._most = most
        self._lock = threading.RLock()
        self._waiting: list[_Waiter] = []
        self._inside: WeakKeyDictionary[object, Hashable] = WeakKeyDictionary()

    @property
    def most(self) -> int:
        """How many places there are."""
        return self._most()

    def enter(self, holder: object, limit: TimeLimit, *, key: Hashable = None) -> bool:
        """Wait until there is room; ``False`` when the time for that ran out.

        Args:
            holder: Who is inside, until it is told to leave or is no more.
            limit: How long to wait.
            key: Only one of those with the same key is inside; one that waits for that holds up nobody else.
        """
        waiter = _Waiter(holder, key)
        try:
            with self._lock:
                self._waiting.append(waiter)
                self._admit()
            while not waiter.is_admitted and limit.remaining():
                if not waiter.word.wait(limit):
                    with self._lock:
                        self._admit()
        except BaseException:
            self._withdraw(waiter)
            self.leave(holder)
            raise
        self._withdraw(waiter)
        return waiter.is_admitted

    def join(self, holder: object) -> bool:
        """Come in if there is room and nobody waits."""
        with self._lock:
            if self._waiting or not self._has_room():
                return False
            self._inside[holder] = None
            return True

    def leave(self, holder: object) -> None:
        """It is over."""
        with self._lock:
            self._inside.pop(holder, None)
            self._admit()

    @property
    def is_wanted(self) -> bool:
        """Whether somebody waits."""
        return bool(self._waiting)

    def _has_room(self) -> bool:
        return len(self._inside) < self._most()

    def _admit(self) -> None:
        """Let in who may begin, in the order in which they came."""
        for waiter in list(self._waiting):
            holder = waiter.holder()
            if holder is not None and not waiter.is_admitted:
                if not self._has_room():
                    return
                if waiter.key is not None and waiter.key in self._inside.values():
                    continue
                self._inside[holder] = waiter.key
                waiter.is_admitted = True
                waiter.word.tell()
            self._waiting.remove(waiter)

    def _withdraw(self, waiter: _Waiter) -> None:
        with self._lock:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
