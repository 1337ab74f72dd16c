"""Time limits, by the monotonic clock."""

from __future__ import annotations

from time import monotonic
from typing import Final

NEVER: Final = float("inf")
"""The end of a time limit that never runs out."""


class TimeLimit:
    """The time limit of one call on a lane.

    Attributes:
        span: The whole time, in seconds.
        expires: When the time runs out, by the monotonic clock.
        opening: Seconds of the time that may be spent on opening a connection; ``None`` if the limit of the connection
            applies.
    """

    __slots__ = ("expires", "opening", "span")

    def __init__(self, span: float, *, opening: float | None = None) -> None:
        self.span: float = span
        self.expires: float = monotonic() + span
        self.opening: float | None = opening

    def remaining(self) -> float:
        """Return the remaining time, in seconds."""
        return max(0.0, self.expires - monotonic())

    def patience(self) -> float | None:
        """Return the remaining time, in seconds; ``None`` is no limit."""
        return None if self.expires == NEVER else self.remaining()

    def renew(self, latest: float = NEVER) -> None:
        """Start the time again, but let it run out by ``latest``."""
        self.expires = min(monotonic() + self.span, latest)
