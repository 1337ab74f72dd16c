"""After an upload: let the pool see what its volume has become.

libvirt refuses to refresh a pool while a volume is being built in it, so that where many are made one after the other a
refresh would never get its turn. Here it does: a host that wants to refresh builds nothing in that pool for a moment.
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
"""Seconds to wait for volumes that somebody else is building."""

_PAUSE = 0.002
_LONGEST_PAUSE = 0.25


def let_pool_see(channel: Channel, pool: PoolId) -> None:
    """Refresh the pool, as soon as nothing is being built in it.

    The daemon does it, too, in a thread that it starts when the stream ends: at some time, unless something is being
    built just then, and without a word if it fails. A refresh of our own that began after the end of the stream has
    seen the whole of it; should theirs come later, it sees the same, and locks the pool meanwhile as any call does.

    Raises:
        PoolBusyError: Somebody has been building volumes in it for too long.
        StorageError: The refresh failed.
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
        told = (
            "All data has arrived, but libvirt may still show the volume as it was before: refresh the pool."
        )
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
