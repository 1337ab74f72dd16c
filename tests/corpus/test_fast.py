"""The fast reader and the careful one, on our documents."""

from __future__ import annotations

from pathlib import Path

from tests.corpus import readers
from tests.corpus.documents import each, ours, printed, printed_by_a_daemon

ours_each = each(ours())


@each(printed_by_a_daemon())
def test_it_answers_for_what_a_daemon_prints(path: Path) -> None:
    readers.it_answers(printed(path))


@ours_each
def test_both_readers_agree(path: Path) -> None:
    readers.both_readers_agree(path)


@ours_each
def test_no_element_is_overlooked(path: Path) -> None:
    readers.no_element_is_overlooked(path)


@ours_each
def test_no_character_is_overlooked(path: Path) -> None:
    readers.no_character_is_overlooked(path)
