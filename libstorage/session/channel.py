"""A channel: the way to everything on a host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from time import monotonic
from typing import Any, TypeVar, Unpack

import attrs

from libstorage.connection import ending, process, threads
from libstorage.connection.address.uri import parse
from libstorage.connection.arguments import SHORTEST
from libstorage.connection.clock import NEVER, TimeLimit
from libstorage.connection.connection import Connection, limit_of, opening_limit
from libstorage.connection.failures.translate import fields, no_answer, no_turn
from libstorage.connection.identity import HostId, Identity
from libstorage.connection.lane import Lane
from libstorage.connection.once import Once
from libstorage.errors import ConnectionFailedError, InvalidRequestError
from libstorage.operations import HOST_OPEN, Duration, Operation
from libstorage.session.guards import Guards
from libstorage.session.options import OptionChanges, Options, Versions
from libstorage.session.session import Session

R = TypeVar("R")


class Channel:
    """The way to everything on a host: its address, the options of calls, and the session that its handles share.

    A channel is cheap to copy with other options. It pickles as its address and options, and opens its session again
    on first use: one session per process and address.

    Args:
        uri: Address of the daemon.
        readonly: Whether the connection allows only calls that change nothing.
        options: Options of the calls.
        session: The connections; ``None`` opens them on first use.
        secrets: Whether calls go to the connection that serves the host's secrets.
    """

    __slots__ = ("_for_secrets", "_session", "options", "readonly", "uri")

    def __init__(
        self,
        uri: str,
        readonly: bool,
        options: Options,
        session: Session | None = None,
        secrets: bool = False,
    ) -> None:
        self.uri: str = uri
        self.readonly: bool = readonly
        self.options: Options = options
        self._session = session
        self._for_secrets = secrets

    @property
    def host(self) -> HostId:
        """Identity of the host."""
        return HostId(self.uri)

    @property
    def versions(self) -> Versions:
        """Versions of libvirt on the host and in this process, known since the connection was opened."""
        return _versions(self.session())

    @property
    def known_versions(self) -> Versions | None:
        """The versions, or ``None`` if this channel has not opened its session yet."""
        return None if self._session is None else _versions(self._session)

    # ---- channels like this one -------------------------------------------------------------------------------------

    def with_options(self, **changes: Unpack[OptionChanges]) -> Channel:
        """Return a channel to the same host over the same connections, with other options.

        Raises:
            InvalidRequestError: If there is no such option, or an option has no such value.
        """
        try:
            options = attrs.evolve(self.options, **changes)
        except TypeError:
            known = ", ".join(attribute.name for attribute in attrs.fields(Options))
            raise InvalidRequestError(
                f"no such option among {', '.join(changes)}; there are {known}",
            ) from None
        return Channel(self.uri, self.readonly, options, self._session, secrets=self._for_secrets)

    def for_secrets(self) -> Channel:
        """Return a channel whose calls go to the host's secrets.

        A ``storage://`` host serves its secrets over a connection of their own, which the first call opens.
        """
        return Channel(self.uri, self.readonly, self.options, self._session, secrets=True)

    @contextmanager
    def apart(self, latest: float = NEVER) -> Iterator[Channel]:
        """Open a channel with a lane of its own, for a caller that keeps a lane while it waits for other calls.

        Args:
            latest: When the work must be over, by the monotonic clock. No call on the channel takes longer than that.

        Raises:
            DeadlineError: If the connection was not open by then.
        """
        running = TimeLimit(max(0.0, latest - monotonic()))
        with _opening_for(HOST_OPEN, self.host, running):
            session = self.session(running).sibling(self._opening(running))
        try:
            options = self.options
            if latest < NEVER:
                left, usual = max(SHORTEST, latest - monotonic()), options.timeout
                options = attrs.evolve(options, timeout=left if usual is None else min(left, usual))
            yield Channel(self.uri, self.readonly, options, session)
        finally:
            session.close()

    # ---- calls ------------------------------------------------------------------------------------------------------

    def call(self, operation: Operation, target: Identity, body: Callable[[Lane], R]) -> R:
        """Make a call to the daemon. Every call passes here, or keeps a ``lane()``.

        Args:
            operation: The operation.
            target: The object that it is called on, for errors and for turns.
            body: Gets its raw objects from the lane that is passed, and keeps none: it may run again on another lane.

        Raises:
            StorageError: If the call fails.
        """
        limit = self._limit(operation)
        session = self._session_for(operation, target, limit)
        session.turns.wait(operation, target)
        connection = self._connection(session, operation, target, limit)
        return connection.call(operation, target, body, timeout=limit)

    def lane(
        self, operation: Operation, target: Identity, *, latest: float | None = None, last: bool = False
    ) -> AbstractContextManager[Lane]:
        """Keep a lane for a while: for a stream or a bulk listing.

        Args:
            operation: The operation that the lane is for.
            target: The object that it works on, for errors.
            latest: When the work must be over, by the monotonic clock.
            last: May take the last free lane, which is normally reserved for short calls.
        """
        running = limit_of(None if latest is None else max(0.0, latest - monotonic()))
        session = self._session_for(operation, target, running)
        limit = self._limit(operation)
        connection = self._connection(session, operation, target, limit)
        return connection.lane(operation, target, timeout=limit, latest=latest, last=last)

    def guards(self, operation: Operation, target: Identity) -> Guards:
        """Return the guards of the session; if the session must be opened, the time limit of a call applies."""
        return self._session_for(operation, target, self._limit(operation)).guards

    def session(self, running: TimeLimit | None = None) -> Session:
        """Return the session, opened now if the channel has none yet.

        Args:
            running: The time limit of the call that needs it.
        """
        if ending.is_past():
            raise threads.too_late(f"{self.uri} cannot be used any more", uri=self.uri)
        if self._session is None:
            self._session = self._reopened(self._opening(running))
        return self._session

    def close(self) -> None:
        """Close the session, if it was opened."""
        if self._session is not None:
            self._session.close()

    # ---- inside -----------------------------------------------------------------------------------------------------

    def _session_for(self, operation: Operation, target: Identity, limit: TimeLimit) -> Session:
        with _opening_for(operation, target, limit):
            return self.session(limit)

    def _connection(
        self, session: Session, operation: Operation, target: Identity, limit: TimeLimit
    ) -> Connection:
        if not self._for_secrets:
            return session.connection
        with _opening_for(operation, target, limit):
            return session.secrets(self._opening(limit))

    def _opening(self, running: TimeLimit | None = None) -> TimeLimit:
        """Return the time limit for opening a connection."""
        return opening_limit(self.options.opening, running)

    def _limit(self, operation: Operation) -> TimeLimit:
        options = self.options
        limit = limit_of(options.long_timeout if operation.duration is Duration.LONG else options.timeout)
        span = options.timeout if options.open_timeout is None else options.open_timeout
        limit.opening = NEVER if span is None else span
        return limit

    def _reopened(self, limit: TimeLimit) -> Session:
        """Return the session that all unpickled channels of this process and address share."""
        shared = process.current().shared((self.uri, self.readonly), Once[Session])
        session = shared.get(limit, lambda: self._opened(limit), lambda session: session.is_closed)
        if session is None:
            raise no_answer(self.uri, limit.span)
        return session

    def _opened(self, limit: TimeLimit) -> Session:
        connection = Connection(
            parse(self.uri, pickled=True),
            readonly=self.readonly,
            open_timeout=self.options.opening,
            limit=limit,
        )
        return Session(connection, shared=True)

    def __reduce__(self) -> tuple[Any, ...]:
        return Channel, (self.uri, self.readonly, self.options, None, self._for_secrets)


def _versions(session: Session) -> Versions:
    return Versions(session.connection.daemon_version, session.connection.client_version)


@contextmanager
def _opening_for(operation: Operation, target: Identity, limit: TimeLimit) -> Iterator[None]:
    """Turn an opening that used up all the time of a call into that call's error, and not the address's."""
    try:
        yield
    except ConnectionFailedError:
        if limit.remaining():
            raise
        raise no_turn(fields(operation, target, target.uri), limit.span, None) from None
