"""Text for terminals and HTML: escaping, widths, and long texts made short."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
_LONGEST = 4096
_PARAMETER = re.compile(r"(?<==)[^&#]{17,}")
_LONGEST_ADDRESS = 60


def printable(text: str) -> str:
    """Return ``text`` with every unprintable character replaced by a Python escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def bounded(text: str) -> str:
    """Return the printable text of a cell: a hostile document may contain megabytes."""
    return printable(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")


def escape(text: str) -> str:
    """Return ``text`` escaped for HTML (``html.escape`` would load all of HTML's entities)."""
    return printable(text).translate(_HTML)


def width(text: str) -> int:
    """Return the number of terminal columns that ``text`` takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def padded(text: str, columns: int, *, right: bool = False) -> str:
    """Return ``text`` with blanks up to a width: behind it, or with ``right`` before it."""
    space = " " * (columns - width(text))
    return space + text if right else text + space


def brief(text: str, most: int) -> str:
    """Return ``text`` with at most ``most`` characters: the middle of a longer one is left out."""
    if len(text) <= most:
        return text
    head = most // 2
    return f"{text[:head]}…{text[head + 1 - most :]}"


def short_address(uri: str) -> str:
    """Return the address of a host as a heading shows it: without long parameters, such as the path of a socket."""
    return printable(brief(_PARAMETER.sub("…", uri), _LONGEST_ADDRESS))


def counted(number: int, noun: str) -> str:
    """Return a number and its noun: ``1 pool``, ``10,000 pools``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def joined(parts: Iterable[str], separator: str = " · ") -> str:
    """Return the parts that are not empty, in one line."""
    return separator.join(filter(None, parts))
