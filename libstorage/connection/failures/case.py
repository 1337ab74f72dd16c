"""A failed call, and the reads that can still be made to explain it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import attrs

from libstorage.connection import binding
from libstorage.connection.binding import Answer
from libstorage.connection.codes import Code
from libstorage.connection.identity import Identity, NewPool, PoolId, SecretId, VolumeId
from libstorage.connection.lane import Lane
from libstorage.enums import PoolType
from libstorage.errors import DocumentError
from libstorage.models.capabilities import PoolCapabilities
from libstorage.models.pool import PoolSpec
from libstorage.operations import Operation
from libstorage.xml.kinds import UnknownWord

R = TypeVar("R")

_QUOTATION_MARKS = "'\"`´‘’‚“”„«»‹›「」『』"
_NOT_FOUND = {Code.NO_STORAGE_POOL, Code.NO_STORAGE_VOL, Code.NO_SECRET}


@attrs.frozen
class Case:
    """A failed call, and the reads that can still be made to explain it.

    Attributes:
        said: The error that libvirt returned.
        op: The operation that failed.
        target: The object that the operation was called on.
        lane: The lane of the call; ``None`` if no read is possible on it.
    """

    said: Answer
    op: Operation
    target: Identity
    lane: Lane | None

    @property
    def pool(self) -> PoolId | None:
        """The pool that the call was about; ``None`` if it was about another kind of object."""
        return self.target.pool if isinstance(self.target, VolumeId) else self._own_pool

    @property
    def _own_pool(self) -> PoolId | None:
        return self.target if isinstance(self.target, PoolId) else None

    def pool_is_active(self) -> bool | None:
        """Return whether the pool is active; like the other methods, ``None`` if this cannot be determined."""
        pool = self.pool
        return None if pool is None else self._ask(lambda lane: lane.pool(pool).isActive())

    def pool_is_persistent(self) -> bool | None:
        """Return whether the pool has a stored definition."""
        pool = self.pool
        return None if pool is None else self._ask(lambda lane: lane.pool(pool).isPersistent())

    def pool_is_there(self) -> bool | None:
        """Return whether a pool with the target's name or uuid exists."""
        pool = self.pool
        if pool is None:
            return None
        return self._ask(lambda lane: lane.connection.storagePoolLookupByName(pool.name)) or self._ask(
            lambda lane: lane.connection.storagePoolLookupByUUIDString(pool.uuid)
        )

    def quoted_pool(self) -> str | None:
        """Return the name of the pool that libvirt's message quotes, in whatever language."""
        names = self._read(lambda lane: [raw.name() for raw in lane.connection.listAllStoragePools(0)]) or []
        text, marks = self.said.text, _QUOTATION_MARKS
        quoted = (name for name in names if re.search(f"[{marks}]\\s?{re.escape(name)}\\s?[{marks}]", text))
        return max(quoted, key=len, default=None)

    def pool_type(self) -> PoolType | UnknownWord | None:
        """Return the pool's type."""
        pool = self.pool
        xml = None if pool is None else self._read(lambda lane: lane.pool(pool).XMLDesc(0))
        try:
            return None if xml is None else PoolSpec.from_libvirt(xml).type
        except DocumentError:
            return None

    def has_driver(self) -> bool | None:
        """Return whether the daemon has a driver for pools of the type that is being created."""
        target = self.target
        if not isinstance(target, NewPool):
            return None
        xml = self._read(lambda lane: lane.connection.getStoragePoolCapabilities())
        try:
            return None if xml is None else PoolCapabilities.from_libvirt(xml).supports(target.type)
        except DocumentError:
            return None

    def volume_is_there(self) -> bool | None:
        """Return whether the pool lists the volume."""
        target = self.target
        if not isinstance(target, VolumeId):
            return None
        return self._ask(lambda lane: lane.pool(target.pool).storageVolLookupByName(target.name))

    def volume_answers(self) -> bool | None:
        """Return whether the pool lists the volume and the storage below the volume can be read."""
        target = self.target
        if not isinstance(target, VolumeId):
            return None
        return self._ask(lambda lane: lane.pool(target.pool).storageVolLookupByName(target.name).info())

    def secret_is_there(self) -> bool | None:
        """Return whether the host has the secret."""
        target = self.target
        if not isinstance(target, SecretId):
            return None
        return self._ask(lambda lane: lane.connection.secretLookupByUUIDString(target.uuid))

    def _ask(self, read: Callable[[Lane], object]) -> bool | None:
        return self._read(lambda lane: bool(read(lane)), absent=False)

    def _read(self, read: Callable[[Lane], R], absent: R | None = None) -> R | None:
        """Return the result of ``read``, ``absent`` if libvirt finds no such object, ``None`` on other errors."""
        if self.lane is None:
            return None
        try:
            return read(self.lane)
        except Exception as error:
            said = binding.answer(error)
            if said is None:
                raise
            return absent if said.code in _NOT_FOUND else None
