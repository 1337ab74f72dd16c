"""How many slow calls a host gets at once: its daemon has 20 workers, and others want some of them."""

from __future__ import annotations

import threading

from libstorage.connection.lane import TimeLimit
from libstorage.connection.target import Target
from libstorage.operations import POOL_REFRESH, Operation


class _Waiter:
    """A call that wants to begin."""

    def __init__(self, op: Operation, target: Target) -> None:
        self.refreshes = target if op is POOL_REFRESH else None
        self.admitted = threading.Event()


class SlowCalls:
    """Lets so many long calls in at once, first come, first served, and at most one refresh per pool.

    Sixteen calls that occupy a worker each leave a daemon's other clients unharmed; with 24 they wait for seconds.
    Refreshes of one pool at a time, because each holds the pool's lock, which every listing of pools takes.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._lock = threading.Lock()
        self._waiting: list[_Waiter] = []
        self._running = 0
        self._refreshing: set[Target] = set()

    def enter(self, op: Operation, target: Target, limit: TimeLimit) -> bool:
        """Wait until the call may begin; ``False`` when the time for that ran out."""
        waiter = _Waiter(op, target)
        with self._lock:
            self._waiting.append(waiter)
            self._admit()
        try:
            if waiter.admitted.wait(limit.patience()):
                return True
        except BaseException:
            if not self._withdraw(waiter):
                self.leave(op, target)
            raise
        return not self._withdraw(waiter)

    def leave(self, op: Operation, target: Target) -> None:
        """The call is over."""
        with self._lock:
            self._running -= 1
            if op is POOL_REFRESH:
                self._refreshing.discard(target)
            self._admit()

    def _admit(self) -> None:
        """Let in who may begin, in the order in which they came. Whoever waits for a refresh holds up nobody else."""
        for waiter in list(self._waiting):
            if self._running >= self.most:
                return
            if waiter.refreshes is None or waiter.refreshes not in self._refreshing:
                self._waiting.remove(waiter)
                self._running += 1
                if waiter.refreshes is not None:
                    self._refreshing.add(waiter.refreshes)
                waiter.admitted.set()

    def _withdraw(self, waiter: _Waiter) -> bool:
        """Wait no longer; ``False`` when it was admitted just now."""
        with self._lock:
            if waiter.admitted.is_set():
                return False
            self._waiting.remove(waiter)
            return True
