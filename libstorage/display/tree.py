"""Trees: nested lists, from the root to the leaves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from libstorage.display.inline import Cell, inline
from libstorage.display.table import left_out
from libstorage.display.text import escape


@attrs.frozen
class Tree:
    """Lines below each other, each under the nearest line before it that stands one level higher.

    Attributes:
        lines: Pairs of a level, 0 for roots, and what the line shows. A level is at most one more than the one before.
        more: The number of lines that are left out.
    """

    lines: Sequence[tuple[int, Cell]]
    more: int = 0

    def text(self) -> str:
        """Return one line of text per line, with the branches drawn before it."""
        drawn = [
            branch + inline(cell).text()
            for branch, (_, cell) in zip(self._branches(), self.lines, strict=True)
        ]
        return "\n".join(filter(None, [*drawn, left_out(self.more)]))

    def _branches(self) -> list[str]:
        """Return what stands before each line, found from the last line to the first: each hides those below it."""
        branches: list[str] = []
        goes_on: list[bool] = []  # for each level, whether another line of this level follows below
        for level, _ in reversed(self.lines):
            goes_on += [False] * (level + 1 - len(goes_on))
            before = "".join("│  " if there else "   " for there in goes_on[1:level])
            branches.append(f"{before}{'├─ ' if goes_on[level] else '└─ '}" if level else "")
            goes_on[level] = True
            del goes_on[level + 1 :]
        return branches[::-1]

    def html(self) -> str:
        """Return nested lists."""
        return f'<ul class="tree">{"".join(self._items())}</ul>{self._foot()}'

    def _items(self) -> Iterator[str]:
        depth = 0
        for number, (level, cell) in enumerate(self.lines):
            if level > depth:
                yield "<ul>"
            elif number:
                yield "</li>" + "</ul></li>" * (depth - level)
            depth = level
            yield f"<li>{inline(cell).html()}"
        if self.lines:
            yield "</li>" + "</ul></li>" * depth

    def _foot(self) -> str:
        return f'<div class="soft">{escape(left_out(self.more))}</div>' if self.more else ""
