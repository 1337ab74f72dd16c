"""What can be checked of the documentation without a host: links, generated pages, docstrings, completeness."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import libstorage
from docs import generate
from libstorage import errors
from tests.live.pages import page_blocks
from tests.support import CHECKOUT

PAGES = sorted((*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md")))
NEVER_FAIL = {
    "StorageError.add_hint",
    "CapabilityOptions.formats",
    "Description.paths",
    "Host.close",
    "Host.is_alive",
    "Inventory.chains",
    "Inventory.get",
    "ListPoolsFlags.for_type",
    "Normalisation.covers",
    "PoolCapabilities.get",
    "PoolCapabilities.supports",
    "PoolSpec.fill_in",
    "SecretValue.reveal",
    "Document.fill_in",
    "Document.with_unknown_allowed",
    "Spec.differences",
    "TransferBar.close",
    "VolumeWriter.discard",
}


def anchors(page: Path) -> set[str]:
    """Where links into a page can lead, named as GitHub does it."""
    titles = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def name_of(page: Path) -> str:
    return str(page.relative_to(CHECKOUT))


def broken_links(page: Path) -> Iterator[str]:
    """The links of a page that lead nowhere within the checkout."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"\w+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    assert not list(broken_links(page))


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A title\n[ok](#a-title) [bad](#another) [gone](gone.md) [far](https://example.com)\n")
    assert list(broken_links(page)) == ["#another", "gone.md"]


def test_every_page_is_in_the_index() -> None:
    index = (CHECKOUT / "docs" / "index.md").read_text("utf-8")
    pages = [path.relative_to(CHECKOUT / "docs") for path in CHECKOUT.glob("docs/**/*.md")]
    assert not [page for page in pages if page.name != "index.md" and f"]({page})" not in index]


def test_the_reference_is_what_the_code_says() -> None:
    assert generate.stale_pages() == []


def test_an_old_reference_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "reference"
    folder.mkdir()
    for page in generate.PAGES:
        (folder / page).write_text(generate.text_of(page), "utf-8")
    assert generate.stale_pages(folder) == []

    (folder / "enums.md").write_text("# Enums\n")
    (folder / "fields.md").unlink()
    assert generate.stale_pages(folder) == ["fields.md", "enums.md"]


def test_the_json_schemas_are_what_the_code_says(tmp_path: Path) -> None:
    assert generate.stale_schemas() == []

    for name in generate.SCHEMA_FILES:
        (tmp_path / name).write_text(generate.schema_text(name), "utf-8")
    (tmp_path / "volume.schema.json").write_text("{}")
    assert generate.stale_schemas(tmp_path) == ["volume.schema.json"]


@pytest.mark.parametrize("kind", libstorage.PoolType)
def test_each_pool_type_has_a_page_with_a_spec_that_is_sound(kind: libstorage.PoolType) -> None:
    page = CHECKOUT / "docs" / "pool-types" / f"{kind}.md"
    (example,) = [block for block in page_blocks(page) if block.title == "spec"]
    names: dict[str, Any] = {}
    exec(example.text, names)
    spec = names["spec"]
    assert isinstance(spec, libstorage.PoolSpec)
    assert spec.type == kind
    spec.check()
    libstorage.validate(spec)
    libstorage.validate(spec, "rng")


def public_things() -> list[Any]:
    """Every class and function of the public surface."""
    things = (getattr(libstorage, name) for name in libstorage.__all__)
    return [thing for thing in things if inspect.isclass(thing) or inspect.isfunction(thing)]


def public_functions() -> list[Any]:
    """Every function and method of the public surface that is our own, inherited ones too, attributes excepted."""
    found = [thing for thing in public_things() if inspect.isfunction(thing)]
    for owner in dict.fromkeys(base for thing in public_things() for base in getattr(thing, "__mro__", ())):
        if owner.__module__.startswith("libstorage."):
            members = [
                getattr(value, "__func__", value) for name, value in vars(owner).items() if name[0] != "_"
            ]
            found += filter(inspect.isfunction, members)
    return found


@pytest.mark.parametrize(
    "thing", [*public_things(), *public_functions()], ids=lambda thing: thing.__qualname__
)
def test_a_docstring_begins_with_one_sentence_on_one_line(thing: Any) -> None:
    summary = inspect.cleandoc(thing.__doc__ or "").partition("\n\n")[0]
    assert re.fullmatch(r"[^\n]+[.:]", summary), summary


@pytest.mark.parametrize("function", public_functions(), ids=lambda function: function.__qualname__)
def test_a_docstring_says_what_is_raised(function: Callable[..., object]) -> None:
    raises = "Raises:" in (function.__doc__ or "")
    assert raises or function.__qualname__ in NEVER_FAIL


def error_classes() -> list[type[BaseException]]:
    return [
        thing for thing in vars(errors).values() if inspect.isclass(thing) and issubclass(thing, Exception)
    ]


@pytest.mark.parametrize("error", error_classes(), ids=lambda error: error.__name__)
def test_the_page_on_errors_has_every_class_with_its_other_base(error: type[BaseException]) -> None:
    page = (CHECKOUT / "docs" / "errors.md").read_text("utf-8")
    (other,) = re.findall(rf"^\| [│├└ ]*`{error.__name__}` \| (?:`(\w+)`)? ?\|", page, re.MULTILINE)
    theirs = [base.__name__ for base in error.__bases__ if base.__module__ == "builtins"]
    assert [other] == (theirs if error is not errors.StorageError else [""]) or (other == "" and not theirs)


def test_the_page_on_errors_has_every_field() -> None:
    page = (CHECKOUT / "docs" / "errors.md").read_text("utf-8")
    assert not [name for name in errors.ErrorFields.__annotations__ if f"`{name}`" not in page]
