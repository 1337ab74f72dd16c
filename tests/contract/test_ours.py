"""Our own documents stand alone: they exercise all that the models have, and none of them can be missed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import pytest

from libstorage.errors import DocumentError
from libstorage.xml.parse import parse
from libstorage.xml.schema import validate
from tests.contract.exercise import Use, missing, needs, uses
from tests.contract.places import DOCUMENTS
from tests.contract.rng import installed
from tests.corpus.cases import alone, cases
from tests.corpus.documents import ours
from tests.judges.older import is_valid_here
from tests.support import CHECKOUT

OURS = {path.name: path.read_bytes() for path in ours()}
REFUSED = "libvirt's schema"
"""What the comment of a document names, when that schema, and so ours, refuses the document."""

CASES = (CHECKOUT / "tests/corpus/cases.txt").read_text(encoding="utf-8").splitlines()

_OPENING = re.compile(r"\ufeff?(?:<\?xml [^>]*\?>\r?\n)?<!-- (?P<case>\S.{10,}\S) -->\r?\n")

each = pytest.mark.parametrize("name", OURS)


def case_named(name: str) -> str:
    """What the comment at the beginning of a document says."""
    opening = _OPENING.match(OURS[name].decode())
    assert opening, "begin it with a comment that names its case, in one line"
    return opening["case"]


def uncovered(documents: Mapping[str, bytes]) -> set[str]:
    """The listed cases that none of these documents has."""
    return set(CASES).difference(*map(cases, documents.values()))


# ---- together they exercise everything ------------------------------------------------------------------------------


def test_there_are_enough() -> None:
    assert len(OURS) >= 150
    assert {str(parse(data).tag) for data in OURS.values()} == {model.ROOT for model in DOCUMENTS}


def test_every_field_word_and_place_is_exercised() -> None:
    assert missing(OURS.values()) == []


def test_what_no_document_exercises_is_missed() -> None:
    """For everything that there is to exercise: without the documents that do it, it is found missing."""
    overlooked: list[Use] = []
    for need in needs():
        others = [data for data in OURS.values() if need not in uses(data)]
        assert len(others) < len(OURS)
        if need not in missing(others):
            overlooked.append(need)
    assert overlooked == []


@pytest.mark.parametrize(
    ("text", "need"),
    [
        (b"<pool type='sheepdog'", ("kind", "pool sheepdog")),
        (b"<format type='vmfs'/>", ("word", "FsSource", "format", "vmfs")),
        (b"multifunction='off'", ("word", "PciAddress", "multifunction", "False")),
        (b"<usage type='vtpm'>", ("word", "Usage", "type", "vtpm")),
        (b"<protocol ver=", ("place", "pool netfs", "source/protocol/@ver")),
        (b"<extended_l2/>", ("field", "VolumeFeatures", "extended_l2")),
    ],
)
def test_planted_gaps_are_reported(text: bytes, need: Use) -> None:
    """Documents without a text that is known, whatever ``uses`` says of them."""
    left = [data for data in OURS.values() if text not in data.replace(b'"', b"'")]
    assert len(left) < len(OURS)
    assert need in missing(left)


# ---- none of them can be missed -------------------------------------------------------------------------------------


def test_every_case_is_covered() -> None:
    """``cases.txt`` lists at least one case for each document: a document that goes leaves its case uncovered."""
    assert sorted({*CASES}) == CASES
    assert uncovered(OURS) == set()


@each
def test_without_it_a_case_is_uncovered(name: str) -> None:
    """``python -m tests.corpus.cases`` prints the cases that it alone has, of which ``cases.txt`` lists one."""
    assert uncovered({other: data for other, data in OURS.items() if other != name})


def test_a_document_that_tries_nothing_new_is_found() -> None:
    """Another name and other numbers make no case."""
    twin = OURS["pool-fs-ext4-options.xml"].replace(b"fast", b"quick").replace(b"commit=60", b"commit=30")
    found = alone(OURS | {"twin.xml": twin})
    assert found["twin.xml"] == found["pool-fs-ext4-options.xml"] == []


# ---- each of them -----------------------------------------------------------------------------------------------------


@each
def test_it_names_its_case(name: str) -> None:
    said = case_named(name)
    assert [other for other in OURS if case_named(other) == said] == [name]


@each
def test_the_judges_agree_with_its_comment(name: str) -> None:
    """A document that the schemas refuse says so, and only such a one."""
    root, ours = parse(OURS[name]), _problems(name, "xsd")
    if installed().lack(root):
        assert is_valid_here(OURS[name]) == (not ours)
    elif root.tag not in ("source", "sources"):  # libvirt has no schema for these
        assert _problems(name, "rng") == ours
    assert bool(ours) == (REFUSED in case_named(name)), ours


def _problems(name: str, judge: Literal["xsd", "rng"]) -> str:
    try:
        validate(OURS[name], judge)
    except DocumentError as error:
        return str(error)
    return ""
