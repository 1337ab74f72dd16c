"""Tables as text and HTML. All tables of libstorage are rendered here; the module does not depend on any model."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

import attrs

_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})

_NUMERIC = re.compile(r"[-+]?[0-9][0-9.,]*( ?(%|bytes?|[KMGTPE]i?B))?")
_GAP = "  "


def printable(text: str) -> str:
    """Return ``text`` with every unprintable character replaced by a Python escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _escape(text: str) -> str:
    """Return ``text`` escaped for HTML (``html.escape`` would load all of HTML's entities)."""
    return text.translate(_HTML)


def _cells(cells: Sequence[str]) -> tuple[str, ...]:
    return tuple(map(printable, cells))


def _rows(rows: Iterable[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(map(_cells, rows))


@attrs.frozen
class Table:
    """A table of text, shown on a terminal or in a notebook.

    Columns that hold only numbers and sizes are aligned to the right. Unprintable characters are shown as escapes,
    because names on a host may contain line ends or terminal commands.

    Attributes:
        headers: One title per column.
        rows: The rows; each has one cell per header.
        title: Title above the table; empty for none.

    Raises:
        ValueError: If a row has more or fewer cells than the table has headers.
    """

    headers: Sequence[str] = attrs.field(converter=_cells)
    rows: Sequence[Sequence[str]] = attrs.field(converter=_rows)
    title: str = attrs.field(default="", converter=printable)

    def __attrs_post_init__(self) -> None:
        for number, row in enumerate(self.rows, 1):
            if len(row) != len(self.headers):
                raise ValueError(
                    f"row {number} has {len(row)} cells, but the table has {len(self.headers)} columns: {row}"
                )

    def text(self) -> str:
        """Return the table as lines of plain text, without a line end after the last line."""
        columns = [list(column) for column in zip(self.headers, *self.rows, strict=True)]
        widths = [max(map(_width, column)) for column in columns]
        rule = tuple("─" * width for width in widths)
        numeric = list(self._numeric())
        lines = (
            _GAP.join(map(_padded, line, widths, numeric)).rstrip()
            for line in (self.headers, rule, *self.rows)
        )
        return "\n".join([self.title, *lines] if self.title else lines)

    def html(self) -> str:
        """Return the table as one HTML ``<table>`` element with all content escaped."""
        numeric = list(self._numeric())
        caption = f"<caption>{_escape(self.title)}</caption>" if self.title else ""
        head = _html_row("th", self.headers, numeric)
        body = "".join(_html_row("td", row, numeric) for row in self.rows)
        return f"<table>{caption}<thead>{head}</thead><tbody>{body}</tbody></table>"

    def _numeric(self) -> Iterator[bool]:
        for index in range(len(self.headers)):
            filled = [row[index] for row in self.rows if row[index]]
            yield bool(filled) and all(map(_NUMERIC.fullmatch, filled))


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _padded(text: str, width: int, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def _html_row(tag: str, cells: Iterable[str], numeric: Iterable[bool]) -> str:
    return f"<tr>{''.join(_html_cell(tag, text, right) for text, right in zip(cells, numeric, strict=True))}</tr>"


def _html_cell(tag: str, text: str, right: bool) -> str:
    style = "right" if right else "left"
    return f'<{tag} style="text-align: {style}">{_escape(text)}</{tag}>'
