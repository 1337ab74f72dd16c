"""Refreshes the pool after an upload, so that libvirt sees the volume's new format and size.

libvirt refuses to refresh a pool while a volume is being built in it, so a steady stream of builds would starve the
refresh. While a refresh is pending, the session briefly holds back its own builds in that pool.
"""

from __future__ import annotations

from time import monotonic, sleep
from typing import Final

from libstorage.connection.identity import PoolId
from libstorage.errors import PoolBusyError, StorageError
from libstorage.operations import POOL_REFRESH
from libstorage.session.calls import refresh_pool
from libstorage.session.channel import Channel
from libstorage.session.pool_state import add_state
from libstorage.session.turns import MOMENT, Turn

PATIENCE: Final = 60.0
"""Seconds to wait for volumes that another client is building."""

_PAUSE = 0.002
_LONGEST_PAUSE = 0.25


def let_pool_see(channel: Channel, pool: PoolId) -> None:
    """Refresh the pool as soon as no volume is being built in it.

    The daemon refreshes the pool, too, in a thread that it starts when the stream ends: at an unknown time, not if a
    volume is being built just then, and silently if the refresh fails. Our own refresh begins after the end of the stream,
    so it sees all data. If the daemon's refresh comes later, it sees the same, and locks the pool as any call does.

    Raises:
        PoolBusyError: If volumes were being built in the pool for too long.
        StorageError: If the refresh failed.
    """
    turn, since, pause = channel.session().turns.of(pool), monotonic(), _PAUSE
    try:
        while True:
            with turn.taken():
                busy = None if turn.has_seen(since) else _refresh(channel, pool, turn)
            if busy is None:
                return
            if monotonic() > since + PATIENCE:
                raise busy
            sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
    except StorageError as error:
        told = "All data has arrived, but libvirt may still show the volume's former state: refresh the pool."
        add_state(channel, POOL_REFRESH, pool, error)
        error.add_hint(told)
        error.outcome = "done"
        raise


def _refresh(channel: Channel, pool: PoolId, turn: Turn) -> PoolBusyError | None:
    limit = monotonic() + MOMENT
    while True:
        start = monotonic()
        try:
            refresh_pool(channel, pool)
        except PoolBusyError as busy:
            if monotonic() > limit:
                return busy
            sleep(_PAUSE)
        else:
            turn.saw(start)
            return None
