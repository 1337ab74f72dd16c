"""A connection to one host: every call to the host's daemon goes through this module."""

from __future__ import annotations

from collections.abc import Callable, Collection
from types import TracebackType
from typing import NoReturn, Self, TypeAlias, TypeVar

from libstorage import operations
from libstorage.connection import binding, ending, process, threads
from libstorage.connection.address.uri import Address, HostURI, parse
from libstorage.connection.arguments import check_count, check_seconds
from libstorage.connection.clock import NEVER, TimeLimit
from libstorage.connection.failures import translate
from libstorage.connection.identity import HostId, Identity
from libstorage.connection.lane import Lane, width_for
from libstorage.connection.lanes import Closed, Lanes, NoLane
from libstorage.connection.limits import Admission
from libstorage.connection.opening import Closing, Opener
from libstorage.errors import DeadlineError, NotFoundError, StorageError
from libstorage.operations import Duration, Operation

R = TypeVar("R")


Timeout: TypeAlias = float | TimeLimit | None
"""Seconds, or a time limit that is already running. ``None`` is no limit."""

_LOCAL_LANES = 4
_REMOTE_LANES = 16
_REMOTE_BULK_LANES = 32
_LOCAL_SLOW_CALLS = 4
_REMOTE_SLOW_CALLS = 8
_CLOSING_GRACE = 1.0
_DECIDING = 5.0  # seconds for the one read that decides between two meanings of an error

_ENDS_ITS_TARGET = frozenset(
    {operations.POOL_UNDEFINE, operations.POOL_DELETE, operations.VOLUME_DELETE, operations.SECRET_UNDEFINE}
)
"""After these operations, no lane may use its cached raw object of the target."""


class Connection:
    """All traffic to one host.

    A connection is safe to use from any number of threads. It opens up to ``lanes`` libvirt connections as threads need
    them, and runs one call at a time on each.

    Args:
        uri: The address, as text or parsed; ``None`` is libvirt's default.
        readonly: Whether to open the connection read-only, so that the daemon refuses changes.
        lanes: Maximum number of libvirt connections; by default 4 to this machine, and 16 (32 for bulk listings) to
            another.
        open_timeout: Seconds that opening one libvirt connection may take; ``None`` is no limit.
        keepalive: Seconds between two keepalive messages to the daemon, and how many of them may go unanswered.
        allow: The dangers in the address that the caller accepts: see ``libstorage.connection.address.uri.DANGERS``.
        limit: An additional limit for opening the first libvirt connection.
        closing: Signals that the first libvirt connection is no longer wanted, in addition to ``close()``.

    Attributes:
        address: The parsed address.
        uri: The address without its password; if none was given, the default address that libvirt chose.
        readonly: Whether the daemon refuses changes.
        local: Whether the daemon runs on this machine.
        open_timeout: Seconds that opening one libvirt connection may take.
        daemon_version: libvirt version of the daemon: 9000000 is 9.0.0.
        client_version: libvirt version of the client library.

    Raises:
        InvalidRequestError: If the address is malformed or dangerous.
        ConnectionFailedError: If the daemon cannot be reached.
        AuthenticationError: If the daemon rejects our credentials.
        UnsupportedError: If libvirt's Python binding is missing.
    """

    def __init__(
        self,
        uri: str | HostURI | Address | None = None,
        *,
        readonly: bool = False,
        lanes: int | None = None,
        open_timeout: float | None = 10.0,
        keepalive: tuple[int, int] = (5, 3),
        allow: Collection[str] = (),
        limit: TimeLimit | None = None,
        closing: Closing | None = None,
    ) -> None:
        check_count("lanes", lanes, optional=True)
        check_seconds("open_timeout", open_timeout)
        for number in keepalive:
            check_count("keepalive", number)
        address = uri if isinstance(uri, Address) else parse(uri, allow=allow)
        self.address: Address = address
        self.uri: str = address.uri or ""
        self.readonly = readonly
        self.open_timeout = open_timeout
        self._closing = Closing()
        self._process = process.current()
        self.client_version: int = self._process.binding.getVersion()
        opening = opening_limit(open_timeout, limit)
        first = self._opener(address, keepalive, closing or self._closing)(opening)
        self.address = address = address.resolved(first.connection)
        self.uri = address.uri or ""
        self.local: bool = address.is_local
        usual = _LOCAL_LANES if self.local else _REMOTE_LANES
        self._most_lanes = lanes or (_LOCAL_LANES if self.local else _REMOTE_BULK_LANES)
        self._lanes = Lanes(
            self._opener(address, keepalive, self._closing),
            first,
            width=width_for(self.client_version),
            limit=lanes or usual,
        )
        slow_calls = _LOCAL_SLOW_CALLS if self.local else _REMOTE_SLOW_CALLS
        self._slow_calls = Admission(
            lambda: max(1, min(slow_calls, self.max_lanes - 1))
        )  # one lane stays free for short calls
        self.daemon_version: int = self._version(opening)

    def _version(self, limit: TimeLimit) -> int:
        """Return the daemon's version; this is the first call, and the last step of opening."""
        host = HostId(self.uri)
        try:
            return self.call(
                operations.HOST_VERSION, host, lambda lane: lane.connection.getLibVersion(), timeout=limit
            )
        except DeadlineError:
            self.close()
            raise translate.no_answer(self.uri, limit.span) from None
        except BaseException:
            self.close()
            raise

    @property
    def max_lanes(self) -> int:
        """The current maximum number of libvirt connections."""
        return self._lanes.limit

    def lane_count(self) -> int:
        """Return the current number of libvirt connections."""
        return self._lanes.count()

    def call(self, op: Operation, target: Identity, body: Callable[[Lane], R], *, timeout: Timeout) -> R:
        """Run one operation: every call to the daemon goes through this method.

        Args:
            op: The operation, a row of the table of operations.
            target: The object that the operation is called on.
            body: Makes the call on the lane that it is passed, and returns plain data. ``body`` may run again on another
                lane, so it must get its raw objects from the lane and must not keep them.
            timeout: Seconds that the operation may take; at most half of them are spent waiting for a lane.

        Raises:
            StorageError: If libvirt reports an error; the subclass depends on that error.
        """
        with self.lane(op, target, timeout=timeout) as lane:
            return body(lane)

    def lane(
        self,
        op: Operation,
        target: Identity,
        *,
        timeout: Timeout,
        latest: float | None = None,
        last: bool = False,
    ) -> Visit:
        """Return a context manager that holds a lane for a stream or a bulk listing, as one operation.

        For a stream, ``timeout`` limits the time without progress: ``lane.renew()`` reports progress.

        Args:
            op: The operation, a row of the table of operations.
            target: The object that the operation is called on.
            timeout: Seconds that the operation may take.
            latest: Keep waiting for a lane while other calls make progress, until this time of the monotonic clock.
            last: May take the last free lane, normally reserved for short calls. For callers that already hold a lane
                and would otherwise deadlock waiting for a second one.

        Raises:
            StorageError: As for [call][libstorage.connection.connection.Connection.call].
        """
        return Visit(self, op, target, timeout, latest, last=last)

    def widen(self, lanes: int) -> None:
        """Raise the lane limit to ``lanes`` for a bulk listing, up to the maximum that the user configured."""
        if not self._process.is_over:
            self._lanes.widen(min(lanes, self._most_lanes))

    def is_alive(self) -> bool:
        """Return whether a lane with a live daemon is open, as far as known (``virConnectIsAlive``), without a call."""
        return not self._process.is_over and self._lanes.is_alive()

    def close(self) -> None:
        """Close all lanes. Calls that are still running after one second are cut; later calls are refused."""
        self._closing.begun = True
        if not self._process.is_over:
            self._lanes.close(_CLOSING_GRACE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Connection {self.uri}{' (read-only)' if self.readonly else ''}>"

    def acquire(
        self,
        visit: Visit,
        op: Operation,
        target: Identity,
        limit: TimeLimit,
        latest: float | None,
        *,
        last: bool,
    ) -> Lane:
        """Return a lane for a visit, after waiting for at most half of the time limit."""
        if self._process.forked:
            raise translate.forked(translate.fields(op, target, self.uri))
        if self._process.is_over:
            raise translate.ending(translate.fields(op, target, self.uri))
        waiting = TimeLimit(min(limit.span / 2, limit.remaining()), opening=limit.opening)
        if op.duration is Duration.LONG:
            key = target if op is operations.POOL_REFRESH else None
            if not self._slow_calls.enter(visit, waiting, key=key):
                raise self._no_turn(op, target, waiting, f"{self._slow_calls.most} slow calls")
        most = (
            None if op.duration is Duration.SHORT else self.max_lanes if last else max(1, self.max_lanes - 1)
        )
        try:
            return self._lanes.take(visit, waiting, most=most, latest=latest)
        except NoLane:
            raise self._no_turn(op, target, waiting, f"{self.max_lanes} calls") from None
        except Closed:
            raise translate.closed(translate.fields(op, target, self.uri)) from None

    def release(self, visit: Visit, op: Operation, lane: Lane) -> None:
        """Give back the lane of a visit that has ended."""
        self._lanes.give(visit, lane)
        if op.duration is Duration.LONG:
            self._slow_calls.leave(visit)

    def recall(self, visit: Visit, op: Operation) -> None:
        """Release whatever a visit that did not begin may already hold."""
        if self._process.is_over:
            return
        self._lanes.recall(visit)
        if op.duration is Duration.LONG:
            self._slow_calls.leave(visit)

    def forget(self, target: Identity) -> None:
        """Evict an object from every lane's cache after it was deleted or redefined."""
        self._lanes.forget(target)

    def _no_turn(self, op: Operation, target: Identity, waited: TimeLimit, most: str) -> StorageError:
        fields = translate.fields(op, target, self.uri)
        return translate.no_turn(fields, waited.span, most if self.lane_count() else None)

    def _opener(self, address: Address, keepalive: tuple[int, int], closing: Closing) -> Opener:
        return Opener(self._process, address, self.readonly, keepalive, self.open_timeout, closing)


class Visit:
    """Context manager that holds a lane for one operation, and translates libvirt's errors into libstorage's."""

    __slots__ = (
        "__weakref__",
        "_connection",
        "_lane",
        "_last",
        "_latest",
        "_limit",
        "_op",
        "_target",
        "_timeout",
    )

    def __init__(
        self,
        connection: Connection,
        op: Operation,
        target: Identity,
        timeout: float | TimeLimit | None,
        latest: float | None,
        *,
        last: bool,
    ) -> None:
        self._connection = connection
        self._op = op
        self._target = target
        self._timeout = timeout
        self._latest = latest
        self._last = last

    def __enter__(self) -> Lane:
        limit = limit_of(self._timeout)
        try:
            lane = self._connection.acquire(
                self, self._op, self._target, limit, self._latest, last=self._last
            )
            lane.enter(limit)
            self._lane, self._limit = lane, limit
        except BaseException:
            self._connection.recall(self, self._op)
            raise
        return lane

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        mapped = self._leave(error)
        del error, trace  # this frame is part of the new error's traceback, which may be kept for long
        if mapped is not None:
            _raise_alone(mapped)

    def _leave(self, error: BaseException | None) -> BaseException | None:
        lane = self._lane
        del self._lane
        if (
            ending.is_past()
        ):  # a suspended generator: the lock that it would take may be held by a frozen thread
            lane.cut()
            return None
        try:
            if error is not None:
                return self._translate(error, lane)
            if self._op in _ENDS_ITS_TARGET:
                self._connection.forget(self._target)
            return None
        finally:
            lane.leave(self._limit)
            self._connection.release(self, self._op, lane)

    def _translate(self, error: BaseException, lane: Lane) -> BaseException | None:
        """Return the libstorage error for libvirt's; ``None`` if the error is not libvirt's and passes unchanged."""
        if isinstance(error, SystemError) and isinstance(error.__cause__, KeyboardInterrupt):
            return error.__cause__  # Ctrl-C struck inside an error handler of the application
        if binding.answer(error) is None:
            return None
        if lane.is_cut:
            if ending.end.has_begun:  # which has cut a lane that the call had just got
                threads.linger()
            return translate.cut(self._op, self._target, self._connection.uri, self._limit)
        lane.leave(self._limit)
        self._limit = TimeLimit(_DECIDING)
        lane.enter(self._limit)
        mapped = translate.map_error(error, self._op, self._target, lane, self._connection.uri)
        if isinstance(mapped, NotFoundError):
            lane.forget(self._target)
        return mapped


def limit_of(timeout: float | TimeLimit | None) -> TimeLimit:
    """Return a limit of ``timeout`` seconds from now on; a limit that is already running is returned unchanged."""
    if isinstance(timeout, TimeLimit):
        return timeout
    return TimeLimit(NEVER if timeout is None else timeout)


def opening_limit(open_timeout: float | None, running: TimeLimit | None = None) -> TimeLimit:
    """Return the limit for opening: at most as long as ``running`` has left."""
    left = NEVER if running is None else running.remaining()
    return TimeLimit(left if open_timeout is None else min(open_timeout, left))


def _raise_alone(error: BaseException) -> NoReturn:
    """Raise an error without its context, which may quote documents, and whose frames keep raw objects alive."""
    try:
        raise error from None
    finally:
        error.__context__ = None
