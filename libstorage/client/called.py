"""Methods with the names of attributes: ``volume.path`` without ``()`` is refused where a text is made of it.

Otherwise ``f"{volume.path}"`` would put ``<bound method …>`` into a command or a file name. Type checkers, documentation tools,
``inspect.signature`` and pickles see a plain method.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

if TYPE_CHECKING:

    def must_be_called(function: F) -> F:
        """Let a method refuse to become text."""
        return function
else:

    class must_be_called:  # noqa: N801 -- used as a decorator
        """Let a method refuse to become text."""

        def __init__(self, function: Callable[..., Any]) -> None:
            self.__func__ = function

        def __get__(self, thing: object, owner: type) -> Any:
            return self.__func__ if thing is None else _Bound(MethodType(self.__func__, thing))


class _Bound:
    """A bound method that cannot become text."""

    __slots__ = ("__wrapped__",)

    def __init__(self, method: MethodType) -> None:
        self.__wrapped__ = method

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__wrapped__(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)

    def __get__(self, thing: object, owner: type | None = None) -> _Bound:
        return self  # it has a __get__ so that pydoc takes it for a method

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        return self.__wrapped__.__doc__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Bound) and self.__wrapped__ == other.__wrapped__

    def __hash__(self) -> int:
        return hash(self.__wrapped__)

    def __reduce__(self) -> str | tuple[Any, ...]:
        return self.__wrapped__.__reduce__()

    def __repr__(self) -> str:
        return repr(self.__wrapped__)

    def _refuse(self, *_: object) -> NoReturn:
        name = self.__wrapped__.__name__
        owner = type(self.__wrapped__.__self__).__name__.lower()
        raise TypeError(f"{owner}.{name} is a method: call it, {owner}.{name}()")

    __str__ = __fspath__ = _refuse  # format() asks str()
