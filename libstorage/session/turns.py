"""Whose turn it is to work on a pool: those who build volumes in it, or one who refreshes it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from libstorage.connection.identity import Identity, PoolId, VolumeId
from libstorage.operations import VOLUME_CLONE, VOLUME_CREATE, VOLUME_WIPE, Operation

if TYPE_CHECKING:
    pass


MOMENT = 0.1  # seconds for which nothing is built, at most


_BUILDS = (VOLUME_CREATE, VOLUME_CLONE, VOLUME_WIPE)


class Turn:
    """Who may work on one pool: those who build volumes in it, or one who wants to refresh it."""

    def __init__(self) -> None:
        self._refreshing = threading.Lock()
        self._changed = threading.Condition()
        self._is_taken = False
        self._free_until = 0.0
        self._seen_at = 0.0

    def wait(self) -> None:
        """Wait while somebody wants to refresh the pool."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_taken, 2 * MOMENT)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Keep those who build waiting; afterwards they have at least as long for themselves."""
        with self._refreshing:
            sleep(max(0.0, self._free_until - monotonic()))
            self._is_taken, start = True, monotonic()
            try:
                yield
            finally:
                with self._changed:
                    now = monotonic()
                    self._is_taken, self._free_until = False, 2 * now - start
                    self._changed.notify_all()

    def saw(self, time: float) -> None:
        """A refresh that began then has succeeded."""
        self._seen_at = time

    def has_seen(self, time: float) -> bool:
        """Whether a refresh has begun after that, and succeeded."""
        return self._seen_at > time


class Turns:
    """The turns of a host's pools."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns: WeakValueDictionary[PoolId, Turn] = WeakValueDictionary()

    def of(self, pool: PoolId) -> Turn:
        """The turn of a pool."""
        with self._lock:
            return self._turns.setdefault(pool, Turn())

    def wait(self, operation: Operation, target: Identity) -> None:
        """Before a call: if it builds a volume where somebody wants to refresh, let that one go first."""
        if isinstance(target, VolumeId) and operation in _BUILDS:
            turn = self._turns.get(target.pool)
            if turn is not None:
                turn.wait()
