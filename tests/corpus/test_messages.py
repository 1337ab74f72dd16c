"""What is said of our documents after small changes, and of huge ones."""

from __future__ import annotations

import pytest

from libstorage.errors import DocumentError
from libstorage.xml.schema import validate
from tests.corpus import messages
from tests.corpus.documents import ours, texts


@pytest.fixture(scope="module")
def said() -> messages.Said:
    return messages.refused(texts(ours()))


def test_each_has_its_place(said: messages.Said) -> None:
    messages.each_has_its_place(said)


def test_each_is_said_in_words_of_people(said: messages.Said) -> None:
    messages.each_is_said_in_words_of_people(said)


def test_the_same_mistake_is_told_in_the_same_words(said: messages.Said) -> None:
    messages.the_same_mistake_is_told_in_the_same_words(said)


@pytest.mark.parametrize(
    "document",
    [
        f"<volume><name>a</name><target><permissions><mode>{'x' * 50_000}</mode></permissions></target></volume>",
        f"<volume><{'x' * 40_000}/></volume>",
        f"<{'x' * 40_000}/>",
        f"<volume {'x' * 40_000}='a'><name>a</name></volume>",
        f"<volume>{'x' * 40_000}<name>a</name></volume>",
        f"<pool type='{'x' * 40_000}'><name>a</name></pool>",
        f"<volume><name>a<{'x' * 40_000}/></name></volume>",
        f"<volume><name>a</name><{'x' * 10_000}:y xmlns:{'x' * 10_000}='{'z' * 10_000}'/></volume>",
    ],
    ids=["value", "element", "root", "attribute", "text", "type", "inside a value", "namespace"],
)
def test_what_is_huge_is_told_in_part(document: str) -> None:
    with pytest.raises(DocumentError) as caught:
        validate(document)
    for problem in caught.value.problems:
        assert len(str(problem)) <= messages.LONGEST
        assert len(repr(problem)) <= messages.LONGEST
