"""Opening a lane: in time, several at once, and knowing afterwards which socket is whose."""

from __future__ import annotations

import threading

import attrs

from libstorage.connection import sockets
from libstorage.connection.failure import map_open_error, no_answer, untold_socket
from libstorage.connection.lane import Lane, TimeLimit
from libstorage.connection.process import Process
from libstorage.connection.raw import RawConnect
from libstorage.connection.uri import Address, Transport

_LOOK_EVERY = 0.0002  # seconds between two looks for the new socket
_TRIES_ALONE = 3
_AFTER_CUT = 1.0  # seconds for open() to come back after its socket was shut down


@attrs.frozen
class Opener:
    """Opens lanes to one address.

    Attributes:
        process: What they share with the lanes of other hosts.
        address: Where they lead.
        readonly: Whether the daemon shall refuse changes on them.
        keepalive: Seconds between two questions whether the daemon is still there, and how many may go unanswered.
        timeout: How long opening may take, in seconds.
    """

    process: Process
    address: Address
    readonly: bool
    keepalive: tuple[int, int]
    timeout: float

    def __call__(self) -> Lane:
        """Open a lane.

        Raises:
            ConnectionFailedError: The daemon cannot be reached, or does not answer in time.
            AuthenticationError: It does not accept who we are.
        """
        limit = TimeLimit(self.timeout)
        for alone in (False, *[True] * _TRIES_ALONE):
            lane = self._open(limit, alone=alone)
            if lane is not None:
                return lane
        raise untold_socket(self.address.uri)

    def _open(self, limit: TimeLimit, *, alone: bool) -> Lane | None:
        """Open a lane; ``None`` if its socket cannot be told from others.

        The lock is held until the socket is there, and not for all the talk that follows. ``alone`` it is held to the
        end: what is there then counts, not what came first, for name resolution makes sockets, too.
        """
        attempt = _Attempt(self)
        with self.process.opening:
            attempt.start(limit, until_done=alone)
        attempt.wait(limit)
        if attempt.is_running():
            attempt.cut()
            raise no_answer(self.address.uri, self.timeout)
        with self.process.opening:
            inode = attempt.claim()
        connection, has_socket = attempt.result()
        if inode is not None or not has_socket or not sockets.can_be_told():
            return Lane(connection, inode, self.process)
        connection.close()
        self.process.check_sockets()  # another lane may have taken that socket for its own
        return None


class _Attempt:
    """One ``virConnectOpen``, in a thread of its own: it has no time limit."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._thread = threading.Thread(target=self.run, name="libstorage-open", daemon=True)
        self._connection: RawConnect | None = None
        self._has_socket = True
        self._error: Exception | None = None
        self._before: set[int] = set()
        self._mine: set[int] = set()

    def run(self) -> None:
        binding = self._opener.process.binding
        address = self._opener.address
        try:
            connection = (binding.openReadOnly if self._opener.readonly else binding.open)(address.exact)
            self._has_socket = address.resolved(connection).transport is not Transport.NONE
            if self._has_socket:
                connection.setKeepAlive(*self._opener.keepalive)
            self._connection = connection
        except Exception as error:  # noqa: BLE001 -- it is for the thread that waits, whatever it is
            self._error = error

    def start(self, limit: TimeLimit, *, until_done: bool) -> None:
        """Begin, and wait until the new socket is there. The process's lock is held."""
        self._before = set(sockets.all_sockets())
        self._thread.start()
        if until_done:
            self.wait(limit)
        pause = threading.Event()
        while not (found := self._new()) and self.is_running() and limit.remaining():
            pause.wait(_LOOK_EVERY)
        self._mine = found
        self._opener.process.claimed |= found

    def wait(self, limit: TimeLimit) -> None:
        self._thread.join(limit.remaining())

    def is_running(self) -> bool:
        return self._thread.is_alive()

    def cut(self) -> None:
        """End it; should it not even listen to that, it is left alone."""
        for inode in self._mine:
            sockets.end(inode)
        self._thread.join(_AFTER_CUT)
        self._opener.process.claimed -= self._mine

    def claim(self) -> int | None:
        """Which socket the connection has: the one that came with it, if no other did. The process's lock is held."""
        process = self._opener.process
        process.claimed -= self._mine
        new = self._new(connected=True)
        if self._connection is None or not self._has_socket or len(new) != 1 or not new <= self._mine:
            return None
        process.claimed |= new
        return new.pop()

    def result(self) -> tuple[RawConnect, bool]:
        """The connection, and whether it has a socket: libvirt's test driver has none."""
        if self._connection is None:
            assert self._error is not None
            raise map_open_error(
                self._error, self._opener.address.uri, self._opener.address.redacted
            ) from None
        return self._connection, self._has_socket

    def _new(self, *, connected: bool = False) -> set[int]:
        known = self._before | self._opener.process.claimed
        return sockets.candidates(self._opener.address, known, connected=connected)
