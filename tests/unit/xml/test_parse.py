"""Reading XML from outside."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from lxml import etree

from libstorage.errors import DocumentError
from libstorage.xml.parse import LARGEST, MOST_ATTRIBUTES, MOST_MARKUP, parse
from tests.support import CHECKOUT
from tests.unit.xml import hostile

HARMLESS_TO_PARSE = {
    *("depth 200", "99,000 attributes", "99,000 elements", "49,000 comments"),
    *("10,000 namespaces", "10,000 nested namespaces", "XInclude", "xsi:type"),
}


def refusal(xml: Any) -> str:
    with pytest.raises(DocumentError) as caught:
        parse(xml)
    return str(caught.value)


def written(xml: str | bytes) -> str:
    return etree.tostring(parse(xml), encoding="unicode")


@pytest.mark.parametrize(
    "xml",
    [
        "<a>é</a>",
        "<a>é</a>".encode(),
        "\ufeff<a>é</a>",
        b"\xef\xbb\xbf<a>\xc3\xa9</a>",
        "<?xml version='1.0'?><a>é</a>",
        '<?xml version="1.0" encoding="UTF-8"?>\n<a>é</a>',
        b"\xef\xbb\xbf<?xml version='1.0' encoding='utf-8' standalone='yes'?><a>\xc3\xa9</a>",
        "<?xml version='1.0' encoding='us-ascii'?><a>&#233;</a>",
    ],
)
def test_text_and_bytes_with_and_without_a_declaration(xml: str | bytes) -> None:
    assert written(xml) == "<a>é</a>"


def test_comments_instructions_and_blanks_between_elements_are_gone() -> None:
    xml = "<?a?><!-- <!DOCTYPE a> -->\n<a> <!-- b --> <b/>\n <?c d?>\t<b> <c/> </b> </a> <!-- e -->"
    assert written(xml) == "<a><b/><b><c/></b></a>"
    assert written("<a> <b/>\n <b>\t<c/> </b> </a>") == "<a><b/><b><c/></b></a>"


@pytest.mark.parametrize("xml", ["<a> </a>", "<a>\n \n</a>", "<a> b </a>"])
def test_blanks_of_a_value_stay(xml: str) -> None:
    assert written(xml) == xml


@pytest.mark.parametrize(
    ("xml", "text"),
    [
        ("<a> <!-- c -->b</a>", " b"),
        ("<a>b <?c d?> e</a>", "b  e"),
        ("<a> <![CDATA[<b>]]> </a>", " <b> "),
        ("<a>&#32;&amp;&#x20;</a>", " & "),
    ],
)
def test_what_parts_a_value_leaves_it_whole(xml: str, text: str) -> None:
    assert parse(xml).text == text


def test_text_between_elements_stays() -> None:
    assert written("<a> b <c/> d </a>") == "<a> b <c/> d </a>"
    assert written("<!-- --><a> b <c/> d </a>") == "<a> b <c/> d </a>"


def test_lines_are_those_of_the_text() -> None:
    root = parse("<!-- a\n-->\n<a>\n<b/>\n</a>")
    lines: list[Any] = [element.sourceline for element in root.iter()]
    assert lines == [3, 4]


@pytest.mark.parametrize(
    ("xml", "message"),
    [
        (None, "/: a document must be str or bytes, not NoneType"),
        (5, "/: a document must be str or bytes, not int"),
        (bytearray(b"<a/>"), "/: a document must be str or bytes, not bytearray"),
        ("", "/ (line 1): not well-formed: the document has no root element"),
        (" \n ", "/ (line 2): not well-formed: the document has no root element"),
        ("<a>\n</b>", "/ (line 2): not well-formed: </b> was found where <a> of line 1 must be closed"),
        ("<!-- a -->\n<a>", "/ (line 2): not well-formed: <a> of line 2 is not closed"),
        (
            "<a>\n&b;</a>",
            "/ (line 2): not well-formed: an entity is not defined; a literal '&' must be written as &amp;",
        ),
        ("<a b='1' b='2'/>", "/ (line 1): not well-formed: attribute 'b' is given more than once"),
        ("<a>\n\1</a>", "/ (line 2): not well-formed: the text contains a control character"),
        (
            "<a>\n\ud800</a>",
            "/ (line 2): the text contains half a surrogate pair, which XML cannot represent",
        ),
        (b"<a>\n\xe9</a>", "/ (line 2): the document is not UTF-8: byte 0xe9 is out of place"),
        ("<a>\n\udce9</a>", "/ (line 2): the document is not UTF-8: byte 0xe9 is out of place"),
        (
            "<?xml version='1.0' encoding='UTF-16'?><a/>",
            "/ (line 1): the document declares the encoding 'UTF-16'; only UTF-8 is supported",
        ),
        (
            "<?a?>\n<!DOCTYPE a><a/>",
            "/ (line 2): a DOCTYPE is not allowed; libvirt's documents never contain one",
        ),
        ("<a>" * 258 + "</a>" * 258, "/ (line 1): not well-formed: elements are nested more than 256 deep"),
        (f"<{'a' * 60_000}/>", "/ (line 1): not well-formed: Name too long: NCName"),
        (
            "<a>" + "b" * LARGEST + "</a>",
            "/: the document has 4,194,311 bytes; the limit is 4,194,304",
        ),
        ("<a>" + "<b/>" * MOST_MARKUP + "</a>", "/: the document has more than 100,000 tags and attributes"),
    ],
)
def test_what_is_refused_and_how(xml: Any, message: str) -> None:
    assert refusal(xml) == message


def test_the_largest_documents_are_read() -> None:
    assert len(parse("<a>" + "<b/>" * (MOST_MARKUP - 2) + "</a>")) == MOST_MARKUP - 2
    assert len(parse("<a>" + "b" * (LARGEST - 7) + "</a>").text or "") == LARGEST - 7


def attributes(number: int) -> str:
    return "".join(f" a{place}=''" for place in range(number))


def test_the_most_attributes_of_a_document() -> None:
    """With the tags of the elements: two of <a>, one of each <b>."""
    crowd, rest = f"<b{attributes(499)}/>" * 199, MOST_MARKUP - 2 - 199 * 500 - 1
    assert len(parse(f"<a>{crowd}<b{attributes(rest)}/></a>")) == 200
    assert refusal(f"<a>{crowd}<b{attributes(rest + 1)}/></a>") == (
        "/: the document has more than 100,000 tags and attributes"
    )


@pytest.mark.parametrize("comment", ["", "<!-- -->"])
def test_the_most_attributes_of_an_element(comment: str) -> None:
    for most in (f"<a>{comment}<b{{}}/></a>", f"<a>{comment}<c d=''/><b{{}}/><c/></a>"):
        assert len(parse(most.format(attributes(MOST_ATTRIBUTES)))) >= 1
        assert refusal(most.format(attributes(MOST_ATTRIBUTES + 1))) == (
            "/a/b (line 1): an element can have at most 1,000 attributes"
        )


@pytest.mark.parametrize("comment", ["", "<!-- -->"])
def test_the_most_namespaces_of_a_document(comment: str) -> None:
    declared = [f"<b xmlns:n{place}='n'/>" for place in range(MOST_ATTRIBUTES + 1)]
    assert len(parse(f"<a>{comment}{''.join(declared[1:])}</a>")) == MOST_ATTRIBUTES
    assert refusal(f"<a>{comment}{''.join(declared)}</a>") == (
        "/: the document declares more than 1,000 namespaces"
    )


def test_threads_read_at_once_and_share_what_they_read() -> None:
    at_once = threading.Barrier(4)

    def read(number: int) -> etree._Element:
        at_once.wait(10)
        return [parse(f"<a><b>{number}</b><!-- c --></a>") for _ in range(500)][-1]

    with ThreadPoolExecutor(4) as threads:
        assert [root.findtext("b") for root in threads.map(read, range(4))] == ["0", "1", "2", "3"]


@pytest.fixture(scope="module")
def costs() -> dict[str, dict[str, tuple[float, float, str]]]:
    command = [sys.executable, "-m", hostile.__name__]
    ran = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)  # type: ignore[no-any-return]


@pytest.mark.parametrize("attack", hostile.ATTACKS)
def test_hostile_documents_are_refused_quickly_and_cheaply(
    attack: str, costs: dict[str, dict[str, tuple[float, float, str]]]
) -> None:
    for reader, (seconds, mebibytes, answer) in costs[attack].items():
        assert seconds < 1
        assert mebibytes < 200
        assert answer or (reader == "parse" and attack in HARMLESS_TO_PARSE)
        assert "root:" not in answer, "a file of this machine was read"
