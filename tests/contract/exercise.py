"""What documents exercise: the fields and words of our models, and the places of each kind of document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, TypeAlias

from lxml import etree

from libstorage.enums import VolumeType
from libstorage.models.adapters import UnknownAdapter
from libstorage.models.pool import PoolSpec
from libstorage.models.sources import UnknownSource
from libstorage.xml.describe import FieldDescription, describe
from libstorage.xml.document import Element
from libstorage.xml.mapping import mapping_of
from libstorage.xml.parse import parse
from tests.contract.places import DOCUMENTS, models_of, places, places_of_documents, printed

Use: TypeAlias = tuple[str, ...]
"""Something to exercise: ``("field", "Device", "path")``, ``("word", "Auth", "type", "chap")``,
``("place", "pool rbd", "source/auth/@type")``."""

_WORDS: dict[str, tuple[Any, ...]] = {
    "yes/no": (True, False),
    "on/off": (True, False),
    "VolumeType": tuple(VolumeType),
}
_FALLBACKS = (UnknownSource, UnknownAdapter)


def _models() -> set[type[Element]]:
    return {model for document in DOCUMENTS for model in models_of(document)} | {*_FALLBACKS}


@cache
def needs() -> frozenset[Use]:
    """All that there is to exercise."""
    return frozenset(_needs())


def _needs() -> Iterator[Use]:
    for model in _models():
        for field in describe(model).fields:
            yield "field", model.__name__, field.name
            for word in _words(field):
                yield "word", model.__name__, field.name, str(word)
    for kind, place in places_of_documents().items():
        yield "kind", kind
        for path in places(place):
            yield "place", kind, path


def _words(field: FieldDescription) -> Iterable[Any]:
    if re.fullmatch(r"[a-z0-9]+(\|[a-z0-9]+)+", field.pattern or ""):
        return str(field.pattern).split("|")  # a list of words that is no enum: the formats of found sources
    return field.words or _WORDS.get(field.kind, ())


@cache
def uses(data: bytes) -> frozenset[Use]:
    """What a document exercises."""
    root = parse(data)
    model = next(model for model in DOCUMENTS if root.tag == model.ROOT)
    kind = f"pool {root.get('type')}" if model is PoolSpec else model.ROOT
    found = {("kind", kind), *_of_element(model.from_xml(data))}
    found |= {("place", kind, path) for path in _paths(root)}
    return frozenset(found) & needs()


def _of_element(element: Element) -> Iterator[Use]:
    name = type(element).__name__
    for mapped in mapping_of(type(element)).fields:
        value = getattr(element, mapped.name)
        if not mapped.required and value == mapped.missing():
            continue
        yield "field", name, mapped.name
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Element):
                yield from _of_element(item)
            else:
                yield "word", name, mapped.name, str(item)


def _paths(element: etree._Element, prefix: str = "") -> Iterator[str]:
    for attribute in element.attrib:
        yield f"{prefix}@{attribute!s}"
    for child in element:
        path = prefix + printed(str(child.tag))
        yield path
        yield from _paths(child, f"{path}/")


def missing(documents: Iterable[bytes]) -> list[Use]:
    """What none of these documents exercises."""
    return sorted(needs().difference(*map(uses, documents)))
