"""Wrong documents, and what a person reads about each: the same from both judges.

``wrong_documents.txt`` holds them: a title, the document, an empty line, and one message a line.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from libstorage.errors import DocumentError
from libstorage.xml.schema import validate

TEXT = Path(__file__).with_name("wrong_documents.txt").read_text(encoding="utf-8")
GALLERY = dict(part.split("\n", 1) for part in f"\n{TEXT}".split("\n# ")[1:])
CASES = [
    (title, judge) for title in GALLERY for judge in ("xsd", "rng") if (title, judge) != ("discovery", "rng")
]


@pytest.mark.parametrize(("title", "against"), CASES)
def test_what_a_person_reads(title: str, against: Literal["xsd", "rng"]) -> None:
    document, messages = GALLERY[title].split("\n\n")
    with pytest.raises(DocumentError) as caught:
        validate(document, against)
    assert [str(problem) for problem in caught.value.problems] == messages.splitlines()
