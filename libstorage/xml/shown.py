"""What an element shows: its fields that are set, in groups, with values as people read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from libstorage.display.inline import Cell, Inline
from libstorage.display.page import Page
from libstorage.display.shown import Shown
from libstorage.display.table import Fields
from libstorage.units import Size
from libstorage.xml.human import mode, moment, plain
from libstorage.xml.kinds import MODE, TIMESTAMP
from libstorage.xml.mapping import Mapped, mapping_of


def element_page(element: Any, most: int | None) -> Page:
    """Return what an element shows."""
    return Page(title=type(element).__name__, blocks=(fields_of(element).capped(most),))


def fields_of(element: Any) -> Fields:
    """Return the fields of an element that are set, and those of the elements in it."""
    rows: list[tuple[str, Cell]] = []
    groups: list[tuple[str, Fields]] = []
    for mapped, value in _set(element):
        elements = list(_elements(mapped.name, value))
        if not elements:
            rows.append((mapped.name, _shown(mapped, value)))
        for name, inner in elements:
            below = fields_of(inner)
            if mapped.place.variants and "type" not in {name for name, _ in below.rows}:
                below = Fields([("type", str(inner.type)), *below.rows], below.groups)
            if len(below.rows) == 1 and not below.groups:
                ((field, cell),) = below.rows
                rows.append((f"{name}.{field}", cell))
            elif below.rows or below.groups:
                groups.append((name, below))
    return Fields(rows, groups)


def _set(element: Any) -> Iterator[tuple[Mapped, Any]]:
    """Yield the fields that are set.

    Of an inactive pool libvirt reports all sizes as 0, because it does not know them; and so a file system that keeps
    no time of creation makes that time 0.
    """
    found = [(mapped, getattr(element, mapped.name)) for mapped in mapping_of(type(element)).fields]
    sizes = [value for mapped, value in found if mapped.place.reported and isinstance(value, Size)]
    for mapped, value in found:
        is_unknown = (mapped.place.reported and isinstance(value, Size) and not any(sizes)) or (
            mapped.place.kind is TIMESTAMP and value == 0
        )
        if value is not None and value != () and value is not False and not is_unknown:
            yield mapped, value


def _elements(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Shown):
        yield name, value
    elif isinstance(value, tuple) and value and isinstance(value[0], Shown):
        yield from ((f"{name}[{place}]", item) for place, item in enumerate(value))


def _shown(mapped: Mapped, value: Any) -> Inline:
    if mapped.place.kind is MODE:
        return mode(value)
    return moment(value) if mapped.place.kind is TIMESTAMP else plain(value)
