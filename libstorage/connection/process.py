"""State that all connections of this process share: libvirt's error handler and event loop, deadlines, fork and exit.

This is the only module-level state of libstorage. It is created with the first connection. It cannot be used in a forked
child, because libvirt's event loop and the sockets belong to the parent.
"""

from __future__ import annotations

import operator
import os
import threading
from collections.abc import Callable, Hashable
from time import monotonic, sleep
from typing import Protocol, TypeVar, cast

from libstorage.connection import binding, ending, threads
from libstorage.connection.clock import NEVER
from libstorage.errors import ConnectionFailedError

T = TypeVar("T")

_EVENTS_EVERY = 0.002
"""Seconds between two turns of the event loop. Every call wakes the loop twice; without this pause, the loop would take as
much processor time as the calls themselves."""
_EVENTS_WHILE_RECEIVING = 0.02
"""The same while a stream is received: each turn reads one more message into memory, however slow the stream's reader."""


class Watched(Protocol):
    """The part of a lane that the process uses.

    Attributes:
        is_receiving: Whether a stream is being received.
    """

    is_receiving: bool

    @property
    def expires(self) -> float:
        """When the lane must be cut, by the monotonic clock."""
        ...

    def threads(self) -> set[int]:
        """Return the threads whose calls are on the lane."""
        ...

    def cut_if_late(self, now: float) -> None:
        """Cut the lane if its time has run out."""
        ...

    def cut(self) -> None:
        """End whatever waits for the lane's daemon."""
        ...

    def check_socket(self) -> None:
        """Mark the lane as cut if its socket is gone."""
        ...

    def abandon(self) -> None:
        """Leave the lane's connection to the parent process."""
        ...


class Process:
    """State that all connections of one process share.

    Attributes:
        binding: libvirt's Python binding.
        forked: Whether the state belongs to a parent process that forked this one.
        claimed: Inodes of the sockets that belong to lanes.
    """

    def __init__(self, *, quiet: bool) -> None:
        self.binding: binding.Binding = binding.load()
        self.forked: bool = False
        self.claimed: set[int] = set()
        self._lanes: set[Watched] = set()
        self._shared: dict[Hashable, object] = {}
        self._sharing = threading.RLock()
        self._alarm = threading.Condition()  # uses an RLock: a finalizer may close a lane while it is held
        self._wake_at = NEVER
        if quiet:
            # A builtin runs no bytecode, so Ctrl-C cannot strike inside libvirt's error report.
            self.binding.registerErrorHandler(operator.is_, None)
        if not self._has_event_loop():
            self.binding.virEventRegisterDefaultImpl()
            _start_thread(self._run_events, "libstorage-events")
        _start_thread(self._watch_deadlines, "libstorage-deadlines")
        ending.end.then(self.end)

    def watch(self, lane: Watched) -> None:
        """Start watching the deadlines of a lane."""
        self._lanes.add(lane)

    def unwatch(self, lane: Watched) -> None:
        """Stop watching a lane."""
        self._lanes.discard(lane)

    def expect(self, expires: float) -> None:
        """Wake the deadline thread in time for a new deadline."""
        if expires < self._wake_at:
            with self._alarm:
                self._wake_at = min(self._wake_at, expires)
                self._alarm.notify()

    @property
    def is_over(self) -> bool:
        """Whether this state must not be used any more: it is the parent process's, or all other threads are frozen."""
        return self.forked or ending.is_past()

    def end(self) -> None:
        """At exit, cut every lane, so that no destructor waits for a host that hangs.

        A lane with a call in another thread is not cut: the program may still wait for that thread, and what the thread
        holds is never destroyed.
        """
        others = {thread.ident for thread in threading.enumerate()} - {threading.get_ident()}
        for lane in list(self._lanes):
            if lane.threads().isdisjoint(others):
                lane.cut()

    def cut_all(self) -> None:
        """Cut every lane."""
        for lane in list(self._lanes):
            lane.cut()

    def check_sockets(self) -> None:
        """Let every lane check that its socket still exists."""
        for lane in list(self._lanes):
            lane.check_socket()

    def shared(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the process's one object for a key. The first use makes it; ``make`` must be fast, because others wait."""
        with self._sharing:
            if key not in self._shared:
                self._shared[key] = make()
            return cast(T, self._shared[key])

    def reset(self) -> None:
        """For tests, cut every lane and drop the shared objects."""
        self.cut_all()
        self._shared.clear()

    def abandon(self) -> None:
        """In a forked child, leave all to the parent, without taking a lock: a thread of the parent may have held it."""
        self.forked = True
        for lane in self._lanes:
            lane.abandon()
        self._lanes.clear()
        self._shared.clear()

    def _has_event_loop(self) -> bool:
        """Return whether the application has registered an event loop; it then runs that one, and a second is impossible."""
        try:
            timer = self.binding.virEventAddTimeout(-1, _ignore, None)
        except self.binding.libvirtError:
            return False
        self.binding.virEventRemoveTimeout(timer)
        return True

    def _run_events(self) -> None:
        while True:
            self.binding.virEventRunDefaultImpl()
            is_receiving = any(lane.is_receiving for lane in list(self._lanes))
            sleep(_EVENTS_WHILE_RECEIVING if is_receiving else _EVENTS_EVERY)

    def _watch_deadlines(self) -> None:
        while True:
            with self._alarm:
                while (now := monotonic()) < self._wake_at:
                    self._alarm.wait(None if self._wake_at == NEVER else self._wake_at - now)
                self._wake_at = NEVER
            for lane in list(self._lanes):
                lane.cut_if_late(now)
            self.expect(min((lane.expires for lane in list(self._lanes)), default=NEVER))


class _Current:
    """Holds the shared state of the process."""

    def __init__(self) -> None:
        self.process: Process | None = None
        self.making = threading.RLock()
        self.quiet = True
        self.hooked = False

    def leave_to_parent(self) -> None:
        self.making = threading.RLock()
        if self.process is not None:
            self.process.abandon()


_here = _Current()


def current() -> Process:
    """Return the state that all connections of this process share; the first use creates it.

    Raises:
        UnsupportedError: If libvirt's Python binding is missing.
        ConnectionFailedError: If this process was forked from one that had connected, or is ending.
    """
    if ending.is_past():
        raise threads.too_late("cannot connect")
    with _here.making:
        if _here.process is None:
            _here.process = Process(quiet=_here.quiet)
            if not _here.hooked:
                os.register_at_fork(after_in_child=_here.leave_to_parent)
                _here.hooked = True
        if _here.process.forked:
            raise ConnectionFailedError(
                "cannot connect: this process was forked from a process that had connected to libvirt",
                operation="host.open",
                hint=threads.FORK_HINT,
                outcome="not_started",
                retry="no",
            )
        return _here.process


def keep_error_handler() -> None:
    """Keep the libvirt error handler that the application has set.

    The whole process has one error handler. If no handler is registered, libvirt prints every error to stderr, including
    expected ones, so libstorage registers a silent handler with the first connection. To prevent that, call this function
    before the first connection.
    """
    _here.quiet = False


def _start_thread(run: Callable[[], None], name: str) -> None:
    threads.start(threading.Thread(target=run, name=name, daemon=True))


def _ignore(*_: object) -> None:
    pass
