"""A pool on a host."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Self, TypeVar

from libstorage.client.attribute import attribute
from libstorage.client.called import must_be_called
from libstorage.client.handle import Handle
from libstorage.client.volumes import Volumes
from libstorage.connection.identity import PoolId
from libstorage.connection.raw import RawPool
from libstorage.enums import (
    PoolBuildFlags,
    PoolCreateFlags,
    PoolDeleteFlags,
    PoolState,
    PoolType,
    XmlFlags,
)
from libstorage.errors import InvalidRequestError, LibvirtError, StorageError
from libstorage.foreign import answer_foreign_names
from libstorage.models.info import PoolInfo
from libstorage.models.pool import PoolSpec
from libstorage.operations import (
    POOL_AUTOSTART,
    POOL_BUILD,
    POOL_DELETE,
    POOL_INFO,
    POOL_IS_ACTIVE,
    POOL_IS_PERSISTENT,
    POOL_REFRESH,
    POOL_SET_AUTOSTART,
    POOL_START,
    POOL_STOP,
    POOL_UNDEFINE,
    Operation,
)
from libstorage.provision.broken import add_broken_files
from libstorage.session.arguments import NoFlags, combined, switch
from libstorage.session.calls import ask_pool, change_pool, pool_xml
from libstorage.units import counted
from libstorage.xml.kinds import UnknownWord

R = TypeVar("R")


class Pool(Handle[PoolId]):
    """A pool on a host, identified by its uuid. The verbs return the pool, so that they can be chained."""

    __slots__ = ()
    _SEE = "pool.info(), pool.spec() and pool.volumes.specs() ask the host."

    # ---- what it is -------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Name of the pool."""
        return self._id.name

    @property
    def uuid(self) -> str:
        """UUID of the pool."""
        return self._id.uuid

    @attribute
    def volumes(self) -> Volumes:
        """The volumes of the pool."""
        return Volumes(self._channel, self._id)

    @must_be_called
    def type(self) -> PoolType | UnknownWord:
        """Return the type of the pool; an unknown type as libvirt's word for it.

        Raises:
            PoolNotFoundError: If the pool is gone.
        """
        return self.spec().type

    def info(self) -> PoolInfo:
        """Return state and sizes, in bytes (``virStoragePoolGetInfo``).

        The sizes are as of the last refresh; libvirt updates them when it creates or deletes a volume itself. In an
        overcommitted pool ``available`` is 0: libvirt's own counter wraps around there and shows almost 16 EiB.

        Raises:
            PoolNotFoundError: If the pool is gone.
        """
        state, capacity, allocation, available = self._ask(POOL_INFO, lambda raw: raw.info())
        return PoolInfo(
            state=PoolState(state),
            capacity=counted(capacity),
            allocation=counted(allocation),
            available=counted(available),
        )

    def spec(self, inactive: bool = False) -> PoolSpec:
        """Return what the pool's document says.

        Args:
            inactive: Return the definition that the next start will use, instead of the running one.

        Raises:
            PoolNotFoundError: If the pool is gone.
        """
        return PoolSpec.from_libvirt(self.xml(inactive))

    def xml(self, inactive: bool = False) -> str:
        """Return the pool's document as libvirt writes it (``virStoragePoolGetXMLDesc``).

        Args:
            inactive: Return the definition that the next start will use, instead of the running one.

        Raises:
            PoolNotFoundError: If the pool is gone.
        """
        flags = XmlFlags.INACTIVE if inactive else XmlFlags(0)
        return pool_xml(self._channel, self._id, flags)

    def is_active(self) -> bool:
        """Return whether the pool is running (``virStoragePoolIsActive``).

        Raises:
            PoolNotFoundError: If the pool is gone.
        """
        return self._ask(POOL_IS_ACTIVE, lambda raw: raw.isActive()) == 1

    def is_persistent(self) -> bool:
        """Return whether the pool has a definition, and so outlives a stop (``virStoragePoolIsPersistent``).

        Raises:
            PoolNotFoundError: If the pool is gone.
        """
        return self._ask(POOL_IS_PERSISTENT, lambda raw: raw.isPersistent()) == 1

    def autostart(self) -> bool:
        """Return whether the pool starts with the daemon (``virStoragePoolGetAutostart``).

        Raises:
            PoolNotFoundError: If the pool is gone.
        """
        return self._ask(POOL_AUTOSTART, lambda raw: raw.autostart()) == 1

    # ---- verbs ------------------------------------------------------------------------------------------------------

    def build(self, overwrite: bool | None = None, *, flags: PoolBuildFlags | NoFlags = 0) -> Self:
        """Create the storage under the pool: directory, file system, disk label or volume group (``virStoragePoolBuild``).

        Args:
            overwrite: ``True`` destroys existing storage, ``False`` refuses if storage exists. ``None`` is the default of
                the pool's type: a ``dir`` pool takes over an existing directory, an ``fs`` pool makes no file system,
                only the mount point.
            flags: More flags; no type of libvirt 9.0 takes any.

        Raises:
            PoolActiveError: If the pool is running.
            PoolNotFoundError: If the pool is gone.
            StorageError: If the pool could not be built; the hint says what state the pool is in.
        """
        wanted = combined(
            PoolBuildFlags, flags, switch(overwrite, PoolBuildFlags.OVERWRITE, PoolBuildFlags.NO_OVERWRITE)
        )
        return self._change(POOL_BUILD, lambda raw: raw.build(wanted))

    def start(
        self, *, build: bool = False, overwrite: bool | None = None, flags: PoolCreateFlags | NoFlags = 0
    ) -> Self:
        """Start the pool: mount, log in, activate, and look for volumes (``virStoragePoolCreate``).

        Args:
            build: Build the pool first.
            overwrite: How to build it, as for ``build()``.
            flags: More flags.

        Raises:
            PoolActiveError: If the pool is already running.
            PoolNotFoundError: If the pool is gone.
            StorageError: If the pool could not be started; the hint says what state the pool is in.
        """
        wanted = combined(PoolCreateFlags, flags, build_flag(build, overwrite))
        return self._change(POOL_START, lambda raw: raw.create(wanted))

    def stop(self) -> Self:
        """Stop the pool: unmount, log out, deactivate (``virStoragePoolDestroy``).

        No data is lost. A transient pool vanishes when it stops.

        Raises:
            PoolInactiveError: If the pool is not running.
            PoolBusyError: If volumes are being built in the pool.
            PoolNotFoundError: If the pool is gone.
        """
        return self._change(POOL_STOP, lambda raw: raw.destroy())

    def refresh(self) -> Self:
        """Scan the storage for volumes again (``virStoragePoolRefresh``).

        If a refresh fails, libvirt *stops* the pool, and a transient pool vanishes. The error says so, too.

        Raises:
            PoolInactiveError: If the pool is not running.
            PoolBusyError: If volumes are being built in the pool.
            PoolNotFoundError: If the pool is gone.
            StorageError: If the storage could not be read; the hint says what state the pool is in.
        """
        return self._change(POOL_REFRESH, lambda raw: raw.refresh(0))

    def undefine(self) -> Self:
        """Remove the definition; the storage is left unchanged (``virStoragePoolUndefine``).

        Raises:
            PoolActiveError: If the pool is running.
            PoolNotFoundError: If the pool is gone.
        """
        return self._change(POOL_UNDEFINE, lambda raw: raw.undefine())

    def delete(self, *, zeroed: bool = False) -> Self:
        """Destroy the storage under the pool and its data; the definition stays (``virStoragePoolDelete``).

        A directory must be empty. The volumes of a volume group or zpool are destroyed with it.

        Args:
            zeroed: Overwrite the storage with zeros; every type of libvirt 9.0 refuses that.

        Raises:
            PoolActiveError: If the pool is running.
            PoolNotFoundError: If the pool is gone.
            StorageError: If the storage could not be deleted; the hint says what state the pool is in.
        """
        flags = PoolDeleteFlags.ZEROED if zeroed else PoolDeleteFlags.NORMAL
        return self._change(POOL_DELETE, lambda raw: raw.delete(flags))

    def set_autostart(self, autostart: bool = True) -> Self:
        """Set whether the pool starts with the daemon (``virStoragePoolSetAutostart``).

        libvirt 9.0 starts such pools when the daemon runs for the first time after the machine has booted. It does not
        when the daemon is restarted: a pool that was stopped meanwhile stays stopped.

        Raises:
            InvalidRequestError: If ``autostart`` is neither true nor false.
            PoolNotFoundError: If the pool is gone.
            StorageError: If the pool is transient.
        """
        if autostart not in (True, False):
            raise InvalidRequestError(f"autostart is True or False, not {autostart!r}")
        return self._change(POOL_SET_AUTOSTART, lambda raw: raw.setAutostart(int(autostart)))

    # ---- inside -----------------------------------------------------------------------------------------------------

    def _ask(self, operation: Operation, read: Callable[[RawPool], R]) -> R:
        return ask_pool(self._channel, operation, self._id, read)

    def _change(self, operation: Operation, act: Callable[[RawPool], object]) -> Self:
        try:
            change_pool(self._channel, operation, self._id, act)
        except LibvirtError as error:
            if operation in (POOL_START, POOL_REFRESH):
                self._add_broken_files(error)
            raise
        return self

    def _add_broken_files(self, error: LibvirtError) -> None:
        with suppress(StorageError):  # the first error is the one to report
            add_broken_files(
                error, self.spec(inactive=True), is_local=self._channel.session().connection.local
            )

    def _label(self) -> str:
        return repr(self.name)

    def _fields(self) -> list[tuple[str, str]]:
        return [("name", self.name), ("uuid", self.uuid)]


def build_flag(build: bool, overwrite: bool | None) -> PoolCreateFlags | None:
    """Return the flag that builds a pool before it starts, ``None`` if it is not built.

    Raises:
        InvalidRequestError: If ``overwrite`` is given without ``build``.
    """
    if not build:
        if overwrite is not None:
            raise InvalidRequestError(
                "overwrite needs build=True: without it the pool is not built",
                hint=f"Pass build=True, overwrite={overwrite}.",
            )
        return None
    how = switch(overwrite, PoolCreateFlags.WITH_BUILD_OVERWRITE, PoolCreateFlags.WITH_BUILD_NO_OVERWRITE)
    return how or PoolCreateFlags.WITH_BUILD


answer_foreign_names(Pool)
