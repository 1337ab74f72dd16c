"""The fast reader answers with what the careful one reads, or not at all: laws of any document."""

from __future__ import annotations

import random
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from lxml import etree

from libstorage.errors import DocumentError
from libstorage.xml.document import Document
from libstorage.xml.parse import parse
from libstorage.xml.read import read_carefully
from tests.corpus.documents import MODELS, model_of
from tests.support import as_libvirt_prints, read_fast

EDITS = 1


def read_slowly(model: type[Document], text: str) -> Any:
    try:
        return read_carefully(model, parse(text))
    except DocumentError:
        return None


def it_answers(text: str) -> None:
    """For what libvirt writes."""
    model = model_of(text)
    assert read_fast(model, text) == read_slowly(model, text) != None  # noqa: E711


def both_readers_agree(path: Path) -> None:
    text = path.read_bytes().decode()
    model = model_of(text)
    assert model.from_xml(text) == model.from_xml(text.encode()) == read_slowly(model, text)
    assert read_fast(model, text) in (None, read_slowly(model, text))


def no_element_is_overlooked(path: Path) -> None:
    root = parse(path.read_bytes())
    model = MODELS[str(root.tag)]
    for element in [*root.iter()]:
        for _ in oddities(element):
            text = as_libvirt_prints(root)
            if (quick := read_fast(model, text)) is not None:
                assert quick == read_slowly(model, text), text
    assert etree.tostring(root) == etree.tostring(parse(path.read_bytes()))


PIECES = (
    *(
        "<",
        ">",
        "&",
        "'",
        '"',
        "/",
        "=",
        " ",
        "\n",
        "\t",
        "\r",
        "\x00",
        "\x0b",
        "\x7f",
        "\xa0",
        "\x85",
        "\u2028",
    ),
    *(
        "\ud800",
        "\ufffe",
        "\uffff",
        "\ufeff",
        "]]>",
        "<!---->",
        "<![CDATA[a]]>",
        "<?a?>",
        "<a/>",
        " a='1'",
        "&amp;",
        "&#10;",
    ),
    *("&lt;", "&apos", "&a;", "a", "0", "9", "-", "é", "٣", "😀"),
)


def no_character_is_overlooked(path: Path) -> None:
    """A piece put in at each place, or instead of what is there."""
    chance = random.Random(path.name)
    root = parse(path.read_bytes())
    model, text = MODELS[str(root.tag)], as_libvirt_prints(root)
    for place in range(len(text) + 1):
        for piece in chance.sample(PIECES, EDITS):
            edited = text[:place] + piece + text[place + chance.randint(0, 1) :]
            if (quick := read_fast(model, edited)) is not None:
                assert quick == read_slowly(model, edited), edited


def oddities(element: etree._Element) -> Iterator[None]:
    """One small thing at a time that libvirt would not write; it is taken back before the next."""
    element.set("odd", "1")
    yield
    del element.attrib["odd"]
    for name, value in [(str(name), str(value)) for name, value in element.items()]:
        del element.attrib[name]
        yield
        element.set("odd", value)
        yield
        del element.attrib["odd"]
        for odd in ("", "odd", f" {value}", f"{value}0"):
            element.set(name, odd)
            yield
        element.set(name, value)
    text, tail = element.text, element.tail
    for odd in ("", "odd", " ", f" {text or ''}", f"{text or ''}0"):
        element.text = odd
        yield
    element.text = text
    for odd in ("odd", "\u00a0"):
        element.tail = odd
        yield
    element.tail = tail
    for position in (0, len(element)):
        element.insert(position, etree.Element("odd"))
        yield
        del element[position]
    for position, child in enumerate([*element]):
        tag, child.tag = str(child.tag), "odd"
        yield
        child.tag = tag
        element.insert(position, deepcopy(child))
        yield
        del element[position]
        element.remove(child)
        yield
        element.insert(position, child)
