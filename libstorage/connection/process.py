"""What all connections of this process share: libvirt's error handler and event loop, deadlines, fork and exit.

The one piece of module-level state of libstorage. It is made when the first connection is, and it is of no use in a
forked child, where neither libvirt's event loop nor the sockets are the child's own.
"""

from __future__ import annotations

import operator
import os
import threading
from collections.abc import Callable, Hashable
from time import monotonic, sleep
from typing import Protocol, TypeVar, cast

from libstorage.connection import binding, ending, threads
from libstorage.errors import ConnectionFailedError

T = TypeVar("T")
NEVER = float("inf")

_EVENTS_EVERY = 0.002
"""Seconds between two looks for events. Every call wakes the loop twice, and as eager as that it takes as much processor
time as the calls themselves."""
_EVENTS_WHILE_RECEIVING = 0.02
"""The same while a stream is received: with each look a message more is taken into memory, however slow its reader."""


class Watched(Protocol):
    """A lane, as the process sees it.

    Attributes:
        is_receiving: Whether a stream is being received.
    """

    is_receiving: bool

    @property
    def expires(self) -> float:
        """When it must be cut, by the monotonic clock."""
        ...

    def threads(self) -> set[int]:
        """Which threads are inside."""
        ...

    def cut_if_late(self, now: float) -> None:
        """Cut it if its time is up."""
        ...

    def cut(self) -> None:
        """End whatever waits for its daemon."""
        ...

    def check_socket(self) -> None:
        """Count itself as cut if its socket is gone."""
        ...

    def abandon(self) -> None:
        """Leave its connection to the parent process."""
        ...


class Process:
    """What all connections of one process share.

    Attributes:
        binding: libvirt's Python binding.
        forked: Whether we are in a child of the process that this belonged to.
        claimed: Inodes of the sockets that belong to lanes.
    """

    def __init__(self, *, quiet: bool) -> None:
        self.binding: binding.Binding = binding.load()
        self.forked: bool = False
        self.claimed: set[int] = set()
        self._lanes: set[Watched] = set()
        self._shared: dict[Hashable, object] = {}
        self._sharing = threading.RLock()
        self._alarm = threading.Condition()  # an RLock: a finalizer may close a lane in the middle of this
        self._wake_at = NEVER
        if quiet:
            # A builtin: no bytecode runs in it, so that Ctrl-C cannot strike inside libvirt's error report.
            self.binding.registerErrorHandler(operator.is_, None)
        if not self._has_event_loop():
            self.binding.virEventRegisterDefaultImpl()
            _start_thread(self._run_events, "libstorage-events")
        _start_thread(self._watch_deadlines, "libstorage-deadlines")
        ending.end.then(self.end)

    def watch(self, lane: Watched) -> None:
        """Look after a lane's deadlines from now on."""
        self._lanes.add(lane)

    def unwatch(self, lane: Watched) -> None:
        """Leave a lane alone from now on."""
        self._lanes.discard(lane)

    def expect(self, expires: float) -> None:
        """A deadline was set: wake up in time for it."""
        if expires < self._wake_at:
            with self._alarm:
                self._wake_at = min(self._wake_at, expires)
                self._alarm.notify()

    @property
    def is_over(self) -> bool:
        """Whether nothing of this may be touched any more: it is the parent's, or the threads are frozen."""
        return self.forked or ending.is_past()

    def end(self) -> None:
        """At exit: cut every lane, so that no destructor waits for a host that hangs.

        What runs in another thread is left alone: somebody may wait for it yet, and what it holds is never destroyed.
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
        """Let every lane find out whether its socket is still there."""
        for lane in list(self._lanes):
            lane.check_socket()

    def shared(self, key: Hashable, make: Callable[[], T]) -> T:
        """The one object of this process under a key, made when it is first asked for: at once, for others wait."""
        with self._sharing:
            if key not in self._shared:
                self._shared[key] = make()
            return cast(T, self._shared[key])

    def reset(self) -> None:
        """For tests: cut every lane and forget the shared objects."""
        self.cut_all()
        self._shared.clear()

    def abandon(self) -> None:
        """We are a forked child: leave all to the parent, touching no lock, for its threads may have held them."""
        self.forked = True
        for lane in self._lanes:
            lane.abandon()
        self._lanes.clear()
        self._shared.clear()

    def _has_event_loop(self) -> bool:
        """Whether the application has registered one: then it runs it, and there cannot be a second."""
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
    """Where the process's machinery is kept."""

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
    """What all connections of this process share; made on first use.

    Raises:
        UnsupportedError: libvirt's Python binding is missing.
        ConnectionFailedError: This process was forked from one that had connected, or is ending.
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
                "cannot connect: this process was forked from one that used libvirt",
                operation="host.open",
                hint=threads.FORK_HINT,
                outcome="not_started",
                retry="no",
            )
        return _here.process


def keep_error_handler() -> None:
    """Leave libvirt's error handler, which is one for the whole process, as the application has set it.

    libvirt prints every error to stderr, expected ones too, unless a handler is registered; libstorage registers one
    that is silent. Call this before the first connection to prevent that.
    """
    _here.quiet = False


def _start_thread(run: Callable[[], None], name: str) -> None:
    threads.start(threading.Thread(target=run, name=name, daemon=True))


def _ignore(*_: object) -> None:
    pass
