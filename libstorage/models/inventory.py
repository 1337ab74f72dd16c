"""The inventory: all pools and volumes of a host, read at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from attrs import frozen

from libstorage.display.shown import Shown
from libstorage.display.text import brief, counted, joined, short_address
from libstorage.errors import StorageError
from libstorage.models.entries import VolumeEntry
from libstorage.models.pool import PoolSpec

if TYPE_CHECKING:
    from libstorage.display.charts import Chart
    from libstorage.display.page import Page
    from libstorage.models.chains import Chains


@frozen(kw_only=True, repr=False)
class PoolEntry(Shown):
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

    def __repr__(self) -> str:
        form = brief(str(self.spec.type), 20) if self.spec else ""
        said = [form, self.state, counted(len(self.volumes), "volume") if self.active else ""]
        return f"<PoolEntry {brief(self.name, 40)!r}: {joined(said, ', ')}>"

    @property
    def state(self) -> str:
        """The state as a word: ``running`` or ``stopped``."""
        return "running" if self.active else "stopped"

    def _page(self, most: int | None) -> Page:
        from libstorage.models.overview import pool_page

        return pool_page(self, most)


@frozen(kw_only=True, repr=False)
class Inventory(Shown):
    """The pools and volumes of a host with their documents."""

    uri: str
    pools: tuple[PoolEntry, ...]

    @property
    def volumes(self) -> Iterator[tuple[PoolEntry, VolumeEntry]]:
        """Every volume, paired with its pool."""
        return ((pool, volume) for pool in self.pools for volume in pool.volumes)

    def get(self, name: str) -> PoolEntry | None:
        """Return the entry of the pool with this name, or ``None`` if the host has none of that name."""
        return next((pool for pool in self.pools if pool.name == name), None)

    def chains(self) -> Chains:
        """Return the backing chains: which volumes are based on which, in all pools."""
        from libstorage.models.chains import chains_of

        return chains_of(volume for _, volume in self.volumes)

    def chart(self, of: Literal["capacity", "promised"] = "capacity") -> Chart:
        """Return a picture of the running pools.

        Args:
            of: ``capacity``: how large each pool is and how much of it is used, in bytes. ``promised``: how much of
                each pool is used, and how much its volumes may grow to, in percent of its capacity.

        Raises:
            ValueError: If ``of`` is another word.
        """
        from libstorage.models.pictures import chart_of

        return chart_of(self.pools, of)

    @staticmethod
    def usage_chart(inventories: Iterable[Inventory], times: Sequence[datetime] | None = None) -> Chart:
        """Return a picture of the used space of each pool over several inventories of a host.

        Args:
            inventories: The inventories, the oldest first.
            times: The time of each inventory. Without times, the inventories are numbered.

        Raises:
            ValueError: If there are not as many times as inventories.
        """
        from libstorage.models.pictures import usage_chart

        return usage_chart([inventory.pools for inventory in inventories], times)

    def __repr__(self) -> str:
        volumes = sum(len(pool.volumes) for pool in self.pools)
        errors = sum(bool(pool.error) for pool in self.pools)
        errors += sum(bool(volume.error) for _, volume in self.volumes)
        counts = [counted(len(self.pools), "pool"), counted(volumes, "volume"), counted(errors, "error")]
        return f"<Inventory of {short_address(self.uri)}: {', '.join(counts)}>"

    def _page(self, most: int | None) -> Page:
        from libstorage.models.overview import host_page

        return host_page(self.uri, self.pools, most)
