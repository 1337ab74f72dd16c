"""Documents made by walking through libvirt's RELAX NG schemas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from copy import deepcopy

from attrs import frozen
from lxml import etree

from tests.contract.rng import _RNG as RNG
from tests.contract.rng import schema
from tests.judges import values
from tests.judges.chance import Chance

START = {
    "pool": ("storagepool.rng", "pool"),
    "volume": ("storagevol.rng", "vol"),
    "storagepoolCapabilities": ("storagepoolcaps.rng", "storagepoolCapabilities"),
}
_OPTIONAL, _BLANK, _WRONG_DOCUMENTS, _ASTRAY = 0.5, 0.1, 0.6, 0.03
_DEEPEST = 14


@frozen
class Attribute:
    name: str
    value: str


Piece = Attribute | str | etree._Element


class Walker:
    """Makes documents of one kind, the same ones for the same chance.

    More than half of them leave the grammar somewhere: a part is missing, doubled, renamed or out of its order, or a
    value is just beyond its limits.

    ``reached`` counts the named patterns and the paths of elements and attributes on the way; ``words`` are those of all
    lists, ``data`` the datatypes by path.
    """

    def __init__(self, kind: str, chance: Chance) -> None:
        file, self._start = START[kind]
        self._defines = schema(file)
        self._chance = chance
        self._path: list[str] = []
        self.reached: Counter[str] = Counter()
        self.words: set[str] = set()
        self.data: dict[str, dict[str, etree._Element]] = {}

    def document(self, rate: float | None = None) -> etree._Element:
        """One document, which goes astray at each step as often as ``rate`` says, or as chance has it."""
        if rate is None:
            rate = _ASTRAY if self._chance.often(_WRONG_DOCUMENTS) else 0.0
        while True:
            with self._chance.at_rate(rate):
                pieces = self._ref(self._start, "")
            if pieces and isinstance(pieces[0], etree._Element):
                return pieces[0]

    def _ref(self, name: str, space: str) -> list[Piece]:
        self.reached[name] += 1
        return self._all(self._defines[name], space)

    def _all(self, parent: etree._Element, space: str) -> list[Piece]:
        parts = [self._walk(child, space) for child in parent]
        if len(parts) > 1 and self._chance.astray():
            self._chance.shuffle(parts)
        return [piece for part in parts for piece in part]

    def _walk(self, node: etree._Element, space: str) -> list[Piece]:
        space = node.get("ns", space)
        match str(node.tag).removeprefix(RNG):
            case "element":
                return self._element(node, space)
            case "attribute":
                return self._attribute(node, space)
            case "ref":
                return self._ref(str(node.get("name")), space)
            case "optional":
                return self._all(node, space) if self._chance.often(_OPTIONAL) else []
            case "zeroOrMore" | "oneOrMore" as often:
                return self._many(node, space, least=often == "oneOrMore")
            case "choice":
                branches = self._chance.sample(list(node), 2 if self._chance.astray() else 1)
                return [piece for branch in branches for piece in self._walk(branch, space)]
            case "interleave":
                return self._chance.merged([self._walk(child, space) for child in node])
            case "group":
                return self._all(node, space)
            case kind:
                return self._text(node, kind)

    def _text(self, node: etree._Element, kind: str) -> list[Piece]:
        match kind:
            case "value":
                self.words.add(node.text or "")
                return [values.word(self._chance, node.text or "")]
            case "data":
                self.data.setdefault(self._here(), {})[etree.tostring(node, encoding="unicode")] = node
                return [values.data(self._chance, node)]
            case "text":
                return [values.text(self._chance)]
            case "empty":
                return ["x"] if self._chance.astray() else []
        raise AssertionError(f"the walker does not know <{kind}>")

    def _many(self, node: etree._Element, space: str, *, least: bool) -> list[Piece]:
        count = 0 if self._chance.astray() else self._chance.choice((0, 1, 1, 2, 3)) + least
        return [piece for _ in range(count) for piece in self._all(node, space)]

    def _here(self) -> str:
        return "/".join(self._path)

    def _attribute(self, node: etree._Element, space: str) -> list[Piece]:
        name = str(node.get("name"))
        self._path.append(f"@{name}")
        self.reached[self._here()] += 1
        pieces = self._all(node, space) if len(node) else [values.text(self._chance)]
        self._path.pop()
        value = "".join(piece for piece in pieces if isinstance(piece, str))
        made = Attribute(f"{name}s" if self._chance.astray() else name, value)
        return [] if self._chance.astray() else [made]

    def _element(self, node: etree._Element, space: str) -> list[Piece]:
        name = str(node.get("name"))
        tag = f"{{{space}}}{name}" if space else name
        self._path.append(tag)
        self.reached[self._here()] += 1
        made = _put_together(tag, self._all(node, space))
        self._path.pop()
        if self._chance.often(_BLANK) and not (made.text or "").strip():
            made.text = f"{made.text or ''}\n  " if len(made) or not made.text else made.text
        if not self._chance.astray():
            return [made]
        changed = [deepcopy(made) for _ in range(self._chance.choice((0, 1, 2)))]
        if len(changed) == 1:
            changed[0].tag = self._chance.choice((f"{name}s", f"{{urn:other}}{name}", name))
        return [*changed]


def _put_together(tag: str, pieces: Iterable[Piece]) -> etree._Element:
    made = etree.Element(tag)
    for piece in pieces:
        if isinstance(piece, Attribute):
            made.set(piece.name, piece.value)
        elif isinstance(piece, str):
            _add_text(made, piece)
        else:
            made.append(piece)
    return made


def _add_text(element: etree._Element, text: str) -> None:
    if len(element):
        element[-1].tail = (element[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text
