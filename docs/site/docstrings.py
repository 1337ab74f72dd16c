"""Docstrings as Sphinx reads them: their Markdown, ``[text][libstorage.Name]`` and fenced examples, becomes its markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import libstorage

_REFERENCE: Final = re.compile(r"\[([^\[\]]+)\]\[([^\[\]]+)\]")
_PAGE: Final = re.compile(
    r"\[([^\[\]]+)\]\((?:\.\./)*([\w/-]+)\.md(#[\w-]+)?\)"
)  # from a module to a page of docs/
_FENCE: Final = re.compile(r"^( *)```(\w*)(?: title=\"[^\"]*\")?$")


def translated(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a docstring with references and examples in the markup of Sphinx."""
    inside = None
    for line in lines:
        fence = _FENCE.match(line)
        if fence and inside is None:
            inside = fence[1]
            yield from ("", f"{inside}.. code-block:: {fence[2] or 'text'}", "")
        elif fence:
            inside = None
            yield ""
        elif inside is not None:
            yield f"    {line}"
        else:
            yield _referenced(line)


def _referenced(line: str) -> str:
    """Return a line with roles for its references; what stands in double backticks stays as it is."""
    parts = re.split(r"(``.*?``)", line)
    return "".join(part if part.startswith("``") else _roles(part) for part in parts)


def _roles(text: str) -> str:
    """Return text with the roles of Sphinx; pages of the API are two folders down."""
    return _PAGE.sub(r"`\1 <../../\2.html\3>`__", _REFERENCE.sub(r":py:obj:`\1 <\2>`", text))


def fields_of(model: Any) -> Iterator[str]:
    """Yield an attribute for each field of a class of documents, as its metadata describes it."""
    for field in libstorage.describe(model).fields:
        yield from ("", f".. py:attribute:: {field.name}", "")
        meaning = " ".join([*field.doc.split(), f"Takes {field.expected}."])
        yield from (f"   {line}" for line in translated([meaning + " libvirt reports it." * field.reported]))
