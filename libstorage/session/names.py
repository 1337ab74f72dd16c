"""Rules for the names of new pools and volumes.

libvirt accepts nearly any name, even one that it changes afterwards or that misleads a reader. Objects that a host
already has can always be read and looked up; these rules apply to new objects only.
"""

from __future__ import annotations

import sys
import unicodedata
import warnings
from typing import Final

from libstorage.errors import InvalidRequestError
from libstorage.session.arguments import check_text

VOLUME_NAME_BYTES: Final = 255
"""Longest name of a file, in bytes."""
POOL_NAME_BYTES: Final = 247
"""libvirt stores a pool's definition in a file of that name plus up to eight bytes."""

_LINE_BREAKING: Final = ("Cc", "Zl", "Zp")
_DIRECTION_CHANGING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def check_pool_name(name: str, *, strict: bool = True) -> None:
    """Check the name of a new pool.

    Raises:
        InvalidRequestError: If the name breaks a rule; the message says which.
    """
    _check("pool", name, POOL_NAME_BYTES, strict)


def check_volume_name(name: str, *, strict: bool = True) -> None:
    """Check the name of a new volume.

    Raises:
        InvalidRequestError: If the name breaks a rule; the message says which.
    """
    _check("volume", name, VOLUME_NAME_BYTES, strict)


def _check(kind: str, name: str, most_bytes: int, strict: bool) -> None:
    check_text(f"{kind} name", name)
    if not strict:
        return
    if problem := _problem(name, most_bytes):
        raise InvalidRequestError(
            f"{kind} name {name!r} {problem}",
            hint="Choose another name, or allow this one with strict_names=False.",
        )
    if name.startswith("-"):
        warnings.warn(
            f"{kind} name {name!r} begins with '-': programs would take it for an option",
            stacklevel=_callers_level(),
        )


def _callers_level() -> int:
    """The ``stacklevel`` of the first frame outside this package, for a warning in the frame that calls this."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("libstorage."):
        frame, level = frame.f_back, level + 1
    return level


def _problem(name: str, most_bytes: int) -> str | None:
    if not name:
        return "is empty"
    if name in {".", ".."}:
        return "names a directory"
    if "/" in name:
        return "contains '/', which separates directories"
    if (length := len(name.encode())) > most_bytes:
        return f"has {length} bytes in UTF-8; at most {most_bytes} are allowed"
    for place, character in enumerate(name, 1):
        if unicodedata.category(character) in _LINE_BREAKING:
            return f"contains the control character U+{ord(character):04X} at position {place}"
        if character in _DIRECTION_CHANGING:
            return f"changes the writing direction (U+{ord(character):04X} at position {place})"
    if name != name.strip():
        return "begins or ends with a space, which is easily lost"
    return None
