"""The source of the site: the pages of the checkout, copied to a folder, with links as Sphinx understands them.

The pages are written for GitHub. The table of contents of the site is that of ``docs/index.md``: each title of the second
level is a caption, and the pages that its links name stand below it.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).parents[2]

# Pages of the checkout that are not in docs/, and where they stand in the site.
ELSEWHERE: Final = {
    "CHANGELOG.md": "changes.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "tests/README.md": "tests.md",
}
DATA: Final = ("*.svg", "*.png", "*.html", "examples/*.py")

_FENCE: Final = re.compile(r"^( *)(```+)(\w+)(?: title=\"([^\"]*)\")?\n(.*?)^\1\2$", re.MULTILINE | re.DOTALL)
_LINK: Final = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")


def stage(folder: Path, checkout: Path = CHECKOUT) -> list[str]:
    """Write the pages to a folder, and return the paths of those that are in it."""
    for page, name in pages(checkout).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (checkout / page).read_text("utf-8")
        path.write_text(staged(page, text, checkout) if page.endswith(".md") else text, "utf-8")
    for pattern in DATA:
        for path in (checkout / "docs").rglob(pattern):
            copy = folder / path.relative_to(checkout / "docs")
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    return list(pages(checkout).values())


def pages(checkout: Path) -> dict[str, str]:
    """Return the pages of the checkout, and the name of each in the site."""
    own = sorted(
        str(path.relative_to(checkout))
        for kind in ("*.md", "*.ipynb")
        for path in (checkout / "docs").rglob(kind)
    )
    others = [page for page in ELSEWHERE if (checkout / page).exists()]
    return {page: _name(page) for page in [*own, *others]}


def _name(page: str) -> str:
    return ELSEWHERE.get(page, page.removeprefix("docs/"))


def staged(page: str, text: str, checkout: Path) -> str:
    """Return a page as Sphinx reads it: links within the site, blocks with captions."""
    out, end = [], 0
    for fence in _FENCE.finditer(text):
        out += [_linked(page, text[end : fence.start()], checkout), _captioned(fence)]
        end = fence.end()
    return "".join([*out, _linked(page, text[end:], checkout)])


def _captioned(fence: re.Match[str]) -> str:
    indent, ticks, kind, title, body = fence.groups()
    if title is None:
        return fence[0]
    option = ":class: prints" if title == "prints" else f":caption: {title}"
    head = f"{indent}{ticks}{{code-block}} {kind}\n{indent}{option}\n\n"
    return f"{head}{body}{indent}{ticks}"


def _linked(page: str, text: str, checkout: Path) -> str:
    return _LINK.sub(lambda link: _relinked(page, link, checkout), text)


def _relinked(page: str, link: re.Match[str], checkout: Path) -> str:
    """Return a link to a page of the site; of one to another file of the checkout only the words."""
    words, target = link.groups()
    path, hash_, anchor = target.partition("#")
    if re.match(r"\w+:", target) or not path:
        return link[0]
    named = os.path.normpath(Path(page).parent / path)
    known = pages(checkout)
    if named in known:
        here = Path(_name(page)).parent
        return f"[{words}]({os.path.relpath(known[named], here)}{hash_}{anchor})"
    return link[0] if named.startswith("docs/") else words


def contents(index: str) -> dict[str, list[str]]:
    """Return the captions of the table of contents, each with its pages, as the front page names them."""
    found: dict[str, list[str]] = {}
    seen = {"index.md"}
    for caption, text in re.findall(r"^## (.+)\n((?:(?!^## ).*\n?)*)", index, re.MULTILINE):
        links = (target.partition("#")[0] for _, target in _LINK.findall(text))
        named = [
            link
            for link in dict.fromkeys(links)
            if link.endswith((".md", ".ipynb")) and ":" not in link and link not in seen
        ]
        seen.update(named)
        if named:
            found[caption] = named
    return found


def toctrees(sections: dict[str, list[str]]) -> Iterator[str]:
    """Yield the lines of the hidden tables of contents of the front page."""
    for caption, named in sections.items():
        entries = (page.rpartition(".")[0] for page in named)
        yield from ("", "```{toctree}", ":hidden:", f":caption: {caption}", "", *entries, "```")
