"""Checks of the numbers that callers pass.

``nan`` compares with nothing, so it would switch a limit off. ``True`` counts as 1. libvirt's binding silently truncates a
number that is too large for C to its last bits.
"""

from __future__ import annotations

import operator
from numbers import Real
from typing import Final, cast

from libstorage.errors import InvalidRequestError, shortened

SHORTEST: Final = 0.001
"""Seconds; a smaller number is a mistake: milliseconds, or a difference of two times."""
LONGEST: Final = 1e9
"""Seconds, 31 years; the system cannot wait much longer."""
MOST_FLAGS: Final = 2**32 - 1
"""libvirt's flags are a C ``unsigned int``."""
LARGEST_INT: Final = 2**31 - 1
"""The largest C ``int``."""


def check_seconds(what: str, value: object, *, optional: bool = True) -> None:
    """Refuse a value that is not a number of seconds.

    Args:
        what: Name of the parameter.
        value: Its value.
        optional: Whether ``None`` is allowed, for no limit.

    Raises:
        InvalidRequestError: If ``value`` is not a number of seconds in range.
    """
    if value is None and optional:
        return
    if not isinstance(value, bool) and isinstance(value, Real) and SHORTEST <= cast(float, value) <= LONGEST:
        return
    no_limit = ", or None for no limit" if optional else ""
    raise refused(what, f"a number of seconds from {SHORTEST:g} to {LONGEST:g}{no_limit}", value)


def check_count(
    what: str, value: object, *, least: int = 1, most: int = LARGEST_INT, optional: bool = False
) -> None:
    """Refuse a value that is not a whole number, or is out of range.

    Args:
        what: Name of the parameter.
        value: Its value.
        least: The smallest number that is allowed.
        most: The largest number that is allowed.
        optional: Whether ``None`` is allowed, too.

    Raises:
        InvalidRequestError: If ``value`` is not a whole number in range.
    """
    if value is None and optional:
        return
    try:
        is_right = not isinstance(value, bool) and least <= operator.index(value) <= most  # type: ignore[arg-type]
    except TypeError:
        is_right = False
    if not is_right:
        raise refused(what, f"a whole number from {least} to {most}{', or None' if optional else ''}", value)


def check_switch(what: str, value: object) -> None:
    """Refuse a value that is neither ``True`` nor ``False``.

    Raises:
        InvalidRequestError: If ``value`` is neither.
    """
    if not isinstance(value, bool):
        raise refused(what, "True or False", value)


def refused(what: str, expected: str, value: object) -> InvalidRequestError:
    """Return the error for an argument that is not as expected."""
    return InvalidRequestError(f"{what} must be {expected}, not {shortened(repr(value))}")
