"""What a host and all its handles share: the connection, and the one to its secrets."""

from __future__ import annotations

import threading
import warnings
import weakref

from libstorage.client.settle import Turns
from libstorage.connection.call import Connection
from libstorage.connection.limits import Admission
from libstorage.connection.target import PoolId
from libstorage.enums import PoolType

_SECRET_LANES = 2


class Session:
    """The connections of one host.

    Attributes:
        connection: All traffic but that to a ``storage://`` host's secrets.
        places: How many lanes bulk reads may take.
        ranges: How many lanes downloads may take for more ranges than one.
        turns: Who may work on which pool.
        types: The types of pools, as far as they were seen; who defines a pool anew may change its type.
        is_closed: Whether it was closed.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection: Connection = connection
        self.places: Admission = Admission(lambda: max(1, connection.max_lanes - 1))  # one is left for others
        self.ranges: Admission = Admission(lambda: max(1, connection.max_lanes - 2))
        self.turns: Turns = Turns()
        self.types: dict[PoolId, PoolType | str] = {}
        self.is_closed: bool = False
        self._twin = threading.Lock()
        self._open = [connection]
        self._dropped = weakref.finalize(self, _close_dropped, self._open, connection.uri)
        self._dropped.atexit = False

    def secrets(self) -> Connection:
        """The connection that serves the host's secrets; a ``storage://`` host needs one of its own, opened now."""
        here = self.connection
        address = here.address.secret_twin()
        if address is here.address:
            return here
        with self._twin:
            if len(self._open) == 1 and not self.is_closed:
                twin = Connection(address, readonly=here.readonly, lanes=_SECRET_LANES)
                self._open.append(twin)
            return self._open[-1]

    def sibling(self) -> Session:
        """The same host, over one lane that nobody else takes."""
        here = self.connection
        return Session(Connection(here.address, readonly=here.readonly, lanes=1))

    def close(self) -> None:
        """Close every connection; closing again does nothing."""
        with self._twin:
            self.is_closed = True
        self._dropped.detach()
        for connection in self._open:
            connection.close()


def _close_dropped(connections: list[Connection], uri: str) -> None:
    # A finalizer may run in the middle of anything, also of what holds a lock that closing needs.
    threading.Thread(target=_close_all, args=(connections,), name="libstorage-close", daemon=True).start()
    warnings.warn(
        f"unclosed host {uri}: use it in a with statement, or close() it", ResourceWarning, stacklevel=2
    )


def _close_all(connections: list[Connection]) -> None:
    for connection in connections:
        connection.close()
