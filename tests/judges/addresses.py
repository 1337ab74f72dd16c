"""IPv6 addresses of every shape, whole and with one odd part: their pattern has more alternatives than chance walks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

_GROUPS = 9
_ODD_GROUPS = ("", "fffff", "/1", "g")
_ODD_NUMBERS = ("", "00", "/", "1/0", "1:", "1000", "2/0", "256", "260", "300")


@cache
def addresses() -> tuple[str, ...]:
    """All of them."""
    return tuple(dict.fromkeys(text for shape in _shapes() for text in _with_odd_parts(*shape)))


def _shapes() -> Iterator[tuple[list[str], str, list[str], list[str]]]:
    """So many groups before and behind a gap or colon, with and without an IPv4 address at the end."""
    for before in range(_GROUPS):
        for after in range(_GROUPS - before):
            for gap in ("::", ":"):
                for numbers in ([], ["1", "22", "203", "255"]):
                    yield ["a1"] * before, gap, ["b2"] * after, numbers


def _with_odd_parts(before: list[str], gap: str, after: list[str], numbers: list[str]) -> Iterator[str]:
    yield _text(before, gap, after, numbers)
    for place in range(len(before)):
        for odd in _ODD_GROUPS:
            yield _text(_changed(before, place, odd), gap, after, numbers)
    for place in range(len(after)):
        for odd in _ODD_GROUPS:
            yield _text(before, gap, _changed(after, place, odd), numbers)
    for place in range(len(numbers)):
        for odd in _ODD_NUMBERS:
            yield _text(before, gap, after, _changed(numbers, place, odd))


def _changed(parts: list[str], place: int, odd: str) -> list[str]:
    return [*parts[:place], odd, *parts[place + 1 :]]


def _text(before: list[str], gap: str, after: list[str], numbers: list[str]) -> str:
    tail = [".".join(numbers)] if numbers else []
    return gap.join((":".join(before), ":".join(after + tail)))
