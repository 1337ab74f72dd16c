"""After an upload: let the pool see what its volume has become.

libvirt refuses to refresh a pool while a volume is being built in it, so that where many are made one after the other a
refresh would never get its turn. Here it does: a host that wants to refresh builds nothing in that pool for a moment.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from libstorage.connection.identity import Identity, PoolId, VolumeId
from libstorage.errors import PoolBusyError, StorageError
from libstorage.operations import POOL_REFRESH, VOLUME_CLONE, VOLUME_CREATE, VOLUME_WIPE, Operation

if TYPE_CHECKING:
    from libstorage.client.host import Host

PATIENCE: Final = 60.0
"""Seconds to wait for volumes that somebody else is building."""

_MOMENT = 0.1  # seconds for which nothing is built, at most
_PAUSE = 0.002
_LONGEST_PAUSE = 0.25
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
            self._changed.wait_for(lambda: not self._is_taken, 2 * _MOMENT)

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


def let_pool_see(host: Host, pool: PoolId) -> None:
    """Refresh the pool, as soon as nothing is being built in it.

    The daemon does it, too, in a thread that it starts when the stream ends: at some time, unless something is being
    built just then, and without a word if it fails. A refresh of our own that began after the end of the stream has
    seen the whole of it; should theirs come later, it sees the same, and locks the pool meanwhile as any call does.

    Raises:
        PoolBusyError: Somebody has been building volumes in it for too long.
        StorageError: The refresh failed.
    """
    turn, since, pause = host._connected().turns.of(pool), monotonic(), _PAUSE
    try:
        while True:
            with turn.taken():
                busy = None if turn.has_seen(since) else _refresh(host, pool, turn)
            if busy is None:
                return
            if monotonic() > since + PATIENCE:
                raise busy
            sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
    except StorageError as error:
        told = (
            "All data has arrived, but libvirt may still show the volume as it was before: refresh the pool."
        )
        host._pool(pool)._tell_state(POOL_REFRESH, error)
        error.hint = "\n".join(filter(None, (error.hint, told)))
        error.outcome = "done"
        raise


def _refresh(host: Host, pool: PoolId, turn: Turn) -> PoolBusyError | None:
    limit = monotonic() + _MOMENT
    while True:
        start = monotonic()
        try:
            host._call(POOL_REFRESH, pool, lambda lane: lane.pool(pool).refresh(0))
        except PoolBusyError as busy:
            if monotonic() > limit:
                return busy
            sleep(_PAUSE)
        else:
            turn.saw(start)
            return None
