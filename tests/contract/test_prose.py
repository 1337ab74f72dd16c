"""Plain English: phrases that make a reader stop are dropped from docstrings and messages, and do not come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.prose import PHRASES, Text, counts, found, found_in, page_texts, texts

# How often each phrase may be used. A ceiling is only ever lowered: `python -m tests.contract.prose` prints the counts
# of today.
CEILINGS = {
    "so many": 0,
    "anew": 0,
    "is had": 0,
    "is at": 0,
    "nobody": 0,
    "somebody": 0,
    "who": 1,
    "what is there": 0,
    "of ours": 0,
    "told": 2,
    "is no": 20,
    "there is none": 1,
    "It is.": 0,
    "a condition without if": 0,
    "a Sphinx role": 0,
    "two blanks after a full stop": 0,
}

# The same for the pages that people write, in which a clause with "who" or "is no" can be right.
PAGE_CEILINGS = {
    "so many": 0,
    "anew": 0,
    "is had": 0,
    "is at": 0,
    "nobody": 0,
    "somebody": 1,  # CONTRIBUTING.md names it
    "what is there": 1,  # the same
    "of ours": 0,
    "told": 0,
}

PLANTED = '''\
"""Nobody tells so many."""

LIMIT = 3
"""How much is had: the limit is no number."""


class Lane:
    """A lane, whose number is at most 4, and which is no longer open."""

    def is_open(self):
        """It is."""

    def read(self):
        """:class:`Lane` is at it anew.  Then it ends.

        Raises:
            ValueError: It is empty.
        """
        raise ValueError(f"there is none of ours for {self}", hint="Ask what is there, or somebody who knows.")
'''


@pytest.fixture(scope="module")
def used() -> list[tuple[str, Text]]:
    return list(found())


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_phrase_is_used_less_and_less(used: list[tuple[str, Text]], phrase: str) -> None:
    uses = [f"{text.module}:{text.line}: {text.text}" for name, text in used if name == phrase]
    assert len(uses) <= CEILINGS[phrase], "\n\n".join(uses)


@pytest.mark.parametrize("phrase", PAGE_CEILINGS)
def test_a_phrase_is_not_used_in_pages(phrase: str) -> None:
    uses = [f"{text.module}: {text.text}" for name, text in found_in(page_texts()) if name == phrase]
    assert len(uses) <= PAGE_CEILINGS[phrase], "\n\n".join(uses)


def test_the_pages_are_read_without_their_code() -> None:
    pages = {text.module: text.text for text in page_texts()}
    assert {"README.md", "docs/client.md", "docs/guides/write-sizes.md", "tests/README.md"} <= set(pages)
    assert "docs/reference/enums.md" not in pages
    assert "import libstorage" not in pages["README.md"]


def test_each_phrase_that_comes_back_is_found(tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text(PLANTED)

    assert counts(tmp_path) == dict.fromkeys(PHRASES, 1)


def test_each_docstring_has_its_owner(tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text(PLANTED)

    documented = {text.owner: text.line for text in texts(tmp_path) if text.owner is not None}

    assert documented == {"": 1, "LIMIT": 4, "Lane": 8, "Lane.is_open": 11, "Lane.read": 14}
