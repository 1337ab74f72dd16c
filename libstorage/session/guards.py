"""Guards: callables that may refuse a change before it is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import attrs

from libstorage.connection.identity import Identity
from libstorage.models.spec import Spec
from libstorage.operations import Operation


@attrs.frozen
class Change:
    """A change that is about to be made.

    Attributes:
        operation: The operation.
        target: The object that changes.
        spec: The document that is sent; ``None`` if the operation sends none.
        validate: Whether values and combinations in the document are checked.
    """

    operation: Operation
    target: Identity
    spec: Spec | None = None
    validate: bool = True


Guard: TypeAlias = Callable[[Change], object]
"""Called before a change; raises to refuse it."""


class Guards:
    """The guards of a session, asked in the order in which they were added."""

    def __init__(self, *guards: Guard) -> None:
        self._guards = guards

    def add(self, guard: Guard) -> None:
        """Add a guard."""
        self._guards = (*self._guards, guard)

    def check(self, change: Change) -> None:
        """Ask every guard.

        Raises:
            StorageError: If a guard refuses the change.
        """
        for guard in self._guards:
            guard(change)
