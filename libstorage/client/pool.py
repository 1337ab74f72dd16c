"""A pool on a host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self, TypeVar

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
from libstorage.errors import (
    InvalidRequestError,
)
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
from libstorage.session.arguments import NoFlags, combined, switch
from libstorage.session.calls import ask_pool, change_pool, pool_xml
from libstorage.units import counted

R = TypeVar("R")


class Pool(Handle[PoolId]):
    """A pool on a host, known by its uuid. The verbs return the pool, so that they can be chained."""

    __slots__ = ()

    # ---- what it is -------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Its name."""
        return self._id.name

    @property
    def uuid(self) -> str:
        """Its uuid."""
        return self._id.uuid

    @property
    def volumes(self) -> Volumes:
        """Its volumes."""
        return Volumes(self._channel, self._id)

    def type(self) -> PoolType | str:
        """Its type; a type that we do not know as libvirt's word for it.

        Raises:
            PoolNotFoundError: If the pool is gone.
        """
        return self.spec().type

    def info(self) -> PoolInfo:
        """State and sizes, in bytes (``virStoragePoolGetInfo``).

        The sizes are as of the last refresh, kept up to date for what libvirt itself creates and deletes. Where more
        is promised than there is, ``available`` is 0: libvirt counts below zero there, and shows almost 16 EiB.

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
        """What its document says.

        Args:
            inactive: The definition that the next start will use, rather than what runs now.

        Raises:
            PoolNotFoundError: If the pool is gone.
        """
        return PoolSpec.from_xml(self.xml(inactive))

    def xml(self, inactive: bool = False) -> str:
        """Its document as libvirt writes it (``virStoragePoolGetXMLDesc``).

        Args:
            inactive: The definition that the next start will use, rather than what runs now.

        Raises:
            PoolNotFoundError: If the pool is gone.
        """
        flags = XmlFlags.INACTIVE if inactive else XmlFlags(0)
        return pool_xml(self._channel, self._id, flags)

    def is_active(self) -> bool:
        """Whether it is running (``virStoragePoolIsActive``).

        Raises:
            PoolNotFoundError: If the pool is gone.
        """
        return self._ask(POOL_IS_ACTIVE, lambda raw: raw.isActive()) == 1

    def is_persistent(self) -> bool:
        """Whether it has a definition, and outlives a stop (``virStoragePoolIsPersistent``).

        Raises:
            PoolNotFoundError: If the pool is gone.
        """
        return self._ask(POOL_IS_PERSISTENT, lambda raw: raw.isPersistent()) == 1

    def autostart(self) -> bool:
        """Whether it starts with the daemon (``virStoragePoolGetAutostart``).

        Raises:
            PoolNotFoundError: If the pool is gone.
        """
        return self._ask(POOL_AUTOSTART, lambda raw: raw.autostart()) == 1

    # ---- verbs ------------------------------------------------------------------------------------------------------

    def build(self, overwrite: bool | None = None, *, flags: PoolBuildFlags | NoFlags = 0) -> Self:
        """Make the storage under it: the directory, file system, disk label or volume group (``virStoragePoolBuild``).

        Args:
            overwrite: ``True`` destroys what is there, ``False`` refuses when something is. ``None`` is what the
                pool's type makes of it: a ``dir`` pool takes its directory over, an ``fs`` pool makes no file system,
                only the mount point.
            flags: More flags; no type of libvirt 9.0 takes any.

        Raises:
            PoolActiveError: It is running.
            PoolNotFoundError: If the pool is gone.
            StorageError: It could not be built; the message says what state the pool is in.
        """
        wanted = combined(
            PoolBuildFlags, flags, switch(overwrite, PoolBuildFlags.OVERWRITE, PoolBuildFlags.NO_OVERWRITE)
        )
        return self._change(POOL_BUILD, lambda raw: raw.build(wanted))

    def start(
        self, *, build: bool = False, overwrite: bool | None = None, flags: PoolCreateFlags | NoFlags = 0
    ) -> Self:
        """Start it: mount, log in, activate, and look for volumes (``virStoragePoolCreate``).

        Args:
            build: Build it first.
            overwrite: How to build it, as for ``build()``.
            flags: More flags.

        Raises:
            PoolActiveError: It is running already.
            PoolNotFoundError: If the pool is gone.
            StorageError: It could not be started; the message says what state the pool is in.
        """
        wanted = combined(PoolCreateFlags, flags, build_flag(build, overwrite))
        return self._change(POOL_START, lambda raw: raw.create(wanted))

    def stop(self) -> Self:
        """Stop it: unmount, log out, deactivate; no data is lost (``virStoragePoolDestroy``). A transient pool is gone then.

        Raises:
            PoolInactiveError: It is not running.
            PoolBusyError: Volumes are being built in it.
            PoolNotFoundError: If the pool is gone.
        """
        return self._change(POOL_STOP, lambda raw: raw.destroy())

    def refresh(self) -> Self:
        """Look for its volumes anew (``virStoragePoolRefresh``).

        A refresh that fails *stops* the pool, and a transient pool is gone then; the error says so, too.

        Raises:
            PoolInactiveError: It is not running.
            PoolBusyError: Volumes are being built in it.
            PoolNotFoundError: If the pool is gone.
            StorageError: It could not be read; the message says what state the pool is in.
        """
        return self._change(POOL_REFRESH, lambda raw: raw.refresh(0))

    def undefine(self) -> Self:
        """Forget its definition; the storage stays as it is (``virStoragePoolUndefine``).

        Raises:
            PoolActiveError: It is running.
            PoolNotFoundError: If the pool is gone.
        """
        return self._change(POOL_UNDEFINE, lambda raw: raw.undefine())

    def delete(self, *, zeroed: bool = False) -> Self:
        """Destroy the storage under it, data included; the definition stays (``virStoragePoolDelete``).

        A directory must be empty; the volumes of a volume group or zpool go with it.

        Args:
            zeroed: Overwrite it with zeros; every type of libvirt 9.0 refuses that.

        Raises:
            PoolActiveError: It is running.
            PoolNotFoundError: If the pool is gone.
            StorageError: It could not be deleted; the message says what state the pool is in.
        """
        flags = PoolDeleteFlags.ZEROED if zeroed else PoolDeleteFlags.NORMAL
        return self._change(POOL_DELETE, lambda raw: raw.delete(flags))

    def set_autostart(self, autostart: bool = True) -> Self:
        """Start it by itself from now on, or not (``virStoragePoolSetAutostart``).

        libvirt 9.0 starts such pools when the daemon runs for the first time after the machine has booted, and not
        whenever the daemon is started again: what was stopped meanwhile stays so.

        Raises:
            InvalidRequestError: ``autostart`` is neither true nor false.
            PoolNotFoundError: If the pool is gone.
            StorageError: It is transient.
        """
        if autostart not in (True, False):
            raise InvalidRequestError(f"autostart is True or False, not {autostart!r}")
        return self._change(POOL_SET_AUTOSTART, lambda raw: raw.setAutostart(int(autostart)))

    # ---- inside -----------------------------------------------------------------------------------------------------

    def _ask(self, operation: Operation, read: Callable[[RawPool], R]) -> R:
        return ask_pool(self._channel, operation, self._id, read)

    def _change(self, operation: Operation, act: Callable[[RawPool], object]) -> Self:
        change_pool(self._channel, operation, self._id, act)
        return self

    def _label(self) -> str:
        return repr(self.name)


def build_flag(build: bool, overwrite: bool | None) -> PoolCreateFlags | None:
    """Whether and how to build a pool before it starts.

    Raises:
        InvalidRequestError: It says how, but not that.
    """
    if not build:
        if overwrite is not None:
            raise InvalidRequestError(
                "overwrite says how to build the pool, but it is not to be built",
                hint=f"Pass build=True, overwrite={overwrite}.",
            )
        return None
    how = switch(overwrite, PoolCreateFlags.WITH_BUILD_OVERWRITE, PoolCreateFlags.WITH_BUILD_NO_OVERWRITE)
    return how or PoolCreateFlags.WITH_BUILD
