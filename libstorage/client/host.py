"""A host: one libvirt daemon that we talk to, and the way to everything on it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from time import monotonic
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

import attrs

from libstorage.client.discovery import refuse_crash, request_of
from libstorage.client.inventory import take_inventory
from libstorage.client.names import check_text
from libstorage.client.options import OptionChanges, Options, Versions
from libstorage.client.pool import Pool
from libstorage.client.pools import Pools
from libstorage.client.raw import volume_id
from libstorage.client.secrets import Secrets
from libstorage.client.session import Session
from libstorage.client.volume import Volume
from libstorage.connection import ending, process, threads
from libstorage.connection.address.uri import DANGERS, HostURI, parse
from libstorage.connection.arguments import SHORTEST
from libstorage.connection.connection import Connection, limit_of, opening_limit
from libstorage.connection.failures.translate import fields, no_answer, no_turn
from libstorage.connection.identity import HostId, Identity, PoolId
from libstorage.connection.lane import Lane, TimeLimit
from libstorage.connection.once import Once
from libstorage.connection.process import NEVER
from libstorage.connection.raw import RawVolume
from libstorage.display import Table
from libstorage.enums import PoolType
from libstorage.errors import ConnectionFailedError, InvalidRequestError, StorageError
from libstorage.models.capabilities import PoolCapabilities
from libstorage.models.discovery import PoolSources
from libstorage.models.inventory import Inventory
from libstorage.models.source_parts import SourceHost
from libstorage.operations import (
    HOST_OPEN,
    HOST_VERSION,
    POOL_CAPABILITIES,
    POOL_FIND_SOURCES,
    VOLUME_LOOKUP_BY_KEY,
    VOLUME_LOOKUP_BY_PATH,
    Duration,
    Operation,
)

R = TypeVar("R")


def connect(
    uri: str | HostURI | None = None,
    *,
    readonly: bool = False,
    lanes: int | None = None,
    timeout: float | None = 60.0,
    open_timeout: float | None = 10.0,
    strict_names: bool = True,
    allow: Collection[str] = (),
    unsafe: bool = False,
) -> Host:
    """Open a connection to a host (``virConnectOpenAuth``).

    Args:
        uri: Address of the daemon: ``qemu:///system``, ``qemu+ssh://user@host/system``,
            ``storage:///session?socket=/path``, or its parts as a [HostURI][libstorage.HostURI]. ``None`` is libvirt's
            default.
        readonly: Allow only what changes nothing and reveals no data.
        lanes: At most so many connections to the daemon at once, opened as threads need them. ``None``: 4 to this
            machine, 16 to others.
        timeout: Seconds that the daemon may take for one call, ``None`` for as long as it likes.
        open_timeout: Seconds that opening a connection may take, now and later; never more than ``timeout``. ``None``
            leaves it to that alone.
        strict_names: Refuse names for new pools and volumes that libvirt would mangle or people would misread.
        allow: What the address may let happen: ``command`` (libvirt runs a program of its choice), ``netcat`` (the
            remote host does), ``no_verify`` (who the host is goes unchecked), ``tcp`` (no encryption on the way to
            another host), ``password`` (it holds one), ``socket-shell`` (its socket is shell code for the remote
            host). Such a host does not open again from a pickle.
        unsafe: Deprecated: all of these words at once.

    Raises:
        InvalidRequestError: The address is malformed or dangerous, or an option is no such number.
        ConnectionFailedError: Nobody answers there, or not in time.
        AuthenticationError: The daemon does not accept who we are.
        UnsupportedError: libvirt's Python binding is not installed.
    """
    if unsafe:
        words = ", ".join(f'"{word}"' for word in DANGERS)
        warnings.warn(
            f"unsafe=True allows all of allow={{{words}}}: name what is needed",
            DeprecationWarning,
            stacklevel=2,
        )
        allow = DANGERS
    if ending.is_past():
        raise threads.too_late("no host can be opened any more")
    options = Options(timeout=timeout, open_timeout=open_timeout, strict_names=strict_names)
    try:
        address = parse(uri, allow=allow)
    except InvalidRequestError as error:
        raise error.with_traceback(None) from None
    finally:
        del uri  # tracebacks may show locals, and it may hold a password
    connection = Connection(
        address, readonly=readonly, lanes=lanes, timeout=timeout, open_timeout=open_timeout
    )
    session = Session(connection)
    session.warn_at_exit()
    return Host(connection.uri, readonly, options, session)


class Host:
    """A host: one libvirt daemon. Made by [connect][libstorage.connect], closed by ``with`` or ``close()``.

    It may be used by any number of threads at once. A pickled host, or anything on it, opens its connection again on
    first use, one per process and address.
    """

    __slots__ = ("__weakref__", "_options", "_readonly", "_session", "_uri")

    def __init__(self, uri: str, readonly: bool, options: Options, session: Session | None = None) -> None:
        self._uri = uri
        self._readonly = readonly
        self._options = options
        self._session = session

    # ---- what it is -------------------------------------------------------------------------------------------------

    @property
    def uri(self) -> str:
        """Its address, as libvirt was given it, without a password."""
        return self._uri

    @property
    def readonly(self) -> bool:
        """Whether only what changes nothing is allowed."""
        return self._readonly

    @property
    def options(self) -> Options:
        """How calls are made through it."""
        return self._options

    @property
    def versions(self) -> Versions:
        """Versions of libvirt, there and here; known since the connection was opened."""
        connection = self._connected().connection
        return Versions(connection.daemon_version, connection.client_version)

    def with_options(self, **changes: Unpack[OptionChanges]) -> Host:
        """The same host, with the same connections, handled with other options.

        Args:
            changes: Attributes of [Options][libstorage.Options].

        Raises:
            InvalidRequestError: There is no such option, or it has no such value.
        """
        try:
            options = attrs.evolve(self._options, **changes)
        except TypeError:
            known = ", ".join(attribute.name for attribute in attrs.fields(Options))
            raise InvalidRequestError(
                f"no such option among {', '.join(changes)}; there are {known}",
                outcome="not_started",
                retry="no",
            ) from None
        return Host(self._uri, self._readonly, options, self._session)

    # ---- what is on it ----------------------------------------------------------------------------------------------

    @property
    def pools(self) -> Pools:
        """Its pools."""
        return Pools(self, self._id)

    @property
    def secrets(self) -> Secrets:
        """Its secrets; on a ``storage://`` address they have a connection of their own, opened when needed."""
        return Secrets(self, self._id)

    def volume_at(self, path: str | os.PathLike[str]) -> Volume:
        """The volume with this path (``virStorageVolLookupByPath``).

        Raises:
            VolumeNotFoundError: No pool that is running has it.
        """
        text = check_text("path", os.fspath(path))
        return self._found(VOLUME_LOOKUP_BY_PATH, lambda lane: lane.connection.storageVolLookupByPath(text))

    def volume_by_key(self, key: str) -> Volume:
        """The volume with this key (``virStorageVolLookupByKey``).

        Raises:
            VolumeNotFoundError: No pool that is running has it.
        """
        check_text("key", key)
        return self._found(VOLUME_LOOKUP_BY_KEY, lambda lane: lane.connection.storageVolLookupByKey(key))

    def pool_capabilities(self) -> PoolCapabilities:
        """Which pool types and formats it knows (``virConnectGetStoragePoolCapabilities``).

        Raises:
            UnsupportedError: The host cannot say.
        """
        xml = self._call(
            POOL_CAPABILITIES, self._id, lambda lane: lane.connection.getStoragePoolCapabilities()
        )
        return PoolCapabilities.from_xml(xml)

    def find_sources(
        self,
        type: PoolType | str,
        *,
        hosts: Iterable[SourceHost | str] | SourceHost | str = (),
        initiator: str | None = None,
        allow_crash: bool = False,
    ) -> PoolSources:
        """Sources that pools could be made from, as seen from the host (``virConnectFindStoragePoolSources``).

        libvirt can find sources for the types ``netfs``, ``logical``, ``iscsi``, ``iscsi-direct`` and ``gluster``.

        Args:
            type: Type of the pools.
            hosts: Servers to ask.
            initiator: IQN to ask an ``iscsi-direct`` server as.
            allow_crash: Ask although this kills the daemon: libvirt 9.0 dies when an ``iscsi-direct`` server answers
                with more than one target.

        Raises:
            UnsupportedError: libvirt cannot find sources of that type, or would crash.
            StorageError: The server does not answer, or has none.
        """
        request = request_of(hosts, initiator)
        if not allow_crash:
            refuse_crash(type, self.versions.daemon, self._uri)
        xml = self._call(
            POOL_FIND_SOURCES,
            self._id,
            lambda lane: lane.connection.findStoragePoolSources(str(type), request, 0),
        )
        return PoolSources.from_xml(xml)

    def inventory(self) -> Inventory:
        """All its pools and volumes with what their documents say, read over several lanes.

        What fails for one of them is that entry's ``error``.

        Raises:
            StorageError: The pools could not be listed.
        """
        return take_inventory(self)

    def _found(self, operation: Operation, find: Callable[[Lane], RawVolume]) -> Volume:
        identity = self._call(operation, self._id, lambda lane: volume_id(lane, self._uri, find(lane)))
        return Volume(self, identity)

    # ---- its connection ---------------------------------------------------------------------------------------------

    def is_alive(self) -> bool:
        """Whether it answers; asks it, over a new connection if the others were lost."""
        try:
            self._call(HOST_VERSION, self._id, lambda lane: lane.connection.getLibVersion())
        except StorageError:
            return False
        return True

    def close(self) -> None:
        """Close its connections. What is left of it raises from now on; closing again does nothing."""
        if self._session is not None:
            self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- the choke point --------------------------------------------------------------------------------------------

    @property
    def _id(self) -> HostId:
        return HostId(self._uri)

    def _pool(self, identity: PoolId) -> Pool:
        return Pool(self, identity)

    def _connected(self, running: TimeLimit | None = None) -> Session:
        """What it is connected with.

        Args:
            running: The time limit of the call that needs it, should it have to be opened.
        """
        if ending.is_past():
            raise threads.too_late(f"{self._uri} cannot be used any more", uri=self._uri)
        if self._session is None:
            self._session = self._reopened(self._opening(running))
        return self._session

    def _opening(self, running: TimeLimit | None = None) -> TimeLimit:
        """How long opening a connection may take."""
        return opening_limit(self._options.open_timeout, self._options.timeout, running)

    def _reopened(self, limit: TimeLimit) -> Session:
        """For a host that was unpickled: the connection that all such hosts of this process and address share."""
        shared = process.current().shared((self._uri, self._readonly), Once[Session])
        session = shared.get(limit, lambda: self._opened(limit), lambda session: session.is_closed)
        if session is None:
            raise no_answer(self._uri, limit.span)
        return session

    def _opened(self, limit: TimeLimit) -> Session:
        connection = Connection(
            parse(self._uri, pickled=True),
            readonly=self._readonly,
            timeout=self._options.timeout,
            open_timeout=self._options.open_timeout,
            limit=limit,
        )
        return Session(connection, shared=True)

    @contextmanager
    def _apart(self, latest: float = NEVER) -> Iterator[Host]:
        """This host over a lane of its own, for what keeps a lane while it waits for others.

        Args:
            latest: When all must be over, by the monotonic clock: no call on it takes longer than that.

        Raises:
            DeadlineError: It was not open by then.
        """
        running = TimeLimit(max(0.0, latest - monotonic()))
        with _in_its_turn(HOST_OPEN, self._id, running):
            session = self._connected(running).sibling(self._opening(running))
        try:
            options = self._options
            if latest < NEVER:
                left, usual = max(SHORTEST, latest - monotonic()), options.timeout
                options = attrs.evolve(options, timeout=left if usual is None else min(left, usual))
            yield Host(self._uri, self._readonly, options, session)
        finally:
            session.close()

    def _call(self, operation: Operation, target: Identity, body: Callable[[Lane], R]) -> R:
        """Every call to the daemon: ``body`` takes its raw objects from the lane that it gets, and keeps none."""
        session = self._connected_for(operation, target, limit := self._limit(operation))
        session.turns.wait(operation, target)
        return session.connection.call(operation, target, body, timeout=limit)

    def _call_secrets(self, operation: Operation, target: Identity, body: Callable[[Lane], R]) -> R:
        """The same for secrets, which may need a connection of their own."""
        session = self._connected_for(operation, target, limit := self._limit(operation))
        with _in_its_turn(operation, target, limit):
            connection = session.secrets(self._opening(limit))
        return connection.call(operation, target, body, timeout=limit)

    def _connected_for(self, operation: Operation, target: Identity, limit: TimeLimit) -> Session:
        with _in_its_turn(operation, target, limit):
            return self._connected(limit)

    def _limit(self, operation: Operation) -> TimeLimit:
        options = self._options
        limit = limit_of(options.long_timeout if operation.duration is Duration.LONG else options.timeout)
        span = options.timeout if options.open_timeout is None else options.open_timeout
        limit.opening = NEVER if span is None else span
        return limit

    def _lane(
        self, operation: Operation, target: Identity, *, latest: float | None = None, last: bool = False
    ) -> AbstractContextManager[Lane]:
        """A lane to keep for a while: for a stream or a bulk listing."""
        running = limit_of(None if latest is None else max(0.0, latest - monotonic()))
        session = self._connected_for(operation, target, running)
        limit = self._limit(operation)
        return session.connection.lane(operation, target, timeout=limit, latest=latest, last=last)

    def __eq__(self, other: object) -> bool:
        return (
            (self._uri, self._readonly) == (other._uri, other._readonly)
            if isinstance(other, Host)
            else NotImplemented
        )

    def __hash__(self) -> int:
        return hash((self._uri, self._readonly))

    def __reduce__(self) -> tuple[Any, ...]:
        return Host, (self._uri, self._readonly, self._options)

    def __repr__(self) -> str:
        return f"<Host {self._uri}{' (read-only)' if self._readonly else ''}>"

    def _repr_html_(self) -> str:
        rows = [("uri", self._uri), ("readonly", str(self._readonly))]
        return Table(("Host", ""), rows).html()


@contextmanager
def _in_its_turn(operation: Operation, target: Identity, limit: TimeLimit) -> Iterator[None]:
    """An opening that took all the time of a call is that call's, and not the address's, failure."""
    try:
        yield
    except ConnectionFailedError:
        if limit.remaining():
            raise
        raise no_turn(fields(operation, target, target.uri), limit.span, None) from None
