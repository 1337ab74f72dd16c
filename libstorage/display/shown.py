"""The base class of everything that shows itself. Blocks are loaded when something is first shown."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

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


class _Pretty:
    """The method ``_repr_pretty_``. IPython calls that of a class, with an object; hypothesis calls that of any object, and of classes."""

    def __get__(self, thing: Shown | None, owner: type[Shown]) -> Callable[..., None]:
        return partial(_pretty, thing) if thing is not None else partial(_pretty_by_class, owner)


def _pretty_by_class(owner: type[Shown], *given: Any) -> None:
    if len(given) == 2:
        given[0].text(repr(owner))
    else:
        _pretty(*given)


class Shown(Html):
    """Something that also has a text for people: ``str`` is all of it, IPython shows as many rows as a notebook.

    Inside a list or another container, IPython shows the ``repr``, which fits a line. Other printers always get the ``repr``.
    """

    __slots__ = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # IPython prefers the repr of a class over what the class inherits
        cls._repr_pretty_ = Shown.__dict__["_repr_pretty_"]

    def __str__(self) -> str:
        return self._page(None).text()

    _repr_pretty_: ClassVar[Any] = _Pretty()


def _pretty(shown: Shown, printer: Any, cycle: bool) -> None:
    is_whole = type(printer).__module__.startswith("IPython") and len(printer.stack) < 2 and not cycle
    printer.text(shown._page(MOST).text() if is_whole else repr(shown))


def page_of(shown: Html, most: int | None) -> Page:
    """Return what a value shows, for a value that shows another one in its place."""
    return shown._page(most)
