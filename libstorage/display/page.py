"""A page: a heading, blocks, and a note, with the one style of all displays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import attrs

from libstorage.display.inline import Cell, Run, inline
from libstorage.display.style import STYLE
from libstorage.display.text import bounded, escape


class Block(Protocol):
    """A part of a page."""

    def text(self) -> str:
        """Return it as lines of plain text."""
        ...

    def html(self) -> str:
        """Return it as HTML with all content escaped."""
        ...


@attrs.frozen
class Page:
    """What a value shows.

    Where a program drops the style (an untrusted notebook, a code host, a mail), the text is shown.

    Attributes:
        title: What is shown; empty for no heading.
        about: What the heading says beside it.
        blocks: Tables, trees, bars and pictures, from top to bottom.
        note: A line below them: what to do next, or what a mark means.
    """

    title: Cell = ""
    about: Sequence[Cell] = ()
    blocks: Sequence[Block] = ()
    note: str = attrs.field(default="", converter=bounded)

    def text(self) -> str:
        """Return the page as lines of plain text."""
        head = Run((inline(self.title), *map(inline, self.about))).text()
        return "\n".join(filter(None, [head, *(block.text() for block in self.blocks), self.note]))

    def html(self) -> str:
        """Return the page as HTML: the text, and the rich form that takes its place where styles work."""
        rich = "".join([self._head(), *(block.html() for block in self.blocks), self._foot()])
        return (
            f'<div>{STYLE}<pre class="ls-text">{escape_lines(self.text())}</pre>'
            f'<div class="ls" tabindex="0" hidden="hidden" style="display:none">{rich}</div></div>'
        )

    def _head(self) -> str:
        title = inline(self.title)
        if not title.text():
            return ""
        about = "".join(f" {inline(part).html()}" for part in self.about)
        return f'<div class="head"><b>{title.html()}</b>{about}</div>'

    def _foot(self) -> str:
        return f'<div class="note">{escape(self.note)}</div>' if self.note else ""


def escape_lines(text: str) -> str:
    """Return lines of text escaped for HTML."""
    return "\n".join(map(escape, text.split("\n")))
