"""Parsing of all XML from outside into a tree.

A document may come from a hostile host or file. Anything that could make a parser read files, open connections or
exhaust memory is refused before the parser sees it. libxml2's own limits (256 levels, 10 MB of text) cover the rest.
"""

from __future__ import annotations

import re
import threading
from typing import cast

from lxml import etree

from libstorage.errors import DocumentError, Problem, shortened
from libstorage.xml.tree import Tree
from libstorage.xml.wording import BLANK, Wrong, problem_at

LARGEST = 4 * 1024 * 1024
"""Maximum number of bytes of a document: libvirt's own limit for one string of its protocol."""

MOST_MARKUP = 100_000
"""Maximum number of tags and attributes of a document, far above any document that libvirt writes."""

MOST_ATTRIBUTES = 1_000
"""Maximum number of attributes of an element, and of namespace declarations in a document.

libxml2's time grows with the square of these numbers.
"""

_LARGE = 64 * 1024
_BANG, _QUERY = b"!?"
_DECLARED = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml\s[^>]*?\sencoding\s*=\s*[\"']([^\"'>]*)[\"']")
_DOCTYPE = re.compile(rb"(?:\xef\xbb\xbf)?(?>\s+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)
_PATH = re.compile(rb"[^<>\n\r]*(?:/|\.xml)[^<>\n\r]*")
_NOT_UTF8 = "the document is not UTF-8: byte {:#04x} is out of place"
_UTF8 = frozenset({b"utf-8", b"utf8", b"us-ascii", b"ascii"})

_SAID = {
    re.compile(pattern): words
    for pattern, words in {
        r"Excessive depth.*": "elements are nested more than 256 deep",
        r"Opening and ending tag mismatch: (\S+) line (\d+) and (\S+)": r"</\3> was found where <\1> of line \2 must be closed",
        r"Premature end of data in tag (\S+) line (\d+)": r"<\1> of line \2 is not closed",
        r"Start tag expected, '<' not found|Document is empty": "the document has no root element",
        r"Extra content at the end of the document": "the document continues after the root element",
        r"Entity '.*' not defined": "an entity is not defined; a literal '&' must be written as &amp;",
        r"CData section not finished.*": "a CDATA section is not closed",
        r"Comment not terminated.*": "a comment is not closed",
        r"\w*ParsePI: PI .* never end.*": "a processing instruction is not closed",
        r"(?:Double hyphen within|Comment must not contain).*": "a comment contains '--'",
        r"xmlParseEntityRef: no name|EntityRef: expecting ';'": "a literal '&' must be written as &amp;",
        r"StartTag: invalid element name": "a literal '<' must be written as &lt;",
        r"AttValue: \" or ' expected": "the value of an attribute must be in quotes",
        r"Attribute (\S+) redefined": r"attribute '\1' is given more than once",
        r"Specification mandates value for attribute (\S+)": r"attribute '\1' has no value",
        r"Namespace prefix (\S+) (?:for \S+ )?on (\S+) is not defined": r"the prefix '\1' of \2 has no xmlns:\1='…'",
        r"PCDATA invalid Char value .*|invalid character .*|xmlParseCharRef: invalid .*": "the text contains a control character",
    }.items()
}
"""Patterns of libxml2's messages, and libstorage's wording for each."""


class _Parsers(threading.local):
    """lxml's parsers, separate for each thread.

    If threads share a parser, they wait for one another, and a child process that is forked meanwhile waits forever.
    """

    def __init__(self) -> None:
        self.plain = _parser(remove_blank_text=True)
        self.exact = _parser(remove_blank_text=False)


def _parser(*, remove_blank_text: bool) -> etree.XMLParser:
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
        remove_blank_text=remove_blank_text,
    )


_parsers = _Parsers()
_crowded = etree.XPath(f"//*[@*[{MOST_ATTRIBUTES + 1}]]")


def parse(xml: str | bytes) -> Tree:
    """Return the root element of a document, without comments, processing instructions and blanks between elements.

    Raises:
        DocumentError: If the document is not text, is too large, is not well-formed, is not UTF-8, or has a DOCTYPE.
    """
    data = xml if isinstance(xml, bytes) else _encoded(xml)
    try:
        # Comments, CDATA, declarations and DOCTYPEs all contain '!' or '?'; libvirt's documents contain neither.
        if len(data) > _LARGE or _BANG in data or _QUERY in data:
            return _parse_unusual(data)
        if data.count(b"=") > MOST_ATTRIBUTES:
            return _parse_many(data, _parsers.plain)
        return etree.fromstring(data, _parsers.plain)
    except etree.XMLSyntaxError as error:
        raise _broken(error, data) from None


def _encoded(xml: str) -> bytes:
    if not isinstance(xml, str):
        raise _refusal(f"a document must be str or bytes, not {type(xml).__name__}")
    try:
        return xml.encode()
    except UnicodeEncodeError as error:
        reason = "the text contains half a surrogate pair, which XML cannot represent"
        if "\udc80" <= (half := xml[error.start]) <= "\udcff":  # as os.fsdecode shows a byte
            reason = _NOT_UTF8.format(ord(half) - 0xDC00)
        raise _refusal(reason, line=xml.count("\n", 0, error.start) + 1) from None


def _parse_unusual(data: bytes) -> Tree:
    if len(data) > LARGEST:
        raise _refusal(f"the document has {len(data):,} bytes; the limit is {LARGEST:,}")
    if len(data) > _LARGE and data.count(b"<") + data.count(b"=") > MOST_MARKUP:
        raise _refusal(f"the document has more than {MOST_MARKUP:,} tags and attributes")
    if (declared := _DECLARED.match(data)) and declared[1].lower() not in _UTF8:
        name = declared[1].decode("ascii", "replace")
        raise _refusal(f"the document declares the encoding {name!r}; only UTF-8 is supported", line=1)
    if doctype := _DOCTYPE.match(data):
        raise _refusal(
            "a DOCTYPE is not allowed; libvirt's documents never contain one", line=_line(data, doctype.end())
        )
    # A parser that drops blanks would also drop blanks that a comment or CDATA separates from the rest of a value.
    return _without_blanks(_parse_many(data, _parsers.exact))


def _parse_many(data: bytes, parser: etree.XMLParser) -> Tree:
    """Parse a document that may have too many attributes in one place."""
    if data.count(b"xmlns") > MOST_ATTRIBUTES:
        raise _refusal(f"the document declares more than {MOST_ATTRIBUTES:,} namespaces")
    root = etree.fromstring(data, parser)
    if data.count(b"=") > MOST_ATTRIBUTES:
        for element in cast(list[Tree], _crowded(root)):
            wrong = Wrong(f"an element can have at most {MOST_ATTRIBUTES:,} attributes")
            raise DocumentError([problem_at(element, wrong)])
    return root


def _without_blanks(root: Tree) -> Tree:
    for parent in root.iter():
        if len(parent):
            if parent.text and not parent.text.strip(BLANK):
                parent.text = None
            for child in parent:
                if child.tail and not child.tail.strip(BLANK):
                    child.tail = None
    return root


def _broken(error: etree.XMLSyntaxError, data: bytes) -> DocumentError:
    """Return libxml2's error in libstorage's wording."""
    try:
        data.decode()
    except UnicodeDecodeError as wrong:
        return _refusal(_NOT_UTF8.format(data[wrong.start]), line=_line(data, wrong.start))
    said = re.sub(r" ?,? line \d+, column \d+$", "", " ".join((error.msg or "").split()))
    for pattern, words in _SAID.items():
        if match := pattern.match(said):
            said = match.expand(words)
    if _PATH.fullmatch(data):
        said = "it is the path of a file; give its text, Path(path).read_text()"
    return _refusal(f"not well-formed: {shortened(said)}", line=error.lineno)


def _line(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1


def _refusal(reason: str, *, line: int | None = None) -> DocumentError:
    return DocumentError([Problem("/", reason, line=line)])
