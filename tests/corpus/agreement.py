"""Our XSD and libvirt's RELAX NG schema judge changed documents alike, and what is valid is readable."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Literal

from hypothesis import settings
from lxml import etree

from libstorage.errors import DocumentError
from libstorage.models.latitude import STRICT_LIMITS
from libstorage.xml.parse import parse
from libstorage.xml.read import read_carefully
from libstorage.xml.schema import validate
from tests.contract.rng import installed, newest
from tests.corpus.documents import MODELS
from tests.corpus.mutations import mutants
from tests.judges.older import is_valid_here
from tests.support import as_libvirt_prints, read_fast, same

JUDGED, SEED = 2_000, 20_240
MUTANTS = max(settings().max_examples * 8, 100)
SCHEMA = {
    "pool": "storagepool.rng",
    "volume": "storagevol.rng",
    "secret": "secret.rng",
    "storagepoolCapabilities": "storagepoolcaps.rng",
}
"""The kinds of documents that libvirt has a schema for."""


@cache
def rng(root: str) -> etree.RelaxNG:
    return etree.RelaxNG(file=str(newest().folder / SCHEMA[root]))


def the_judges_agree(documents: Sequence[bytes]) -> None:
    """On what is too new for the schema of this machine, in what they say of its older forms."""
    verdicts = {
        document: (_problems(document, "xsd"), _problems(document, "rng"))
        for document in mutants(documents, JUDGED, SEED)
    }
    for document, (ours, libvirts) in verdicts.items():
        if libvirts and not ours and installed().lack(parse(document)) and is_valid_here(document):
            assert all("since 9.3.0 only" in problem for problem in libvirts), document
            verdicts[document] = ours, ours
    assert [document for document, (ours, libvirts) in verdicts.items() if ours != libvirts] == []
    refused = sum(bool(ours) for ours, _ in verdicts.values())
    assert JUDGED / 2 < refused < JUDGED * 9 / 10, "the changes are too wild or too tame to tell anything"


def _problems(document: str, against: Literal["xsd", "rng"]) -> list[str]:
    try:
        validate(document, against)
    except DocumentError as error:
        return [str(problem) for problem in error.problems]
    return []


def what_is_valid_is_readable(root: str, originals: Sequence[bytes]) -> None:
    """Among odd documents made from these, save what the table of strict limits names."""
    limits = {limit.problem for limit in STRICT_LIMITS}
    model, valid = MODELS[root], 0
    for text in mutants(originals, MUTANTS, seed=len(root)):
        tree = parse(text)
        if not rng(root)(tree):
            continue
        valid += 1
        try:
            read = model.from_xml(text)
        except DocumentError as error:
            assert {problem.reason for problem in error.problems} <= limits  # noqa: PT017
            continue
        assert same(read_carefully(model, tree), read), text
        assert same(model.from_xml(read.to_xml(reported=True)), read), text
    assert valid > MUTANTS // 20


def the_fast_reader_is_careful(root: str, originals: Sequence[bytes]) -> None:
    """Whatever it answers for, however odd, the careful reader takes as the same."""
    answered = 0
    for mutant in mutants(originals, 2 * MUTANTS, seed=len(root) + 1):
        text = as_libvirt_prints(parse(mutant))
        if (quick := read_fast(MODELS[root], text)) is not None:
            answered += 1
            assert same(read_carefully(MODELS[root], parse(text)), quick), text
    assert answered > MUTANTS // 20
