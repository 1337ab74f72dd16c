"""The systematic sweep: every place of a set of documents with every odd value, child and attribute.

A *place* is an element or attribute by its path in one variant of a document, such as a pool of one type.  Each place is
swept once, in the first document of the set that has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from functools import cache, partial
from itertools import product

from attrs import frozen
from lxml import etree

from libstorage.enums import PoolType
from libstorage.xml.parse import parse
from tests.contract.rng import _RNG as RNG
from tests.corpus.mutations import FS, ODD_VALUES, XSI
from tests.judges import values
from tests.judges.addresses import addresses
from tests.judges.chance import Chance
from tests.judges.patterns import texts_of
from tests.judges.verdicts import rng_accepts
from tests.judges.walker import Walker
from tests.judges.ways import originals

_WALKED = 1500
_INSIDE, _ASTRAY = 20, 20
_STEPS, _LEAST_TIMES, _MOST_TIMES = 90, 2, 12
_LARGEST = 60
_KINDS = 3
_TEXTS_BESIDE_CHILDREN = ("x", " \n\t", "\u00a0", "\u2028", "5")
_DECISIVE = ("source/format", "source/adapter", "pool")
_WORDS = {*map(str, PoolType), "cifs", "glusterfs", "fc_host"}
_ODD_CHILDREN = (
    "<x/>",
    "<x xmlns='urn:x'><y/></x>",
    f"<f:option xmlns:f='{FS}' name='a'/>",
    "<option name='a' value='b'/>",
    "<nothing/>",
    "<freeExtent start='1' end='2'/>",
)
_ODD_ATTRIBUTES = {
    "x": "y",
    "{urn:x}name": "a",
    f"{{{FS}}}name": "a",
    f"{{{XSI}}}type": "PoolTarget",
    f"{{{XSI}}}nil": "true",
    f"{{{XSI}}}noNamespaceSchemaLocation": "a",
    "{http://www.w3.org/XML/1998/namespace}lang": "en",
}

Edit = Callable[[etree._Element], object]


@frozen
class Material:
    """What a sweep of one kind of documents needs, all of it from libvirt's schema and the corpus."""

    bases: tuple[etree._Element, ...]
    children: tuple[etree._Element, ...]
    attributes: Mapping[str, str]
    values: tuple[str, ...]
    edges: Mapping[str, tuple[str, ...]]

    def values_of(self, path: str) -> list[str]:
        return list(dict.fromkeys((*self.values, *self.edges.get(path, ()))))


def sweep(kind: str, number: int) -> Iterator[tuple[str, str]]:
    """All documents made from base document ``number`` of a kind, each with the path of its change."""
    seen = {place for base in material(kind).bases[:number] for place in places(base)}
    base = material(kind).bases[number]
    for at, element in enumerate(base.iter()):
        for path, edit in _edits(material(kind), base, element, seen):
            changed = deepcopy(base)
            edit(list(changed.iter())[at])
            yield path, etree.tostring(changed, encoding="unicode")
        seen.update(_places_of(base, element))


def bases_of(kind: str) -> int:
    """How many base documents there are."""
    return len(material(kind).bases)


# ---- the set of documents -------------------------------------------------------------------------------------------


@cache
def material(kind: str) -> Material:
    chance = Chance(0)
    walker = Walker(kind, chance)
    walked = [walker.document(rate=0) for _ in range(_WALKED)]
    candidates = [*map(parse, originals(kind)), *walked]
    good = [root for root in candidates if rng_accepts(kind, root) and len(list(root.iter())) <= _LARGEST]
    words = sorted(walker.words)
    return Material(
        bases=tuple(_covering(good)),
        children=(*_specimens(good), *map(etree.fromstring, _ODD_CHILDREN)),
        attributes={str(name): str(value) for root in good for e in root.iter() for name, value in e.items()}
        | _ODD_ATTRIBUTES,
        values=tuple(dict.fromkeys((*ODD_VALUES, *words))),
        edges={
            path: (
                *_edges(chance, list(nodes.values())),
                *(addresses() if path.endswith("host/@name") else ()),
            )
            for path, nodes in walker.data.items()
        },
    )


def _covering(documents: list[etree._Element]) -> Iterator[etree._Element]:
    """Few documents that have together every place that any has, the one with most new places first."""
    rest = [(set(places(root)), root) for root in documents]
    covered: set[str] = set()
    while True:
        best, root = max(rest, key=lambda each: len(each[0] - covered))
        if not best - covered:
            return
        covered |= best
        yield root


def _specimens(documents: list[etree._Element]) -> list[etree._Element]:
    """One element of each path."""
    found: dict[str, etree._Element] = {}
    for root in documents:
        for element in root.iter():
            found.setdefault(path_of(element), element)
    by_text = {etree.tostring(element, with_tail=False): element for element in found.values()}
    return [_alone(element) for element in by_text.values()]


def _alone(element: etree._Element) -> etree._Element:
    alone = deepcopy(element)
    alone.tail = None
    return alone


def _edges(chance: Chance, nodes: list[etree._Element]) -> tuple[str, ...]:
    """Values inside the datatypes of a place and, for each step of their patterns, some that leave them there."""
    texts = [values.data(chance, nodes[turn % len(nodes)]) for turn in range(_INSIDE * len(nodes))]
    with chance.at_rate(1):
        texts += [values.data(chance, nodes[turn % len(nodes)]) for turn in range(_ASTRAY * len(nodes))]
    patterns = [param.text or "" for node in nodes for param in node.iterfind(f"{RNG}param[@name='pattern']")]
    for pattern in patterns:
        times = min(_LEAST_TIMES + pattern.count("|"), _MOST_TIMES)
        beyond = (chance.astray_at(step % _STEPS, texts_of(pattern)) for step in range(_STEPS * times))
        texts += [text for text in beyond if text is not None]
    return tuple(dict.fromkeys(texts))


# ---- places ---------------------------------------------------------------------------------------------------------


def path_of(element: etree._Element) -> str:
    return "/".join(
        [*(str(above.tag) for above in reversed(list(element.iterancestors()))), str(element.tag)]
    )


def _variant(root: etree._Element) -> str:
    """What decides on the rules for a document beside its places."""
    inner = [element for path in _DECISIVE for element in root.findall(path)[:1]]
    words = [element.get("type", "").strip() for element in (root, *inner)]
    return " ".join(word for word in words if word in _WORDS)


def places(root: etree._Element) -> Iterator[str]:
    for element in root.iter():
        yield from _places_of(root, element)


def _places_of(root: etree._Element, element: etree._Element) -> list[str]:
    path = f"{_variant(root)} {path_of(element)}"
    return [path, *(f"{path}/@{name}" for name in map(str, element.attrib))]


# ---- changes --------------------------------------------------------------------------------------------------------


def _edits(
    stock: Material, base: etree._Element, element: etree._Element, seen: set[str]
) -> Iterator[tuple[str, Edit]]:
    """Every change to an element of a document that was not made to its like before."""
    path, (place, *_) = path_of(element), _places_of(base, element)
    for name in map(str, element.attrib):
        if f"{place}/@{name}" not in seen:
            at = f"{path}/@{name}"
            yield at, partial(_lose, name)
            yield from ((at, partial(_set, name, value)) for value in stock.values_of(at))
    if place in seen:
        return
    for text in _TEXTS_BESIDE_CHILDREN if len(element) else stock.values_of(path):
        yield path, partial(_say, text)
    for name, value in stock.attributes.items():
        if name not in element.attrib:
            yield path, partial(_set, name, value)
    for number, child in enumerate(stock.children):
        yield path, partial(_insert, child, (0, len(element))[number % 2])
    yield from ((path, edit) for edit in _orders(element))
    if (parent := element.getparent()) is not None:
        yield from ((path, edit) for edit in _moves(parent))


def _orders(element: etree._Element) -> Iterator[Edit]:
    """Every row of a few children, where there are a few kinds of them."""
    kinds = {str(child.tag): child for child in element}
    if 1 < len(kinds) <= _KINDS:
        for length in range(_KINDS + 2):
            yield from (partial(_fill, row) for row in product(kinds.values(), repeat=length))


def _moves(parent: etree._Element) -> Iterator[Edit]:
    """Drop, double, text behind, and every other place among, inside or above what stands beside it."""
    yield lambda e: _parent(e).remove(e)
    yield _remove_all
    yield lambda e: e.addnext(_alone(e))
    yield lambda e: _parent(e).append(_alone(e))
    yield partial(_follow, "x")
    yield partial(_follow, "\u00a0")
    for position in range(len(parent)):
        yield partial(_move, position)
        yield partial(_move_inside, position)
    if parent.getparent() is not None:
        yield lambda e: _parent(_parent(e)).append(e)


def _fill(row: Sequence[etree._Element], element: etree._Element) -> None:
    element[:] = map(_alone, row)


def _lose(name: str, element: etree._Element) -> None:
    del element.attrib[name]


def _set(name: str, value: str, element: etree._Element) -> None:
    element.set(name, value)


def _say(text: str, element: etree._Element) -> None:
    element.text = text


def _follow(text: str, element: etree._Element) -> None:
    element.tail = text


def _remove_all(element: etree._Element) -> None:
    """With all those of its name beside it."""
    parent = _parent(element)
    for same in parent.findall(str(element.tag)):
        parent.remove(same)


def _insert(child: etree._Element, position: int, element: etree._Element) -> None:
    element.insert(position, deepcopy(child))


def _move(position: int, element: etree._Element) -> None:
    _parent(element).insert(position, element)


def _move_inside(position: int, element: etree._Element) -> None:
    if (beside := _parent(element)[position]) is not element:
        beside.append(element)


def _parent(element: etree._Element) -> etree._Element:
    parent = element.getparent()
    assert parent is not None
    return parent
