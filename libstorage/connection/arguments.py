"""Numbers that callers give: refused here unless they mean what they say, wherever they are set.

``nan`` compares with nothing, so that it would switch a limit off; ``True`` is 1; and libvirt's binding cuts a number that
is too long for C down to its last bits, without a word.
"""

from __future__ import annotations

import operator
from numbers import Real
from typing import Final, cast

from libstorage.errors import InvalidRequestError, shortened

SHORTEST: Final = 0.001
"""Seconds; less is a mistake: milliseconds, or a difference of two times."""
LONGEST: Final = 1e9
"""Seconds, 31 years; the system cannot wait for much longer."""
MOST_FLAGS: Final = 2**32 - 1
"""libvirt's flags are a C ``unsigned int``."""
LARGEST_INT: Final = 2**31 - 1
"""The largest C ``int``."""


def check_seconds(what: str, value: object, *, optional: bool = True) -> None:
    """Refuse what is no length of time.

    Args:
        what: Name of the parameter.
        value: What was given for it.
        optional: Whether ``None`` stands for no limit.

    Raises:
        InvalidRequestError: It is none.
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
    """Refuse what is no whole number, or one out of range.

    Args:
        what: Name of the parameter.
        value: What was given for it.
        least: The smallest that makes sense.
        most: The largest.
        optional: Whether ``None`` does, too.

    Raises:
        InvalidRequestError: It is none.
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
    """Refuse what is neither ``True`` nor ``False``.

    Raises:
        InvalidRequestError: It is neither.
    """
    if not isinstance(value, bool):
        raise refused(what, "True or False", value)


def refused(what: str, expected: str, value: object) -> InvalidRequestError:
    """An argument that is not what it must be."""
    return InvalidRequestError(f"{what} must be {expected}, not {shortened(repr(value))}")
