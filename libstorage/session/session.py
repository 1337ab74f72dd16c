"""What a host and all its handles share: the connection, and the one to its secrets."""

from __future__ import annotations

import threading
import warnings
import weakref
from collections.abc import Callable
from contextlib import suppress

from libstorage.connection import ending, threads
from libstorage.connection.address.uri import Address
from libstorage.connection.connection import Connection
from libstorage.connection.failures.translate import no_answer, not_wanted
from libstorage.connection.identity import PoolId
from libstorage.connection.lane import TimeLimit
from libstorage.connection.limits import Admission
from libstorage.connection.once import Once
from libstorage.connection.opening import Closing
from libstorage.enums import PoolType
from libstorage.errors import ConnectionFailedError
from libstorage.session.guards import Guards
from libstorage.session.turns import Turns

_SECRET_LANES = 2


class Session:
    """The connections of one host.

    Args:
        connection: To the host, open already.
        shared: Whether it is the process's, for all hosts that were unpickled: then it is nobody's fault if nobody
            closes it.
        guards: Those of the session that this one is a sibling of.

    Attributes:
        connection: All traffic but that to a ``storage://`` host's secrets.
        places: How many lanes bulk reads may take.
        ranges: How many lanes downloads may take for more ranges than one.
        guards: Who may refuse a change.
        turns: Who may work on which pool.
    """

    def __init__(self, connection: Connection, *, shared: bool = False, guards: Guards | None = None) -> None:
        self.connection: Connection = connection
        self.places: Admission = Admission(lambda: max(1, connection.max_lanes - 1))  # one is left for others
        self.ranges: Admission = Admission(lambda: max(1, connection.max_lanes - 2))
        self.turns: Turns = Turns()
        self._types: dict[PoolId, PoolType | str] = {}
        self.guards: Guards = Guards() if guards is None else guards
        self._closing = Closing()
        self._twin = Once[Connection]()
        self._open = [connection]
        self._dropped = weakref.finalize(self, _close_dropped, self._open, None if shared else connection.uri)
        self._dropped.atexit = False

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._closing.begun

    def pool_type(
        self, pool: PoolId, ask: Callable[[], PoolType | str], *, fresh: bool = False
    ) -> PoolType | str:
        """Return the type of a pool, as it was when it was last asked for.

        Redefining a pool can change its type: before anything is refused because of the type, ask with ``fresh``.

        Args:
            pool: The pool.
            ask: Asks the host for the type.
            fresh: Ask even if the type is known.

        Raises:
            PoolNotFoundError: If the host was asked, and the pool is gone.
        """
        if fresh or pool not in self._types:
            self._types[pool] = ask()
        return self._types[pool]

    def secrets(self, limit: TimeLimit) -> Connection:
        """The connection that serves the host's secrets; a ``storage://`` host needs one of its own, opened now.

        Args:
            limit: How long that may take, besides what the host allows.

        Raises:
            ConnectionFailedError: The daemon cannot be reached, or does not answer in time.
            StateError: The host was closed meanwhile.
        """
        here = self.connection
        address = here.address.secret_twin()
        if address is here.address:
            return here
        twin = self._twin.get(limit, lambda: self._opened(address, _SECRET_LANES, limit))
        if twin is None:
            raise no_answer(address.uri, limit.span)
        return twin

    def sibling(self, limit: TimeLimit) -> Session:
        """The same host, over one lane that nobody else takes.

        Args:
            limit: How long opening it may take, besides what the host allows.

        Raises:
            ConnectionFailedError: The daemon cannot be reached, or does not answer in time.
            StateError: The host was closed meanwhile.
        """
        return Session(self._connect(self.connection.address, 1, limit), guards=self.guards)

    def _opened(self, address: Address, lanes: int, limit: TimeLimit) -> Connection:
        """Another connection, which is closed together with this host."""
        connection = self._connect(address, lanes, limit)
        self._open.append(connection)
        if self.is_closed:  # and may not have seen it
            connection.close()
            raise not_wanted(address.uri)
        return connection

    def _connect(self, address: Address, lanes: int, limit: TimeLimit) -> Connection:
        here = self.connection
        return Connection(
            address,
            readonly=here.readonly,
            lanes=lanes,
            timeout=here.timeout,
            open_timeout=here.open_timeout,
            limit=limit,
            closing=self._closing,
        )

    def warn_at_exit(self) -> None:
        """Somebody is to close it, and is told at the end of the program that nobody did."""
        ending.end.add(self, lambda session: _warn(session.connection.uri, ending.NOWHERE))

    def close(self) -> None:
        """Close every connection; closing again does nothing. What is being opened is given up, and not waited for."""
        ending.end.remove(self)
        if ending.is_past():
            return
        self._closing.begun = True
        self._dropped.detach()
        for connection in list(self._open):
            connection.close()


def _close_dropped(connections: list[Connection], uri: str | None) -> None:
    # A finalizer may run in the middle of anything, also of what holds a lock that closing needs.
    closer = threading.Thread(target=_close_all, args=(connections,), name="libstorage-close", daemon=True)
    with suppress(ConnectionFailedError):  # the program is ending, and with it the connections
        threads.start(closer)
    if uri is not None:
        _warn(uri, 3)


def _warn(uri: str, level: int) -> None:
    warnings.warn(
        f"unclosed host {uri}: use it in a with statement, or close() it", ResourceWarning, stacklevel=level
    )


def _close_all(connections: list[Connection]) -> None:
    for connection in connections:
        connection.close()
