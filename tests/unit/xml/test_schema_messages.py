"""Wrong documents, and what a person reads about each, from every judge that has something to say.

``wrong_documents.txt`` holds them, and ``docs/generate.py`` makes a page of it.  After a change of words::

    python -m tests.unit.xml.test_schema_messages && python -m docs.generate

writes the messages anew: read what that changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import libstorage as ls
from docs.generate import WRONG_DOCUMENTS, wrong_documents
from libstorage.xml.document import Document

GALLERY = wrong_documents()
MODELS: tuple[type[Document], ...] = (
    *(ls.PoolSpec, ls.VolumeSpec, ls.SecretSpec),
    *(ls.PoolCapabilities, ls.PoolSources, ls.SourceQuery),
)
MADE = {
    "(300 elements, one inside the other)": "<pool>" * 300 + "</pool>" * 300,
    "(5 MiB of blanks)": " " * (5 << 20),
    "(a mode of 100,000 digits)": (
        f"<volume><name>a</name><target><permissions><mode>{'9' * 100_000}</mode></permissions></target></volume>"
    ),
}
"""Documents that are described in the file."""


def model_of(document: str) -> type[Document]:
    """The class for a document; any will do where none fits."""
    return next((m for m in MODELS if document.startswith((f"<{m.ROOT} ", f"<{m.ROOT}>"))), ls.VolumeSpec)


JUDGES: dict[str, Callable[[str], Any]] = {
    "validate(x)": ls.validate,
    'validate(x, "rng")': lambda x: ls.validate(x, "rng"),
    "from_xml(x, strict=True)": lambda x: model_of(x).from_xml(x, strict=True),
    "from_xml(x)": lambda x: model_of(x).from_xml(x),
    "from_xml(x).check()": lambda x: model_of(x).from_xml(x).check(),
}


def told(judge: str, document: str) -> list[str]:
    """What one judge says of a document; checking says nothing where reading said all."""
    try:
        JUDGES[judge](MADE.get(document, document))
    except ls.UnsupportedError:
        return []  # libvirt has no schema for source discovery
    except ls.DocumentError as error:
        messages = [str(problem) for problem in error.problems]
        return [] if judge.endswith("check()") and messages == told("from_xml(x)", document) else messages
    return []


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize("title", GALLERY)
def test_what_a_person_reads(title: str, judge: str) -> None:
    document, messages = GALLERY[title]
    said = [lines for judges, lines in messages.items() if judge in judges]
    assert told(judge, document) == (said[0] if said else [])


def test_somebody_refuses_each() -> None:
    assert all(messages for _, messages in GALLERY.values())
    assert {judge for _, messages in GALLERY.values() for judges in messages for judge in judges} == {*JUDGES}


def written() -> Iterator[str]:
    """The file with the messages of today."""
    for title, (document, _) in GALLERY.items():
        yield f"# {title}\n{document}\n"
        messages: dict[tuple[str, ...], list[str]] = {}
        for judge in JUDGES:
            messages.setdefault(tuple(told(judge, document)), []).append(judge)
        for lines, judges in messages.items():
            if lines:
                yield "\n".join((f"{' | '.join(judges)}:", *lines, ""))


if __name__ == "__main__":
    WRONG_DOCUMENTS.write_text("\n".join(written()), encoding="utf-8")
