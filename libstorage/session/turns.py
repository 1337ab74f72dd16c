"""Turns on a pool: operations that build volumes in it, or one refresh.

libvirt refuses to refresh a pool while a volume is being built in it, so a steady stream of builds would starve the
refresh. While a refresh is pending, the session briefly holds back its own builds in that pool.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from weakref import WeakValueDictionary

from libstorage.connection.identity import Identity, PoolId, VolumeId
from libstorage.operations import VOLUME_CLONE, VOLUME_CREATE, VOLUME_WIPE, Operation

MOMENT = 0.1  # seconds for which nothing is built, at most


_BUILDS = (VOLUME_CREATE, VOLUME_CLONE, VOLUME_WIPE)


class Turn:
    """The turn on one pool: held by operations that build volumes in it, or by one refresh."""

    def __init__(self) -> None:
        self._refreshing = threading.Lock()
        self._changed = threading.Condition()
        self._is_taken = False
        self._free_until = 0.0
        self._seen_at = 0.0

    def wait(self) -> None:
        """Wait while a refresh of the pool is pending."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_taken, 2 * MOMENT)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold back builds for the refresh in the block; afterwards builds have at least as long without a refresh."""
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
        """Note that a refresh that began at ``time`` has succeeded."""
        self._seen_at = time

    def has_seen(self, time: float) -> bool:
        """Return whether a refresh began after ``time`` and has succeeded."""
        return self._seen_at > time


class Turns:
    """The turns on the pools of a host."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns: WeakValueDictionary[PoolId, Turn] = WeakValueDictionary()

    def of(self, pool: PoolId) -> Turn:
        """Return the turn on a pool."""
        with self._lock:
            return self._turns.setdefault(pool, Turn())

    def wait(self, operation: Operation, target: Identity) -> None:
        """Before a call that builds a volume: if a refresh of the pool is pending, let the refresh go first."""
        if isinstance(target, VolumeId) and operation in _BUILDS:
            turn = self._turns.get(target.pool)
            if turn is not None:
                turn.wait()
