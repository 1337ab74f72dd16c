"""Names for hints: completion at the keyboard, and "did you mean" of an error. They are worth a moment, and no error."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Final, TypeVar

from libstorage.connection import threads
from libstorage.errors import StorageError
from libstorage.xml.wording import nearest

T = TypeVar("T")

COMPLETION: Final = 2.0
"""Seconds that completion waits for names."""

MEANT: Final = 0.2
"""Seconds that an error waits for the name that was probably meant."""

_MOST_KEPT = 1_000


class Listed:
    """The names that each collection of a host listed last."""

    def __init__(self) -> None:
        self._names: dict[Hashable, tuple[str, ...]] = {}

    def keep(self, collection: Hashable, names: Iterable[str]) -> None:
        """Keep the names of a listing, unless there are too many to be kept for a hint."""
        names = tuple(names)
        self._names[collection] = names if len(names) <= _MOST_KEPT else ()

    def names(self, collection: Hashable) -> tuple[str, ...]:
        """Return the names that were kept."""
        return self._names.get(collection, ())


def add_meant(
    error: StorageError, name: str, listed: Iterable[str], ask: Callable[[], Iterable[str]]
) -> None:
    """Put the name that was probably meant before the hint of an error, if one is similar and found in time.

    Args:
        error: The error, which says that ``name`` does not exist.
        name: The name.
        listed: Names that are already known.
        ask: Asks the host for all names, in one call, if none of those is similar.
    """
    others = (other for other in listed if other != name)
    near = nearest(others, name) or soon(MEANT, lambda: nearest(ask(), name), None)
    if near is not None:
        error.hint = "\n".join(filter(None, (f"Did you mean {near!r}?", error.hint)))


def soon(seconds: float, ask: Callable[[], T], otherwise: T) -> T:
    """Return what ``ask`` returns within ``seconds``; ``otherwise`` if it fails or takes longer.

    The call has the usual time limit and may go on: a shorter limit would cut its lane, and with it other calls.
    """
    answers: SimpleQueue[T] = SimpleQueue()

    def answer() -> None:
        with suppress(Exception):
            answers.put(ask())
            return
        answers.put(otherwise)

    thread = threading.Thread(target=answer, name="libstorage-hint", daemon=True)
    try:
        threads.start(thread)
        return threads.take(answers, thread, seconds)
    except (Empty, StorageError):
        return otherwise
