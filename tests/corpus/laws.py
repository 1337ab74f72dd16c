"""What holds for every document of a corpus."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from libstorage.xml.parse import parse
from tests.corpus.documents import read


def written_and_read_again_it_is_the_same(path: Path) -> None:
    document = read(path)
    assert type(document).from_xml(document.to_xml(reported=True)) == document


def the_order_of_elements_says_nothing(path: Path) -> None:
    root = parse(path.read_bytes())
    for element in root.iter():
        _turn_round(element)
    assert type(read(path)).from_xml(etree.tostring(root)) == read(path)


def _turn_round(parent: etree._Element) -> None:
    """The last kind of child first; those of one kind stay in their order, which does say something."""
    parent[:] = sorted(parent, key=lambda child: str(child.tag), reverse=True)
