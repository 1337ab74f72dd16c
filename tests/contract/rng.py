"""libvirt's RELAX NG schemas, of one version or several, and the tree of places that a document may have by the newest.

Beside those of this machine, ``LIBSTORAGE_RNG=11.3.0=FOLDER:12.8.0=FOLDER`` names the schemas of other versions.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import cast

import pytest
from attrs import Factory, evolve, frozen
from lxml import etree

from libstorage.enums.base import version_number
from libstorage.xml.newer import NEWER, Newer

INSTALLED = Path("/usr/share/libvirt/schemas")
PARSER = etree.XMLParser(remove_comments=True)
_RNG = "{http://relaxng.org/ns/structure/1.0}"


@frozen(order=True)
class Schemas:
    """The schemas in a folder, and the version of libvirt that they came with, as libvirt encodes it."""

    version: int
    folder: Path

    def __str__(self) -> str:
        return f"{self.version // 1_000_000}.{self.version // 1_000 % 1_000}.{self.version % 1_000}"

    @property
    def lacks(self) -> tuple[Newer, ...]:
        """The rows of the published table that these schemas are too old for."""
        return tuple(row for row in NEWER if self.version < row.since_number)

    def lack(self, document: etree._Element) -> bool:
        """Whether a document has something that these schemas are too old for."""
        return any(document.xpath(row.part) for row in self.lacks)

    @property
    def lacked_words(self) -> frozenset[str]:
        """The words of the rows that are about a word."""
        found = [cast("list[object]", etree.fromstring(row.document).xpath(row.part)) for row in self.lacks]
        return frozenset(part.strip() for parts in found for part in parts if isinstance(part, str))


@cache
def installed() -> Schemas:
    """The schemas of this machine, which came with its client library; documents are tested without the binding, too."""
    version = ctypes.c_ulong()
    ctypes.CDLL("libvirt.so.0").virGetVersion(ctypes.byref(version), None, None)
    return Schemas(version.value, INSTALLED)


@cache
def versions() -> tuple[Schemas, ...]:
    """The schemas of this machine and those that ``LIBSTORAGE_RNG`` names, the newest last."""
    named = [each.partition("=") for each in os.environ.get("LIBSTORAGE_RNG", "").split(":") if each]
    return tuple(
        sorted([installed(), *(Schemas(version_number(said), Path(folder)) for said, _, folder in named)])
    )


def newest() -> Schemas:
    return versions()[-1]


@frozen
class Place:
    """An element or an attribute: whether its parent must have it, the words of which it takes one, and what is in it.

    ``words`` is ``None`` where other text may stand.
    """

    required: bool = True
    words: frozenset[str] | None = frozenset()
    places: dict[str, Place] = Factory(dict)

    def paths(self, prefix: str = "") -> Iterator[tuple[str, Place]]:
        """Every place below this one with its path."""
        for name, place in self.places.items():
            yield prefix + name, place
            yield from place.paths(f"{prefix}{name}/")


@cache
def schema(file: str) -> dict[str, etree._Element]:
    """The named patterns of a file of the newest schemas, and of those that it includes."""
    path = newest().folder / file
    if not path.exists():
        pytest.skip(f"not run: libvirt's schemas are not installed ({path})")
    found: dict[str, etree._Element] = {}
    for child in etree.parse(path, PARSER).getroot():
        if child.tag == f"{_RNG}include":
            found |= schema(str(child.get("href")))
        elif child.tag == f"{_RNG}define":
            found[str(child.get("name"))] = child
    return found


def pattern(file: str, name: str) -> Place:
    """What the named pattern says of the element around it."""
    return _sequence(schema(file), schema(file)[name], "")


def _sequence(defines: dict[str, etree._Element], parent: etree._Element, space: str) -> Place:
    """All of the children of a pattern."""
    whole = Place()
    for child in parent:
        whole = both_of(whole, _one(defines, child, space))
    return whole


def _one(defines: dict[str, etree._Element], node: etree._Element, space: str) -> Place:
    space = node.get("ns", space)
    match str(node.tag).removeprefix(_RNG):
        case "element":
            name = f"{{{space}}}{node.get('name')}" if space else str(node.get("name"))
            return Place(places={name: _sequence(defines, node, space)})
        case "attribute":
            inside = _sequence(defines, node, space) if len(node) else Place(words=None)
            return Place(places={f"@{node.get('name')}": inside})
        case "ref":
            return _sequence(defines, defines[str(node.get("name"))], space)
        case "optional" | "zeroOrMore":
            return _may_be_missing(_sequence(defines, node, space))
        case "choice":
            return one_of([_one(defines, child, space) for child in node])
        case "value":
            return Place(words=frozenset({node.text or ""}))
        case "text" | "data":
            return Place(words=None)
        case "empty" | "except":
            return Place()
        case _:
            return _sequence(defines, node, space)


def _words(one: Place, other: Place) -> frozenset[str] | None:
    return None if one.words is None or other.words is None else one.words | other.words


def both_of(one: Place, other: Place) -> Place:
    """What two patterns say that stand side by side."""
    places = dict(one.places)
    for name, place in other.places.items():
        places[name] = both_of(places[name], place) if name in places else place
    return Place(one.required, _words(one, other), places)


def _may_be_missing(place: Place) -> Place:
    return evolve(place, places={name: evolve(inner, required=False) for name, inner in place.places.items()})


def one_of(choices: list[Place]) -> Place:
    """Required is what every choice requires."""
    whole, *others = choices
    for other in others:
        places = {}
        for name in {**whole.places, **other.places}:
            here = [p.places[name] for p in (whole, other) if name in p.places]
            place = one_of(here) if len(here) == 2 else here[0]
            places[name] = evolve(place, required=len(here) == 2 and all(p.required for p in here))
        whole = Place(True, _words(whole, other), places)
    return whole
