"""A connection to one host: the choke point through which every call to its daemon goes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from enum import Enum
from types import TracebackType
from typing import Final, Literal, NoReturn, Self, TypeAlias, TypeVar

from libstorage import operations
from libstorage.connection import binding, ending, process
from libstorage.connection.address.uri import Address, HostURI, parse
from libstorage.connection.arguments import check_count, check_seconds
from libstorage.connection.failures import translate
from libstorage.connection.identity import HostId, Identity
from libstorage.connection.lane import Lane, TimeLimit, width_for
from libstorage.connection.lanes import Closed, Lanes, NoLane
from libstorage.connection.limits import Admission
from libstorage.connection.opening import Closing, Opener
from libstorage.connection.process import NEVER
from libstorage.errors import DeadlineError, NotFoundError, StorageError
from libstorage.operations import Duration, Operation

R = TypeVar("R")


class _Usual(Enum):
    USUAL = "usual"


Timeout: TypeAlias = float | TimeLimit | Literal[_Usual.USUAL] | None
"""Seconds, or a limit that runs already; ``None`` is no limit; ``USUAL`` is the connection's own, which long calls do not
have."""

USUAL: Final = _Usual.USUAL

_LOCAL_LANES = 4
_REMOTE_LANES = 16
_REMOTE_BULK_LANES = 32
_LOCAL_SLOW_CALLS = 4
_REMOTE_SLOW_CALLS = 8
_CLOSING_GRACE = 1.0
_DECIDING = 5.0  # seconds for the one question that tells two meanings of an error apart

_ENDS_ITS_TARGET = frozenset(
    {operations.POOL_UNDEFINE, operations.POOL_DELETE, operations.VOLUME_DELETE, operations.SECRET_UNDEFINE}
)
"""After these no lane may rely on what it knew of the target."""


class Connection:
    """All traffic to one host.

    Safe to use from any number of threads. Behind it are up to ``lanes`` connections of libvirt's, opened as threads
    need them, with one call inside each.

    Args:
        uri: The address, or one that was read already; ``None`` is libvirt's default.
        readonly: Let the daemon refuse changes.
        lanes: How many connections there may be; by default 4 to this machine and 16 (for bulk listings 32) to another.
        timeout: Seconds that a short call may take, and that a stream may go without progress. Long calls (clone,
            wipe, refresh …) have no limit of their own: a daemon that is gone is noticed by ``keepalive``.
        open_timeout: Seconds that opening one of libvirt's connections may take, and no more than a call may.
        keepalive: Seconds between two questions whether the daemon is still there, and how many may go unanswered.
        allow: What the address may let happen: see ``libstorage.connection.address.uri.DANGERS``.
        limit: How long opening the first of them may take, besides.
        closing: Whose word ends that, besides ``close()``.

    Attributes:
        address: Where it leads.
        uri: The address; libvirt's own word for it if none was given. It holds no password.
        readonly: Whether the daemon refuses changes.
        local: Whether the daemon is on this machine.
        timeout: Seconds that a short call may take.
        open_timeout: Seconds that opening one of libvirt's connections may take.
        daemon_version: libvirt's version there: 9000000 is 9.0.0.
        client_version: libvirt's version here.

    Raises:
        InvalidRequestError: The address is malformed or dangerous.
        ConnectionFailedError: The daemon cannot be reached.
        AuthenticationError: It does not accept who we are.
        UnsupportedError: libvirt's Python binding is missing.
    """

    def __init__(
        self,
        uri: str | HostURI | Address | None = None,
        *,
        readonly: bool = False,
        lanes: int | None = None,
        timeout: float | None = 60.0,
        open_timeout: float | None = 10.0,
        keepalive: tuple[int, int] = (5, 3),
        allow: Collection[str] = (),
        limit: TimeLimit | None = None,
        closing: Closing | None = None,
    ) -> None:
        check_count("lanes", lanes, optional=True)
        check_seconds("timeout", timeout)
        check_seconds("open_timeout", open_timeout)
        for number in keepalive:
            check_count("keepalive", number)
        address = uri if isinstance(uri, Address) else parse(uri, allow=allow)
        self.address: Address = address
        self.uri: str = address.uri or ""
        self.readonly = readonly
        self.timeout = timeout
        self.open_timeout = open_timeout
        self._closing = Closing()
        self._process = process.current()
        self.client_version: int = self._process.binding.getVersion()
        opening = opening_limit(open_timeout, timeout, limit)
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
        )  # a lane is left for others
        self.daemon_version: int = self._version(opening)

    def _version(self, limit: TimeLimit) -> int:
        """The daemon's version: the first call, and the last step of opening."""
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
        """How many of libvirt's connections there may be at the moment."""
        return self._lanes.limit

    def lane_count(self) -> int:
        """How many of libvirt's connections there are now."""
        return self._lanes.count()

    def call(
        self, op: Operation, target: Identity, body: Callable[[Lane], R], *, timeout: Timeout = USUAL
    ) -> R:
        """Run one operation: every call to the daemon goes through here.

        Args:
            op: Its row in the table of operations.
            target: What it is done to.
            body: Does it with the lane that it is given, and returns plain data. It may run again on another lane, so
                it takes its raw objects from the lane, and keeps none.
            timeout: Seconds that it may take, half of which at most are spent waiting for a lane.

        Raises:
            StorageError: One of its subclasses, by what libvirt answered.
        """
        with self.lane(op, target, timeout=timeout) as lane:
            return body(lane)

    def lane(
        self,
        op: Operation,
        target: Identity,
        *,
        timeout: Timeout = USUAL,
        latest: float | None = None,
        last: bool = False,
    ) -> Visit:
        """A lane for the length of a ``with`` block: a stream or a bulk listing, as one operation.

        For a stream ``timeout`` is how long it may stand still: ``lane.renew()`` says that there was progress.

        Args:
            op: Its row in the table of operations.
            target: What it is done to.
            timeout: Seconds that it may take.
            latest: Queue behind others while they make progress, until then by the monotonic clock.
            last: Take the last lane, too, which others would leave for short calls: somebody with another lane waits
                for this one.

        Raises:
            StorageError: As for [call][libstorage.connection.connection.Connection.call].
        """
        if timeout is USUAL:
            timeout = None if op.duration is Duration.LONG else self.timeout
        return Visit(self, op, target, timeout, latest, last=last)

    def widen(self, lanes: int) -> None:
        """Allow so many lanes from now on, as a bulk listing needs them, but no more than the user does."""
        if not self._process.is_over:
            self._lanes.widen(min(lanes, self._most_lanes))

    def is_alive(self) -> bool:
        """Whether a lane is open whose daemon has not gone, as far as is known (``virConnectIsAlive``); asks nobody."""
        return not self._process.is_over and self._lanes.is_alive()

    def close(self) -> None:
        """Close all lanes. Calls that still run after a second are cut; later ones are refused."""
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
        """A lane for a visit: waits for its turn, for half of the time limit at most."""
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
        """A visit is over."""
        self._lanes.give(visit, lane)
        if op.duration is Duration.LONG:
            self._slow_calls.leave(visit)

    def recall(self, visit: Visit, op: Operation) -> None:
        """A visit did not come about: whatever it may have already is free again."""
        if self._process.is_over:
            return
        self._lanes.recall(visit)
        if op.duration is Duration.LONG:
            self._slow_calls.leave(visit)

    def forget(self, target: Identity) -> None:
        """Let every lane drop what it keeps of a thing that is no more, or not what it was."""
        self._lanes.forget(target)

    def _no_turn(self, op: Operation, target: Identity, waited: TimeLimit, most: str) -> StorageError:
        fields = translate.fields(op, target, self.uri)
        return translate.no_turn(fields, waited.span, most if self.lane_count() else None)

    def _opener(self, address: Address, keepalive: tuple[int, int], closing: Closing) -> Opener:
        return Opener(self._process, address, self.readonly, keepalive, self.open_timeout, closing)


class Visit:
    """One operation's time on a lane: a context manager that gives the lane, and turns libvirt's errors into ours."""

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
        """Our error for libvirt's; ``None`` lets an error pass that is not libvirt's."""
        if isinstance(error, SystemError) and isinstance(error.__cause__, KeyboardInterrupt):
            return error.__cause__  # Ctrl-C struck inside an error handler of the application
        if binding.answer(error) is None:
            return None
        if lane.is_cut:
            return translate.cut(self._op, self._target, self._connection.uri, self._limit)
        lane.leave(self._limit)
        self._limit = TimeLimit(_DECIDING)
        lane.enter(self._limit)
        mapped = translate.map_error(error, self._op, self._target, lane, self._connection.uri)
        if isinstance(mapped, NotFoundError):
            lane.forget(self._target)
        return mapped


def limit_of(timeout: float | TimeLimit | None) -> TimeLimit:
    """So many seconds from now on; a limit that runs already goes on running."""
    if isinstance(timeout, TimeLimit):
        return timeout
    return TimeLimit(NEVER if timeout is None else timeout)


def opening_limit(
    open_timeout: float | None, timeout: float | None, running: TimeLimit | None = None
) -> TimeLimit:
    """How long opening may take: no longer than a call, nor than what is left of one that runs already."""
    left = None if running is None else running.remaining()
    return TimeLimit(min((span for span in (open_timeout, timeout, left) if span is not None), default=NEVER))


def _raise_alone(error: BaseException) -> NoReturn:
    """Raise it without what it came from: that may quote documents, and its frames keep raw objects alive."""
    try:
        raise error from None
    finally:
        error.__context__ = None
