"""What a comparison shows: each field with its present and its wanted value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from libstorage.display.inline import Inline, Span
from libstorage.display.page import Page
from libstorage.display.table import Table, soft
from libstorage.xml import human
from libstorage.xml.document import Element


def changes_page(changes: Sequence[tuple[str, Any, Any]], most: int | None) -> Page:
    """Return what is shown of changes: the name of each field, its present value, and the wanted one."""
    if not changes:
        return Page("Differences", (soft("none: everything that is wanted is there"),))
    rows = [(field, *_change(field, have, want)) for field, have, want in changes[:most]]
    table = Table(("field", "step", "has", "wanted"), rows, more=len(changes) - len(rows))
    return Page("Differences", (soft(str(len(changes))),), (table,))


def _change(field: str, have: Any, want: Any) -> tuple[Inline, Inline, Inline]:
    new = Span(_human(field, want), "new")
    if have in (None, ()):
        return Span("+ add", "good"), Span(""), new
    return Span("~ change", "warn"), Span(_human(field, have), "old"), new


def _human(field: str, value: Any) -> str:
    if field.endswith("mode") and isinstance(value, int):
        return human.mode(value).text()
    return repr(value) if isinstance(value, Element) else human.plain(value).text()
