"""Progress and deadline of a transfer."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs

from libstorage.connection import process
from libstorage.connection.arguments import SHORTEST, check_seconds
from libstorage.connection.clock import NEVER
from libstorage.display.shown import Shown
from libstorage.errors import DeadlineError
from libstorage.session.channel import Channel

if TYPE_CHECKING:
    from libstorage.display.page import Page

Phase: TypeAlias = Literal["upload", "download", "compare", "verify"]


@attrs.frozen(kw_only=True)
class TransferProgress(Shown):
    """Progress of one phase of a transfer.

    Attributes:
        name: Name of what is transferred, for people.
        transfer: Number of the transfer, unique in this process.
        phase: ``upload`` or ``download``. ``compare`` looks for what need not be sent again, ``verify`` reads back what
            was sent.
        done: Bytes done in this phase, without the zeros that are added behind the source.
        total: All bytes of this phase; ``None`` if the source does not know its length.
        seconds: Duration of this phase so far.
    """

    name: str
    transfer: int
    phase: Phase
    done: int
    total: int | None
    seconds: float

    @property
    def rate(self) -> float:
        """Bytes per second; 0 at the start."""
        return self.done / self.seconds if self.seconds > 0 else 0.0

    @property
    def eta(self) -> float | None:
        """Estimated seconds left in this phase; ``None`` if unknown."""
        return None if self.total is None or not self.rate else (self.total - self.done) / self.rate

    def _page(self, most: int | None) -> Page:
        from libstorage.display.inline import Bar, Run, Span
        from libstorage.display.page import Page
        from libstorage.display.table import soft
        from libstorage.display.text import joined
        from libstorage.xml import human

        done = human.rounded(self.done)
        said = joined(
            [
                done if self.total is None else f"{done} of {human.rounded(self.total)}",
                f"{human.rounded(int(self.rate))}/s" if self.rate else "",
                "" if self.eta is None else f"{self.eta:.0f} s left",
            ]
        )
        bar = Bar(self.done, self.total or 0, label=f"{self.phase} done")
        return Page(title=self.name, about=(Span(self.phase, "tag"),), blocks=(Run((bar, soft(said))),))


Content: TypeAlias = Callable[[], int | None]

Progress: TypeAlias = Callable[[TransferProgress], object]
"""Called in the thread of the transfer, when a phase begins and after each part of it."""


class Watch:
    """Watches one transfer, phase by phase: reports its progress, and ends it at the deadline.

    Args:
        name: Name of what is transferred.
        progress: Called with the progress; ``None`` reports nothing.
        deadline: Seconds for all phases together.

        has_lane: Whether the source keeps a lane, as a volume does: then the transfer may take the last one.

    Raises:
        InvalidRequestError: If the deadline is not a number of seconds.
    """

    def __init__(
        self, name: str, progress: Progress | None, deadline: float | None, *, has_lane: bool = False
    ) -> None:
        check_seconds("deadline", deadline)
        self.name: str = name
        self.expires: float | None = None if deadline is None else monotonic() + deadline
        self.meter: Meter | None = None
        self.has_lane: bool = has_lane
        self._number = next(process.current().shared("transfers", count))
        self._progress = progress

    def phase(self, phase: Phase, total: int | None, content: Content | None = None) -> Meter:
        """Begin a phase of ``total`` bytes; ``None`` if the length is unknown.

        Args:
            phase: The phase.
            total: Number of bytes.
            content: Returns how many of them come before the padding, ``None`` if not known yet.
        """
        self.meter = Meter(self, phase, total, content)
        return self.meter

    def rename(self, name: str) -> None:
        """Use another name from now on, for a transfer whose volume gets its name late."""
        self.name = name

    @property
    def latest(self) -> float:
        """End of the transfer's time, by the monotonic clock."""
        return NEVER if self.expires is None else self.expires

    def limited(self, channel: Channel) -> Channel:
        """Return the channel with the time limit of each call cut to the time left for the transfer."""
        if self.expires is None:
            return channel
        left, usual = max(self.latest - monotonic(), SHORTEST), channel.options.timeout
        return channel.with_options(timeout=left if usual is None else min(left, usual), long_timeout=left)

    def show(self, phase: Phase, done: int, total: int | None, began: float) -> None:
        """Report the progress."""
        if self._progress is not None:
            seconds = monotonic() - began
            self._progress(
                TransferProgress(
                    name=self.name,
                    transfer=self._number,
                    phase=phase,
                    done=done,
                    total=total,
                    seconds=seconds,
                )
            )


class Meter:
    """Counts the bytes of one phase of a transfer."""

    def __init__(self, watch: Watch, phase: Phase, total: int | None, content: Content | None = None) -> None:
        self.total = total
        self.done: int = 0
        self._watch = watch
        self._phase: Phase = phase
        self._content: Content = content or (lambda: total)
        self._began = monotonic()
        self._show()

    @property
    def latest(self) -> float:
        """End of the transfer's time, by the monotonic clock."""
        return self._watch.latest

    @property
    def left(self) -> int | None:
        """Bytes left; ``None`` if unknown."""
        return None if self.total is None else self.total - self.done

    @property
    def told(self) -> tuple[int, int | None]:
        """Bytes done and all bytes, without padding."""
        total = self._content()
        return self.done if total is None else min(self.done, total), total

    def add(self, number: int) -> None:
        """Add ``number`` bytes, and report the progress.

        Raises:
            DeadlineError: If the deadline has passed.
        """
        self.done += number
        self._show()
        if monotonic() > self.latest:
            raise DeadlineError(f"the deadline passed after {self.told[0]} bytes of the {self._phase}")

    def _show(self) -> None:
        done, total = self.told
        self._watch.show(self._phase, done, total, self._began)
