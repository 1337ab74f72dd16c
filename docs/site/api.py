"""The pages of the API: every public name, grouped by the module that it lives in."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Final

import attrs

import libstorage
from docs.site.docstrings import translated
from libstorage.xml.document import Document, Element
from tests.contract.prose import texts

# A page, its title, and the modules whose public names stand on it; the longest matching module decides.
GROUPS: Final = {
    "host": ("Hosts and connections", "client.host connection session"),
    "pools": ("Pools", "client.pool client.pools"),
    "volumes": ("Volumes", "client.volume client.volumes provision"),
    "transfers": ("Images and transfers", "client.images transfer"),
    "secrets": ("Secrets", "client.secrets models.secret models.secret_value"),
    "documents": ("Documents", "models xml.document xml.fields"),
    "sources": ("Sources of pools", "models.sources models.source_parts models.adapters"),
    "inventory": ("Listings and capabilities", "models.inventory models.entries models.info models.capabilities models.discovery"),
    "data": ("Data and frames", "data display"),
    "versions": ("Versions for a report", "doctor"),
    "schemas": ("Schemas and descriptions", "xml models.latitude models.compare"),
    "errors": ("Errors", "errors"),
    "enums": ("Enums and flags", "enums"),
    "units": ("Sizes", "units"),
    "testing": ("libstorage.testing", ""),
    "fsspec": ("libstorage.fsspec", ""),
    "tables": ("libstorage.tables", ""),
}  # fmt: skip
_TOCTREE: Final = (".. toctree::", "   :maxdepth: 1", "   :caption: Every public name", "")
NAMESPACES: Final = ("testing", "fsspec", "tables")


def homes() -> dict[str, str]:
    """Return each public name with the module that it lives in, as the package tells type checkers."""
    tree = ast.parse(Path(libstorage.__file__).read_text("utf-8"))
    return {
        alias.name: node.module.removeprefix("libstorage.")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("libstorage.")
        for alias in node.names
        if alias.name in libstorage.__all__
    }


def page_of(module: str) -> str:
    """Return the page for the names of a module.

    Raises:
        KeyError: If no page has it.
    """
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        for page, (_, modules) in GROUPS.items():
            if ".".join(parts[:length]) in modules.split():
                return page
    raise KeyError(f"no page of docs/site/api.py has {module}")


def write(folder: Path) -> None:
    """Write the pages into a folder, and an index of them."""
    grouped: dict[str, list[tuple[str, str]]] = {page: [] for page in GROUPS}
    for name, module in sorted(homes().items()):
        grouped[page_of(module)].append((name, module))
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for page, (title, _) in GROUPS.items():
        lines = list(_namespace(page) if page in NAMESPACES else _names(grouped[page]))
        if lines:
            inside = f".. py:currentmodule:: libstorage{f'.{page}' if page in NAMESPACES else ''}"
            head = [title, "=" * len(title), "", inside, ""]
            (folder / f"{page}.rst").write_text("\n".join([*head, *lines, ""]), "utf-8")
            written.append(page)
    about = translated((libstorage.__doc__ or "").splitlines())
    lines = ["API", "===", "", ".. py:module:: libstorage", "", *about, "", *_TOCTREE]
    (folder / "index.rst").write_text("\n".join([*lines, *(f"   {page}" for page in written), ""]), "utf-8")


def _namespace(name: str) -> Iterator[str]:
    module = importlib.import_module(f"libstorage.{name}")
    yield from (f".. py:module:: libstorage.{name}", "", *translated((module.__doc__ or "").splitlines()), "")
    for public in module.__all__:
        yield from _entry(public, getattr(module, public))


def _names(names: list[tuple[str, str]]) -> Iterator[str]:
    for name, module in names:
        yield from _entry(name, getattr(libstorage, name), module)


def _entry(name: str, thing: Any, module: str | None = None) -> Iterator[str]:
    is_code = inspect.isclass(thing) or inspect.isfunction(thing)
    return _directive(name, thing) if is_code else _data(name, module or _home(name))


def _home(name: str) -> str:
    (module,) = (module for module, owner in _attribute_docs() if owner == name)
    return module


def _directive(name: str, thing: Any) -> Iterator[str]:
    if inspect.isfunction(thing):
        yield from (f".. autofunction:: {name}", "")
        return
    yield from (f".. autoclass:: {name}", "   :members:")
    if issubclass(thing, Enum):
        yield "   :undoc-members:"
    elif issubclass(thing, Exception):
        yield "   :show-inheritance:"
    elif issubclass(thing, Document) or not issubclass(thing, Element):
        yield f"   :inherited-members: {', '.join(_foreign(thing))}"
    excluded = _fields(thing)
    if excluded:
        yield f"   :exclude-members: {', '.join(excluded)}"
    yield ""


def _fields(thing: type) -> list[str]:
    """Return the members that the class's own docstring or its description documents."""
    if not attrs.has(thing):
        return []
    names = [field.name for field in attrs.fields(thing)]
    documented = issubclass(thing, Element) or "Attributes:" in (thing.__doc__ or "")
    return names if documented else []


def _foreign(thing: type) -> list[str]:
    """Return the bases that are not ours, whose members are documented elsewhere."""
    return [base.__name__ for base in thing.__mro__ if not base.__module__.startswith("libstorage")]


def _data(name: str, module: str) -> Iterator[str]:
    """A constant or an alias of types, and the text below it."""
    yield from (f".. py:data:: {name}", "")
    yield from (f"   {line}" for line in translated(_attribute_docs()[module, name].splitlines()))
    yield ""


@cache
def _attribute_docs() -> dict[tuple[str, str], str]:
    """Return the docstrings of everything by module and name."""
    return {
        (
            text.module.removesuffix(".py").removesuffix("/__init__").replace("/", "."),
            text.owner,
        ): inspect.cleandoc(text.text)
        for text in texts()
        if text.owner
    }
