"""The base class of everything that shows itself. Blocks are loaded when something is first shown."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from libstorage.display.page import Page

MOST: Final = 50
"""The number of rows that a notebook shows of a table or a tree. ``str`` shows all."""


class Html:
    """Something that a notebook shows as HTML, from what it knows: showing never calls a host."""

    __slots__ = ()

    @abstractmethod
    def _page(self, most: int | None) -> Page:
        """Return what is shown.

        Args:
            most: The largest number of rows of a table; ``None`` for all.
        """

    def _repr_html_(self) -> str:
        return self._page(MOST).html()


class Shown(Html):
    """Something that also has a text for people: ``str`` is all of it, IPython shows as many rows as a notebook.

    Inside a list or another container, IPython shows the ``repr``, which fits a line.
    """

    __slots__ = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # IPython prefers the repr of a class over what the class inherits
        cls._repr_pretty_ = Shown._repr_pretty_  # type: ignore[method-assign]

    def __str__(self) -> str:
        return self._page(None).text()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        inside = cycle or len(getattr(printer, "stack", ())) > 1
        printer.text(repr(self) if inside else self._page(MOST).text())


def page_of(shown: Html, most: int | None) -> Page:
    """Return what a value shows, for a value that shows another one in its place."""
    return shown._page(most)
