"""A host: one libvirt daemon that we talk to, and the way to everything on it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Collection, Iterable
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

from libstorage.client.pools import Pools
from libstorage.client.secrets import Secrets
from libstorage.client.volume import Volume
from libstorage.connection import ending, threads
from libstorage.connection.address.uri import DANGERS, HostURI, parse
from libstorage.connection.connection import Connection
from libstorage.connection.raw import RawConnect, RawVolume
from libstorage.connection.resolve import volume_id
from libstorage.display import Table
from libstorage.enums import PoolType
from libstorage.errors import InvalidRequestError, StorageError
from libstorage.listing.discovery import find_sources
from libstorage.listing.inventory import take_inventory
from libstorage.models.capabilities import PoolCapabilities
from libstorage.models.discovery import PoolSources
from libstorage.models.inventory import Inventory
from libstorage.models.source_parts import SourceHost
from libstorage.operations import (
    HOST_VERSION,
    POOL_CAPABILITIES,
    VOLUME_LOOKUP_BY_KEY,
    VOLUME_LOOKUP_BY_PATH,
    Operation,
)
from libstorage.session.arguments import check_text
from libstorage.session.channel import Channel
from libstorage.session.options import OptionChanges, Options, Versions
from libstorage.session.session import Session

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
    return Host(Channel(connection.uri, readonly, options, session))


class Host:
    """A host: one libvirt daemon. Made by [connect][libstorage.connect], closed by ``with`` or ``close()``.

    It may be used by any number of threads at once. A pickled host, or anything on it, opens its connection again on
    first use, one per process and address.
    """

    __slots__ = ("__weakref__", "_channel")

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    # ---- what it is -------------------------------------------------------------------------------------------------

    @property
    def uri(self) -> str:
        """Its address, as libvirt was given it, without a password."""
        return self._channel.uri

    @property
    def readonly(self) -> bool:
        """Whether only what changes nothing is allowed."""
        return self._channel.readonly

    @property
    def options(self) -> Options:
        """How calls are made through it."""
        return self._channel.options

    @property
    def versions(self) -> Versions:
        """Versions of libvirt, there and here; known since the connection was opened."""
        return self._channel.versions

    def with_options(self, **changes: Unpack[OptionChanges]) -> Host:
        """The same host, with the same connections, handled with other options.

        Args:
            changes: Attributes of [Options][libstorage.Options].

        Raises:
            InvalidRequestError: There is no such option, or it has no such value.
        """
        return Host(self._channel.with_options(**changes))

    # ---- what is on it ----------------------------------------------------------------------------------------------

    @property
    def pools(self) -> Pools:
        """Its pools."""
        return Pools(self._channel, self._channel.host)

    @property
    def secrets(self) -> Secrets:
        """Its secrets; on a ``storage://`` address they have a connection of their own, opened when needed."""
        return Secrets(self._channel, self._channel.host)

    def volume_at(self, path: str | os.PathLike[str]) -> Volume:
        """The volume with this path (``virStorageVolLookupByPath``).

        Raises:
            VolumeNotFoundError: No pool that is running has it.
        """
        text = check_text("path", os.fspath(path))
        return self._found(VOLUME_LOOKUP_BY_PATH, lambda raw: raw.storageVolLookupByPath(text))

    def volume_by_key(self, key: str) -> Volume:
        """The volume with this key (``virStorageVolLookupByKey``).

        Raises:
            VolumeNotFoundError: No pool that is running has it.
        """
        check_text("key", key)
        return self._found(VOLUME_LOOKUP_BY_KEY, lambda raw: raw.storageVolLookupByKey(key))

    def pool_capabilities(self) -> PoolCapabilities:
        """Which pool types and formats it knows (``virConnectGetStoragePoolCapabilities``).

        Raises:
            UnsupportedError: The host cannot say.
        """
        xml = self._ask(POOL_CAPABILITIES, lambda raw: raw.getStoragePoolCapabilities())
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
        return find_sources(self._channel, type, hosts, initiator, allow_crash=allow_crash)

    def inventory(self) -> Inventory:
        """All its pools and volumes with what their documents say, read over several lanes.

        What fails for one of them is that entry's ``error``.

        Raises:
            StorageError: The pools could not be listed.
        """
        return take_inventory(self._channel)

    def _ask(self, operation: Operation, read: Callable[[RawConnect], R]) -> R:
        return self._channel.call(operation, self._channel.host, lambda lane: read(lane.connection))

    def _found(self, operation: Operation, find: Callable[[RawConnect], RawVolume]) -> Volume:
        uri = self._channel.uri
        found = self._channel.call(
            operation, self._channel.host, lambda lane: volume_id(lane, uri, find(lane.connection))
        )
        return Volume(self._channel, found)

    # ---- its connection ---------------------------------------------------------------------------------------------

    def is_alive(self) -> bool:
        """Whether it answers; asks it, over a new connection if the others were lost."""
        try:
            self._ask(HOST_VERSION, lambda raw: raw.getLibVersion())
        except StorageError:
            return False
        return True

    def close(self) -> None:
        """Close its connections. What is left of it raises from now on; closing again does nothing."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __eq__(self, other: object) -> bool:
        return self._address == other._address if isinstance(other, Host) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._address)

    @property
    def _address(self) -> tuple[str, bool]:
        return self._channel.uri, self._channel.readonly

    def __reduce__(self) -> tuple[Any, ...]:
        return Host, (self._channel,)

    def __repr__(self) -> str:
        return f"<Host {self.uri}{' (read-only)' if self.readonly else ''}>"

    def _repr_html_(self) -> str:
        rows = [("uri", self.uri), ("readonly", str(self.readonly))]
        return Table(("Host", ""), rows).html()
