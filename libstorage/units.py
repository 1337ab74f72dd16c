"""Sizes in bytes, written and parsed by libvirt's exact rules."""

from __future__ import annotations

import re
from typing import Final, TypeAlias, final, overload

LARGEST: Final = 2**63 - 1
"""The largest size that libvirt supports, that of the largest possible file."""

_COUNTER: Final = 2**64
_LIMIT_DIGITS: Final = len(str(LARGEST))
_PREFIXES: Final = "KMGTPE"
_BINARY: Final = {f"{prefix}iB": 1024**power for power, prefix in enumerate(_PREFIXES, 1)}
_DECIMAL: Final = {f"{prefix}B": 1000**power for power, prefix in enumerate(_PREFIXES, 1)}
_SCALES: Final[dict[str, int]] = {
    **dict.fromkeys(("", "b", "byte", "bytes"), 1),
    **{unit[0].lower(): scale for unit, scale in _BINARY.items()},
    **{unit.lower(): scale for unit, scale in (_BINARY | _DECIMAL).items()},
}
_SIZE: Final = re.compile(r"(?P<number>[0-9]+|[-+]?[0-9]{0,30}\.?[0-9]{1,30})[ \t]*(?P<unit>[A-Za-z]*)")
_UNIT: Final = rf"[{_PREFIXES}{_PREFIXES.lower()}](?:[Ii]?[Bb])?|[Bb](?:[Yy][Tt][Ee][Ss]?)?"
SPELLINGS: Final = rf"[ \t\r\n]*[0-9]+[ \t]*(?:{_UNIT})?[ \t\r\n]*"
"""Pattern of the texts that are sizes, except that the number may be too large."""

_FORMAT: Final = re.compile(
    r"(?P<layout>(?:.?[<>^])?(?:[1-9][0-9]*)?)(?P<human>(?:\.(?P<digits>[0-9]+))?h)?", re.DOTALL
)


@final
class Size(int):
    """A number of bytes, from 0 to 2**63 - 1.

    ``Size("20 GiB")``, ``Size(20, "GiB")`` and ``Size(21474836480)`` are equal. Units are libvirt's, in upper or
    lower case: ``b byte bytes``, ``K KiB`` (1024), ``KB`` (1000) and so on with ``M G T P E``. ``str(size)`` is exact
    and can be parsed again (``"20 GiB"``, ``"1000 bytes"``), ``f"{size:d}"`` gives digits, and ``f"{size:.1h}"`` is
    rounded for people (``"1.5 GiB"``).

    Sums and multiples of sizes are sizes. A size divided by a size is a count.

    Args:
        value: A whole number, or text such as ``"20 GiB"``.
        unit: Unit of ``value``. If it is given, a text in ``value`` must not contain a unit.

    Raises:
        TypeError: If ``value`` is neither an ``int`` nor a ``str``, or is a ``bool``.
        ValueError: If the text is not a size, or the size is negative or too large.
    """

    __slots__ = ()

    def __new__(cls, value: int | str, unit: str | None = None) -> Size:  # noqa: D102 -- the class documents it
        if isinstance(value, str):
            return Size.parse(value, unit)
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(
                f"{value!r} is not a size: give a whole number of bytes, or text such as '1536 MiB'"
            )
        return _size(value if unit is None else value * _scale(unit))

    @staticmethod
    def parse(text: str, unit: str | None = None) -> Size:
        """Parse a size by libvirt's rules (``virScaleInteger``).

        Args:
            text: A whole number, followed by its unit if ``unit`` is ``None``: ``"1536 MiB"``, ``"1536"``.
            unit: Unit of the number, as in the XML attribute ``unit``; an empty text means bytes.

        Raises:
            ValueError: If ``text`` is not a size. If it is a size that libvirt cannot read, such as ``"1.5 GiB"``, the
                message says how to write it.
        """
        if text.isdigit() and text.isascii():
            number, own = text, ""
        else:
            number, own = _split(text)
        if own and unit is not None:
            raise ValueError(
                f"{text!r} contains a unit, but the unit {unit!r} is given separately; leave one of them out"
            )
        scale = _scale(own if unit is None else unit)
        if not number.isdigit():
            raise ValueError(_advice(number, own if unit is None else unit, scale))
        digits = number.lstrip("0")
        if len(digits) > _LIMIT_DIGITS:
            raise ValueError(_too_large(_quoted(text)))
        return _size(int(digits or "0") * scale)

    def __str__(self) -> str:
        return _exact(int(self))

    def __repr__(self) -> str:
        return f"Size('{self}')"

    def __format__(self, spec: str) -> str:
        """Format as text (``""``) or for people (``".1h"``), with alignment and width (``">10.1h"``), or as an int."""
        match = _FORMAT.fullmatch(spec)
        if match is None:
            return int.__format__(self, spec)
        text = _rounded(int(self), int(match["digits"] or 1)) if match["human"] else str(self)
        return format(text, match["layout"])

    def __add__(self, other: int) -> Size:
        return _kept(int.__add__(self, other))

    def __radd__(self, other: int) -> Size:
        return self + other

    def __sub__(self, other: int) -> int:
        """Return a size, or a plain number if the result is negative."""
        return _difference(int.__sub__(self, other))

    def __rsub__(self, other: int) -> int:
        """Return a size, or a plain number if the result is negative."""
        return _difference(int.__rsub__(self, other))

    def __mul__(self, other: int) -> Size:
        return _kept(int.__mul__(self, other))

    def __rmul__(self, other: int) -> Size:
        return self * other

    @overload
    def __floordiv__(self, other: Size) -> int: ...  # type: ignore[overload-overlap]  # pyright: ignore[reportOverlappingOverload]
    @overload
    def __floordiv__(self, other: int) -> Size: ...
    def __floordiv__(self, other: int) -> int:
        """Return how often a size fits into this size, or the size divided by a plain number."""
        result = int.__floordiv__(self, other)
        return result if isinstance(other, Size) else _kept(result)

    def __mod__(self, other: int) -> Size:
        return _kept(int.__mod__(self, other))


SizeLike: TypeAlias = int | str | Size
"""The values that a size parameter accepts: a number of bytes, text such as ``"20 GiB"``, or a size."""


def counted(number: int) -> Size:
    """Return the value of a libvirt counter; one that went below zero shows almost 2**64, and becomes 0."""
    return Size(0) if LARGEST < number < _COUNTER else Size(number)


def _size(value: int) -> Size:
    if 0 <= value <= LARGEST:
        return int.__new__(Size, value)
    raise ValueError(
        _too_large(_exact(value)) if value > 0 else f"{value} is negative: a size is 0 or more bytes"
    )


def _kept(result: int) -> Size:
    if isinstance(result, int):
        return _size(result)
    return NotImplemented  # int's methods return NotImplemented for operands that are not an int


def _difference(result: int) -> int:
    if isinstance(result, int):
        return _size(result) if result >= 0 else result
    return NotImplemented


def _scale(unit: str) -> int:
    scale = _SCALES.get(unit.lower()) if unit.isascii() else None
    if scale is None:
        units = ", ".join(("bytes", *_BINARY, *_DECIMAL))
        raise ValueError(f"{_quoted(unit)} is not a unit of size; libvirt's units are {units}")
    return scale


def _split(text: str) -> tuple[str, str]:
    match = _SIZE.fullmatch(text.strip(" \t\r\n"))
    if match is None:
        raise ValueError(f"{_quoted(text)} is not a size: write a whole number and a unit, such as '20 GiB'")
    return match["number"], match["unit"]


def _advice(number: str, unit: str, scale: int) -> str:
    """Return advice on how to write a number that has a sign or a fraction."""
    text = repr(f"{number} {unit}".rstrip())
    whole, _, fraction = number.partition(".")
    value = int(whole + fraction) * scale
    rest = value % 10 ** len(fraction)
    rounded = value // 10 ** len(fraction) + (rest > 0)
    if value < 0:
        return f"{text} is negative: a size is 0 or more bytes"
    if rounded > LARGEST:
        return _too_large(text)
    note = ", rounded up to a whole byte" if rest else ""
    return f"{text} is not a whole number, which is all that libvirt reads; write {_exact(rounded)!r}{note}"


def _too_large(what: str) -> str:
    return f"{what} is too large: libvirt's limit is {LARGEST} bytes (8 EiB less 1)"


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:80]}…")


def _exact(value: int) -> str:
    for unit, scale in reversed(_BINARY.items()):
        if value and value % scale == 0:
            return f"{value // scale} {unit}"
    return f"{value} byte" if value == 1 else f"{value} bytes"


def _rounded(value: int, digits: int) -> str:
    power = max(value.bit_length() - 1, 0) // 10
    if power == 0:
        return _exact(value)
    number = f"{value / 1024**power:.{digits}f}"
    if number.startswith("1024"):
        number, power = f"{1:.{digits}f}", power + 1
    return f"{number} {_PREFIXES[power - 1]}iB"


KiB: Final = Size(1024)
"""1024 bytes."""

MiB: Final = KiB * 1024
"""1024 KiB."""

GiB: Final = MiB * 1024
"""1024 MiB: ``20 * GiB`` is ``Size("20 GiB")``."""

TiB: Final = GiB * 1024
"""1024 GiB."""
