"""The state that a failed step has left a pool in, for the error."""

from __future__ import annotations

from typing import Final, NamedTuple

from libstorage.connection.identity import PoolId
from libstorage.connection.lane import Lane
from libstorage.errors import (
    ConnectionFailedError,
    ConnectionLostError,
    DeadlineError,
    PoolInactiveError,
    PoolNotFoundError,
    StorageError,
)
from libstorage.operations import POOL_IS_ACTIVE, POOL_REFRESH, Operation
from libstorage.session.channel import Channel

_STOPPED_BY_REFRESH: Final = (
    "libvirt stops a pool when a refresh fails: fix the cause, then call pool.start()."
)
_GONE_BY_REFRESH: Final = (
    "libvirt stops a pool when a refresh fails, and a transient pool vanishes then: create it again."
)
_WAS_STOPPED_BEFORE: Final = (PoolInactiveError, PoolNotFoundError)
_SAYS_NOTHING_OF_THE_POOL: Final = (ConnectionFailedError, ConnectionLostError, DeadlineError)


class _State(NamedTuple):
    active: bool | None  # None: the pool is gone
    description: str


def add_state(channel: Channel, operation: Operation, pool: PoolId, error: StorageError) -> None:
    """Add the state of the pool to the hint of a failed step's error."""
    if isinstance(error, _SAYS_NOTHING_OF_THE_POOL) or (state := _state(channel, pool)) is None:
        return
    error.add_hint(state.description)
    if operation == POOL_REFRESH and not state.active and not isinstance(error, _WAS_STOPPED_BEFORE):
        error.outcome, error.retry = "unknown", "no"
        error.add_hint(_GONE_BY_REFRESH if state.active is None else _STOPPED_BY_REFRESH)


def _state(channel: Channel, pool: PoolId) -> _State | None:
    """State of the pool, ``None`` if it cannot be read."""

    def read(lane: Lane) -> tuple[int, int]:
        raw = lane.pool(pool, fresh=True)
        return raw.isActive(), raw.isPersistent()

    try:
        active, persistent = channel.call(POOL_IS_ACTIVE, pool, read)
    except LookupError:
        return _State(None, f"Pool {pool.name!r} is gone.")
    except StorageError:
        return None
    kind = "defined" if persistent else "transient"
    running = "running" if active else "not started"
    return _State(bool(active), f"Pool {pool.name!r} is {kind} and {running}.")
