"""One volume over several lanes at once: each receives a range of it into the same file."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from libstorage.client.pieces import length_of
from libstorage.client.progress import Meter
from libstorage.client.sinks import NewFileSink
from libstorage.client.streams import receiving
from libstorage.connection.limits import Holder
from libstorage.connection.target import VolumeId

if TYPE_CHECKING:
    from libstorage.client.host import Host

_ALIGNED: Final = 1 << 20


class _Stopped(Exception):
    """Another range has failed."""


class Ranges:
    """A part of a volume, received in ranges.

    Args:
        host: Where the volume is.
        volume: Which one.
        offset: Where the part begins.
        length: How many bytes it has.
        holes: Give holes of its file as such, and not as zeros.
    """

    def __init__(self, host: Host, volume: VolumeId, offset: int, length: int, *, holes: bool) -> None:
        self._host, self._volume, self._offset, self._length = host, volume, offset, length
        self._holes = holes
        self._telling = threading.Lock()
        self._stop = threading.Event()

    def receive(self, sink: NewFileSink, meter: Meter, most: int) -> None:
        """Receive all of it.

        Args:
            sink: The new file.
            meter: How far it is; told by one thread at a time.
            most: How many ranges at once, if so many lanes can be spared.

        Raises:
            StorageError: One of them broke off, and therefore all.
        """
        with self._lanes(most) as lanes, ThreadPoolExecutor(lanes, "libstorage-range") as threads:
            try:
                running = [
                    threads.submit(self._one, sink, meter, begin, end) for begin, end in self._split(lanes)
                ]
                wait(running, return_when=FIRST_EXCEPTION)
            finally:
                self._stop.set()
        failures = [error for range_ in running if (error := range_.exception()) is not None]
        if failures:
            raise next((error for error in failures if not isinstance(error, _Stopped)), failures[0])

    def _one(self, sink: NewFileSink, meter: Meter, begin: int, end: int) -> None:
        target, left = sink.at(begin), end - begin
        with receiving(
            self._host, self._volume, self._offset + begin, left, holes=self._holes, latest=meter.latest
        ) as source:
            while left:
                piece = source.read(left)
                if self._stop.is_set():
                    raise _Stopped
                target.write(piece)
                left -= length_of(piece)
                with self._telling:
                    meter.add(length_of(piece))

    def _split(self, ranges: int) -> Iterator[tuple[int, int]]:
        step = -(-self._length // ranges // _ALIGNED) * _ALIGNED
        for begin in range(0, self._length, step):
            yield begin, min(begin + step, self._length)

    @contextmanager
    def _lanes(self, most: int) -> Iterator[int]:
        """As many lanes as there are ranges for and can be spared, and one at least: one is left for others."""
        session, helpers = self._host._connected(), list[Holder]()
        most = min(most, -(-self._length // _ALIGNED), session.connection.max_lanes - 1)
        try:
            while len(helpers) < most - 1 and session.ranges.join(helper := Holder()):
                helpers.append(helper)
            yield 1 + len(helpers)
        finally:
            for helper in helpers:
                session.ranges.leave(helper)
