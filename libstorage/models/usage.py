"""What fills a pool, in numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import attrs

from libstorage.errors import StorageError
from libstorage.models.entries import VolumeEntry
from libstorage.models.pool import PoolSpec


class Listed(Protocol):
    """The entry of a pool in an inventory."""

    @property
    def name(self) -> str:
        """Name of the pool."""
        ...

    @property
    def active(self) -> bool:
        """Whether the pool is running."""
        ...

    @property
    def state(self) -> str:
        """The state as a word."""
        ...

    @property
    def autostart(self) -> bool | None:
        """Whether the pool starts together with the daemon."""
        ...

    @property
    def is_redefined(self) -> bool:
        """Whether what is running differs from the definition for the next start."""
        ...

    @property
    def spec(self) -> PoolSpec | None:
        """The document of the pool."""
        ...

    @property
    def volumes(self) -> tuple[VolumeEntry, ...]:
        """The volumes of the pool."""
        ...

    @property
    def error(self) -> StorageError | None:
        """What could not be read."""
        ...


@attrs.frozen
class Usage:
    """The sizes of a running pool, in bytes.

    Attributes:
        name: Name of the pool.
        capacity: Size of the pool.
        used: Space in use.
        free: Free space.
        promised: The sum of the capacities of its volumes: what they may grow to.
    """

    name: str
    capacity: int
    used: int
    free: int
    promised: int


def usage_of(pool: Listed) -> Usage | None:
    """Return the sizes of the entry of a pool; ``None`` if libvirt does not know them, as of an inactive pool."""
    spec = pool.spec
    if spec is None or not pool.active or not spec.capacity:
        return None
    promised = sum(int(entry.spec.capacity or 0) for entry in pool.volumes if entry.spec)
    return Usage(pool.name, int(spec.capacity), int(spec.allocation or 0), int(spec.available or 0), promised)


def ordered(pools: Iterable[Listed]) -> list[Listed]:
    """Return the pools as displays show them: the running ones first, then by name."""
    return sorted(pools, key=lambda pool: (not pool.active, pool.name))


def usages_of(pools: Sequence[Listed]) -> list[Usage]:
    """Return the sizes of the running pools, by name."""
    return [usage for pool in ordered(pools) if (usage := usage_of(pool))]
