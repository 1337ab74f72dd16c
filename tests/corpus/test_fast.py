"""The fast reader and the careful one, on our documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.corpus import readers
from tests.corpus.documents import each, ours, read

ours_each = each(ours())


@ours_each
def test_it_answers_for_what_is_written_as_libvirt_does(path: Path) -> None:
    document: Any = read(path)
    if not document.unknown:
        readers.it_answers(document.to_xml(reported=True))


@ours_each
def test_both_readers_agree(path: Path) -> None:
    readers.both_readers_agree(path)


@ours_each
def test_no_element_is_overlooked(path: Path) -> None:
    readers.no_element_is_overlooked(path)


@ours_each
def test_no_character_is_overlooked(path: Path) -> None:
    readers.no_character_is_overlooked(path)
