"""The lanes of one host: assigns lanes to calls, opens more lanes, and replaces lost ones."""

from __future__ import annotations

import copy
import threading
from collections import deque
from collections.abc import Callable, Iterable
from itertools import count
from time import monotonic
from weakref import ref

from libstorage.connection import threads
from libstorage.connection.clock import TimeLimit
from libstorage.connection.identity import Identity
from libstorage.connection.lane import Lane
from libstorage.connection.limits import Word
from libstorage.errors import StorageError

_PAUSE_AFTER_FAILURE = 1.0  # seconds before opening another lane is tried again, while other lanes are open
_AFTER_CUT = (
    1.0  # seconds that closing a lane may take, or that a call may take to return from a lane that was cut
)


class Closed(Exception):
    """The lanes were closed."""


class NoLane(Exception):
    """No lane became free in time."""


class _Waiter:
    """A call that waits for a lane. Calls are served in order of arrival."""

    __slots__ = ("error", "holder", "lane", "most", "opening", "word")

    def __init__(self, holder: object, most: int | None, opening: float | None) -> None:
        self.holder = ref(holder)
        self.most = most
        self.opening = opening
        self.lane: Lane | None = None
        self.error: Exception | None = None
        self.word = Word()

    def call(self, lane: Lane | None, error: Exception | None = None) -> None:
        self.lane, self.error = lane, error
        self.word.tell()


class Lanes:
    """The lanes of one host.

    Idle lanes are a stack: the lane that was used last has the most raw objects in its cache. Waiting calls are a queue.
    As soon as a call waits and ``limit`` is not reached, another lane is opened. The call gets whichever is available
    first: the new lane, or one that another call gives back.

    A lane belongs to a holder object that is only weakly referenced: if the holder was lost to Ctrl-C, its lane is free.

    Args:
        open_lane: Opens one lane within a time limit (``None`` is the usual one), or raises a ``StorageError``.
        first: A lane that is already open.
        width: How many calls may share a lane.
        limit: Maximum number of lanes.
    """

    def __init__(
        self, open_lane: Callable[[TimeLimit | None], Lane], first: Lane, *, width: int, limit: int
    ) -> None:
        self.limit: int = limit
        self._open_lane = open_lane
        self._width = width
        self._lock = threading.RLock()  # a finalizer may close another host's lanes in the middle of this
        self._changed = threading.Condition(self._lock)
        self._lanes: set[Lane] = {first}
        self._uses = count(1)
        self._waiters: deque[_Waiter] = deque()
        self._opening = 0
        self._retry_at = 0.0
        self._closed = False

    def take(
        self, holder: object, limit: TimeLimit, *, most: int | None = None, latest: float | None = None
    ) -> Lane:
        """Return a lane for one call.

        Args:
            holder: Holds the lane until it gives the lane back or is collected.
            limit: How long to wait.
            most: Request exclusive use; at most ``most`` lanes are in exclusive use at any time.
            latest: Keep waiting while any lane makes progress, until this time of the monotonic clock.

        Raises:
            Closed: If the lanes were closed.
            NoLane: If no lane became free in time.
            StorageError: If no lane is open and none can be opened.
        """
        with self._lock:
            lane = None if self._waiters or self._closed else self._free_lane(holder, most)
            if lane is not None:
                return lane
            if self._closed:
                raise Closed
            waiter = _Waiter(holder, most, limit.opening)
            self._waiters.append(waiter)
            self._serve()
            if (
                not self._lanes and limit.opening is not None
            ):  # a call with more time may have begun the opening
                limit = TimeLimit(min(limit.remaining(), limit.opening + _AFTER_CUT))
        try:
            while waiter.lane is None and waiter.error is None and limit.remaining():
                since = monotonic()
                if not waiter.word.wait(limit):
                    with self._lock:
                        self._serve()
                if latest is not None and self._has_progress(since):
                    limit.renew(latest)
        finally:
            self._leave_queue(waiter)
        if waiter.lane is None:
            raise waiter.error or NoLane
        return waiter.lane

    def give(self, holder: object, lane: Lane) -> None:
        """Give a lane back. A lost lane is closed, and replaced when a call needs one."""
        with self._lock:
            lane.give_up(holder)
            lane.last_use, lane.progress = next(self._uses), monotonic()
            if self._closed or not lane.is_kept:
                self._drop(lane)
            if self._waiters or self._closed:
                self._serve()

    def recall(self, holder: object) -> None:
        """Take back every lane that ``holder`` may hold."""
        with self._lock:
            lanes = [lane for lane in self._lanes if lane.is_held_by(holder)]
        for lane in lanes:
            self.give(holder, lane)

    def widen(self, lanes: int) -> None:
        """Raise the maximum number of lanes to ``lanes``; each one is opened when a call waits for it."""
        with self._lock:
            self.limit = max(self.limit, lanes)
            self._open_for_waiters()

    def forget(self, target: Identity) -> None:
        """Evict an object from every lane's cache."""
        with self._lock:
            lanes = list(self._lanes)
        for lane in lanes:
            lane.forget(target)

    def count(self) -> int:
        """Return the current number of lanes."""
        return len(self._lanes)

    def is_alive(self) -> bool:
        """Return whether a lane with a live daemon is open, as far as known."""
        with self._lock:
            return any(lane.is_alive() for lane in self._lanes)

    def close(self, grace: float) -> None:
        """Close every lane, without waiting for lanes that are still being opened.

        Args:
            grace: Seconds after which calls that are still running are cut. Waiting calls and later calls are refused.
        """
        with self._lock:
            self._closed = True
            waiting, self._waiters = self._waiters, deque()
            for waiter in waiting:
                waiter.call(None, Closed())
            self._changed.wait_for(lambda: not self._busy(), grace)
            self._abort_uploads()
            for lane in self._busy():
                lane.cut()  # its call then gives it back, which closes it
            self._changed.wait_for(lambda: not self._busy(), _AFTER_CUT)
            free = self._lanes - self._busy()
            self._lanes -= free
            _close_all(free, TimeLimit(grace))

    def _abort_uploads(self) -> None:
        """Give uploads a moment to abort their streams: a daemon may hang if an upload is cut (``KILLED_UPLOAD``)."""
        uploads = {lane for lane in self._busy() if lane.is_sending}
        for lane in uploads:
            lane.is_unwanted = True
        self._changed.wait_for(lambda: not any(lane.users() for lane in uploads), _AFTER_CUT)

    def _busy(self) -> set[Lane]:
        return {lane for lane in self._lanes if lane.users()}

    def _free_lane(self, holder: object, most: int | None) -> Lane | None:
        while (lane := self._choose(most)) is not None:
            if lane.is_alive():
                lane.give_to(holder, alone=most is not None)
                return lane
            self._drop(lane)
            if lane in self._lanes:  # other calls are still on it
                return None
        return None

    def _choose(self, most: int | None) -> Lane | None:
        """Return a free lane; if there is no free lane and no more can be opened, return a lane with room."""
        if most is not None and sum(lane.alone and lane.users() for lane in self._lanes) >= most:
            return None
        empty = [lane for lane in self._lanes if not lane.users()]
        if empty:
            return max(empty, key=lambda lane: lane.last_use)
        if most is not None or self._width == 1 or len(self._lanes) + self._opening < self.limit:
            return None
        shared = (lane for lane in self._lanes if not lane.alone and lane.users() < self._width)
        return max(shared, key=lambda lane: lane.last_use, default=None)

    def _has_progress(self, since: float) -> bool:
        with self._lock:
            return any(lane.progress >= since for lane in self._lanes)

    def _drop(self, lane: Lane) -> None:
        if not lane.users():
            self._lanes.discard(lane)
            lane.close(TimeLimit(0.0 if lane.is_cut else _AFTER_CUT))

    def _serve(self) -> None:
        """Give lanes to waiting calls in order of arrival; a call that may not have one now does not block others."""
        for waiter in list(self._waiters):
            holder = waiter.holder()
            if holder is not None and waiter.lane is None:
                lane = self._free_lane(holder, waiter.most)
                if lane is None:
                    continue
                waiter.call(lane)
            self._waiters.remove(waiter)
        self._open_for_waiters()
        self._changed.notify_all()

    def _leave_queue(self, waiter: _Waiter) -> None:
        with self._lock:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def _open_for_waiters(self) -> None:
        if not self._lanes or monotonic() >= self._retry_at:
            self._open(min(len(self._waiters), self.limit - len(self._lanes)) - self._opening)

    def _open(self, lanes: int) -> None:
        spans = [waiter.opening for waiter in self._waiters]
        longest = max((span for span in spans if span is not None), default=None)
        limit = None if longest is None or None in spans else TimeLimit(longest)
        for _ in range(lanes):
            self._opening += 1
            opener = threading.Thread(
                target=self._open_one, args=(limit,), name="libstorage-opener", daemon=True
            )
            try:
                threads.start(opener)
            except StorageError as error:
                self._count_failure(error)

    def _open_one(self, limit: TimeLimit | None) -> None:
        try:
            lane = self._open_lane(limit)
        except Exception as error:  # noqa: BLE001 -- any error is passed on to the waiting calls
            self._not_opened(error)
        else:
            self._opened(lane)

    def _opened(self, lane: Lane) -> None:
        with self._lock:
            self._opening -= 1
            if not self._closed:
                self._lanes.add(lane)
                self._serve()
                if not lane.is_kept:
                    self._drop(lane)
                return
        lane.close(TimeLimit(_AFTER_CUT))

    def _count_failure(self, error: Exception) -> None:
        """Record that a lane did not open. If no lane is open or being opened, pass the error on to the waiting calls."""
        self._opening -= 1
        self._retry_at = monotonic() + _PAUSE_AFTER_FAILURE
        if not self._lanes and not self._opening:
            while self._waiters:
                self._waiters.popleft().call(None, _twin(error))
        self._changed.notify_all()

    def _not_opened(self, error: Exception) -> None:
        with self._lock:
            self._count_failure(error)
            if self._waiters and not self._changed.wait_for(lambda: self._closed, _PAUSE_AFTER_FAILURE):
                self._open_for_waiters()


def _close_all(lanes: Iterable[Lane], limit: TimeLimit) -> None:
    """Close lanes in parallel, because each waits for its daemon's answer."""
    closing = [
        threading.Thread(target=lane.close, args=(limit,), name="libstorage-close", daemon=True)
        for lane in lanes
    ]
    for thread in closing:
        try:
            threads.start(thread)
        except StorageError:
            thread.run()
    for thread in closing:
        if thread.ident is not None:
            threads.join(thread)


def _twin(error: Exception) -> Exception:
    """Return a copy of an error for another thread, because raising an error modifies it."""
    twin = copy.copy(error)
    twin.__cause__ = error.__cause__
    return twin
