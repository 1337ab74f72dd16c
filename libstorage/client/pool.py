"""A pool on a host."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Self, TypeVar

from libstorage.client.handle import Handle
from libstorage.client.options import NoFlags, combined, switch
from libstorage.client.volumes import Volumes
from libstorage.connection.identity import PoolId
from libstorage.connection.lane import Lane
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
    ConnectionFailedError,
    ConnectionLostError,
    DeadlineError,
    InvalidRequestError,
    PoolInactiveError,
    PoolNotFoundError,
    StorageError,
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
    POOL_XML,
    Operation,
)
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
        return Volumes(self._host, self._id)

    def type(self) -> PoolType | str:
        """Its type; a type that we do not know as libvirt's word for it.

        Raises:
            PoolNotFoundError: It is gone.
        """
        return self.spec().type

    def info(self) -> PoolInfo:
        """State and sizes, in bytes (``virStoragePoolGetInfo``).

        The sizes are as of the last refresh, kept up to date for what libvirt itself creates and deletes. Where more
        is promised than there is, ``available`` is 0: libvirt counts below zero there, and shows almost 16 EiB.

        Raises:
            PoolNotFoundError: It is gone.
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
            PoolNotFoundError: It is gone.
        """
        return PoolSpec.from_xml(self.xml(inactive))

    def xml(self, inactive: bool = False) -> str:
        """Its document as libvirt writes it (``virStoragePoolGetXMLDesc``).

        Args:
            inactive: The definition that the next start will use, rather than what runs now.

        Raises:
            PoolNotFoundError: It is gone.
        """
        flags = XmlFlags.INACTIVE if inactive else XmlFlags(0)
        return self._ask(POOL_XML, lambda raw: raw.XMLDesc(flags))

    def is_active(self) -> bool:
        """Whether it is running (``virStoragePoolIsActive``).

        Raises:
            PoolNotFoundError: It is gone.
        """
        return self._ask(POOL_IS_ACTIVE, lambda raw: raw.isActive()) == 1

    def is_persistent(self) -> bool:
        """Whether it has a definition, and outlives a stop (``virStoragePoolIsPersistent``).

        Raises:
            PoolNotFoundError: It is gone.
        """
        return self._ask(POOL_IS_PERSISTENT, lambda raw: raw.isPersistent()) == 1

    def autostart(self) -> bool:
        """Whether it starts with the daemon (``virStoragePoolGetAutostart``).

        Raises:
            PoolNotFoundError: It is gone.
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
            PoolNotFoundError: It is gone.
            StorageError: It could not be built; the message says what state the pool is in.
        """
        wanted = combined(
            PoolBuildFlags, flags, switch(overwrite, PoolBuildFlags.OVERWRITE, PoolBuildFlags.NO_OVERWRITE)
        )
        return self._do(POOL_BUILD, lambda raw: raw.build(wanted))

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
            PoolNotFoundError: It is gone.
            StorageError: It could not be started; the message says what state the pool is in.
        """
        wanted = combined(PoolCreateFlags, flags, build_flag(build, overwrite))
        return self._do(POOL_START, lambda raw: raw.create(wanted))

    def stop(self) -> Self:
        """Stop it: unmount, log out, deactivate; no data is lost (``virStoragePoolDestroy``). A transient pool is gone then.

        Raises:
            PoolInactiveError: It is not running.
            PoolBusyError: Volumes are being built in it.
            PoolNotFoundError: It is gone.
        """
        return self._do(POOL_STOP, lambda raw: raw.destroy())

    def refresh(self) -> Self:
        """Look for its volumes anew (``virStoragePoolRefresh``).

        A refresh that fails *stops* the pool, and a transient pool is gone then; the error says so, too.

        Raises:
            PoolInactiveError: It is not running.
            PoolBusyError: Volumes are being built in it.
            PoolNotFoundError: It is gone.
            StorageError: It could not be read; the message says what state the pool is in.
        """
        return self._do(POOL_REFRESH, lambda raw: raw.refresh(0))

    def undefine(self) -> Self:
        """Forget its definition; the storage stays as it is (``virStoragePoolUndefine``).

        Raises:
            PoolActiveError: It is running.
            PoolNotFoundError: It is gone.
        """
        return self._do(POOL_UNDEFINE, lambda raw: raw.undefine())

    def delete(self, *, zeroed: bool = False) -> Self:
        """Destroy the storage under it, data included; the definition stays (``virStoragePoolDelete``).

        A directory must be empty; the volumes of a volume group or zpool go with it.

        Args:
            zeroed: Overwrite it with zeros; every type of libvirt 9.0 refuses that.

        Raises:
            PoolActiveError: It is running.
            PoolNotFoundError: It is gone.
            StorageError: It could not be deleted; the message says what state the pool is in.
        """
        flags = PoolDeleteFlags.ZEROED if zeroed else PoolDeleteFlags.NORMAL
        return self._do(POOL_DELETE, lambda raw: raw.delete(flags))

    def set_autostart(self, autostart: bool = True) -> Self:
        """Start it by itself from now on, or not (``virStoragePoolSetAutostart``).

        libvirt 9.0 starts such pools when the daemon runs for the first time after the machine has booted, and not
        whenever the daemon is started again: what was stopped meanwhile stays so.

        Raises:
            InvalidRequestError: ``autostart`` is neither true nor false.
            PoolNotFoundError: It is gone.
            StorageError: It is transient.
        """
        if autostart not in (True, False):
            raise InvalidRequestError(
                f"autostart is True or False, not {autostart!r}", outcome="not_started", retry="no"
            )
        return self._do(POOL_SET_AUTOSTART, lambda raw: raw.setAutostart(int(autostart)))

    # ---- inside -----------------------------------------------------------------------------------------------------

    def _ask(self, operation: Operation, read: Callable[[RawPool], R]) -> R:
        return self._call(operation, lambda lane: read(lane.pool(self._id)))

    def _do(self, operation: Operation, act: Callable[[RawPool], object]) -> Self:
        try:
            self._call(operation, lambda lane: act(lane.pool(self._id)))
        except StorageError as error:
            self._tell_state(operation, error)
            raise
        return self

    def _tell_state(self, operation: Operation, error: StorageError) -> None:
        """Add to the error of a failed step what state that has left the pool in."""
        if isinstance(error, _SAYS_NOTHING_OF_THE_POOL) or (state := self._state()) is None:
            return
        hints = [error.hint, state.said]
        if operation == POOL_REFRESH and not state.active and not isinstance(error, _WAS_STOPPED_BEFORE):
            error.outcome, error.retry = "unknown", "no"
            hints.append(_GONE_BY_REFRESH if state.active is None else _STOPPED_BY_REFRESH)
        error.hint = "\n".join(filter(None, hints))

    def _state(self) -> _State | None:
        """What state it is in, as far as that can be told."""

        def read(lane: Lane) -> tuple[int, int]:
            raw = lane.pool(self._id, fresh=True)
            return raw.isActive(), raw.isPersistent()

        try:
            active, persistent = self._call(POOL_IS_ACTIVE, read)
        except LookupError:
            return _State(None, f"Pool {self.name!r} is gone.")
        except StorageError:
            return None
        kind = "defined" if persistent else "transient"
        running = "running" if active else "not started"
        return _State(bool(active), f"Pool {self.name!r} is {kind} and {running}.")

    def _shown(self) -> str:
        return repr(self.name)


class _State(NamedTuple):
    active: bool | None  # None: it is gone
    said: str


_STOPPED_BY_REFRESH = "libvirt stops a pool when a refresh fails: mend what is wrong, then pool.start()."
_GONE_BY_REFRESH = (
    "libvirt stops a pool when a refresh fails, and a transient one is gone then: create it again."
)
_WAS_STOPPED_BEFORE = (PoolInactiveError, PoolNotFoundError)
_SAYS_NOTHING_OF_THE_POOL = (ConnectionFailedError, ConnectionLostError, DeadlineError)


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
                outcome="not_started",
                retry="no",
            )
        return None
    how = switch(overwrite, PoolCreateFlags.WITH_BUILD_OVERWRITE, PoolCreateFlags.WITH_BUILD_NO_OVERWRITE)
    return how or PoolCreateFlags.WITH_BUILD
