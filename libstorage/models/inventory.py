"""The inventory: all pools and volumes of a host, read at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from attrs import frozen

from libstorage.display.inline import Bar, Cell, Dot, Run, Span, percent
from libstorage.display.page import Block, Page
from libstorage.display.segments import Segment, SegmentedBar
from libstorage.display.shown import Shown
from libstorage.display.table import Table, soft
from libstorage.display.text import brief, counted, joined, short_address
from libstorage.errors import StorageError
from libstorage.models.chains import Chains, chains_of
from libstorage.models.entries import VolumeEntry, error_tables, volume_tables
from libstorage.models.pool import PoolSpec
from libstorage.models.usage import Usage, capacity_chart, promised_chart, usage_chart, usage_of
from libstorage.xml import human

if TYPE_CHECKING:
    from libstorage.display.charts import Chart

_LARGEST = 5
_NOTE = "Used: allocated now. The mark is what the volumes may grow to (promised); above 100% a pool is over-committed."


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
        said = [self._type, self._state, counted(len(self.volumes), "volume") if self.active else ""]
        return f"<PoolEntry {brief(self.name, 40)!r}: {joined(said, ', ')}>"

    @property
    def _type(self) -> str:
        return brief(str(self.spec.type), 20) if self.spec else ""

    @property
    def _state(self) -> str:
        return "running" if self.active else "stopped"

    def _page(self, most: int | None) -> Page:
        usage = usage_of(self)
        path = self.spec.target.path if self.spec and self.spec.target else None
        said = joined(
            [path or "", _filled(usage), counted(len(self.volumes), "volume") if self.active else ""]
        )
        title = Run((Dot(self.active, self._state), Span(self.name)))
        about = (Span(self._type, "tag"), Span(self._state), soft(said))
        volumes = sorted(self.volumes, key=_allocated, reverse=True)
        blocks: list[Block] = [] if usage is None else [_filling(usage, volumes)]
        blocks += volume_tables(volumes, most) if self.volumes else []
        blocks += error_tables([(self.name, self.error)], most) if self.error else []
        note = "" if self.active else "libvirt knows the sizes and volumes of a pool while it runs."
        return Page(title=title, about=about, blocks=blocks, note=note)


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
        return chains_of(volume for _, volume in self.volumes)

    def chart(self, of: Literal["capacity", "promised"] = "capacity") -> Chart:
        """Return a picture of the running pools.

        Args:
            of: ``capacity``: how large each pool is and how much of it is used, in bytes. ``promised``: how much of
                each pool is used, and how much its volumes may grow to, in percent of its capacity.

        Raises:
            ValueError: If ``of`` is another word.
        """
        charts = {"capacity": capacity_chart, "promised": promised_chart}
        if of not in charts:
            raise ValueError(
                f"{of!r} is not a picture of an inventory: the pictures are capacity and promised"
            )
        return charts[of](self._usages())

    @staticmethod
    def usage_chart(inventories: Iterable[Inventory], times: Sequence[datetime] | None = None) -> Chart:
        """Return a picture of the used space of each pool over several inventories of a host.

        Args:
            inventories: The inventories, the oldest first.
            times: The time of each inventory. Without times, the inventories are numbered.

        Raises:
            ValueError: If there are not as many times as inventories.
        """
        return usage_chart((inventory._usages() for inventory in inventories), times)

    def _usages(self) -> list[Usage]:
        return [usage for pool in self._ordered() if (usage := usage_of(pool))]

    def _ordered(self) -> list[PoolEntry]:
        return sorted(self.pools, key=lambda pool: (not pool.active, pool.name))

    def _errors(self) -> list[tuple[str, StorageError]]:
        pools = [(f"pool {pool.name}", pool.error) for pool in self.pools if pool.error]
        volumes = [
            (f"{volume.name} in {pool.name}", volume.error) for pool, volume in self.volumes if volume.error
        ]
        return [*pools, *volumes]

    def _counts(self) -> list[str]:
        volumes = sum(len(pool.volumes) for pool in self.pools)
        return [
            counted(len(self.pools), "pool"),
            counted(volumes, "volume"),
            counted(len(self._errors()), "error"),
        ]

    def __repr__(self) -> str:
        return f"<Inventory of {short_address(self.uri)}: {joined(self._counts(), ', ')}>"

    def _page(self, most: int | None) -> Page:
        ordered = self._ordered()
        shown = ordered[:most]
        headers = ("pool", "type", "state", "used", "free", "promised", "volumes", "autostart")
        pools = Table(headers, [_pool_row(pool) for pool in shown], more=len(ordered) - len(shown))
        blocks: list[Block] = [pools]
        if most is None:
            blocks += [table for pool in ordered for table in volume_tables(pool.volumes, None, pool.name)]
        else:
            blocks += error_tables(self._errors(), most)
        running = sum(pool.active for pool in self.pools)
        total, volumes, errors = self._counts()
        said = joined([f"{total}, {running} running", volumes, errors if self._errors() else ""])
        return Page(title=short_address(self.uri), about=(soft(said),), blocks=blocks, note=_NOTE)


def _allocated(entry: VolumeEntry) -> int:
    return int(entry.spec.allocation or 0) if entry.spec else -1


def _filled(usage: Usage | None) -> str:
    return "" if usage is None else f"{human.rounded(usage.used)} of {human.rounded(usage.capacity)} used"


def _filling(usage: Usage, volumes: Sequence[VolumeEntry]) -> SegmentedBar:
    """Return what fills a pool: its largest volumes, the rest, and what is free."""
    large = [entry for entry in volumes[:_LARGEST] if 100 * _allocated(entry) > usage.capacity]
    parts = [Segment(entry.name, _allocated(entry), human.rounded(_allocated(entry))) for entry in large]
    rest = usage.used - sum(part.length for part in parts)
    if 200 * rest > usage.capacity:
        others = counted(len(volumes) - len(large), "other volume")
        parts.append(Segment(f"{others} and files", rest, human.rounded(rest), rest=True))
    return SegmentedBar(parts, usage.capacity, human.rounded(usage.free))


def _pool_row(pool: PoolEntry) -> tuple[Cell, ...]:
    usage = usage_of(pool)
    name = Run((Dot(pool.active, pool._state), Span(pool.name)))
    state = joined([pool._state, "redefined" if pool.is_redefined else ""], ", ")
    known = (name, pool._type, Run((Span(state), _error(pool))))
    volumes = "" if usage is None and not pool.volumes else f"{len(pool.volumes):,}"
    autostart = "yes" if pool.autostart else ""
    if usage is None:
        return *known, "", "", "", volumes, autostart
    used = Bar(usage.used, usage.capacity, usage.promised, alarms=True, label="used")
    return *known, used, human.size(usage.free), _promised(usage), volumes, autostart


def _promised(usage: Usage) -> Span:
    share = percent(usage.promised, usage.capacity)
    exact = f"{human.rounded(usage.promised)} promised to volumes"
    return Span(share, "warn" if usage.promised > usage.capacity else "", exact)


def _error(pool: PoolEntry) -> Span:
    return Span(type(pool.error).__name__, "bad") if pool.error else Span("")
