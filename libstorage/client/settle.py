"""After an upload: let the pool see what its volume has become."""

from __future__ import annotations

from time import monotonic, sleep
from typing import TYPE_CHECKING, Final

from libstorage.connection.target import PoolId
from libstorage.errors import PoolBusyError, StorageError
from libstorage.operations import POOL_REFRESH

if TYPE_CHECKING:
    from libstorage.client.host import Host

FIRST_PAUSE: Final = 0.001
LONGEST_PAUSE: Final = 0.1
PATIENCE: Final = 60.0
"""Seconds; volumes being built in the same pool keep it from being refreshed."""


def let_pool_see(host: Host, pool: PoolId) -> None:
    """Refresh the pool, as soon as nothing is being built in it.

    The daemon does it, too, in a thread that it starts when the stream ends: at some time, unless something is being
    built just then, and without a word if it fails. A refresh of our own that began after the end of the stream has
    seen the whole of it; should theirs come later, it sees the same, and locks the pool meanwhile as any call does.

    Raises:
        PoolBusyError: Something has been being built for too long.
        StorageError: The refresh failed.
    """
    limit, pause = monotonic() + PATIENCE, FIRST_PAUSE
    while True:
        try:
            host._call(POOL_REFRESH, pool, lambda lane: lane.pool(pool).refresh(0))
        except PoolBusyError as error:
            if monotonic() > limit:
                _say_done(error)
                raise
            sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        except StorageError as error:
            _say_done(error)
            raise
        else:
            return


def _say_done(error: StorageError) -> None:
    told = "All data has arrived, but libvirt may still show the volume as it was before: refresh the pool."
    error.hint = "\n".join(filter(None, (error.hint, told)))
    error.outcome = "done"
