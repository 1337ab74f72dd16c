"""Entries that describe pools and volumes to fsspec."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from libstorage.enums import VolumeType
from libstorage.models.volume import VolumeSpec


def folder_entry(name: str) -> dict[str, Any]:
    """A pool, or the host."""
    return {"name": name, "size": 0, "type": "directory"}


def file_entry(pool: str, name: str, spec: VolumeSpec | None) -> dict[str, Any]:
    """A volume; without its document if that could not be read."""
    entry: dict[str, Any] = {"name": f"{pool}/{name}", "size": None, "type": "file"}
    if spec is None:
        return entry
    times, form = spec.target.timestamps, spec.target.format
    return entry | {
        "size": int(spec.physical or spec.capacity or 0),
        "type": "other" if spec.type in {VolumeType.DIR, VolumeType.NETDIR} else "file",
        "format": None if form is None else str(form),
        "capacity": None if spec.capacity is None else int(spec.capacity),
        "allocation": None if spec.allocation is None else int(spec.allocation),
        "created": _time_of(times.btime if times else None),
        "modified": _time_of(times.mtime if times else None),
    }


def _time_of(nanoseconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC) if nanoseconds else None
