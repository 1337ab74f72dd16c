"""Opening a lane: in time, several at once, and knowing afterwards which socket is whose."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import attrs

from libstorage.connection import sockets, threads
from libstorage.connection.address.uri import Address, Transport
from libstorage.connection.failures.translate import map_open_error, no_answer, not_wanted, untold_socket
from libstorage.connection.grips import Grip, ProgramGrip, SocketGrip, programs_of
from libstorage.connection.lane import Lane, TimeLimit
from libstorage.connection.limits import Admission
from libstorage.connection.process import NEVER, Process
from libstorage.connection.raw import RawConnect
from libstorage.errors import StorageError

_LOOK_EVERY = 0.0002  # seconds between two looks for the new socket
_LOOK_UP = 1.0  # seconds until the socket must be there, lest a slow name server holds up other hosts
_ALONE = 10.0  # seconds that others may be held up where sockets could not be told apart
_IS_WANTED_EVERY = 0.1  # seconds between two looks whether the host was closed
_TRIES_ALONE = 3
_AFTER_CUT = 1.0  # seconds for open() to come back after its socket was shut down


class Closing:
    """Whether what is being opened is still wanted.

    Attributes:
        begun: Whether it is not.
    """

    __slots__ = ("begun",)

    def __init__(self) -> None:
        self.begun: bool = False


@attrs.frozen
class Opener:
    """Opens lanes to one address.

    Attributes:
        process: What they share with the lanes of other hosts.
        address: Where they lead.
        readonly: Whether the daemon shall refuse changes on them.
        keepalive: Seconds between two questions whether the daemon is still there, and how many may go unanswered.
        timeout: How long opening may take, in seconds; ``None`` is no limit.
        closing: Ends what is being opened.
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
            limit: How long it may take, instead of ``timeout``.

        Raises:
            ConnectionFailedError: The daemon cannot be reached, or does not answer in time.
            AuthenticationError: It does not accept who we are.
            StateError: It is not wanted any more.
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
        """Open a lane; ``None`` if its socket cannot be told from others.

        Nobody else looks for a socket until this one is there; for all the talk that follows they need not wait.
        ``alone`` they wait to the end: what is there then counts, not what came first, for name resolution makes
        sockets, too.
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
        self.process.check_sockets()  # another lane may have taken that socket for its own
        return None

    def _open_by_program(self, limit: TimeLimit) -> Lane:
        """Open a lane that leads through a program, which cannot be mistaken."""
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
        """The only one of this process who looks for new sockets."""
        turn = self.process.shared("looking for sockets", lambda: Admission(lambda: 1))
        try:
            while not turn.enter(attempt, TimeLimit(_IS_WANTED_EVERY)):
                if limit is not None and (self.closing.begun or not limit.remaining()):
                    raise self._given_up(limit)
            yield
        finally:
            turn.leave(attempt)


class _Attempt:
    """One ``virConnectOpen``, in a thread of its own: it has no time limit."""

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
        except Exception as error:  # noqa: BLE001 -- it is for the thread that waits, whatever it is
            self._error = error

    def begin(self) -> None:
        """Begin."""
        threads.start(self._thread)

    def start(self, limit: TimeLimit, *, until_done: bool) -> None:
        """Begin, and wait until the new socket is there. Nobody else looks for sockets meanwhile."""
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
        """End it; should it not even listen to that, it is left alone, and so is what may be somebody else's socket."""
        self._is_given_up = True
        if self._address.transport in {Transport.UNKNOWN, *sockets.PROGRAMS}:
            programs_of(self._thread.native_id or 0).finish()
        new = self._new()
        if len(new) == 1 and new <= self._mine:
            sockets.end(*new)
        self._thread.join(_AFTER_CUT)
        self._opener.process.claimed -= self._mine
        if self._connection is not None:  # it came after all, just now
            with suppress(self._opener.process.binding.libvirtError):
                self._connection.close()

    def claim(self) -> Grip | None:
        """What the connection can be cut by: the program, or the socket that came with it, if no other did."""
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
        """The connection, and whether it has a socket that must be told from others."""
        if self._connection is None:
            assert self._error is not None
            raise map_open_error(
                self._error, self._opener.address.uri, self._opener.address.redacted
            ) from None
        return self._connection, self._has_socket

    def _is_awaited(self, limit: TimeLimit) -> bool:
        return self.is_running() and bool(limit.remaining()) and not self._opener.closing.begun

    def _new(self, *, connected: bool = False) -> set[int]:
        known = self._before | self._opener.process.claimed - self._mine
        return sockets.candidates(self._address, known, connected=connected)


def _held(programs: ProgramGrip) -> ProgramGrip | None:
    return programs if programs.is_there() else None
