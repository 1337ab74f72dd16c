"""Texts of a pattern of libvirt's schemas: at its limits and, when chance goes astray, just beyond them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from tests.judges.chance import Chance

Text = Callable[[Chance], str]
Range = tuple[str, str]

ANY = "aZ09 /\\.:-_'\"&<>[]é٣\u00a0\t"
_MORE = 4
"""How often more than it must a part without an upper bound is repeated at most."""


@cache
def texts_of(pattern: str) -> Text:
    """What makes texts of a pattern, as far as libvirt's schemas use regular expressions."""
    return _Reader(pattern).whole()


class _Reader:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def whole(self) -> Text:
        text = self._choice()
        assert self._at == len(self._pattern), f"{self._pattern} was not understood from {self._at} on"
        return text

    def _next(self) -> str:
        self._at += 1
        return self._pattern[self._at - 1]

    def _sees(self, characters: str) -> bool:
        return self._at < len(self._pattern) and self._pattern[self._at] in characters

    def _takes(self, character: str) -> bool:
        taken = self._sees(character)
        self._at += taken
        return taken

    def _choice(self) -> Text:
        branches = [self._sequence()]
        while self._takes("|"):
            branches.append(self._sequence())
        return branches[0] if len(branches) == 1 else lambda chance: chance.choice(branches)(chance)

    def _sequence(self) -> Text:
        parts: list[Text] = []
        while self._at < len(self._pattern) and not self._sees("|)"):
            parts.append(self._repeated())
        return lambda chance: "".join(part(chance) for part in parts)

    def _repeated(self) -> Text:
        part = self._part()
        least, most = self._bounds()
        return lambda chance: "".join(part(chance) for _ in range(_count(chance, least, most)))

    def _bounds(self) -> tuple[int, int | None]:
        for sign, bounds in {"?": (0, 1), "*": (0, None), "+": (1, None)}.items():
            if self._takes(sign):
                return bounds
        if not self._takes("{"):
            return 1, 1
        end = self._pattern.index("}", self._at)
        least, comma, most = self._pattern[self._at : end].partition(",")
        self._at = end + 1
        return int(least), int(most if comma else least)

    def _part(self) -> Text:
        match self._next():
            case "(":
                inner = self._choice()
                assert self._takes(")")
                return inner
            case "[":
                return self._class()
            case ".":
                return lambda chance: "\n" if chance.astray() else chance.choice(ANY)
            case "\\":
                return _one_of([(escaped := self._next(), escaped)])
            case plain:
                return _one_of([(plain, plain)])

    def _class(self) -> Text:
        excluded = self._takes("^")
        ranges: list[Range] = []
        while not self._takes("]"):
            first = self._character()
            last = self._character() if self._takes("-") else first
            ranges.append((first, last))
        return _none_of(ranges) if excluded else _one_of(ranges)

    def _character(self) -> str:
        character = self._next()
        if character != "\\":
            return character
        return {"n": "\n"}.get(escaped := self._next(), escaped)


def _count(chance: Chance, least: int, most: int | None) -> int:
    upper = least + _MORE if most is None else most
    if chance.astray():
        return max(least - 1, 0) if most is None else chance.choice((max(least - 1, 0), most + 1))
    return chance.choice((least, upper, chance.randint(least, upper)))


def _one_of(ranges: list[Range]) -> Text:
    def text(chance: Chance) -> str:
        first, last = (ord(end) for end in chance.choice(ranges))
        if chance.astray():
            return chr(chance.choice((first - 1, last + 1)))
        return chr(chance.choice((first, last, chance.randint(first, last))))

    return text


def _none_of(ranges: list[Range]) -> Text:
    allowed = [character for character in ANY if not any(low <= character <= high for low, high in ranges)]
    wrong = _one_of(ranges)

    def text(chance: Chance) -> str:
        if chance.astray():
            with chance.at_rate(0):
                return wrong(chance)
        return chance.choice(allowed)

    return text
