"""Tables of volumes, and of what could not be read."""

from __future__ import annotations

from collections.abc import Sequence

from libstorage.display.inline import Bar, Cell, Span
from libstorage.display.table import Table
from libstorage.errors import StorageError
from libstorage.models.entries import VolumeEntry
from libstorage.models.volume import VolumeSpec
from libstorage.xml import human


def volume_tables(entries: Sequence[VolumeEntry], most: int | None) -> list[Table]:
    """Return the table of the volumes, and below it the table of those that could not be read.

    Args:
        entries: The volumes.
        most: The largest number of rows of a table; ``None`` for all.
    """
    failed = [(entry.name, entry.error) for entry in entries if entry.error]
    return [*volume_table(entries, most), *error_tables(failed, most)]


def volume_table(entries: Sequence[VolumeEntry], most: int | None, title: str = "") -> list[Table]:
    """Return a table of the volumes that could be read; none without such volumes."""
    read = [(entry.name, entry.spec) for entry in entries if entry.spec]
    paths = {spec.target.path: name for name, spec in read}
    rows = [_row(name, spec, paths) for name, spec in read[:most]]
    headers = ("volume", "format", "capacity", "allocated", "filled", "based on")
    return [Table(headers, rows, title, more=len(read) - len(rows))] if rows else []


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
