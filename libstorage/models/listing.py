"""The volumes of a pool, as a sequence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self, SupportsIndex, overload

from libstorage.display.shown import Shown
from libstorage.display.text import brief, counted, short_address
from libstorage.models.entries import VolumeEntry

if TYPE_CHECKING:
    from libstorage.display.page import Page
    from libstorage.models.chains import Chains


class Listing(Shown, tuple[VolumeEntry, ...]):  # noqa: SLOT001 -- a tuple's slots must be empty
    """The volumes of a pool with their documents: a tuple that a notebook shows as a table.

    Attributes:
        uri: Address of the host.
        pool: Name of the pool.
        pool_uuid: UUID of the pool.
    """

    uri: str
    pool: str
    pool_uuid: str

    def __new__(cls, entries: Iterable[VolumeEntry] = (), *, uri: str, pool: str, pool_uuid: str) -> Self:  # noqa: D102
        made = super().__new__(cls, entries)
        made.uri, made.pool, made.pool_uuid = uri, pool, pool_uuid
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, str]]:
        return (tuple(self),), {"uri": self.uri, "pool": self.pool, "pool_uuid": self.pool_uuid}

    @overload
    def __getitem__(self, place: SupportsIndex, /) -> VolumeEntry: ...
    @overload
    def __getitem__(self, place: slice, /) -> Listing: ...
    def __getitem__(self, place: SupportsIndex | slice, /) -> VolumeEntry | Listing:
        """Return an entry, or those of a slice, which is a listing, too."""
        if isinstance(place, slice):
            found = super().__getitem__(place)
            return Listing(found, uri=self.uri, pool=self.pool, pool_uuid=self.pool_uuid)
        return super().__getitem__(place)

    def chains(self) -> Chains:
        """Return the backing chains among these volumes."""
        from libstorage.models.chains import chains_of

        return chains_of(self)

    def __repr__(self) -> str:
        return f"<Listing of pool {brief(self.pool, 30)!r} on {short_address(self.uri)}: {counted(len(self), 'volume')}>"

    def _page(self, most: int | None) -> Page:
        from libstorage.display.page import Page
        from libstorage.display.table import soft
        from libstorage.models.volume_tables import volume_tables

        about = (soft(f"{counted(len(self), 'volume')} on {short_address(self.uri)}"),)
        return Page(title=self.pool, about=about, blocks=(*volume_tables(self, most),))
