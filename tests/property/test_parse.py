"""Laws of reading XML from outside."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from libstorage.errors import DocumentError
from libstorage.xml.parse import parse

DOCTYPES = ("<!DOCTYPE a>", "<!DOCTYPE a [<!ENTITY b 'c'>]>", "<!doctype a>", "<!DOCTYPE\na>")
PIECES = st.sampled_from(
    (
        "\ufeff",
        "<?xml version='1.0'?>",
        " ",
        "\n",
        "<?b?>",
        "<?b c?>",
        "<!-- d -->",
        "<!---->",
        "<!-- <? -->",
        "<?b <!-- ?>",
    )
)


@given(st.lists(PIECES, max_size=6), st.sampled_from(DOCTYPES), st.booleans())
def test_no_prolog_hides_a_doctype(pieces: list[str], doctype: str, visible: bool) -> None:
    position = len(pieces) // 2
    text = "".join(
        [*pieces[:position], doctype if visible else f"<!-- {doctype} -->", *pieces[position:], "<a/>"]
    )
    try:
        root = parse(text)
    except DocumentError:
        return
    assert not visible
    assert root.getroottree().docinfo.internalDTD is None


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=20)
)
def test_text_is_read_as_it_is_written(text: str) -> None:
    element = etree.Element("a")
    element.text = text
    assert (parse(etree.tostring(element, encoding="unicode")).text or "") == text
    assert (parse(etree.tostring(element, encoding="utf-8")).text or "") == text
