"""Brings a pool from any state that a failure can leave to running, also while other processes do the same."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from time import monotonic, sleep
from typing import Final

from libstorage.client.pool import Pool
from libstorage.connection.codes import Code
from libstorage.errors import (
    HelperError,
    LibvirtError,
    PoolActiveError,
    PoolBusyError,
    PoolInactiveError,
    PoolNotFoundError,
    StateError,
    StorageError,
    StorageIOError,
    UnsupportedError,
)
from libstorage.models.pool import PoolSpec
from libstorage.models.support import has_files

_PATIENCE: Final = 60.0  # seconds for other processes that define, build, start or undefine the same pool
_LONGEST_PAUSE: Final = 0.5
_MAY_NOT_BE_BUILT: Final = (StateError, StorageIOError, HelperError, LibvirtError)


class Lost(Exception):
    """Another process changed the pool meanwhile: begin again."""


def converge(attempt: Callable[[], Pool]) -> Pool:
    """Repeat an attempt while other processes work on the same pool.

    Args:
        attempt: Returns the running pool; raises ``Lost`` to be repeated.

    Raises:
        StorageError: If an attempt failed, or other processes were at work for too long.
    """
    until, pause = monotonic() + _PATIENCE, 0.005
    while True:
        try:
            return attempt()
        except Lost as lost:
            if monotonic() > until and isinstance(lost.__cause__, StorageError):
                raise _at_work(lost.__cause__) from None
        sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def run_new(pool: Pool, spec: PoolSpec, *, had_folder: bool) -> Pool:
    """Build and start a pool that this call has defined; if that fails, undefine it again.

    Args:
        pool: The pool.
        spec: Its document.
        had_folder: Whether its directory may have existed before.

    Raises:
        Lost: If another process changes the pool, too.
        StorageError: If a step failed.
    """
    try:
        if has_files(spec.type):
            _built(pool)
            return _started(pool)
        return run(pool)
    except StorageError as error:
        return _undone(pool, error, had_folder=had_folder)


def run(pool: Pool) -> Pool:
    """Start a pool. If it cannot be started, it may not be built: build it, which libvirt refuses if storage is there.

    Raises:
        Lost: If another process changes the pool, too.
        StorageError: If a step failed.
    """
    try:
        return _started(pool)
    except _MAY_NOT_BE_BUILT as error:
        if not _built_after(pool, error):
            raise
    return _started(pool)


def has_folder(spec: PoolSpec, *, is_local: bool) -> bool:
    """Return whether the directory of a pool may exist: on another machine, it may."""
    target = None if spec.target is None else spec.target.path
    return target is None or not is_local or os.path.lexists(target)


def _started(pool: Pool) -> Pool:
    try:
        return pool if pool.is_active() else pool.start()
    except PoolActiveError:  # another process was faster
        return pool
    except StorageError as error:
        raise _lost(error) from error


def _built(pool: Pool) -> None:
    try:
        pool.build()
    except PoolActiveError:  # another process was faster
        return
    except StorageError as error:
        raise _lost(error) from error


def _built_after(pool: Pool, error: StorageError) -> bool:
    """Build a pool that did not start; return whether that was possible."""
    if pool.spec(inactive=True).type == "dir" and error.errno is None:
        return False
    try:
        _built(pool)
    except (StateError, UnsupportedError):  # storage is there, or pools of this type are not built
        return False
    return True


def _at_work(error: StorageError) -> StorageError:
    """Return the error for a pool that other programs kept changing: each of them may have defined it."""
    error.add_hint(f"Other programs kept changing the pool for {_PATIENCE:g} s: look at its state.")
    error.outcome, error.retry = "unknown", "after_reconcile"
    return error


def _lost(error: StorageError) -> BaseException:
    """Return ``Lost`` for an error that another process at work explains, else the error."""
    is_between = isinstance(error, PoolNotFoundError | PoolBusyError | PoolInactiveError)
    return Lost() if is_between or error.code == Code.OPERATION_INVALID else error


def _undone(pool: Pool, error: StorageError, *, had_folder: bool) -> Pool:
    """Undefine a pool that could not be started, unless another process has started it.

    Raises:
        StorageError: Always, unless another process has started the pool: the error, with the outcome.
    """
    try:
        if not had_folder:
            with suppress(StorageError):
                pool.delete()  # removes an empty directory only
        pool.undefine()
    except PoolActiveError:
        return pool
    except PoolNotFoundError:
        pass
    except StorageError as problem:
        error.add_hint(f"Pool {pool.name!r} could not be undefined again. ({problem.message})")
        error.outcome, error.retry = "unknown", "after_reconcile"
        raise error from None
    error.add_hint(f"Pool {pool.name!r} was undefined again.")
    error.outcome = "not_started"
    raise error
