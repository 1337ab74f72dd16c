"""Both judges on our documents, and on what becomes of them by small changes."""

from __future__ import annotations

import pytest
from lxml import etree

from tests.corpus import agreement
from tests.corpus.documents import ours, texts
from tests.corpus.mutations import mutants


def test_the_judges_agree_on_changed_documents() -> None:
    agreement.the_judges_agree([text for root in agreement.SCHEMA for text in texts(ours(), root)])


@pytest.mark.parametrize("root", agreement.SCHEMA)
def test_what_is_valid_is_readable(root: str) -> None:
    agreement.what_is_valid_is_readable(root, texts(ours(), root))


@pytest.mark.parametrize("root", agreement.SCHEMA)
def test_the_fast_reader_is_careful(root: str) -> None:
    agreement.the_fast_reader_is_careful(root, texts(ours(), root))


def test_changed_documents_are_well_formed_and_differ() -> None:
    documents = [b"<pool type='dir'><name>a</name><target><path>/a</path></target></pool>"]
    made = list(mutants(documents, 200, agreement.SEED))
    assert made == list(mutants(documents, 200, agreement.SEED))
    assert len({*made}) > 100
    for document in made:
        etree.fromstring(document)
