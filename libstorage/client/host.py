"""A host: one libvirt daemon, and the handles of everything on it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Collection, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack

from libstorage.client.attribute import attribute
from libstorage.client.pools import Pools
from libstorage.client.secrets import Secrets
from libstorage.client.volume import Volume
from libstorage.connection import ending, threads
from libstorage.connection.address.uri import DANGERS, HostURI, parse
from libstorage.connection.connection import Connection
from libstorage.connection.raw import RawConnect, RawVolume
from libstorage.connection.resolve import volume_id
from libstorage.display.shown import Html
from libstorage.display.text import short_address
from libstorage.enums import PoolType
from libstorage.errors import InvalidRequestError, StorageError
from libstorage.foreign import Native, answer_foreign_names
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

if TYPE_CHECKING:
    from libstorage.display.page import Page

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
        lanes: Maximum number of connections to the daemon, opened as threads need them. ``None``: 4 to this machine,
            16 to another host.
        timeout: Seconds that the daemon may take for one call. ``None`` sets no limit.
        open_timeout: Seconds that opening a connection may take, now and later; at most ``timeout``. ``None`` applies
            ``timeout`` only.
        strict_names: Refuse names for new pools and volumes that libvirt would change or people would misread.
        allow: Dangers of the address that are accepted: ``command`` (libvirt runs a program that the address names),
            ``netcat`` (the remote host runs one), ``no_verify`` (the identity of the host is not verified), ``tcp`` (the
            connection to another host is not encrypted), ``password`` (the address contains a password),
            ``socket-shell`` (the socket path is shell code for the remote host). A pickle of such a host does not open
            again.
        unsafe: Deprecated: accepts all of these dangers.

    Raises:
        InvalidRequestError: If the address is malformed or dangerous, or an option is out of range.
        ConnectionFailedError: If the daemon cannot be reached, or does not answer in time.
        AuthenticationError: If the daemon rejects the credentials.
        UnsupportedError: If libvirt's Python binding is not installed.
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
    if isinstance(uri, Host):
        raise InvalidRequestError(
            f"an address is text or a HostURI, and this is {uri!r}", hint="You have a host already: use it."
        )
    options = Options(timeout=timeout, open_timeout=open_timeout, strict_names=strict_names)
    try:
        address = parse(uri, allow=allow)
    except InvalidRequestError as error:
        raise error.with_traceback(None) from None
    finally:
        del uri  # tracebacks may show locals, and the address may contain a password
    connection = Connection(address, readonly=readonly, lanes=lanes, open_timeout=options.opening)
    session = Session(connection)
    session.warn_at_exit()
    return Host(Channel(connection.uri, readonly, options, session))


class Host(Html, Native):
    """A host: one libvirt daemon. Opened by [connect][libstorage.connect], closed by ``with`` or ``close()``.

    Any number of threads may use a host at once. A host that was pickled, or a handle on it, opens the connection again
    on first use: one connection per process and address.
    """

    __slots__ = ("__weakref__", "_channel")

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    # ---- what it is -------------------------------------------------------------------------------------------------

    @property
    def uri(self) -> str:
        """Address of the daemon, as libvirt got it, without a password."""
        return self._channel.uri

    @property
    def readonly(self) -> bool:
        """Whether the connection allows only calls that change nothing."""
        return self._channel.readonly

    @property
    def options(self) -> Options:
        """Options of the calls that are made through this handle."""
        return self._channel.options

    @property
    def versions(self) -> Versions:
        """Versions of libvirt on the host and in this process, read when the connection was opened."""
        return self._channel.versions

    def with_options(self, **changes: Unpack[OptionChanges]) -> Host:
        """Return a handle of the same host and connections with other options.

        Args:
            changes: Attributes of [Options][libstorage.Options].

        Raises:
            InvalidRequestError: If there is no such option, or an option has no such value.
        """
        return Host(self._channel.with_options(**changes))

    # ---- what is on it ----------------------------------------------------------------------------------------------

    @attribute
    def pools(self) -> Pools:
        """The pools of the host."""
        return Pools(self._channel, self._channel.host)

    @attribute
    def secrets(self) -> Secrets:
        """The secrets of the host. A ``storage://`` host serves them over another connection, which the first call opens."""
        return Secrets(self._channel, self._channel.host)

    def volume_at(self, path: str | os.PathLike[str]) -> Volume:
        """Look up a volume by path (``virStorageVolLookupByPath``).

        Raises:
            VolumeNotFoundError: If no running pool has such a volume.
        """
        text = check_text("path", os.fspath(path))
        return self._found(VOLUME_LOOKUP_BY_PATH, lambda raw: raw.storageVolLookupByPath(text))

    def volume_by_key(self, key: str) -> Volume:
        """Look up a volume by key (``virStorageVolLookupByKey``).

        Raises:
            VolumeNotFoundError: If no running pool has such a volume.
        """
        check_text("key", key)
        return self._found(VOLUME_LOOKUP_BY_KEY, lambda raw: raw.storageVolLookupByKey(key))

    def pool_capabilities(self) -> PoolCapabilities:
        """Return which pool types and formats the host supports (``virConnectGetStoragePoolCapabilities``).

        Raises:
            UnsupportedError: If the host cannot say.
        """
        xml = self._ask(POOL_CAPABILITIES, lambda raw: raw.getStoragePoolCapabilities())
        return PoolCapabilities.from_libvirt(xml)

    def find_sources(
        self,
        type: PoolType | str,
        *,
        hosts: Iterable[SourceHost | str] | SourceHost | str = (),
        initiator: str | None = None,
        allow_crash: bool = False,
    ) -> PoolSources:
        """Find sources that pools could be made from, as seen from the host (``virConnectFindStoragePoolSources``).

        libvirt can find sources for the types ``netfs``, ``logical``, ``iscsi``, ``iscsi-direct`` and ``gluster``.

        Args:
            type: Type of the pools.
            hosts: Servers to query.
            initiator: IQN that an ``iscsi-direct`` server is queried with.
            allow_crash: Query even if this can kill the daemon: libvirt 9.0 crashes if an ``iscsi-direct`` server
                answers with more than one target.

        Raises:
            UnsupportedError: If libvirt cannot find sources of that type, or would crash.
            StorageError: If the server does not answer, or has no sources.
        """
        return find_sources(self._channel, type, hosts, initiator, allow_crash=allow_crash)

    def inventory(self, *, inactive: bool = False) -> Inventory:
        """Return all pools and volumes with their documents, read over several lanes.

        If a pool or volume cannot be read, its entry has an ``error``.

        Args:
            inactive: Also read the definition that the next start of each active pool will use: one more call for each.

        Raises:
            StorageError: If the pools could not be listed.
        """
        return take_inventory(self._channel, inactive=inactive)

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
        """Return whether the daemon answers; asks it, over a new connection if the others were lost."""
        try:
            self._ask(HOST_VERSION, lambda raw: raw.getLibVersion())
        except StorageError:
            return False
        return True

    def close(self) -> None:
        """Close the connections. Handles on the host raise from now on; closing again does nothing."""
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
        return f"<Host {short_address(self.uri)}{' (read-only)' if self.readonly else ''}>"

    def _page(self, most: int | None) -> Page:
        from libstorage.display.page import Page
        from libstorage.display.table import Fields

        versions = self._channel.known_versions
        rows = [("uri", self.uri), ("access", "read-only" if self.readonly else "read and write")]
        rows += [] if versions is None else [("versions", str(versions))]
        note = "host.inventory() shows the pools and volumes; host.pools['name'] looks up a pool."
        return Page(title="Host", blocks=(Fields(rows).capped(most),), note=note)


answer_foreign_names(Host)
