"""Pictures of inventories: the space of pools, what is promised of it, and how it changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from math import ceil

from libstorage.display.charts import Axis, BarRow, Bars, Chart, Lines, Series
from libstorage.display.inline import percent
from libstorage.display.shown import MOST
from libstorage.models.usage import Listed, Usage, usages_of
from libstorage.xml import human

_PERCENT_STEPS = (20, 50, 100, 200, 500, 1000)
_MARKS = 4


def chart_of(pools: Sequence[Listed], of: str) -> Chart:
    """Return a picture of the running pools: ``capacity`` or ``promised``.

    Raises:
        ValueError: If ``of`` is another word.
    """
    charts = {"capacity": _capacity_chart, "promised": _promised_chart}
    if of not in charts:
        raise ValueError(f"{of!r} is not a picture of an inventory: the pictures are {' and '.join(charts)}")
    return charts[of](usages_of(pools))


def _capacity_chart(pools: Sequence[Usage]) -> Chart:
    """Return the picture of the space of pools: how large each is, and how much of it is used."""
    shown = pools[:MOST]
    rows = [
        BarRow(
            each.name,
            each.used,
            each.capacity,
            None,
            f"{human.rounded(each.used)} of {human.rounded(each.capacity)}",
        )
        for each in shown
    ]
    axis = _axis_of(max((each.capacity for each in shown), default=0))
    about = "Each bar is as long as the pool is large; its filled part is used."
    return Chart(
        Bars(rows, axis, "Capacity by pool", about, len(pools) - len(shown)), "Capacity by pool", about
    )


def _promised_chart(pools: Sequence[Usage]) -> Chart:
    """Return the picture of what is used and promised of each pool, in percent of its capacity."""
    shown = pools[:MOST]
    rows = [
        BarRow(
            each.name,
            100 * each.used / each.capacity,
            100,
            100 * each.promised / each.capacity,
            f"{percent(each.used, each.capacity)} used, {percent(each.promised, each.capacity)} promised",
        )
        for each in shown
    ]
    end = max([100.0, *(row.mark or 0.0 for row in rows)])
    step = next((step for step in _PERCENT_STEPS if end / step <= _MARKS), end / _MARKS)
    steps = ceil(end / step)
    marks = [(step * place, f"{step * place:.0f}%") for place in range(steps + 1)]
    about = "Filled: used. Mark: promised to volumes. Above 100% a pool is over-committed."
    bars = Bars(rows, Axis(step * steps, marks), "Used and promised by pool", about, len(pools) - len(shown))
    return Chart(bars, "Used and promised by pool", about)


def usage_chart(inventories: Sequence[Sequence[Listed]], times: Sequence[datetime] | None) -> Chart:
    """Return the picture of the used space of pools over several inventories.

    Args:
        inventories: The pools of each inventory.
        times: The time of each inventory; ``None`` numbers them.

    Raises:
        ValueError: If there are not as many times as inventories.
    """
    found = [{each.name: each for each in usages_of(pools)} for pools in inventories]
    if times is not None and len(times) != len(found):
        raise ValueError(f"there are {len(found)} inventories, but {len(times)} times")
    names = sorted({name for usage in found for name in usage})
    shown = names[:12]
    values = {name: _values(found, name) for name in shown}
    series = [Series(name, used, _notes(used)) for name, used in values.items()]
    highest = max((usage[name].used for usage in found for name in shown if name in usage), default=0)
    places, labels = _places(len(found), times)
    about = "Each line is the used space of a pool."
    lines = Lines(
        series, places, labels, _axis_of(highest), "Used space over time", about, len(names) - len(shown)
    )
    return Chart(lines, "Used space over time", about)


def _values(found: list[dict[str, Usage]], name: str) -> list[int | None]:
    return [usage[name].used if name in usage else None for usage in found]


def _notes(values: Iterable[int | None]) -> list[str]:
    return ["" if value is None else human.rounded(value) for value in values]


def _places(number: int, times: Sequence[datetime] | None) -> tuple[list[float], list[str]]:
    """Return where the inventories stand between the first, at 0, and the last, at 1, and what they are called."""
    if times is None:
        return [place / max(1, number - 1) for place in range(number)], [
            f"{place + 1}" for place in range(number)
        ]
    if not times:
        return [], []
    first, last = min(times), max(times)
    span = (last - first).total_seconds() or 1.0
    form = "%H:%M:%S" if span < 3600 else "%Y-%m-%d" if span > 5 * 86400 else "%m-%d %H:%M"
    return [(time - first).total_seconds() / span for time in times], [f"{time:{form}}" for time in times]


def _axis_of(highest: int) -> Axis:
    """Return the scale of sizes up to ``highest`` bytes, with at most five marks at powers of two."""
    step = next(1 << power for power in range(64) if _MARKS << power >= highest)
    end = max(highest, 1)
    marks = range(0, end + 1, step)
    return Axis(end, [(mark, human.rounded(mark) if mark else "0") for mark in marks])
