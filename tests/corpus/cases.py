"""The cases of a document: what it tries that another one may not, told from its text and from what is in it.

A case is a short text, such as ``pool netfs: source/format/@type = cifs`` or ``volume text: tabs``.  There is a
small, closed list of forms: two documents that differ in nothing but names and numbers have the same cases.

``python -m tests.corpus.cases`` prints the cases that each document of ours has alone; ``cases.txt`` lists one of them for
each, which then has to stay covered.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Any

from lxml import etree

from libstorage.errors import DocumentError
from libstorage.xml.parse import parse
from libstorage.xml.schema import is_valid
from tests.contract.places import places, places_of_documents, printed
from tests.corpus.documents import model_of, ours


@cache
def cases(data: bytes) -> frozenset[str]:
    """Every case of a document."""
    root = parse(data)
    family = family_of(root)
    found = {f"{root.tag} text: {case}" for case in _of_text(data.decode())}
    found |= {f"{family}: {case}" for case in (*_of_elements(root), *_of_reading(root, data))}
    return frozenset(found)


def family_of(root: etree._Element) -> str:
    """The kind of a document, with the word that decides most about it."""
    kind = str(root.tag)
    decides = {"pool": ".", "volume": "target/format", "secret": "usage"}.get(kind)
    found = root.find(decides) if decides else None
    return f"{kind} {found.get('type', '')}".rstrip() if found is not None else kind


def alone(documents: Mapping[str, bytes]) -> dict[str, list[str]]:
    """By name of a document, the cases that no other of these documents has."""
    found = {name: cases(data) for name, data in documents.items()}
    times = Counter(case for own in found.values() for case in own)
    return {name: sorted(case for case in own if times[case] == 1) for name, own in found.items()}


# ---- the text -------------------------------------------------------------------------------------------------------

_WRITING = {
    "a byte order mark": r"\A\ufeff",
    "an XML declaration": r"\A<\?xml ",
    "a declaration in single quotes": r"\A<\?xml version='",
    "a declaration without encoding": r"\A<\?xml version=\S+?\?>",
    "a declaration with standalone": r"\A<\?xml [^>]*standalone",
    "a processing instruction before the document": r"-->\s*<\?",
    "a processing instruction inside": r"<(?:pool|volume|secret)[^>]*>(?s:.)*<\?",
    "a comment behind the document": r"</\w+>\s*<!--[^>]*-->\s*\Z",
    "a comment between elements": r">\s*<!--(?s:.)*?-->\s*<(?!\?)\w",
    "a comment in the middle of a value": r"[^\s>]<!--.*?-->[^\s<]",
    "a comment at the end of a value": r"[^\s>]<!--.*?--></",
    "lines that end in CR and LF": r"\r\n",
    "tabs": r"\n\t+<",
    "all on one line": r"\A<!--.*?-->\n[^\n]+\n\Z",
    "a CDATA section for a whole value": r">\s*<!\[CDATA\[[^\]]*\]\]>\s*</",
    "a CDATA section beside text": r"[^\s>]<!\[CDATA\[",
    "decimal character references": r"&#[0-9]+;",
    "hexadecimal character references": r"&#x",
    "a quote as a reference": r"&quot;",
    "an apostrophe as a reference": r"&apos;",
    "an ampersand as a reference": r"&amp;",
    "angle brackets as references": r"&[lg]t;",
    "double quotes": r'<\w[^>]*="',
    "single quotes inside double ones": r"=\"[^\"]*'",
    "double quotes inside single ones": r"='[^']*\"",
    "blanks around =": r"\w\s+=\s+['\"]",
    "attributes on lines of their own": r"<\w+\s*\n\s*\w+\s*=",
    "an empty element of two tags": r"<(\w+)[^>]*></\1>",
    "an empty element on two lines": r"<(\w+)[^>]*>\s+</\1>",
    "a blank before />": r" />",
    "both sorts of quotes in one tag": r"<\w[^>]*='[^'>]*'[^>]*=\"|<\w[^>]*=\"[^\">]*\"[^>]*='",
    "libvirt's namespace as the default": r" xmlns=.http://libvirt",
    "a prefix of the author's": r"xmlns:(?!fs=|rbd=)\w+=.http://libvirt",
    "a namespace of somebody else": r"xmlns(:\w+)?=.(?!http://libvirt)",
    "a value on several lines": r">[^<>\s][^<>]*\n[^<>]*</|>\s*\n\s*[^<>\s][^<>]*</",
    "letters beyond ASCII": r"-->(?s:.)*[^\x00-\x7f]",
    "letters beyond the basic plane": r"[\U00010000-\U0010ffff]",
}


def _of_text(text: str) -> Iterator[str]:
    return (case for case, pattern in _WRITING.items() if re.search(pattern, text))


# ---- the elements ---------------------------------------------------------------------------------------------------

_SHAPES = {
    "nothing": r"",
    "-1": r"-1",
    "a negative number": r"-[0-9]+",
    "leading zeros": r"0[0-9]+",
    "a number after 0x": r"0[xX][0-9a-fA-F]+",
    "a number": r"[0-9]+(\.[0-9]+)?",
    "a UUID": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "a UUID in large letters": r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}",
    "a UUID without hyphens": r"[0-9a-f]{32}",
    "a UUID in large letters without hyphens": r"[0-9A-F]{32}",
    "a UUID with odd hyphens": r"[0-9a-f-]{32,36}",
    "a WWN in large letters": r"[0-9A-F]{16}",
    "a WWN in small letters": r"[0-9a-f]{16}",
    "an IPv4 address": r"[0-9]+(\.[0-9]+){3}",
    "an IPv6 address": r"[0-9a-fA-F:]*::[0-9a-fA-F:.]*",
    "an address in brackets": r"\[.*\]",
    "an iSCSI name": r"iqn\..*",
    "the root folder": r"/",
    "two slashes at the start": r"//.*",
    "doubled slashes": r"/.*//.*",
    "a slash at the end": r".*/",
    "a Windows path": r"[A-Za-z]:\\.*",
    "JSON": r"json:.*",
    "a URI": r"[a-z+]+://.*",
    "an absolute path with a blank": r"/.*\s.*",
    "an absolute path": r"/.*",
    "a relative path": r"[^/]+(/[^/]+)+",
    "a name with an underscore": r".*\..*_.*|.*_.*\..*",
    "a name with a blank": r".*\s.*",
    "a name with a domain": r".*\\.*",
}
_SIZES = frozenset({"capacity", "allocation", "available", "physical", "clusterSize"})
_LONG = 200


def _shape(value: str) -> str:
    return next(
        (shape for shape, pattern in _SHAPES.items() if re.fullmatch(pattern, value, re.DOTALL)), "a name"
    )


@cache
def _worded() -> Mapping[str, Mapping[str, frozenset[str]]]:
    """The words that may stand at each place, per kind of document."""
    known = places_of_documents()
    return {
        kind: {path: inner.words for path, inner in places(place).items() if inner.words}
        for kind, place in known.items()
    }


def _of_elements(root: etree._Element) -> Iterator[str]:
    kind = f"pool {root.get('type')}" if root.tag == "pool" else str(root.tag)
    worded = _worded().get(kind, {})
    for path, value in _values(root):
        yield path
        if value is None:
            continue
        if path in worded:
            yield f"{path} = {' '.join(value.split())}"
            continue
        yield f"{path} is {_shape(value.strip())}"
        if len(value) > _LONG:
            yield f"{path} is long"
        if value != value.strip():
            yield f"{path} with blanks around it"
        if path.rpartition("/")[2] == "@unit":
            yield f"{path} {value!r}"
    for element in root.iter():
        attributes = {f"@{name!s}" for name in element.attrib}
        parts = sorted(attributes | {printed(str(child.tag)) for child in element})
        yield f"{printed(str(element.tag))} made of {', '.join(parts) or 'nothing'}"
    yield from _of_order(root)


def _values(element: etree._Element, prefix: str = "") -> Iterator[tuple[str, str | None]]:
    """Every place below an element with what stands there, ``None`` for elements in elements."""
    for attribute, value in element.items():
        yield f"{prefix}@{attribute!s}", str(value)
    if str(element.tag) in _SIZES and element.get("unit") is None:
        yield f"{prefix}no unit", None
    for child in element:
        path = prefix + printed(str(child.tag))
        yield path, None if len(child) or (child.attrib and not child.text) else child.text or ""
        yield from _values(child, f"{path}/")


def _of_order(root: etree._Element) -> Iterator[str]:
    for element in root.iter():
        tags = [printed(str(child.tag)) for child in element]
        where = "" if element is root else f" of {element.tag}"
        for tag, number in Counter(tags).items():
            if number > 1:
                yield f"{min(number, 3)}{'' if number < 3 else ' or more'} {tag}{where}"
        for first, second in pairwise(tags):
            if _rank(root, element, first) > _rank(root, element, second):
                yield f"{first} before {second}{where}"


@cache
def _ranks(kind: str) -> Mapping[str, int]:
    """The order in which libvirt prints children, by path."""
    place = places_of_documents().get(kind)
    return {path: rank for rank, path in enumerate(places(place))} if place else {}


def _rank(root: etree._Element, parent: etree._Element, tag: str) -> int:
    above = [printed(str(element.tag)) for element in parent.iterancestors()][:-1][::-1]
    own = [] if parent is root else [printed(str(parent.tag))]
    kind = f"pool {root.get('type')}" if root.tag == "pool" else str(root.tag)
    return _ranks(kind).get("/".join((*above, *own, tag)), 0)


# ---- what becomes of it ---------------------------------------------------------------------------------------------


def _of_reading(root: etree._Element, data: bytes) -> Iterator[str]:
    document: Any = model_of(data).from_xml(data)
    for unknown in document.unknown:
        yield f"unknown {unknown.path}"
    if not is_valid(data):
        yield "refused by the schema"
    try:
        document.check()
    except DocumentError as error:
        yield from (f"not sound: {re.sub(r'[0-9]', '', problem.path)}" for problem in error.problems)


if __name__ == "__main__":
    for name, own in alone({path.name: path.read_bytes() for path in ours()}).items():
        sys.stdout.write("\n    ".join((name, *own)) + "\n")
