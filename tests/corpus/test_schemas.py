"""Both judges on libvirt's own documents, and on what becomes of them by small changes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from lxml import etree

from libstorage.errors import DocumentError
from libstorage.xml.schema import validate
from tests.corpus.mutations import mutants
from tests.support import CORPUS, corpus_documents

KINDS = ("pool-in", "pool-out", "volume-in", "volume-out", "capabilities", "schema-cases")
MUTANTS, SEED = 2_000, 20_240

both = pytest.mark.parametrize("against", ["xsd", "rng"])


@both
@pytest.mark.parametrize("path", corpus_documents(*KINDS))
def test_documents_of_libvirt(path: Path, against: Literal["xsd", "rng"]) -> None:
    if "invalid" not in path.stem:
        validate(path.read_bytes(), against)
        return
    with pytest.raises(DocumentError) as caught:
        validate(path.read_bytes(), against)
    assert str(caught.value) == "/pool/target (line 5): <path> is missing"


def test_the_judges_agree_on_changed_documents() -> None:
    documents = [path.read_bytes() for path in sorted(CORPUS.glob("*/*/*.xml"))]
    if not documents:
        pytest.skip(f"not run: no documents in {CORPUS}; set LIBSTORAGE_CORPUS to libvirt's corpus")
    documents.append(
        b"<secret private='no'><uuid>3e3fce454f534fa7bb3211f34168b82b</uuid><description/></secret>"
    )
    documents.append(b"<secret><usage type='volume'><volume>/a</volume></usage></secret>")
    documents.append(b"<secret><usage type='iscsi'><target>a</target></usage></secret>")
    verdicts = {
        document: (_problems(document, "xsd"), _problems(document, "rng"))
        for document in mutants(documents, MUTANTS, SEED)
    }
    assert [document for document, (ours, libvirts) in verdicts.items() if ours != libvirts] == []
    refused = sum(bool(ours) for ours, _ in verdicts.values())
    assert MUTANTS / 2 < refused < MUTANTS * 9 / 10, "the changes are too wild or too tame to tell anything"


def test_changed_documents_are_well_formed_and_differ() -> None:
    documents = [b"<pool type='dir'><name>a</name><target><path>/a</path></target></pool>"]
    made = list(mutants(documents, 200, SEED))
    assert made == list(mutants(documents, 200, SEED))
    assert len({*made}) > 100
    for document in made:
        etree.fromstring(document)


def _problems(document: str, against: Literal["xsd", "rng"]) -> list[str]:
    try:
        validate(document, against)
    except DocumentError as error:
        return [str(problem) for problem in error.problems]
    return []
