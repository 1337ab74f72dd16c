"""Admission control: bounds the number of slow calls, bulk-read lanes and transfer lanes of a host.

A slot belongs to a holder object that is only weakly referenced, because Ctrl-C can interrupt the main thread between
any two bytecodes: when the holder is collected, its slot is free again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Final
from weakref import WeakKeyDictionary, ref

from libstorage.connection.clock import TimeLimit

LOOK_AGAIN: Final = 1.0
"""Seconds after which a waiting thread checks whether a holder was collected without leaving."""


class Holder:
    """Represents the operation that holds a slot."""

    __slots__ = ("__weakref__",)


class Word:
    """A signal from one thread to another, sent once. Unlike ``threading.Event``, waiting for it can be interrupted."""

    __slots__ = ("_told",)

    def __init__(self) -> None:
        self._told = threading.Lock()
        self._told.acquire()

    def tell(self) -> None:
        """Send the signal."""
        self._told.release()

    def wait(self, limit: TimeLimit) -> bool:
        """Wait for the signal, for at most ``LOOK_AGAIN`` seconds; return whether it came."""
        left = limit.patience()
        return self._told.acquire(timeout=LOOK_AGAIN if left is None else min(left, LOOK_AGAIN))


class _Waiter:
    """An operation that waits for a slot."""

    def __init__(self, holder: object, key: Hashable) -> None:
        self.holder = ref(holder)
        self.key = key
        self.is_admitted = False
        self.word = Word()


class Admission:
    """Admits a limited number of holders at the same time, in order of arrival.

    Args:
        most: Returns the current number of slots.
    """

    def __init__(self, most: Callable[[], int]) -> None:
        self._most = most
        self._lock = threading.RLock()
        self._waiting: list[_Waiter] = []
        self._inside: WeakKeyDictionary[object, Hashable] = WeakKeyDictionary()

    @property
    def most(self) -> int:
        """The current number of slots."""
        return self._most()

    def enter(self, holder: object, limit: TimeLimit, *, key: Hashable = None) -> bool:
        """Wait for a slot; return ``False`` if the time ran out.

        Args:
            holder: Holds the slot until it leaves or is collected.
            limit: How long to wait.
            key: Only one holder with the same key is admitted at a time; one that waits for its key does not block
                others.
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
        """Take a slot if one is free and no other holder waits; return whether it was taken."""
        with self._lock:
            if self._waiting or not self._has_room():
                return False
            self._inside[holder] = None
            return True

    def leave(self, holder: object) -> None:
        """Give the slot back."""
        with self._lock:
            self._inside.pop(holder, None)
            self._admit()

    @property
    def is_wanted(self) -> bool:
        """Whether a holder waits for a slot."""
        return bool(self._waiting)

    def _has_room(self) -> bool:
        return len(self._inside) < self._most()

    def _admit(self) -> None:
        """Admit waiting holders in order of arrival, as far as slots and keys allow."""
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
