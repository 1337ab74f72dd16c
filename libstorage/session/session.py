"""What a host and all its handles share: the connections, and the state that goes with them."""

from __future__ import annotations

import threading
import warnings
import weakref
from collections.abc import Callable
from contextlib import suppress

from libstorage.connection import ending, threads
from libstorage.connection.address.uri import Address
from libstorage.connection.clock import TimeLimit
from libstorage.connection.connection import Connection
from libstorage.connection.failures.translate import no_answer, not_wanted
from libstorage.connection.identity import PoolId
from libstorage.connection.limits import Admission
from libstorage.connection.once import Once
from libstorage.connection.opening import Closing
from libstorage.enums import PoolType
from libstorage.errors import ConnectionFailedError
from libstorage.session.guards import Guards
from libstorage.session.hints import Listed
from libstorage.session.soundness import refuse_unsound
from libstorage.session.turns import Turns
from libstorage.xml.kinds import UnknownWord

_SECRET_LANES = 2


class Session:
    """The connections of one host.

    Args:
        connection: An open connection to the host.
        shared: Whether the process shares the session between all hosts that were unpickled. Such a session does not
            warn if it is never closed.
        guards: The guards of the session that this one is a sibling of.

    Attributes:
        connection: Carries all traffic except to the secrets of a ``storage://`` host.
        places: Bounds the lanes that bulk reads take.
        ranges: Bounds the lanes that downloads take for additional ranges.
        guards: The callables that may refuse a change.
        turns: The turns on the host's pools.
        listed: The names that were listed last.
    """

    def __init__(self, connection: Connection, *, shared: bool = False, guards: Guards | None = None) -> None:
        self.connection: Connection = connection
        self.places: Admission = Admission(
            lambda: max(1, connection.max_lanes - 1)
        )  # one lane is left for other calls
        self.ranges: Admission = Admission(lambda: max(1, connection.max_lanes - 2))
        self.turns: Turns = Turns()
        self.listed: Listed = Listed()
        self._types: dict[PoolId, PoolType | UnknownWord] = {}
        self.guards: Guards = Guards(refuse_unsound) if guards is None else guards
        self._closing = Closing()
        self._twin = Once[Connection]()
        self._open = [connection]
        self._dropped = weakref.finalize(self, _close_dropped, self._open, None if shared else connection.uri)
        self._dropped.atexit = False

    @property
    def is_closed(self) -> bool:
        """Whether the session was closed."""
        return self._closing.begun

    def pool_type(
        self, pool: PoolId, ask: Callable[[], PoolType | UnknownWord], *, fresh: bool = False
    ) -> PoolType | UnknownWord:
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
        """Return the connection that serves the host's secrets, opened now if a ``storage://`` host needs another one.

        Args:
            limit: Time limit of the opening, in addition to the host's own.

        Raises:
            ConnectionFailedError: If the daemon cannot be reached, or does not answer in time.
            StateError: If the host was closed meanwhile.
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
        """Return a session of the same host with one lane of its own.

        Args:
            limit: Time limit of the opening, in addition to the host's own.

        Raises:
            ConnectionFailedError: If the daemon cannot be reached, or does not answer in time.
            StateError: If the host was closed meanwhile.
        """
        return Session(self._connect(self.connection.address, 1, limit), guards=self.guards)

    def _opened(self, address: Address, lanes: int, limit: TimeLimit) -> Connection:
        """Open another connection, which is closed together with this session."""
        connection = self._connect(address, lanes, limit)
        self._open.append(connection)
        if self.is_closed:  # close() may have missed the new connection
            connection.close()
            raise not_wanted(address.uri)
        return connection

    def _connect(self, address: Address, lanes: int, limit: TimeLimit) -> Connection:
        here = self.connection
        return Connection(
            address,
            readonly=here.readonly,
            lanes=lanes,
            open_timeout=here.open_timeout,
            limit=limit,
            closing=self._closing,
        )

    def warn_at_exit(self) -> None:
        """Warn at the end of the program if the session was never closed."""
        ending.end.add(self, lambda session: _warn(session.connection.uri, ending.NOWHERE))

    def close(self) -> None:
        """Close every connection; closing again does nothing. An opening in progress is abandoned without waiting for it."""
        ending.end.remove(self)
        if ending.is_past():
            return
        self._closing.begun = True
        self._dropped.detach()
        for connection in list(self._open):
            connection.close()


def _close_dropped(connections: list[Connection], uri: str | None) -> None:
    # A finalizer may interrupt any code, including code that holds a lock that closing needs.
    closer = threading.Thread(target=_close_all, args=(connections,), name="libstorage-close", daemon=True)
    with suppress(ConnectionFailedError):  # the program is ending, and the connections with it
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
