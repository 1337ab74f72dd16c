"""The inventory: all pools and volumes of a host, read at once."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from libstorage.display import Table
from libstorage.errors import StorageError
from libstorage.models.pool import PoolSpec
from libstorage.models.volume import VolumeSpec
from libstorage.units import Size


@frozen(kw_only=True)
class VolumeEntry:
    """One volume of a listing: its document, or the error that occurred while the document was read."""

    name: str
    spec: VolumeSpec | None = None
    error: StorageError | None = None


@frozen(kw_only=True)
class PoolEntry:
    """One pool of an inventory with its volumes; ``error`` reports what could not be read.

    Attributes:
        name: Name of the pool.
        uuid: UUID of the pool.
        active: Whether the pool is running.
        persistent: Whether the pool has a stored definition.
        autostart: Whether the pool starts together with the daemon.
        spec: The pool's document: of an active pool, what is running.
        inactive_spec: The definition that the next start of an active pool will use, if it was asked for.
        volumes: The volumes of an active pool.
        error: What could not be read.
    """

    name: str
    uuid: str
    active: bool
    persistent: bool | None = None
    autostart: bool | None = None
    spec: PoolSpec | None = None
    inactive_spec: PoolSpec | None = None
    volumes: tuple[VolumeEntry, ...] = ()
    error: StorageError | None = None

    @property
    def is_redefined(self) -> bool:
        """Whether what is running differs from the definition for the next start; ``False`` if that was not asked for."""
        running, later = self.spec, self.inactive_spec
        return running is not None and later is not None and bool(running.differences(later))


@frozen(kw_only=True)
class Inventory:
    """The pools and volumes of a host with their documents."""

    uri: str
    pools: tuple[PoolEntry, ...]

    @property
    def volumes(self) -> Iterator[tuple[PoolEntry, VolumeEntry]]:
        """Every volume, paired with its pool."""
        return ((pool, volume) for pool in self.pools for volume in pool.volumes)

    def _table(self) -> Table:
        rows = []
        for pool in self.pools:
            rows.append(_pool_row(pool))
            rows.extend(_volume_row(volume) for volume in pool.volumes)
        return Table(("pool", "volume", "type", "capacity", "allocation", "state"), rows, title=self.uri)

    def __str__(self) -> str:
        return self._table().text()

    def _repr_html_(self) -> str:
        return self._table().html()


def _pool_row(pool: PoolEntry) -> tuple[str, ...]:
    spec = pool.spec
    active = "active, redefined" if pool.is_redefined else "active"
    state = _problem(pool.error) or (active if pool.active else "inactive")
    if spec is None:
        return (pool.name, "", "", "", "", state)
    return (pool.name, "", str(spec.type), _size(spec.capacity), _size(spec.allocation), state)


def _volume_row(volume: VolumeEntry) -> tuple[str, ...]:
    spec = volume.spec
    if spec is None:
        return ("", volume.name, "", "", "", _problem(volume.error))
    form = str(spec.target.format or "")
    return ("", volume.name, form, _size(spec.capacity), _size(spec.allocation), "")


def _size(size: Size | None) -> str:
    return "" if size is None else f"{size:.1h}"


def _problem(error: StorageError | None) -> str:
    return "" if error is None else type(error).__name__
