"""A failed call, and what can still be asked about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import attrs

from libstorage.connection import binding
from libstorage.connection.binding import Answer
from libstorage.connection.failures.codes import Code
from libstorage.connection.identity import Identity, NewPool, PoolId, SecretId, VolumeId
from libstorage.connection.lane import Lane
from libstorage.enums import PoolType
from libstorage.errors import DocumentError
from libstorage.models.capabilities import PoolCapabilities
from libstorage.models.pool import PoolSpec
from libstorage.operations import Operation

R = TypeVar("R")

_NOT_FOUND = {Code.NO_STORAGE_POOL, Code.NO_STORAGE_VOL, Code.NO_SECRET}


@attrs.frozen
class Case:
    """An answer of libvirt's, and what can still be asked about it.

    Attributes:
        said: The answer.
        op: What was tried.
        target: What it was tried on.
        lane: Where; ``None`` if no question can be asked there.
    """

    said: Answer
    op: Operation
    target: Identity
    lane: Lane | None

    @property
    def pool(self) -> PoolId | None:
        """The pool in question."""
        return self.target.pool if isinstance(self.target, VolumeId) else self._own_pool

    @property
    def _own_pool(self) -> PoolId | None:
        return self.target if isinstance(self.target, PoolId) else None

    def pool_is_active(self) -> bool | None:
        """Whether the pool runs; like the others ``None`` if that cannot be found out."""
        pool = self.pool
        return None if pool is None else self._ask(lambda lane: lane.pool(pool).isActive())

    def pool_is_persistent(self) -> bool | None:
        """Whether the pool has a stored definition."""
        pool = self.pool
        return None if pool is None else self._ask(lambda lane: lane.pool(pool).isPersistent())

    def pool_is_there(self) -> bool | None:
        """Whether there is a pool of the target's name or uuid."""
        pool = self.pool
        if pool is None:
            return None
        return self._ask(lambda lane: lane.connection.storagePoolLookupByName(pool.name)) or self._ask(
            lambda lane: lane.connection.storagePoolLookupByUUIDString(pool.uuid)
        )

    def pool_type(self) -> PoolType | str | None:
        """The pool's type."""
        pool = self.pool
        xml = None if pool is None else self._read(lambda lane: lane.pool(pool).XMLDesc(0))
        try:
            return None if xml is None else PoolSpec.from_xml(xml).type
        except DocumentError:
            return None

    def has_driver(self) -> bool | None:
        """Return whether the daemon has a driver for pools of the type that is being created."""
        target = self.target
        if not isinstance(target, NewPool):
            return None
        xml = self._read(lambda lane: lane.connection.getStoragePoolCapabilities())
        try:
            return None if xml is None else PoolCapabilities.from_xml(xml).supports(target.type)
        except DocumentError:
            return None

    def volume_is_there(self) -> bool | None:
        """Whether the pool lists the volume."""
        target = self.target
        if not isinstance(target, VolumeId):
            return None
        return self._ask(lambda lane: lane.pool(target.pool).storageVolLookupByName(target.name))

    def volume_answers(self) -> bool | None:
        """Whether the storage under the volume is there, too."""
        target = self.target
        if not isinstance(target, VolumeId):
            return None
        return self._ask(lambda lane: lane.pool(target.pool).storageVolLookupByName(target.name).info())

    def secret_is_there(self) -> bool | None:
        """Whether the host has the secret."""
        target = self.target
        if not isinstance(target, SecretId):
            return None
        return self._ask(lambda lane: lane.connection.secretLookupByUUIDString(target.uuid))

    def _ask(self, read: Callable[[Lane], object]) -> bool | None:
        return self._read(lambda lane: bool(read(lane)), absent=False)

    def _read(self, read: Callable[[Lane], R], absent: R | None = None) -> R | None:
        """What ``read`` gives, ``absent`` if the thing is not there, ``None`` if that cannot be found out."""
        if self.lane is None:
            return None
        try:
            return read(self.lane)
        except Exception as error:
            said = binding.answer(error)
            if said is None:
                raise
            return absent if said.code in _NOT_FOUND else None
