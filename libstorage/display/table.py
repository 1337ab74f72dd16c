"""Tables, and lists of fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import attrs

from libstorage.display.inline import Cell, Inline, Span, inline
from libstorage.display.text import bounded, escape, padded, width

_NUMERIC = re.compile(r"[-+]?[0-9][0-9.,]*( ?(%|bytes?|[KMGTPE]i?B))?|[<>][0-9]+%")
_GAP = "  "
_WIDEST = 60  # a longer cell moves only what follows in its own row


def _cells(cells: Iterable[Cell]) -> tuple[Inline, ...]:
    return tuple(map(inline, cells))


def _rows(rows: Iterable[Iterable[Cell]]) -> tuple[tuple[Inline, ...], ...]:
    return tuple(map(_cells, rows))


def _headers(headers: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(bounded, headers))


@attrs.frozen
class Table:
    """A table, whose first column names its rows.

    Columns that hold only numbers and sizes are aligned to the right. Unprintable characters are shown as escapes,
    because names on a host may contain line ends or terminal commands.

    Attributes:
        headers: One title per column.
        rows: The rows; each has one cell per header.
        title: Title above the table; empty for none.
        more: The number of rows that are left out, for a line below the others.

    Raises:
        ValueError: If a row has more or fewer cells than the table has headers.
    """

    headers: Sequence[str] = attrs.field(converter=_headers)
    rows: Sequence[Sequence[Cell]] = attrs.field(converter=_rows)
    title: str = attrs.field(default="", converter=bounded)
    more: int = 0

    def __attrs_post_init__(self) -> None:
        for number, row in enumerate(self.rows, 1):
            if len(row) != len(self.headers):
                raise ValueError(
                    f"row {number} has {len(row)} cells, but the table has {len(self.headers)} columns: {row}"
                )

    def text(self) -> str:
        """Return the table as lines of plain text, without a line end after the last line."""
        rows = self._texts()
        columns = [list(column) for column in zip(self.headers, *rows, strict=True)]
        widths = [min(_WIDEST, max(map(width, column))) for column in columns]
        rule = tuple("─" * columns for columns in widths)
        right = list(_numeric(rows, len(self.headers)))
        lines = [_line(line, widths, right) for line in (self.headers, rule, *rows)]
        return "\n".join([*filter(None, [self.title]), *lines, *filter(None, [left_out(self.more)])])

    def html(self) -> str:
        """Return the table as one ``<table>`` element."""
        right = list(_numeric(self._texts(), len(self.headers)))
        caption = f"<caption>{escape(self.title)}</caption>" if self.title else ""
        head = "".join(map(_header, self.headers, right))
        body = "".join(map(_html_row, self.rows, (right,) * len(self.rows)))
        foot = left_out(self.more)
        foot = foot and f'<tfoot><tr><td colspan="{len(self.headers)}">{escape(foot)}</td></tr></tfoot>'
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody>{foot}</table>"

    def _texts(self) -> list[tuple[str, ...]]:
        return [tuple(inline(cell).text() for cell in row) for row in self.rows]


def left_out(more: int) -> str:
    """Return the line that stands for rows that are left out; empty without such rows."""
    return f"… {more:,} more; print() shows all" if more else ""


def _numeric(rows: list[tuple[str, ...]], columns: int) -> Iterator[bool]:
    for index in range(columns):
        filled = [row[index] for row in rows if row[index]]
        yield bool(filled) and all(map(_NUMERIC.fullmatch, filled))


def _line(cells: Sequence[str], widths: list[int], right: list[bool]) -> str:
    columns = zip(cells, widths, right, strict=True)
    return _GAP.join(padded(text, columns, right=right) for text, columns, right in columns).rstrip()


def _header(title: str, right: bool) -> str:
    return f'<th scope="col"{_side(right)}>{escape(title)}</th>'


def _side(right: bool) -> str:
    return ' class="n"' if right else ""


def _html_row(row: Sequence[Cell], right: list[bool]) -> str:
    first, *others = row
    cells = "".join(
        f"<td{_side(side)}>{inline(cell).html()}</td>" for cell, side in zip(others, right[1:], strict=True)
    )
    return f'<tr><th scope="row"{_side(right[0])}>{inline(first).html()}</th>{cells}</tr>'


@attrs.frozen
class Fields:
    """Values with their names, in groups that may contain groups.

    Attributes:
        rows: Pairs of a name and a value.
        groups: Pairs of a name and the fields of a group.
    """

    rows: Sequence[tuple[str, Cell]] = ()
    groups: Sequence[tuple[str, Fields]] = ()

    def flat(self, depth: int = 0) -> Iterator[tuple[int, str, Inline | None]]:
        """Yield each line: how deep it stands, its name, and its value; ``None`` for the name of a group."""
        for name, value in self.rows:
            yield depth, bounded(name), inline(value)
        for name, group in self.groups:
            yield depth, bounded(name), None
            yield from group.flat(depth + 1)

    def capped(self, most: int | None) -> Lines:
        """Return the lines, at most ``most`` of them."""
        lines = tuple(self.flat())
        kept = lines[:most]
        return Lines(kept, len(lines) - len(kept))


@attrs.frozen
class Lines:
    """The lines of a list of fields, and the number of those that are left out."""

    lines: tuple[tuple[int, str, Inline | None], ...]
    more: int = 0

    def text(self) -> str:
        """Return a line per field, with the values in one column."""
        names = max((2 * depth + width(name) for depth, name, value in self.lines if value), default=0)
        lines = [
            "  " * depth + (padded(name, names - 2 * depth) + _GAP + value.text() if value else name)
            for depth, name, value in self.lines
        ]
        return "\n".join(filter(None, [*map(str.rstrip, lines), left_out(self.more)]))

    def html(self) -> str:
        """Return a table of two columns, in which each row has its name as its header."""
        foot = left_out(self.more)
        foot = foot and f'<tfoot><tr><td colspan="2">{escape(foot)}</td></tr></tfoot>'
        return f'<table class="fields"><tbody>{"".join(map(_html_field, self.lines))}</tbody>{foot}</table>'


def _html_field(line: tuple[int, str, Inline | None]) -> str:
    depth, name, value = line
    deep = f' style="padding-left:{1.2 * depth:.1f}em"' if depth else ""
    if value is None:
        return f'<tr><th scope="rowgroup" colspan="2"{deep}>{escape(name)}</th></tr>'
    return f'<tr><th scope="row"{deep}>{escape(name)}</th><td>{value.html()}</td></tr>'


def soft(text: str) -> Inline:
    """Return a text that stands back behind others."""
    return Span(text, "soft")
