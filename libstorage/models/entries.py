"""The volumes of a listing, one by one and as a table."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from libstorage.display.inline import Bar, Cell, Span
from libstorage.display.page import Page
from libstorage.display.shown import Shown, page_of
from libstorage.display.table import Table
from libstorage.display.text import brief, joined
from libstorage.errors import StorageError
from libstorage.models.volume import VolumeSpec
from libstorage.xml import human


@frozen(kw_only=True, repr=False)
class VolumeEntry(Shown):
    """One volume of a listing: its document, or the error that occurred while the document was read."""

    name: str
    spec: VolumeSpec | None = None
    error: StorageError | None = None

    def __repr__(self) -> str:
        return f"<VolumeEntry {brief(self.name, 40)!r}: {self._said()}>"

    def _said(self) -> str:
        if self.spec is None:
            return "not read" if self.error is None else type(self.error).__name__
        form, size = self.spec.target.format, self.spec.capacity
        return (
            joined([brief(str(form or ""), 20), "" if size is None else human.rounded(size)], ", ") or "read"
        )

    def _page(self, most: int | None) -> Page:
        shown = self.spec or self.error
        return Page(title=self.name) if shown is None else page_of(shown, most)


def volume_tables(entries: Sequence[VolumeEntry], most: int | None, title: str = "") -> list[Table]:
    """Return the table of the volumes, and below it the table of those that could not be read.

    Args:
        entries: The volumes.
        most: The largest number of rows of a table; ``None`` for all.
        title: Title of the table of the volumes.
    """
    read = [(entry.name, entry.spec) for entry in entries if entry.spec]
    paths = {spec.target.path: name for name, spec in read}
    shown = read[:most]
    rows = [_row(name, spec, paths) for name, spec in shown]
    headers = ("volume", "format", "capacity", "allocated", "filled", "based on")
    volumes = Table(headers, rows, title, more=len(read) - len(shown))
    failed = [(entry.name, entry.error) for entry in entries if entry.error]
    return [*([volumes] if rows else []), *error_tables(failed, most)]


def error_tables(failed: Sequence[tuple[str, StorageError]], most: int | None) -> list[Table]:
    """Return a table of what could not be read; none if there were no errors."""
    rows = [(name, Span(type(error).__name__, "bad"), error.message) for name, error in failed[:most]]
    return [Table(("not read", "error", "message"), rows, more=len(failed) - len(rows))] if rows else []


def _row(name: str, spec: VolumeSpec, paths: dict[str | None, str]) -> tuple[Cell, ...]:
    below = spec.backing_store.path if spec.backing_store else ""
    return (
        name,
        Span(str(spec.target.format), "tag") if spec.target.format else "",
        human.size(spec.capacity),
        human.size(spec.allocation),
        Bar(spec.allocation or 0, spec.capacity or 0, label="filled"),
        paths.get(below, below),
    )
