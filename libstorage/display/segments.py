"""A bar of several parts, with a key."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import attrs

from libstorage.display.inline import percent
from libstorage.display.text import bounded, escape

_CELLS = 60
_SHADES = "█▓▒▚▞▤▥"
COLORS = 6


@attrs.frozen
class Segment:
    """A part of a bar: its name, its length, and what the key says of it. A rest has no color of its own."""

    name: str = attrs.field(converter=bounded)
    length: int
    note: str = attrs.field(converter=bounded)
    rest: bool = False


@attrs.frozen
class SegmentedBar:
    """What fills a whole: parts in a row, up to a length.

    Attributes:
        segments: The parts.
        whole: Length of the bar.
        free: What the key says of the rest of the bar.
    """

    segments: Sequence[Segment]
    whole: int
    free: str = attrs.field(converter=bounded)

    def _widths(self) -> list[int]:
        ends = [0]
        for segment in self.segments:
            ends.append(ends[-1] + segment.length)
        cells = [min(_CELLS, round(_CELLS * end / self.whole)) if self.whole else 0 for end in ends]
        return [after - before for before, after in pairwise(cells)]

    def _signs(self) -> list[str]:
        return [_SHADES[min(place, len(_SHADES) - 1)] for place in range(len(self.segments))]

    def text(self) -> str:
        """Return the bar in characters, and a line for each part."""
        signs = self._signs()
        bar = "".join(sign * cells for sign, cells in zip(signs, self._widths(), strict=True))
        key = [
            f"{sign} {part.name}  {part.note} ({percent(part.length, self.whole)})"
            for sign, part in zip(signs, self.segments, strict=True)
        ]
        return "\n".join([bar + "░" * (_CELLS - len(bar)), *key, f"░ free  {self.free}"])

    def html(self) -> str:
        """Return the bar as an image, and its key."""
        said = escape(
            "; ".join([*(f"{part.name}: {part.note}" for part in self.segments), f"free: {self.free}"])
        )
        parts = "".join(
            f'<i class="{_color(place, part)}" style="width:{100 * part.length / max(1, self.whole):.2f}%"></i>'
            for place, part in enumerate(self.segments)
        )
        key = "".join(
            f'<span><i class="{_color(place, part)}"></i>{escape(part.name)} <span class="soft">{escape(part.note)}'
            "</span></span>"
            for place, part in enumerate(self.segments)
        )
        free = f'<span><i></i>free <span class="soft">{escape(self.free)}</span></span>'
        return f'<div class="wide" role="img" aria-label="{said}">{parts}</div><div class="key">{key}{free}</div>'


def _color(place: int, part: Segment) -> str:
    return "rest" if part.rest else f"c{place % COLORS}"
