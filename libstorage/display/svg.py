"""The parts of pictures: SVG that takes the color of the text around it, with a title and a description."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from libstorage.display.style import PALETTE
from libstorage.display.text import escape
from libstorage.display.text import width as columns

BLUE: Final = PALETTE[0]
WIDTH: Final = 720
_CHARACTER = 6.7
_ALONE = (
    "<style>svg{color:#222;background:none}text{fill:currentColor;font:12px system-ui,sans-serif}"
    ".s{fill-opacity:.7;font-size:11px}@media(prefers-color-scheme:dark){svg{color:#ddd}}</style>"
)


def svg(
    parts: Iterable[str], size: tuple[float, float], title: str, description: str, *, alone: bool = False
) -> str:
    """Return a picture.

    Args:
        parts: The elements in it.
        size: Width and height, in pixels.
        title: What a screen reader calls it.
        description: What it shows, in a sentence.
        alone: Whether it is a file of its own, which needs the namespace and a style.
    """
    width, height = (f"{side:.0f}" for side in size)
    namespace = ' xmlns="http://www.w3.org/2000/svg"' if alone else ""
    return (
        f'<svg{namespace} role="img" aria-label="{escape(title)}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}"><title>{escape(title)}</title><desc>{escape(description)}</desc>'
        f"{_ALONE if alone else ''}{''.join(parts)}</svg>"
    )


def text(
    x: float, y: float, content: str, *, anchor: str = "start", soft: bool = False, most: int = 200
) -> str:
    """Return a line of text, cut to ``most`` pixels; a cut text is whole in its title."""
    room = max(1, int(most / _CHARACTER))
    cut = content if len(content) <= room else f"{content[: room - 1]}…"
    whole = f"<title>{escape(content)}</title>" if cut != content else ""
    place = "" if anchor == "start" else f' text-anchor="{anchor}"'
    kind = ' class="s"' if soft else ""
    return f'<text x="{x:.0f}" y="{y:.0f}"{place}{kind}>{escape(cut)}{whole}</text>'


def length(content: str) -> float:
    """Return about how many pixels a text takes."""
    return _CHARACTER * columns(content)


def rect(
    x: float, y: float, width: float, height: float, fill: str, *, opacity: float = 1, more: str = ""
) -> str:
    """Return a rectangle."""
    shade = "" if opacity == 1 else f' fill-opacity="{opacity}"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"{shade}{more}/>'


def line(x1: float, y1: float, x2: float, y2: float, *, opacity: float = 0.2, thick: float = 1) -> str:
    """Return a straight line in the color of the text."""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="currentColor" '
        f'stroke-opacity="{opacity}" stroke-width="{thick}"/>'
    )


def group(*parts: str, title: str) -> str:
    """Return parts with one title, which a mouse over them shows."""
    return f"<g><title>{escape(title)}</title>{''.join(parts)}</g>"
