"""Three ways to make documents of a kind, each the same for the same seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from functools import cache
from itertools import islice
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from lxml import etree

from libstorage.xml.document import Document
from libstorage.xml.parse import parse
from tests.corpus.documents import ours, texts
from tests.corpus.mutations import mutants
from tests.judges.chance import Chance
from tests.judges.walker import Walker
from tests.property.test_laws import DOCUMENTS

KINDS = ("pool", "volume", "storagepoolCapabilities")
Way = Callable[[str, int, int], Iterator[str]]

_CALLED = {"pool": "pool", "volume": "volume", "storagepoolCapabilities": "capabilities"}
_TRIES = 20
_PER_DRAWN = 8
"""How many documents are made from one drawn specification: drawing takes 20 times as long as all else."""


def from_models(kind: str, count: int, number: int) -> Iterator[str]:
    """Drawn from the models: as written, and with parts of one another in any order.

    ``number`` decides the type of pool, too: fourteen numbers in a row are one of each.
    """
    strategies = [DOCUMENTS[name] for name in DOCUMENTS if name.split()[0] == _CALLED[kind]]
    chance = Chance(number)
    drawn = _drawn(strategies[number % len(strategies)], -(-count // _PER_DRAWN), number)
    roots = [parse(made.to_xml(reported=chance.often(0.8))) for made in drawn]
    yield from (etree.tostring(root, encoding="unicode") for root in roots)
    while True:
        root = deepcopy(chance.choice(roots))
        _cross(chance, root, chance.choice(roots))
        yield etree.tostring(root, encoding="unicode")


def _drawn(strategy: st.SearchStrategy[Any], count: int, number: int) -> list[Document]:
    made: list[Document] = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        derandomize=False,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(strategy)
    def draw(document: Document) -> None:
        made.append(document)

    draw()
    return made


def _cross(chance: Chance, root: etree._Element, other: etree._Element) -> None:
    """Take over some parts of another document, and put all parts in another order."""
    for child in list(root):
        if (part := other.find(child.tag)) is not None and chance.often(0.3):
            if chance.often(0.5):
                _cross(chance, child, part)
            else:
                root.replace(child, deepcopy(part))
    children = list(root)
    if chance.often(0.7):
        chance.shuffle(children)
    root[:] = children


def from_rng(kind: str, _: int, number: int) -> Iterator[str]:
    """Walked through libvirt's schema."""
    walker = Walker(kind, Chance(number))
    while True:
        yield etree.tostring(walker.document(), encoding="unicode")


def from_corpus(kind: str, count: int, number: int) -> Iterator[str]:
    """Documents of ours after small changes."""
    return mutants(originals(kind), count * _TRIES, number)


@cache
def originals(kind: str) -> Sequence[bytes]:
    """Our documents; the long capabilities of a host come as one document for each type of pool, too."""
    whole = texts(ours(), kind)
    if kind != "storagepoolCapabilities":
        return whole
    pools = [pool for document in whole for pool in parse(document)]
    return [*whole, *(b"<%s>%s</%s>" % (k := kind.encode(), etree.tostring(pool), k) for pool in pools)]


WAYS: Mapping[str, Way] = {"models": from_models, "RNG": from_rng, "corpus": from_corpus}


def sample(kind: str, way: str, count: int, number: int) -> list[str]:
    """``count`` different documents, or fewer where so many are not to be had."""
    tried = islice(WAYS[way](kind, count, number), count * _TRIES)
    found: dict[str, None] = {}
    for text in tried:
        found[text] = None
        if len(found) == count:
            break
    return list(found)
