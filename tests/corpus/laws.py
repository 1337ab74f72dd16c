"""What holds for every document of a corpus."""

from __future__ import annotations

import re
from pathlib import Path

from lxml import etree

from libstorage.xml.parse import parse
from tests.corpus.documents import model_of, read


def written_and_read_again_it_is_the_same(path: Path) -> None:
    document = read(path)
    assert type(document).from_xml(document.to_xml(reported=True)) == document


def the_order_of_elements_says_nothing(path: Path) -> None:
    root = parse(path.read_bytes())
    for element in root.iter():
        _turn_round(element)
    assert type(read(path)).from_xml(etree.tostring(root)) == read(path)


def written_as_libvirt_does(text: str) -> None:
    """To the letter, but for elements with nothing in them, which libvirt writes with two tags or with one."""
    empty = re.compile(r"<([a-z]+)([^<>/]*)>\s*</\1>")
    document = model_of(text).from_xml(text)
    assert empty.sub(r"<\1\2/>", document.to_xml(reported=True)) == empty.sub(r"<\1\2/>", text)


def _turn_round(parent: etree._Element) -> None:
    """The last kind of child first; those of one kind stay in their order, which does say something."""
    parent[:] = sorted(parent, key=lambda child: str(child.tag), reverse=True)
