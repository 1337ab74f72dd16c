"""How many slow calls a host gets at once: its daemon has 20 workers, and others want some of them."""

from __future__ import annotations

import threading

from libstorage.connection.lane import TimeLimit
from libstorage.connection.target import Target
from libstorage.operations import POOL_REFRESH, Operation


class SlowCalls:
    """Lets so many long calls in at once, and at most one refresh per pool.

    Sixteen calls that occupy a worker each leave a daemon's other clients unharmed; with 24 they wait for seconds.
    Refreshes of one pool at a time, because each holds the pool's lock, which every listing of pools takes.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._changed = threading.Condition()
        self._running = 0
        self._refreshing: set[Target] = set()

    def enter(self, op: Operation, target: Target, limit: TimeLimit) -> bool:
        """Wait until the call may begin; ``False`` when the time for that ran out."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._has_room(op, target), limit.patience()):
                return False
            self._running += 1
            if op is POOL_REFRESH:
                self._refreshing.add(target)
            return True

    def leave(self, op: Operation, target: Target) -> None:
        """The call is over."""
        with self._changed:
            self._running -= 1
            if op is POOL_REFRESH:
                self._refreshing.discard(target)
            self._changed.notify_all()

    def _has_room(self, op: Operation, target: Target) -> bool:
        return self._running < self.most and not (op is POOL_REFRESH and target in self._refreshing)
