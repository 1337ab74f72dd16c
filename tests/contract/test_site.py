"""The site: what is written for GitHub becomes what Sphinx reads, and what is broken in a built site is found."""

from __future__ import annotations

from pathlib import Path

import pytest

import libstorage
from docs.site import api, check, docstrings, stage
from docs.site.__main__ import prepare
from tests.contract.test_docs import PAGES, name_of
from tests.live.pages import page_blocks
from tests.support import CHECKOUT

PAGE = """\
# A page
[ok](client.md#hosts) [up](../CHANGELOG.md) [test](../tests/conftest.py) [far](https://example.com) ![picture](a.svg)

```python title="preparation"
x = "[kept](../CHANGELOG.md)"
```

```text title="prints"
1
```

```python
y = 1
```
"""

INDEX = """\
# Front
[early](early.md)

## Start
- [One](start/one.md), [again](start/one.md#part), [far](https://example.com/x.md)

## Empty
[a program](examples/tour.py)

## Guides
[One](start/one.md) and [two](guides/two.md)
"""


def test_links_and_titles_become_those_of_the_site() -> None:
    text = stage.staged("docs/page.md", PAGE, CHECKOUT)

    assert "[ok](client.md#hosts) [up](changes.md) test [far](https://example.com) ![picture](a.svg)" in text
    assert '```{code-block} python\n:caption: preparation\n\nx = "[kept](../CHANGELOG.md)"\n```' in text
    assert "```{code-block} text\n:class: prints\n\n1\n```" in text
    assert text.endswith("```python\ny = 1\n```\n")


def test_links_from_the_root_and_between_folders() -> None:
    contributing = stage.staged("CONTRIBUTING.md", "[a](docs/architecture.md) [t](tests/README.md)", CHECKOUT)
    guide = stage.staged(
        "docs/guides/x.md", "[c](../../CHANGELOG.md) [o](other.md#a) [d](../client.md)", CHECKOUT
    )

    assert contributing == "[a](architecture.md) [t](tests.md)"
    assert guide == "[c](../changes.md) [o](other.md#a) [d](../client.md)"


def test_the_contents_are_those_of_the_front_page() -> None:
    assert stage.contents(INDEX) == {"Start": ["start/one.md"], "Guides": ["guides/two.md"]}


def test_every_page_is_staged_and_in_the_contents(tmp_path: Path) -> None:
    prepare(tmp_path)

    index = (tmp_path / "index.md").read_text("utf-8")
    listed = {page for named in stage.contents(index).values() for page in named}
    staged = {path for kind in ("*.md", "*.ipynb") for path in tmp_path.rglob(kind)}
    assert {str(path.relative_to(tmp_path)) for path in staged} == listed | {"index.md"}
    assert len({page for page in listed if page.endswith(".ipynb")}) >= 2
    entries = (tmp_path / "reference" / "api" / "index.rst").read_text("utf-8").splitlines()
    assert "\nreference/api/index\n" in index
    assert {path.stem for path in tmp_path.rglob("api/*.rst")} == {
        "index",
        *map(str.strip, entries[entries.index(".. toctree::") + 4 :]),
    }


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (["[a][libstorage.Host] b"], [":py:obj:`a <libstorage.Host>` b"]),
        (["``x[1][2]`` [`a`](../client.md#x)"], ["``x[1][2]`` ``a` <../../client.html#x>`__"]),
        (["[The page](../client.md#x)."], ["`The page <../../client.html#x>`__."]),
        (
            ["A", "```python", "x = 1", "```", "B"],
            ["A", "", ".. code-block:: python", "", "    x = 1", "", "B"],
        ),
        (["  ```", "  [a][b]", "  ```"], ["", "  .. code-block:: text", "", "      [a][b]", ""]),
    ],
)
def test_docstrings_become_those_of_sphinx(lines: list[str], wanted: list[str]) -> None:
    assert list(docstrings.translated(lines)) == wanted


def test_fields_of_documents_are_described() -> None:
    lines = list(docstrings.fields_of(libstorage.Permissions))

    assert ".. py:attribute:: mode" in lines
    assert lines[lines.index(".. py:attribute:: mode") + 2].startswith("   Permission bits")


def test_every_public_name_is_on_one_page(tmp_path: Path) -> None:
    api.write(tmp_path)
    text = "".join(path.read_text("utf-8") for path in tmp_path.glob("*.rst"))

    assert set(api.homes()) == set(libstorage.__all__)
    assert not [name for name in libstorage.__all__ if text.count(f":: {name}\n") != 1]


def test_a_module_without_a_page_is_found() -> None:
    assert api.page_of("models.sources") == "sources"
    assert api.page_of("models.volume") == "documents"
    with pytest.raises(KeyError, match="attic"):
        api.page_of("attic.floor")


def built(folder: Path, **pages: str) -> list[str]:
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text)
    return list(check.problems(folder))


def test_a_site_that_is_whole_has_no_problems(tmp_path: Path) -> None:
    (tmp_path / "style.css").write_text("a { background: url(data:image/png;base64,xx) }")
    one = '<link rel="stylesheet" href="style.css?v=1"><a href="two.html#there">x</a><a href="https://example.com">y</a>'

    assert (
        built(
            tmp_path, one=one, two='<p id="there"><a href="#there">z</a> <img src="data:image/png;base64,x">'
        )
        == []
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('<a href="gone.html">', "links to gone.html"),
        ('<a href="#gone">', "links to #gone"),
        ('<a href="one.html#gone">', "links to one.html#gone"),
        ('<script src="https://example.com/x.js"></script>', "loads https://example.com/x.js"),
        ('<script src="//example.com/x.js"></script>', "loads //example.com/x.js"),
        ('<link rel="stylesheet" href="http://example.com/x.css">', "loads http://example.com/x.css"),
        ('<link rel="preconnect" href="https://example.com">', "loads https://example.com"),
        ('<img src="http://example.com/x.png">', "loads http://example.com/x.png"),
        ('<p style="background: url(https://example.com/x.png)">', "loads https://example.com/x.png"),
        ("<style>@import 'https://example.com/x.css';</style>", "loads https://example.com/x.css"),
        ('<script>import("https://example.com/x.js")</script>', "loads https://example.com/x.js"),
        ('<img src="gone.png">', "loads gone.png, which is not there"),
    ],
)
def test_what_is_broken_is_found(tmp_path: Path, text: str, problem: str) -> None:
    (found,) = built(tmp_path, one=text)
    assert found.startswith(f"one.html {problem}")


def test_style_sheets_and_fonts_from_elsewhere_are_found(tmp_path: Path) -> None:
    (tmp_path / "style.css").write_text("@font-face { src: url('https://example.com/f.woff2') }")
    assert built(tmp_path) == ["style.css loads https://example.com/f.woff2"]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_examples_fit_the_page(page: Path) -> None:
    typed: dict[str, str | tuple[str, ...]] = {
        "python": "",
        "pycon": (">>>", "..."),
        "sh": "",
        "console": "$",
    }
    lines = [
        f"{block.name}: {line}"
        for block in page_blocks(page)
        if block.kind in typed
        for line in block.text.splitlines()
        if len(line) > 88 and line.startswith(typed[block.kind])
    ]
    assert lines == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_preparations_are_folded(page: Path) -> None:
    text = page.read_text("utf-8")
    assert text.count('title="preparation"') == text.count("<details><summary>Preparation")
