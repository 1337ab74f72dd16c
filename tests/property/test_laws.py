"""What holds for every document that can be made, and for every document that can be read."""

from __future__ import annotations

import copy
import pickle
import random
import re
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from libstorage.errors import DocumentError
from libstorage.models.capabilities import PoolCapabilities
from libstorage.models.discovery import PoolSources, SourceQuery
from libstorage.models.pool_parts import RBD
from libstorage.models.secret import SecretSpec
from libstorage.models.sources import SOURCES
from libstorage.models.spec import Spec
from libstorage.models.volume import VolumeSpec
from libstorage.xml.document import Document, Element
from libstorage.xml.mapping import mapping_of
from libstorage.xml.parse import parse
from libstorage.xml.read import read_carefully
from libstorage.xml.schema import validate
from tests.judges.older import is_valid_here
from tests.property.strategies import elements, pools, texts
from tests.support import read_fast, same
from tests.unit.display.pages import checked

DOCUMENTS: dict[str, st.SearchStrategy[Any]] = {
    **{f"pool {source.type}": pools(source) for source in SOURCES.models},  # type: ignore[attr-defined]
    "volume": elements(VolumeSpec),
    "secret": elements(SecretSpec),
    "capabilities": elements(PoolCapabilities),
    "sources": elements(PoolSources),
    "source": elements(SourceQuery),
}
NO_RNG = ("sources", "source")
SPECS = [kind for kind in DOCUMENTS if kind.split()[0] in ("pool", "volume", "secret")]

EXAMPLES = settings(max_examples=max(settings().max_examples // 3, 1))


def law(*kinds: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A law of these kinds of documents, or of all: a test that draws one."""

    def of(test: Callable[..., None]) -> Callable[..., None]:
        drawn: Callable[..., None] = EXAMPLES(given(data=st.data())(test))
        law: Callable[..., None] = pytest.mark.parametrize("kind", kinds or DOCUMENTS)(drawn)
        return law

    return of


# ---- reading and writing --------------------------------------------------------------------------------------------


@law()
def test_written_and_read_it_is_the_same(kind: str, data: st.DataObject) -> None:
    made: Document = data.draw(DOCUMENTS[kind])
    text = made.to_xml(reported=True)
    again = type(made).from_xml(text)

    assert same(again, made)
    assert again == made
    assert hash(again) == hash(made)
    assert again.to_xml(reported=True) == text


def inside(element: Any) -> list[Element]:
    """Every element in an element."""
    found = [getattr(element, mapped.name) for mapped in mapping_of(type(element)).fields]
    inner = [item for value in found for item in (value if isinstance(value, tuple) else (value,))]
    mine = [item for item in inner if isinstance(item, Element)]
    return [*mine, *(deeper for item in mine for deeper in inside(item))]


def flat(text: str) -> str:
    """Without the indentation, and the attribute that a secret has only in an encryption."""
    return "\n".join(line.strip() for line in text.splitlines()).replace(" type='passphrase'", "")


@law()
def test_each_element_is_written_alone_as_in_its_document(kind: str, data: st.DataObject) -> None:
    """So the judges of a document judge the fragments, too."""
    made: Document = data.draw(DOCUMENTS[kind])
    whole = flat(made.to_xml(reported=True))
    for element in inside(made):
        if not element.TAG:
            continue
        alone = element.to_xml(reported=True)
        assert flat(alone.replace(f" xmlns:rbd='{RBD.uri}'", "")) in whole
        again = type(element).from_xml(alone)
        assert same(again, element)
        assert type(element).from_xml(alone.encode()).to_xml() == element.to_xml()


@law()
def test_a_part_that_nobody_knows_is_not_dropped(kind: str, data: st.DataObject) -> None:
    made: Document = data.draw(DOCUMENTS[kind])
    for element in inside(made):
        if element.TAG:
            alone = element.to_xml(reported=True)
            tag = re.match(r"<[\w:]+", alone)
            assert tag
            with pytest.raises(DocumentError, match="shiny"):
                type(element).from_xml(alone.replace(tag[0], f"{tag[0]} shiny='1'", 1))


@law()
def test_both_readers_agree(kind: str, data: st.DataObject) -> None:
    made: Document = data.draw(DOCUMENTS[kind])
    text = made.to_xml(reported=True)

    assert same(read_carefully(type(made), parse(text)), made)
    assert (quick := read_fast(type(made), text)) is None or same(quick, made)


@law()
def test_the_order_of_elements_says_nothing(kind: str, data: st.DataObject) -> None:
    made: Document = data.draw(DOCUMENTS[kind])
    chance = data.draw(st.randoms(use_true_random=False))
    root = parse(made.to_xml(reported=True))
    for element in root.iter():
        shuffle(element, chance)

    assert same(type(made).from_xml(etree.tostring(root)), made)


def shuffle(parent: etree._Element, chance: random.Random) -> None:
    """Another order of the kinds of children; those of one kind stay in theirs, which does say something."""
    place = {tag: chance.random() for tag in sorted({str(child.tag) for child in parent})}
    parent[:] = sorted(parent, key=lambda child: place[str(child.tag)])


# ---- what is not known ----------------------------------------------------------------------------------------------

NEWER_ELEMENTS = (
    "<newer/>",
    "<newer>text</newer>",
    "<newer at='1'> <deep>a <b/> c</deep> </newer>",
    "<x:newer xmlns:x='urn:x'><x:deep y:at='1' xmlns:y='urn:y'/></x:newer>",
    "<newer xmlns='urn:x'><deep/></newer>",
    "<fs:newer xmlns:fs='urn:other'/>",
    "<fs:newer xmlns:fs='http://libvirt.org/schemas/storagepool/fs/1.0'/>",
)
NEWER_ATTRIBUTES = ("newer", "{urn:x}newer", "{urn:x}name", "{http://www.w3.org/XML/1998/namespace}lang")


@law()
def test_what_is_not_known_is_kept(kind: str, data: st.DataObject) -> None:
    made: Any = data.draw(DOCUMENTS[kind])
    root = parse(made.to_xml(reported=True))
    places = list(root.iter())
    added = 0
    for place in data.draw(st.lists(st.sampled_from(places), min_size=1, max_size=3)):
        name = data.draw(st.sampled_from(NEWER_ATTRIBUTES))
        added += name not in place.attrib
        place.set(name, data.draw(texts))
    for place in data.draw(st.lists(st.sampled_from([e for e in places if not e.text]), max_size=3)):
        place.insert(0, etree.fromstring(data.draw(st.sampled_from(NEWER_ELEMENTS))))
        added += 1
    read = type(made).from_xml(etree.tostring(root))

    assert len(read.unknown) == added
    assert same(attrs.evolve(read, unknown=()), made)
    assert same(type(made).from_xml(read.to_xml(reported=True)), read)
    with pytest.raises(DocumentError) as refused:
        read.check()
    assert {part.path for part in read.unknown} <= {problem.path for problem in refused.value.problems}


# ---- sound ⊂ valid ⊂ readable ---------------------------------------------------------------------------------------


@law()
def test_what_is_sound_is_valid(kind: str, data: st.DataObject) -> None:
    made: Document = data.draw(DOCUMENTS[kind])
    assert made.check() is made
    for text in (made.to_xml(), made.to_xml(reported=True)):
        validate(text, against="xsd")
        if kind not in NO_RNG:
            assert is_valid_here(text)
    assert same(type(made).from_xml(made.to_xml(reported=True), strict=True), made)


# ---- values ---------------------------------------------------------------------------------------------------------


@law()
def test_copies_are_the_same(kind: str, data: st.DataObject) -> None:
    made: Any = data.draw(DOCUMENTS[kind])
    for other in (
        pickle.loads(pickle.dumps(made)),
        copy.copy(made),
        copy.deepcopy(made),
        attrs.evolve(made),
    ):
        assert same(other, made)
        assert other == made
        assert not (other != made)  # noqa: SIM202 - the other operator
        assert hash(other) == hash(made)
        assert len({other, made}) == 1


@law()
def test_it_is_shown(kind: str, data: st.DataObject) -> None:
    made: Any = data.draw(DOCUMENTS[kind])
    assert len(repr(made)) <= 100
    assert repr(made).isprintable()
    assert repr(made).startswith(f"{type(made).__name__}(")
    assert str(made).startswith(type(made).__name__)
    checked(made._repr_html_())


# ---- requests and comparison ----------------------------------------------------------------------------------------

specs = pytest.mark.parametrize(
    "kind", [kind for kind in DOCUMENTS if kind.split()[0] in ("pool", "volume", "secret")]
)


@law(*SPECS)
def test_a_request_says_nothing_that_libvirt_reports(kind: str, data: st.DataObject) -> None:
    made: Spec = data.draw(DOCUMENTS[kind])
    request = made.request()

    assert list(reported(request)) == []
    assert request.to_xml() == request.to_xml(reported=True) == made.to_xml()
    assert request.request() == request


def reported(element: Element) -> Any:
    for mapped in mapping_of(type(element)).fields:
        value = getattr(element, mapped.name)
        if mapped.place.reported and value != mapped.missing():
            yield type(element), mapped.name
        for inner in value if isinstance(value, tuple) else (value,):
            if isinstance(inner, Element):
                yield from reported(inner)


@law(*SPECS)
def test_it_does_not_differ_from_itself(kind: str, data: st.DataObject) -> None:
    made: Spec = data.draw(DOCUMENTS[kind])
    assert made.differences(made) == ()
    assert made.differences(made.request()) == ()
