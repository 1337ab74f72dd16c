"""Bulk reads over several lanes: one queue of jobs, and as many lanes working on it as can be spared."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from libstorage.connection import threads
from libstorage.connection.binding import answer
from libstorage.connection.clock import NEVER, TimeLimit
from libstorage.connection.identity import Identity, PoolId
from libstorage.connection.lane import Lane
from libstorage.connection.raw import RawVolume
from libstorage.connection.resolve import list_volumes
from libstorage.errors import StorageError
from libstorage.operations import Operation
from libstorage.session.channel import Channel

_JOBS_PER_LANE: Final = 8
"""Number of waiting jobs that justify one more lane: a lane must be opened first, and lists for itself."""


class Worker:
    """A lane that works on the queue, and the volumes that it has listed for itself."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self._listed: dict[PoolId, dict[str, RawVolume]] = {}

    def volumes(self, pool: PoolId) -> dict[str, RawVolume]:
        """Return the raw volumes of a pool on this lane, by name; the first time this takes one call."""
        if pool not in self._listed:
            self._listed[pool] = list_volumes(self.lane, pool)
        return self._listed[pool]


Job: TypeAlias = Callable[[Worker], None]


class Crew:
    """Works through a queue of jobs: the caller's thread and lane, and helper threads with lanes of their own.

    Jobs may add other jobs. If a helper loses its lane, another thread repeats the helper's job.
    """

    def __init__(self, channel: Channel, operation: Operation, target: Identity) -> None:
        self._channel = channel
        self._operation = operation
        self._target = target
        self._session = channel.session()
        self._changed = threading.Condition()
        self._jobs: deque[Job] = deque()
        self._running = 0
        self._helpers = 0
        self._failure: BaseException | None = None

    def run(self, first: Job) -> None:
        """Run a job and every job that it adds.

        Raises:
            StorageError: If a call on the caller's own lane failed.
        """
        self._jobs.append(first)
        try:
            self._session.places.enter(self, TimeLimit(NEVER))
            with self._channel.lane(self._operation, self._target) as lane:
                worker = Worker(lane)
                while (job := self._next(wait=True)) is not None:
                    self._do(job, worker)
        finally:
            self._jobs.clear()
            self._session.places.leave(self)
        if self._failure is not None:
            raise self._failure

    def add(self, jobs: Iterable[Job]) -> None:
        """Queue jobs, and start as many helpers as the jobs justify and lanes can be spared."""
        with self._changed:
            self._jobs.extend(jobs)
            self._changed.notify_all()
            wanted = len(self._jobs) // _JOBS_PER_LANE
            if wanted:
                self._session.connection.widen(
                    wanted + 2
                )  # this lane, one for each helper, and one for other calls
            while self._helpers < wanted:
                helper = threading.Thread(target=self._help, name="libstorage-bulk", daemon=True)
                if not self._session.places.join(helper):
                    return
                try:
                    threads.start(helper)
                except StorageError:  # then without that helper
                    self._session.places.leave(helper)
                    return
                self._helpers += 1

    def _help(self) -> None:
        # The caller gets every failure of a helper, too: on its own lane, or in _failure.
        with contextlib.suppress(BaseException), self._channel.lane(self._operation, self._target) as lane:
            worker = Worker(lane)
            while not self._session.places.is_wanted and (job := self._next(wait=False)) is not None:
                self._do(job, worker)
        self._session.places.leave(threading.current_thread())
        with self._changed:
            self._helpers -= 1

    def _next(self, *, wait: bool) -> Job | None:
        with self._changed:
            while not self._jobs:
                if not wait or not self._running:
                    return None
                self._changed.wait()
            self._running += 1
            return self._jobs.popleft()

    def _do(self, job: Job, worker: Worker) -> None:
        try:
            job(worker)
        except BaseException as error:
            with self._changed:
                if isinstance(error, StorageError) or answer(error) is not None:
                    self._jobs.append(job)
                else:
                    self._failure = error
                    self._jobs.clear()
            raise
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()
