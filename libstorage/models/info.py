"""State and sizes of a pool or a volume, which libvirt reports without XML."""

from __future__ import annotations

import attrs
from attrs import frozen

from libstorage.display import Table
from libstorage.enums import PoolState, VolumeType
from libstorage.units import Size


@frozen(kw_only=True)
class PoolInfo:
    """State and sizes of a pool, in bytes (``virStoragePoolGetInfo``)."""

    state: PoolState
    capacity: Size
    allocation: Size
    available: Size

    def _repr_html_(self) -> str:
        return _table(self, "PoolInfo").html()

    def __str__(self) -> str:
        return _table(self, "").text()


@frozen(kw_only=True)
class VolumeInfo:
    """Type and sizes of a volume, in bytes (``virStorageVolGetInfoFlags``).

    libvirt reports ``allocation`` or, if requested, ``physical``; the other one is ``None``.
    """

    type: VolumeType
    capacity: Size
    allocation: Size | None = None
    physical: Size | None = None

    def _repr_html_(self) -> str:
        return _table(self, "VolumeInfo").html()

    def __str__(self) -> str:
        return _table(self, "").text()


def _table(info: PoolInfo | VolumeInfo, title: str) -> Table:
    rows = []
    for name in attrs.fields(type(info)):
        value = getattr(info, name.name)
        if value is not None:
            rows.append((name.name, f"{value:.1h}" if isinstance(value, Size) else value.word))
    return Table(("field", "value"), rows, title=title)
