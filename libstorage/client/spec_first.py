"""Verbs that take a document: called with the parts of one, they name the factory."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from libstorage.errors import InvalidRequestError

P = ParamSpec("P")
R = TypeVar("R")


def spec_first(factory: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a method refuse more than one positional argument with the call of ``factory`` that was meant."""

    def decorated(method: Callable[P, R]) -> Callable[P, R]:
        @wraps(method)
        def called(*args: P.args, **kwargs: P.kwargs) -> R:
            if len(args) > 2:
                raise _refused(method.__name__, factory, args[1:])
            return method(*args, **kwargs)

        return called

    return decorated


def _refused(verb: str, factory: str, given: tuple[Any, ...]) -> InvalidRequestError:
    listed = ", ".join(map(repr, given))
    return InvalidRequestError(
        f"{verb}() takes one document, not {len(given)} arguments", hint=f"Pass {factory}({listed})."
    )
