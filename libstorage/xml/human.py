"""Values as people read them: rounded sizes, dates, octal modes. What is exact stands on hover."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from stat import filemode
from typing import Any

from libstorage.display.inline import Inline, Span
from libstorage.enums.base import Constant
from libstorage.units import Size

_SECOND = 10**9
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MODES = 0o7777


def rounded(size: int) -> str:
    """Return a size rounded to a tenth of its unit: ``1.5 GiB``, ``20 GiB``."""
    return f"{Size(size):.1h}".replace(".0 ", " ")


def size(value: int | None) -> Inline:
    """Return a size rounded, with its bytes on hover; blank for an unknown one."""
    return Span("") if value is None else Span(rounded(value), title=f"{int(value):,} bytes")


def moment(nanoseconds: int) -> Inline:
    """Return a time since the epoch as a date with time, in UTC, with its nanoseconds on hover."""
    exact = f"{nanoseconds} ns since 1970"
    try:
        date = _EPOCH + timedelta(seconds=nanoseconds // _SECOND)
    except OverflowError:
        return Span(exact)
    return Span(f"{date:%Y-%m-%d %H:%M:%S} UTC", title=exact)


def mode(bits: int) -> Inline:
    """Return permission bits as Python and ``ls`` write them: ``0o640 rw-r-----``."""
    return Span(f"{bits:#o} {filemode(bits)[1:]}" if 0 <= bits <= _MODES else f"{bits:#o}")


def plain(value: Any) -> Inline:
    """Return any other value: a size, a word, yes or no, a text, or several of them."""
    if isinstance(value, Size):
        return size(value)
    if isinstance(value, Constant):
        return Span(value.word)
    if isinstance(value, bool):
        return Span("yes" if value else "no")
    if isinstance(value, tuple):
        return Span(", ".join(plain(item).text() for item in value))
    return Span(str(value))
