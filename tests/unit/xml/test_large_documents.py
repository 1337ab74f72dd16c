"""Large documents are read within a second, or refused within one; the larger limits here are for a busy machine."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import pytest

from libstorage import DocumentError, PoolSpec, validate
from libstorage.xml.document import Document
from libstorage.xml.parse import MOST_ATTRIBUTES, MOST_MARKUP
from libstorage.xml.read import MOST_ELEMENTS
from libstorage.xml.schema import MOST_JUDGED, is_valid
from tests.unit.xml import large

EVERY = {**{f"{model}.{name}": made for (model, name), made in large.REPEATED.items()}, **large.OTHERS}
WORST = ("LogicalSource.devices", "RbdSource.hosts", "Encryption.secrets", "unknown, full", "a wrong host")


def seconds(act: Callable[[], object]) -> float:
    """Of this thread's processor, also when it ends in a refusal."""
    before = time.thread_time()
    with contextlib.suppress(DocumentError):
        act()
    return time.thread_time() - before


def use(model: type[Document], text: str) -> None:
    document = model.from_xml(text)
    assert repr(document)
    assert document._repr_html_()
    assert document.to_xml(reported=True)


@pytest.fixture(autouse=True, scope="module")
def schemas() -> None:
    """Loading them is not part of what a document costs."""
    for root in ("pool", "volume", "secret", "sources", "storagepoolCapabilities"):
        is_valid(f"<{root}/>")
    validate("<pool type='dir'><name>a</name><target><path>/a</path></target></pool>", "rng")
    assert not is_valid("<volume/>", "rng")


def test_every_place_where_elements_repeat_is_tried() -> None:
    assert set(large.REPEATED) == large.repeated_places()
    for model, before, item, after in large.REPEATED.values():
        assert model.from_xml(before + item * 2 + after).unknown == ()  # type: ignore[attr-defined]


@pytest.mark.parametrize("case", EVERY)
def test_the_time_to_use_a_document_grows_with_its_length(case: str) -> None:
    model, few = large.filled(EVERY[case], MOST_MARKUP // 60, large.markup)
    model, many = large.filled(EVERY[case], MOST_MARKUP // 15, large.markup)
    once = min(seconds(lambda: use(model, few)) for _ in range(2))
    assert min(seconds(lambda: use(model, many)) for _ in range(2)) < 0.1 + 9 * once


@pytest.mark.parametrize("case", WORST)
def test_the_largest_are_read_or_refused_in_time(case: str) -> None:
    model, most = large.filled(EVERY[case], MOST_ELEMENTS, large.elements)
    model, text = large.filled(EVERY[case], MOST_MARKUP, large.markup)
    for document in (most, text):
        assert seconds(lambda: model.from_xml(document)) < 2  # noqa: B023
    for act in (lambda: model.from_xml(text, strict=True), lambda: validate(text, "rng")):
        assert seconds(act) < 1


@pytest.mark.parametrize("case", WORST)
def test_the_largest_are_judged_in_time(case: str) -> None:
    model, text = large.filled(EVERY[case], MOST_JUDGED, large.parts)
    for act in (lambda: model.from_xml(text, strict=True), lambda: validate(text, "rng")):
        assert seconds(act) < 2


@pytest.mark.parametrize("where", large.ATTRIBUTES)
@pytest.mark.parametrize("count", [MOST_ATTRIBUTES - 50, 4 * MOST_ATTRIBUTES, MOST_MARKUP // 2 - 50])
def test_many_attributes_and_namespaces(where: str, count: int) -> None:
    text = large.of_attributes(where, count)
    for act in (
        lambda: use(PoolSpec, text),
        lambda: PoolSpec.from_xml(text).check(),
        lambda: validate(text),
        lambda: validate(text, "rng"),
    ):
        assert seconds(act) < 2


@pytest.mark.parametrize("text", large.TEXTS)
def test_long_texts(text: str) -> None:
    for model, document in large.of_text(large.TEXTS[text], 150_000):
        for act in (lambda: use(model, document), lambda: model.from_xml(document, strict=True)):  # noqa: B023
            assert seconds(act) < 2  # a hundred times what is usual: quadratic time would be minutes


def test_what_is_too_large_says_how_much_is_read() -> None:
    model, text = large.filled(EVERY["LogicalSource.devices"], 2 * MOST_MARKUP, large.markup)
    with pytest.raises(DocumentError, match=f"more than {MOST_MARKUP:,} tags and attributes"):
        model.from_xml(text)
    model, text = large.filled(EVERY["LogicalSource.devices"], MOST_ELEMENTS + 10, large.elements)
    with pytest.raises(DocumentError, match=f"more than {MOST_ELEMENTS:,} elements"):
        model.from_xml(text)
    with pytest.raises(DocumentError, match=f"at most {MOST_ATTRIBUTES:,} attributes"):
        PoolSpec.from_xml(large.of_attributes("of the root", MOST_ATTRIBUTES + 1))
    with pytest.raises(DocumentError, match=f"more than {MOST_ATTRIBUTES:,} namespaces"):
        PoolSpec.from_xml(large.of_attributes("namespaces", MOST_ATTRIBUTES + 1))
    model, text = large.filled(EVERY["LogicalSource.devices"], MOST_JUDGED + 10, large.parts)
    assert repr(model.from_xml(text))
    for against in ("xsd", "rng"):
        with pytest.raises(DocumentError, match=f"at most {MOST_JUDGED:,} elements and attributes"):
            validate(text, against)
