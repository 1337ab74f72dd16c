"""Bars of ratios as SVG: to the right of 1 × slower than the floor, to the left faster, on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from math import ceil, floor, log10

from benchmarks.results import Result, Table, figure

WIDTH, NAMES, EDGE, ROW, TOP, BOTTOM = 760, 240, 70, 26, 46, 34
STYLE = """\
svg { font: 13px system-ui, sans-serif; }
.card { fill: #ffffff; stroke: #d1d9e0; } text { fill: #1f2328; } .small { fill: #59636e; font-size: 12px; }
.grid { stroke: #d1d9e0; } .one { stroke: #59636e; } .bar { fill: #9aa4af; } .ours { fill: #0969da; } .bold { font-weight: 600; }
@media (prefers-color-scheme: dark) {
  .card { fill: #0d1117; stroke: #3d444d; } text { fill: #f0f6fc; } .small { fill: #9198a1; }
  .grid { stroke: #3d444d; } .one { stroke: #9198a1; } .bar { fill: #656c76; } .ours { fill: #4493f8; }
}"""


def bars(table: Table, ours: str = "libstorage") -> str:
    """The picture of a table's ratios; the rows whose name holds ``ours`` stand out."""
    rows = [(result, result.ratio) for result in table.results if result.ratio]
    low = floor(min(log10(ratio) for _, ratio in rows))
    high = ceil(max(log10(ratio) for _, ratio in rows))
    if low == high:
        high += 1
    height = TOP + ROW * len(rows) + BOTTOM
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">',
        f"<title>{escape(table.title)}: ratios to {escape(table.floor)}</title>",
        f"<style>\n{STYLE}\n</style>",
        f'<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>',
        f'<text class="bold" x="16" y="28">{escape(table.title)}: time as a ratio to {escape(table.floor)}</text>',
        *_axis(low, high, height),
    ]
    for number, (result, ratio) in enumerate(rows):
        lines += _bar(result, ratio, TOP + ROW * number, low, high, ours)
    return "\n".join([*lines, "</svg>", ""])


def _across(power: float, low: int, high: int) -> float:
    return NAMES + (WIDTH - NAMES - EDGE) * (power - low) / (high - low)


def _axis(low: int, high: int, height: int) -> Iterator[str]:
    for power in range(low, high + 1):
        x = _across(power, low, high)
        kind = "grid" if power else "one"
        yield f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{height - BOTTOM}"/>'
        yield (
            f'<text class="small" x="{x:.1f}" y="{height - BOTTOM + 18}" text-anchor="middle">{10.0**power:g} ×</text>'
        )


def _bar(result: Result, ratio: float, top: int, low: int, high: int, ours: str) -> Iterator[str]:
    one, end = (_across(power, low, high) for power in (min(max(0, low), high), log10(ratio)))
    left, right = sorted((one, end))
    own = ours in result.name
    middle = top + ROW / 2 + 4.5
    bold = ' class="bold"' if own else ""
    yield f'<text{bold} x="{NAMES - 12}" y="{middle}" text-anchor="end">{escape(result.name)}</text>'
    yield (
        f'<rect class="{"ours" if own else "bar"}" x="{left:.1f}" y="{top + 5}" width="{max(right - left, 2):.1f}" '
        f'height="{ROW - 10}" rx="2"/>'
    )
    yield f'<text{bold} x="{right + 6:.1f}" y="{middle}">{figure(ratio)} ×</text>'
