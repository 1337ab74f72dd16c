"""What every display must be: well-formed, escaped, without scripts, addresses and ids, and the same as its text."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

TAGS = {
    *("div", "style", "pre", "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "ul", "li"),
    *(
        "span",
        "b",
        "i",
        "u",
        "del",
        "ins",
        "svg",
        "title",
        "desc",
        "g",
        "rect",
        "line",
        "path",
        "circle",
        "text",
    ),
}
ATTRIBUTES = {
    *(
        "class",
        "style",
        "title",
        "hidden",
        "tabindex",
        "scope",
        "colspan",
        "role",
        "aria-label",
        "width",
        "height",
        "viewBox",
    ),
    *("x", "y", "x1", "x2", "y1", "y2", "rx", "cx", "cy", "r", "d", "fill", "fill-opacity", "text-anchor"),
    *("stroke", "stroke-opacity", "stroke-width", "stroke-dasharray"),
}
HOSTILE = (
    "<script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "a\"b'c&d;",
    "\u202egnp.exe",
    "\x1b[2J\n\r\t\x00",
    "\udc80",
    "x" * 255,
    "日本\uffff",
)


def checked(html: str) -> Any:
    """Return the parsed display, whose tags and attributes are those that displays use."""
    root = etree.fromstring(html)
    for element in root.iter():
        assert element.tag in TAGS
        assert set(element.attrib) <= ATTRIBUTES
        assert not re.search(r"url\(|@import|expression", element.get("style", ""))
    for header in root.iter("th"):
        assert header.get("scope") in {"col", "row", "rowgroup"}
    for picture in root.iter("svg"):
        assert (picture[0].tag, picture[1].tag, picture.get("role")) == ("title", "desc", "img")
        assert picture.get("aria-label") == (picture[0].text or "")
    return root


def words(html: Any) -> set[str]:
    """Return what the rich part of a page says: its texts, and those of its pictures."""
    rich = html.xpath("//div[@class='ls']")[0]
    said = [*rich.itertext(), *rich.xpath("//@aria-label")]
    return set(re.findall(r"\w+", " ".join(said)))


def twin(html: Any) -> Any:
    """Return the text that stands for a page where its style is dropped."""
    return html.xpath("//pre")[0].text or ""
