"""What is said of documents after small changes: by every judge in one form, and readable.  Laws of any documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from libstorage.errors import DocumentError, Problem
from libstorage.xml.parse import parse
from libstorage.xml.schema import validate
from libstorage.xml.tree import Tree
from tests.contract.rng import installed
from tests.corpus.documents import MODELS
from tests.corpus.mutations import mutants

MUTANTS, SEED = 600, 3_004
LONGEST = 1_000
INTERNAL = re.compile(
    r"Xsd|XMLSchema11|XMLResource|tns:|xs:|\{http|<Element|0x[0-9a-f]{8,}>|not an element of the schema|Unexpected child"
    r"|content model|minOccurs|maxOccurs|is not a valid value|attribute not allowed|assertion test|facet|occurs \d"
    r"|Expecting|RelaxNG|lxml|Traceback|object at"
)
"""Words of the XSD library, of libxml2 and of Python, which say nothing to a person."""
Refusals = dict[str, tuple[Problem, ...]]
Said = list[tuple[str, Refusals]]


def refused(documents: Sequence[bytes]) -> Said:
    """Every changed one of these documents that somebody refuses, with what each judge says."""
    said = ((document, _refusals(document)) for document in mutants(documents, MUTANTS, SEED))
    return [(document, refusals) for document, refusals in said if refusals]


def _refusals(document: str) -> Refusals:
    model = MODELS.get(str(parse(document).tag))
    judges: dict[str, Callable[[], object]] = {"xsd": lambda: validate(document)}
    if model:
        judges["reader"] = lambda: model.from_xml(document)
    if model and document.startswith(("<pool", "<volume", "<secret", "<storagepoolCapabilities")):
        judges["rng"] = lambda: validate(document, "rng")
    found: Refusals = {}
    for name, judge in judges.items():
        try:
            judge()
        except DocumentError as error:
            found[name] = error.problems
    return found


def problems(said: Said) -> Iterator[tuple[str, Problem]]:
    for document, refusals in said:
        for found in refusals.values():
            yield from ((document, problem) for problem in found)


def at(root: Tree, path: str) -> bool:
    """Whether there is something at a path, which spells prefixes as the document does."""
    here: list[Tree] = [root]
    first, *steps = path.removeprefix("/").split("/")
    if first != _printed(root):
        return False
    for step in steps:
        if step.startswith("@"):
            name = step[1:].rpartition(":")[2]
            return any(re.sub(r"^\{.*\}", "", str(key)) == name for key in here[0].attrib)
        name, _, number = step.rstrip("]").partition("[")
        alike = [child for child in here[0] if _printed(child) == name]
        if len(alike) < int(number or 1):
            return False
        here = [alike[int(number or 1) - 1]]
    return True


def _printed(element: Tree) -> str:
    local = str(element.tag).rpartition("}")[2]
    return f"{element.prefix}:{local}" if element.prefix else local


def each_has_its_place(said: Said) -> None:
    for document, problem in problems(said):
        assert at(parse(document), problem.path), (problem, document)
        assert problem.line is not None, (problem, document)
        assert 1 <= problem.line <= document.count("\n") + 1, (problem, document)


def each_is_said_in_words_of_people(said: Said) -> None:
    for document, problem in problems(said):
        assert problem.reason, document
        assert not INTERNAL.search(f"{problem.reason} {problem.expected}"), (problem, document)
        assert len(str(problem)) <= LONGEST, document
        assert len(repr(problem)) <= LONGEST, document


def the_same_mistake_is_told_in_the_same_words(said: Said) -> None:
    """What the reader and the schema say of one place for one reason is the same, save what only one of them knows."""
    compared = 0
    for document, refusals in said:
        if "xsd" in refusals or not installed().lack(parse(document)):
            assert refusals.get("rng", refusals.get("xsd")) == refusals.get("xsd"), document
        for problem in refusals.get("reader", ()):
            alike = [
                p for p in refusals.get("xsd", ()) if (p.path, p.reason) == (problem.path, problem.reason)
            ]
            if not alike or re.search(KNOWN_TO_ONE, problem.path):
                continue
            compared += 1
            assert problem in alike, document
    assert compared > MUTANTS / 10


KNOWN_TO_ONE = (
    "^/storagepoolCapabilities/pool[^/]*$"  # the schema takes any word for the type of a pool
    "|/source[^/]*/device[^/]*$"  # the schema knows the form of an iSCSI target's name
)
