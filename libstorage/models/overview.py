"""What an inventory shows of a host and of a pool."""

from __future__ import annotations

from collections.abc import Sequence

from libstorage.display.inline import Bar, Cell, Dot, Run, Span, percent
from libstorage.display.page import Block, Page
from libstorage.display.segments import Segment, SegmentedBar
from libstorage.display.table import Table, soft
from libstorage.display.text import brief, counted, joined, short_address
from libstorage.errors import StorageError
from libstorage.models.entries import VolumeEntry
from libstorage.models.usage import Listed, Usage, ordered, usage_of
from libstorage.models.volume_tables import error_tables, volume_table, volume_tables
from libstorage.xml import human

_LARGEST = 5
_NOTE = "Used: allocated now. The mark is what the volumes may grow to (promised); above 100% a pool is over-committed."


def host_page(uri: str, pools: Sequence[Listed], most: int | None) -> Page:
    """Return what is shown of a host: a row for each pool, and without a limit a table of the volumes of each."""
    sorted_pools = ordered(pools)
    headers = ("pool", "type", "state", "used", "free", "promised", "volumes", "autostart")
    rows = [_pool_row(pool) for pool in sorted_pools[:most]]
    blocks: list[Block] = [Table(headers, rows, more=len(pools) - len(rows))]
    if most is None:
        blocks += [table for pool in sorted_pools for table in volume_table(pool.volumes, None, pool.name)]
    errors = _errors(pools)
    blocks += error_tables(errors, most)
    running = sum(pool.active for pool in pools)
    volumes = counted(sum(len(pool.volumes) for pool in pools), "volume")
    failed = counted(len(errors), "error") if errors else ""
    said = joined([f"{counted(len(pools), 'pool')}, {running} running", volumes, failed])
    return Page(title=short_address(uri), about=(soft(said),), blocks=blocks, note=_NOTE)


def pool_page(pool: Listed, most: int | None) -> Page:
    """Return what is shown of a pool: what fills it, and its volumes, the largest first."""
    usage = usage_of(pool)
    path = pool.spec.target.path if pool.spec and pool.spec.target else None
    count = counted(len(pool.volumes), "volume") if pool.active else ""
    title = Run((Dot(pool.active, pool.state), Span(pool.name)))
    about = (Span(_type(pool), "tag"), Span(pool.state), soft(joined([path or "", _filled(usage), count])))
    volumes = sorted(pool.volumes, key=_allocated, reverse=True)
    blocks: list[Block] = [] if usage is None else [_filling(usage, volumes)]
    blocks += volume_tables(volumes, most)
    blocks += error_tables([(pool.name, pool.error)], most) if pool.error else []
    note = "" if pool.active else "libvirt knows the sizes and volumes of a pool while it runs."
    return Page(title=title, about=about, blocks=blocks, note=note)


def _errors(pools: Sequence[Listed]) -> list[tuple[str, StorageError]]:
    of_pools = [(f"pool {pool.name}", pool.error) for pool in pools if pool.error]
    of_volumes = [
        (f"{entry.name} in {pool.name}", entry.error)
        for pool in pools
        for entry in pool.volumes
        if entry.error
    ]
    return [*of_pools, *of_volumes]


def _type(pool: Listed) -> str:
    return brief(str(pool.spec.type), 20) if pool.spec else ""


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
        number = len(volumes) - len(large)
        others = (
            f"{counted(number, 'other volume')} and files"
            if large
            else f"{counted(number, 'volume')} and other files"
        )
        parts.append(Segment(others, rest, human.rounded(rest), rest=True))
    return SegmentedBar(parts, usage.capacity, human.rounded(usage.free))


def _pool_row(pool: Listed) -> tuple[Cell, ...]:
    usage = usage_of(pool)
    name = Run((Dot(pool.active, pool.state), Span(pool.name)))
    state = joined([pool.state, "redefined" if pool.is_redefined else ""], ", ")
    known = (name, _type(pool), Run((Span(state), _error(pool))))
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


def _error(pool: Listed) -> Span:
    return Span(type(pool.error).__name__, "bad") if pool.error else Span("")
