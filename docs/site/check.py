"""What must be true of the built site: links and anchors lead somewhere in it, and nothing is loaded from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from attrs import define, field

_LOADS: Final = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "link": "href",
    "embed": "src",
    "object": "data",
    "use": "href",
    "image": "href",
}
_NOT_LOADED: Final = {"next", "prev", "index", "search", "author", "canonical", "contents", "genindex"}
_IMPORT: Final = re.compile(r"(?:import|fetch)\(\s*['\"]([^'\"]+)")
_CSS_URL: Final = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")


@define
class Page(HTMLParser):
    """What a page links to, loads, and can be linked to at."""

    links: list[str] = field(factory=list)
    loads: list[str] = field(factory=list)
    inside: str = ""
    anchors: set[str] = field(factory=set)

    def __attrs_pre_init__(self) -> None:
        HTMLParser.__init__(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        given = {name: value or "" for name, value in attrs}
        self.inside = tag
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        loaded = given.get(_LOADS.get(tag, ""))
        if loaded and not (tag == "link" and set(given.get("rel", "").split()) & _NOT_LOADED):
            self.loads.append(loaded)
        self.loads += _loads_of(given.get("style", ""))

    def handle_data(self, data: str) -> None:
        """Note what a style sheet or a script in the page loads."""
        if self.inside == "style":
            self.loads += _loads_of(data)
        elif self.inside == "script":
            self.loads += _IMPORT.findall(data)

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        self.inside = ""


def _loads_of(css: str) -> list[str]:
    return [first or second for first, second in _CSS_URL.findall(css)]


def problems(site: Path) -> Iterator[str]:
    """Yield what is wrong with a built site."""
    pages = {path.resolve(): Page() for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        page.feed(path.read_text("utf-8"))
    for path, page in pages.items():
        name = path.relative_to(site.resolve())
        yield from (
            f"{name} links to {link}, which is not there"
            for link in page.links
            if _is_broken(path, link, pages)
        )
        yield from (f"{name} loads {load}" for load in page.loads if _is_elsewhere(load))
        yield from (
            f"{name} loads {load}, which is not there" for load in page.loads if _is_missing(path, load)
        )
    for path in site.rglob("*.css"):
        loads = _loads_of(path.read_text("utf-8"))
        yield from (f"{path.relative_to(site)} loads {load}" for load in loads if _is_elsewhere(load))


def _is_elsewhere(load: str) -> bool:
    return load.startswith("//") or urlsplit(load).scheme not in {"", "data"}


def _is_missing(path: Path, load: str) -> bool:
    target = urlsplit(load)
    return (
        not _is_elsewhere(load) and target.scheme == "" and not (path.parent / unquote(target.path)).exists()
    )


def _is_broken(path: Path, link: str, pages: dict[Path, Page]) -> bool:
    target = urlsplit(link)
    if target.scheme or target.netloc:
        return False
    there = (path.parent / unquote(target.path)).resolve() if target.path else path
    if there not in pages:
        return not there.is_file()
    anchor = unquote(target.fragment)
    return bool(anchor) and anchor not in pages[there].anchors
