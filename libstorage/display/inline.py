"""What stands in a line or a cell: a piece of text, a bar, several of them."""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

import attrs

from libstorage.display.text import bounded, escape

Style: TypeAlias = Literal["", "strong", "soft", "tag", "whole", "good", "warn", "bad", "old", "new"]

_TAGS: dict[str, tuple[str, str]] = {
    "strong": ("<b", "</b>"),
    "old": ("<del", "</del>"),
    "new": ("<ins", "</ins>"),
}
_CELLS = 12
_ALMOST_FULL, _FILLING = 0.95, 0.8


class Inline(Protocol):
    """A part of a line."""

    def text(self) -> str:
        """Return it as plain text in one line."""
        ...

    def html(self) -> str:
        """Return it as HTML with all content escaped."""
        ...


@attrs.frozen
class Span:
    """A piece of text.

    Attributes:
        content: The text.
        style: What it looks like in HTML. The text must say the same without its style.
        title: What a mouse over the text shows, in HTML only: the exact value of a rounded one.
    """

    content: str = attrs.field(converter=bounded)
    style: Style = ""
    title: str = attrs.field(default="", converter=bounded)

    def text(self) -> str:
        """Return the text."""
        return self.content

    def html(self) -> str:
        """Return the text as an element, or bare if it has neither a style nor a title."""
        title = f' title="{escape(self.title)}"' if self.title else ""
        if self.style in _TAGS:
            before, after = _TAGS[self.style]
            return f"{before}{title}>{escape(self.content)}{after}"
        kind = f' class="{self.style}"' if self.style else ""
        return f"<span{kind}{title}>{escape(self.content)}</span>" if kind or title else escape(self.content)


@attrs.frozen
class Run:
    """Parts of a line, one after another with a blank between them; empty parts are left out."""

    parts: tuple[Inline, ...]

    def text(self) -> str:
        """Return the texts with blanks between them."""
        return " ".join(filter(None, (part.text() for part in self.parts)))

    def html(self) -> str:
        """Return the parts with blanks between them."""
        return " ".join(filter(None, (part.html() for part in self.parts)))


@attrs.frozen
class Dot:
    """A state: a full or an empty circle, and the word for it.

    Attributes:
        on: Whether the circle is full.
        word: The word for the state, which HTML shows to screen readers and on hover.
        style: Color of the circle.
    """

    on: bool
    word: str = attrs.field(converter=bounded)
    style: Style = "good"

    @property
    def _sign(self) -> str:
        return "●" if self.on else "○"

    def text(self) -> str:
        """Return the circle."""
        return self._sign

    def html(self) -> str:
        """Return the circle as an image that the word describes."""
        word = escape(self.word)
        kind = self.style if self.on else "soft"
        return f'<span class="dot {kind}" role="img" aria-label="{word}" title="{word}">{self._sign}</span>'


@attrs.frozen
class Bar:
    """A share of a whole, as a bar and as a percentage.

    Attributes:
        part: The share.
        whole: The whole; 0 shows nothing.
        mark: Place of a mark on the bar, in the unit of ``whole``. A mark past the end stands at the end.
        alarms: Whether the color warns of a bar that is almost full.
        label: What a screen reader says of the bar.
    """

    part: int
    whole: int
    mark: int | None = None
    alarms: bool = False
    label: str = attrs.field(default="", converter=bounded)

    @property
    def _share(self) -> float:
        return min(1.0, max(0.0, self.part / self.whole))

    def text(self) -> str:
        """Return the bar in block characters, with the percentage."""
        if not self.whole:
            return ""
        full = round(self._share * _CELLS)
        cells = ["█"] * full + ["░"] * (_CELLS - full)
        if self.mark is not None:
            cells[min(_CELLS - 1, self.mark * _CELLS // self.whole)] = "┃"
        return f"{''.join(cells)} {percent(self.part, self.whole):>4}"

    def html(self) -> str:
        """Return the bar as an element, with the percentage."""
        if not self.whole:
            return ""
        color = self._color() if self.alarms else ""
        mark = ""
        if self.mark is not None:
            mark = f'<u style="left:calc({min(100.0, 100 * self.mark / self.whole):.0f}% - 2px)"></u>'
        shown = percent(self.part, self.whole)
        said = escape(f"{self.label} {shown}".strip())
        return (
            f'<span class="b"><span class="bar" role="img" aria-label="{said}"><i{color} style="width:'
            f'{100 * self._share:.0f}%"></i>{mark}</span> <span class="soft">{escape(shown)}</span></span>'
        )

    def _color(self) -> str:
        name = "full" if self._share >= _ALMOST_FULL else "high" if self._share >= _FILLING else ""
        return f' class="{name}"' if name else ""


def percent(part: int, whole: int) -> str:
    """Return a share in whole percent: ``29%``. A share that is neither nothing nor all never looks like it."""
    share = 100 * part / whole if whole else 0.0
    if 0 < share < 1:
        return "<1%"
    return ">99%" if 99 < share < 100 else f"{share:.0f}%"


Cell: TypeAlias = str | Inline


def inline(cell: Cell) -> Inline:
    """Return a cell as a part of a line."""
    return Span(cell) if isinstance(cell, str) else cell
