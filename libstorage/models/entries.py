"""The volumes of a listing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from libstorage.display.shown import Shown, page_of
from libstorage.display.text import brief, joined
from libstorage.errors import StorageError
from libstorage.models.volume import VolumeSpec

if TYPE_CHECKING:
    from libstorage.display.page import Page


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
        from libstorage.xml import human

        form, size = self.spec.target.format, self.spec.capacity
        return (
            joined([brief(str(form or ""), 20), "" if size is None else human.rounded(size)], ", ") or "read"
        )

    def _page(self, most: int | None) -> Page:
        from libstorage.display.page import Page

        shown = self.spec or self.error
        return Page(title=self.name) if shown is None else page_of(shown, most)
