"""Pictures without a plotting library: bars, lines, and boxes with links."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import attrs

from libstorage.display import svg
from libstorage.display.inline import Cell
from libstorage.display.page import Page
from libstorage.display.shown import Shown
from libstorage.display.style import PALETTE
from libstorage.display.table import Table, left_out
from libstorage.display.text import bounded, width
from libstorage.display.tree import Tree

_LONGEST_LABELS = 170
_ROW = 26
_BAR = 13
_VALUES = 190
_CELLS = 40


class Picture(Protocol):
    """A block that is a picture."""

    def text(self) -> str:
        """Return what the picture shows as lines of plain text."""
        ...

    def svg(self, *, alone: bool = False) -> str:
        """Return the picture as an ``<svg>`` element, or with ``alone`` as the text of a file."""
        ...


@attrs.frozen(repr=False)
class Chart(Shown):
    """A picture for notebooks and pages: it takes the color of the text around it, in light and dark.

    ``print(chart)`` shows the same as text; ``chart.svg()`` is the text of an SVG file.
    """

    picture: Picture
    title: str = attrs.field(converter=bounded)
    note: str = attrs.field(default="", converter=bounded)

    def svg(self) -> str:
        """Return the picture as the text of an SVG file."""
        return self.picture.svg(alone=True)

    def _page(self, most: int | None) -> Page:
        return Page(title=self.title, blocks=(_Drawn(self.picture),), note=self.note)

    def __repr__(self) -> str:
        return f"<Chart: {self.title}>"


@attrs.frozen
class _Drawn:
    picture: Picture

    def text(self) -> str:
        return self.picture.text()

    def html(self) -> str:
        return self.picture.svg()


@attrs.frozen
class Axis:
    """The scale of a picture: its end, and its marks with their texts."""

    end: float
    marks: Sequence[tuple[float, str]]

    def place(self, value: float) -> float:
        """Return where a value stands on the axis: from 0, at its begin, to 1."""
        return min(1.0, max(0.0, value / self.end)) if self.end else 0.0


@attrs.frozen
class BarRow:
    """One row of bars.

    Attributes:
        label: What the row is about.
        part: Length of the filled bar.
        whole: Length of the track behind it; 0 draws none.
        mark: Place of a mark; ``None`` draws none.
        note: The values, as text.
    """

    label: str = attrs.field(converter=bounded)
    part: float
    whole: float
    mark: float | None
    note: str = attrs.field(converter=bounded)


@attrs.frozen
class Bars:
    """Horizontal bars on one scale.

    Attributes:
        rows: The rows, from top to bottom.
        axis: The scale.
        title: What a screen reader calls the picture.
        about: What the bars and marks mean.
        more: The number of rows that are left out.
    """

    rows: Sequence[BarRow]
    axis: Axis
    title: str
    about: str
    more: int = 0

    def text(self) -> str:
        """Return a line of characters for each bar."""
        names = max((width(row.label) for row in self.rows), default=0)
        lines = [
            f"{row.label}{' ' * (names - width(row.label))}  {self._characters(row)}  {row.note}"
            for row in self.rows
        ]
        return "\n".join([*lines, *filter(None, [left_out(self.more)])])

    def _characters(self, row: BarRow) -> str:
        part, whole = (round(_CELLS * self.axis.place(value)) for value in (row.part, row.whole))
        cells = ["█"] * part + ["░"] * (whole - part)
        cells += [" "] * (_CELLS - len(cells))
        if row.mark is not None:
            cells[min(_CELLS - 1, int(_CELLS * self.axis.place(row.mark)))] = "┃"
        return "".join(cells)

    def svg(self, *, alone: bool = False) -> str:
        """Return the picture."""
        bottom = 8 + _ROW * len(self.rows)
        parts = [*self._scale(bottom)]
        for number, row in enumerate(self.rows):
            parts.extend(self._row(8 + number * _ROW, row))
        values = "; ".join(f"{row.label}: {row.note}" for row in self.rows)
        return svg.svg(parts, (svg.WIDTH, bottom + 24), self.title, f"{self.about} {values}", alone=alone)

    @property
    def _begin(self) -> float:
        """Where the bars begin: right of the longest label."""
        return min(_LONGEST_LABELS, max((svg.length(row.label) for row in self.rows), default=0) + 14)

    def _scale(self, bottom: float) -> Iterator[str]:
        for value, label in self.axis.marks:
            x = self._x(value)
            yield svg.line(x, 4, x, bottom)
            yield svg.text(x, bottom + 15, label, anchor="middle", soft=True)

    def _x(self, value: float) -> float:
        return self._begin + (svg.WIDTH - self._begin - _VALUES) * self.axis.place(value)

    def _row(self, y: float, row: BarRow) -> Iterator[str]:
        middle, begin = y + _BAR - 2, self._begin
        yield svg.text(begin - 10, middle, row.label, anchor="end", most=_LONGEST_LABELS - 14)
        yield svg.rect(begin, y, self._x(row.whole) - begin, _BAR, "currentColor", opacity=0.13)
        yield svg.rect(begin, y, self._x(row.part) - begin, _BAR, svg.BLUE)
        if row.mark is not None:
            yield svg.line(self._x(row.mark), y - 3, self._x(row.mark), y + _BAR + 3, opacity=1, thick=2)
        yield svg.text(svg.WIDTH - _VALUES + 14, middle, row.note, soft=True, most=_VALUES - 14)


@attrs.frozen
class Series:
    """A line: its name, and its values at each place; ``None`` leaves a gap."""

    name: str = attrs.field(converter=bounded)
    values: Sequence[float | None]
    notes: Sequence[str]


_DASHES = ("", "6 3", "2 3", "8 3 2 3", "12 4", "1 2")


@attrs.frozen
class Lines:
    """Lines over the same places, each with its own color and dashes, and its name at its end.

    Attributes:
        series: The lines.
        places: Where the values stand, from 0 to 1.
        names: What the places are called.
        axis: The scale of the values.
        title: What a screen reader calls the picture.
        about: What the lines mean.
        more: The number of lines that are left out.
    """

    series: Sequence[Series]
    places: Sequence[float]
    names: Sequence[str]
    axis: Axis
    title: str
    about: str
    more: int = 0

    def text(self) -> str:
        """Return a table: a row per line, a column per place."""
        rows: list[tuple[Cell, ...]] = [(each.name, *each.notes) for each in self.series]
        return Table(("", *self.names), rows, more=self.more).text()

    def svg(self, *, alone: bool = False) -> str:
        """Return the picture."""
        parts = [*self._scale()]
        heights = self._ends()
        for number, each in enumerate(self.series):
            parts.extend(self._line(number, each, heights[number]))
        told = "; ".join(f"{each.name}: {', '.join(filter(None, each.notes))}" for each in self.series)
        return svg.svg(parts, (svg.WIDTH, 260), self.title, f"{self.about} {told}", alone=alone)

    def _x(self, place: float) -> float:
        return 80 + place * (svg.WIDTH - 80 - _VALUES)

    def _y(self, value: float) -> float:
        return 220 - 200 * self.axis.place(value)

    def _scale(self) -> Iterator[str]:
        for value, label in self.axis.marks:
            yield svg.line(self._x(0), self._y(value), self._x(1), self._y(value))
            yield svg.text(70, self._y(value) + 4, label, anchor="end", soft=True)
        step = max(1, -(-len(self.names) // 5))
        for place, name in [*zip(self.places, self.names, strict=True)][::step]:
            yield svg.text(self._x(place), 238, name, anchor="middle", soft=True)

    def _ends(self) -> dict[int, float]:
        """Return where the names of the lines stand: as near to their ends as there is room."""
        lasts = {
            number: self._y(next((value for value in reversed(each.values) if value is not None), 0))
            for number, each in enumerate(self.series)
        }
        heights: dict[int, float] = {}
        above = -100.0
        for number in sorted(lasts, key=lambda number: lasts[number]):
            above = heights[number] = max(lasts[number], above + 15)
        below = 250.0
        for number in reversed(heights):
            below = heights[number] = min(heights[number], below - 15 if below < 250 else 246.0)
        return heights

    def _line(self, number: int, series: Series, height: float) -> Iterator[str]:
        color, dashes = PALETTE[number % len(PALETTE)], _DASHES[number % len(_DASHES)]
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        points = [
            (self._x(place), self._y(value))
            for place, value in zip(self.places, series.values, strict=True)
            if value is not None
        ]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        if path:
            yield f'<path d="M{path}" fill="none" stroke="{color}" stroke-width="2"{dashed}/>'
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{color}"/>' for x, y in points)
        x = self._x(1) + 12
        yield svg.rect(x, height - 4, 12, 4, color)
        yield svg.text(x + 17, height + 3, series.name, most=_VALUES - 34)


@attrs.frozen
class Box:
    """A box of a graph: its level, its name, and a note that stands on hover."""

    level: int
    name: str = attrs.field(converter=bounded)
    note: str = attrs.field(converter=bounded)


@attrs.frozen
class Graph:
    """Boxes in columns by their level, each linked to the nearest box before it that is one level lower.

    Attributes:
        boxes: The boxes; a level is at most one more than the one before.
        title: What a screen reader calls the picture.
        about: What the links mean.
        more: The number of boxes that are left out.
    """

    boxes: Sequence[Box]
    title: str
    about: str
    more: int = 0

    def text(self) -> str:
        """Return a tree."""
        return Tree([(box.level, f"{box.name}  {box.note}".rstrip()) for box in self.boxes], self.more).text()

    def svg(self, *, alone: bool = False) -> str:
        """Return the picture."""
        heights, parents = self._placed()
        parts: list[str] = []
        for box, y, parent in zip(self.boxes, heights, parents, strict=True):
            x = 4 + 240 * box.level
            if parent is not None:
                parts.append(_link(x - 54, heights[parent], x, y))
            parts.append(_box(x, y, box))
        rows = max(heights, default=0.0)
        if self.more:
            rows += 30
            parts.append(svg.text(4, rows + 4, left_out(self.more), soft=True, most=svg.WIDTH))
        across = 4 + 240 * max((box.level for box in self.boxes), default=0) + 190
        size = (max(svg.WIDTH, across), rows + 24)
        said = f"{self.about} {len(self.boxes) + self.more} in all."
        return svg.svg(parts, size, self.title, said, alone=alone)

    def _placed(self) -> tuple[list[float], list[int | None]]:
        """Return the height of each box and the number of the box that it is linked to.

        A box without others behind it takes the next row; another one stands in the middle of those behind it.
        """
        parents: list[int | None] = []
        last: dict[int, int] = {}
        for number, box in enumerate(self.boxes):
            parents.append(last.get(box.level - 1))
            last[box.level] = number
        inner = set(parents)
        rows = iter(range(len(self.boxes)))
        heights = [0.0 if number in inner else 22.0 + 34 * next(rows) for number in range(len(self.boxes))]
        behind: dict[int, list[float]] = {}
        for number in reversed(range(len(self.boxes))):
            if number in behind:
                heights[number] = sum(behind[number]) / len(behind[number])
            if (parent := parents[number]) is not None:
                behind.setdefault(parent, []).append(heights[number])
        return heights, parents


def _link(x: float, y: float, to_x: float, to_y: float) -> str:
    half = (x + to_x) / 2
    return (
        f'<path d="M{x:.0f} {y:.1f}C{half:.0f} {y:.1f},{half:.0f} {to_y:.1f},{to_x:.0f} {to_y:.1f}" fill="none" '
        'stroke="currentColor" stroke-opacity=".4" stroke-width="1.5"/>'
    )


def _box(x: float, y: float, box: Box) -> str:
    shade = 0.28 if box.level == 0 else 0.12
    frame = svg.rect(x, y - 13, 186, 26, svg.BLUE, opacity=shade, more=f' rx="5" stroke="{svg.BLUE}"')
    return svg.group(frame, svg.text(x + 9, y + 4, box.name, most=172), title=f"{box.name} {box.note}")
