"""State and sizes of a pool or a volume, which libvirt reports without XML."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from attrs import frozen

from libstorage.display.shown import Shown
from libstorage.enums import PoolState, VolumeType
from libstorage.units import Size

if TYPE_CHECKING:
    from libstorage.display.page import Page


@frozen(kw_only=True)
class PoolInfo(Shown):
    """State and sizes of a pool, in bytes (``virStoragePoolGetInfo``).

    libvirt does not know the sizes of an inactive pool, and reports 0.
    """

    state: PoolState
    capacity: Size
    allocation: Size
    available: Size

    def _page(self, most: int | None) -> Page:
        return values_page(self, with_sizes=any((self.capacity, self.allocation, self.available)))


@frozen(kw_only=True)
class VolumeInfo(Shown):
    """Type and sizes of a volume, in bytes (``virStorageVolGetInfoFlags``).

    libvirt reports ``allocation`` or, if requested, ``physical``; the other one is ``None``.
    """

    type: VolumeType
    capacity: Size
    allocation: Size | None = None
    physical: Size | None = None

    def _page(self, most: int | None) -> Page:
        return values_page(self)


def values_page(values: attrs.AttrsInstance, *, with_sizes: bool = True) -> Page:
    """Return what is shown of an object of a few values: those that are set, with or without its sizes."""
    from libstorage.display.page import Page
    from libstorage.display.table import Fields
    from libstorage.xml import human

    rows = []
    for field in attrs.fields(type(values)):
        value = getattr(values, field.name)
        if (
            value is not None
            and value is not False
            and value != ()
            and (with_sizes or not isinstance(value, Size))
        ):
            rows.append((field.name, human.plain(value)))
    return Page(title=type(values).__name__, blocks=(Fields(rows).capped(None),))
