"""Opens lanes: within a time limit, several at the same time, and identifies the socket of each."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import attrs

from libstorage.connection import sockets, threads
from libstorage.connection.address.uri import Address, Transport
from libstorage.connection.clock import NEVER, TimeLimit
from libstorage.connection.failures.translate import map_open_error, no_answer, not_wanted, untold_socket
from libstorage.connection.grips import Grip, ProgramGrip, SocketGrip, programs_of
from libstorage.connection.lane import Lane
from libstorage.connection.limits import Admission
from libstorage.connection.process import Process
from libstorage.connection.raw import RawConnect
from libstorage.errors import StorageError

_LOOK_EVERY = 0.0002  # seconds between two looks for the new socket
_LOOK_UP = 1.0  # seconds until the socket must exist, so that a slow name server does not delay other hosts
_ALONE = 10.0  # seconds that other openings may be delayed after a socket could not be identified
_IS_WANTED_EVERY = 0.1  # seconds between two checks whether the host was closed
_TRIES_ALONE = 3
_AFTER_CUT = 1.0  # seconds for open() to return after its socket was shut down


class Closing:
    """Signals that connections that are being opened are no longer wanted.

    Attributes:
        begun: Whether the host is being closed.
    """

    __slots__ = ("begun",)

    def __init__(self) -> None:
        self.begun: bool = False


@attrs.frozen
class Opener:
    """Opens lanes to one address.

    Attributes:
        process: The state that all lanes of the process share.
        address: The address of the host.
        readonly: Whether to open read-only connections, on which the daemon refuses changes.
        keepalive: Seconds between two keepalive messages to the daemon, and how many of them may go unanswered.
        timeout: How long opening may take, in seconds; ``None`` is no limit.
        closing: Signals that the lanes are no longer wanted.
    """

    process: Process
    address: Address
    readonly: bool
    keepalive: tuple[int, int]
    timeout: float | None
    closing: Closing = attrs.field(factory=Closing)

    def __call__(self, limit: TimeLimit | None = None) -> Lane:
        """Open a lane.

        Args:
            limit: How long opening may take, instead of ``timeout``.

        Raises:
            ConnectionFailedError: If the daemon cannot be reached or does not answer in time, or if the connection's
                socket cannot be identified.
            AuthenticationError: If the daemon rejects our credentials.
            StateError: If the host was closed meanwhile.
        """
        limit = limit or TimeLimit(NEVER if self.timeout is None else self.timeout)
        if self.address.transport in sockets.PROGRAMS:
            return self._open_by_program(limit)
        for alone in (False, *[True] * _TRIES_ALONE):
            lane = self._open(limit, alone=alone)
            if lane is not None:
                return lane
        raise untold_socket(self.address.uri)

    def _open(self, limit: TimeLimit, *, alone: bool) -> Lane | None:
        """Open a lane; return ``None`` if its socket could not be identified.

        No other opening looks for its socket until this one exists. After that, the others continue while this one
        talks to the daemon. With ``alone``, they wait until this one is done: then the socket that exists at the end
        counts, not the first one that appeared, because name resolution makes sockets, too.
        """
        attempt = _Attempt(self)
        with self._looking(attempt, limit):
            attempt.start(limit, until_done=alone)
        self._finish(attempt, limit)
        with self._looking(attempt):
            grip = attempt.claim()
        connection, has_socket = attempt.result()
        if grip is not None or not has_socket or not sockets.can_be_told():
            return Lane(connection, grip, self.process)
        connection.close()
        self.process.check_sockets()  # another lane may have mistaken that socket for its own
        return None

    def _open_by_program(self, limit: TimeLimit) -> Lane:
        """Open a lane through a program, which can always be identified."""
        attempt = _Attempt(self)
        attempt.begin()
        self._finish(attempt, limit)
        return Lane(attempt.result()[0], attempt.program, self.process)

    def _finish(self, attempt: _Attempt, limit: TimeLimit) -> None:
        attempt.wait(limit)
        if attempt.is_running():
            attempt.cut()
            raise self._given_up(limit)

    def _given_up(self, limit: TimeLimit) -> StorageError:
        return not_wanted(self.address.uri) if self.closing.begun else no_answer(self.address.uri, limit.span)

    @contextmanager
    def _looking(self, attempt: _Attempt, limit: TimeLimit | None = None) -> Iterator[None]:
        """Hold the process's exclusive turn to look for new sockets."""
        turn = self.process.shared("looking for sockets", lambda: Admission(lambda: 1))
        try:
            while not turn.enter(attempt, TimeLimit(_IS_WANTED_EVERY)):
                if limit is not None and (self.closing.begun or not limit.remaining()):
                    raise self._given_up(limit)
            yield
        finally:
            turn.leave(attempt)


class _Attempt:
    """One ``virConnectOpen``, in a thread of its own, because it has no time limit."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._thread = threading.Thread(target=self.run, name="libstorage-open", daemon=True)
        self._address = opener.address
        self._connection: RawConnect | None = None
        self._has_socket = True
        self._error: Exception | None = None
        self._before: set[int] = set()
        self._mine: set[int] = set()
        self._is_given_up = False
        self.program: Grip | None = None

    def run(self) -> None:
        binding = self._opener.process.binding
        try:
            connection = (binding.openReadOnly if self._opener.readonly else binding.open)(
                self._address.exact
            )
            self._address = self._address.resolved(connection)
            transport = self._address.transport
            if transport in sockets.PROGRAMS:
                self.program = _held(programs_of(threading.get_native_id()))
            self._has_socket = transport not in {Transport.NONE, *sockets.PROGRAMS}
            if transport is not Transport.NONE:
                connection.setKeepAlive(*self._opener.keepalive)
            self._connection = connection
            if self._is_given_up:
                connection.close()
        except Exception as error:  # noqa: BLE001 -- any error is passed on to the thread that waits
            self._error = error

    def begin(self) -> None:
        """Start the thread."""
        threads.start(self._thread)

    def start(self, limit: TimeLimit, *, until_done: bool) -> None:
        """Start the thread, and wait until the new socket exists. No other opening looks for sockets meanwhile."""
        self._before = set(sockets.all_sockets())
        self.begin()
        if until_done:
            self.wait(TimeLimit(min(limit.remaining(), _ALONE)))
        pause, soon = threading.Event(), TimeLimit(min(limit.remaining(), _LOOK_UP))
        while not (found := self._new()) and self._is_awaited(soon):
            pause.wait(_LOOK_EVERY)
        self._mine = found
        self._opener.process.claimed |= found

    def wait(self, limit: TimeLimit) -> None:
        while self._is_awaited(limit):
            self._thread.join(min(limit.remaining(), _IS_WANTED_EVERY))

    def is_running(self) -> bool:
        return self._thread.is_alive()

    def cut(self) -> None:
        """End the attempt. One that does not react is left alone, as is a socket that may belong to something else."""
        self._is_given_up = True
        if self._address.transport in {Transport.UNKNOWN, *sockets.PROGRAMS}:
            programs_of(self._thread.native_id or 0).finish()
        new = self._new()
        if len(new) == 1 and new <= self._mine:
            sockets.end(*new)
        self._thread.join(_AFTER_CUT)
        self._opener.process.claimed -= self._mine
        if self._connection is not None:  # the connection opened at the last moment
            with suppress(self._opener.process.binding.libvirtError):
                self._connection.close()

    def claim(self) -> Grip | None:
        """Return the grip to cut the connection: its program, or its socket if only one new socket appeared."""
        process = self._opener.process
        process.claimed -= self._mine
        if self._connection is None or self.program is not None:
            return self.program
        new = self._new(connected=True)
        if not self._has_socket or len(new) != 1 or not new <= self._mine:
            return None
        process.claimed |= new
        return SocketGrip(new.pop(), process.claimed)

    def result(self) -> tuple[RawConnect, bool]:
        """Return the connection, and whether it has a socket that must be identified."""
        if self._connection is None:
            assert self._error is not None
            raise map_open_error(self._error, self._opener.address) from None
        return self._connection, self._has_socket

    def _is_awaited(self, limit: TimeLimit) -> bool:
        return self.is_running() and bool(limit.remaining()) and not self._opener.closing.begun

    def _new(self, *, connected: bool = False) -> set[int]:
        known = self._before | self._opener.process.claimed - self._mine
        return sockets.candidates(self._address, known, connected=connected)


def _held(programs: ProgramGrip) -> ProgramGrip | None:
    return programs if programs.is_there() else None
