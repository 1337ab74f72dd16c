"""Receives one volume over several lanes at once: each lane writes its chunks directly into the new file."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Final

from attrs import evolve

from libstorage.connection import threads
from libstorage.connection.lane import Lane
from libstorage.connection.limits import Holder
from libstorage.session.channel import Channel
from libstorage.transfer.pieces.piece import Piece, PlacedSink, length_of
from libstorage.transfer.progress import Meter
from libstorage.transfer.volume.intake import Intake, Stopped, ended
from libstorage.transfer.volume.range import VolumeRange

_CHUNK: Final = 64 << 20
_ALIGNED: Final = 1 << 20
_STALL: Final = 0.005  # seconds; a longer write has kept the stream waiting
_EVERY: Final = 0.05  # seconds between two progress reports


class Ranges:
    """A range of a volume, received in chunks over several lanes."""

    def __init__(self, channel: Channel, extent: VolumeRange) -> None:
        self._channel, self._extent = channel, extent

    def receive(self, sink: PlacedSink, meter: Meter, most: int) -> None:
        """Receive the whole range.

        Args:
            sink: The new file.
            meter: Counts the bytes.
            most: Largest number of chunks at once; fewer if fewer lanes can be spared.

        Raises:
            StorageError: If a chunk broke off; then the others are stopped.
        """
        with self._lanes(most) as lanes:
            chunks, over = self._split(lanes), SimpleQueue[BaseException | None]()
            workers = [
                _Worker(self._channel, chunks, sink, self._extent.offset, over, meter.latest)
                for _ in range(lanes)
            ]
            try:
                for worker in workers:
                    worker.start()
                _watch(workers, over, meter)
            finally:
                for worker in workers:
                    worker.is_unwanted = True
                for worker in workers:
                    worker.stop()

    def _split(self, lanes: int) -> SimpleQueue[VolumeRange]:
        length = self._extent.length
        step = min(_CHUNK, -(-length // lanes // _ALIGNED) * _ALIGNED)
        chunks = SimpleQueue[VolumeRange]()
        for begin in range(0, length, step):
            offset = self._extent.offset + begin
            chunks.put(evolve(self._extent, offset=offset, length=min(step, length - begin)))
        return chunks

    @contextmanager
    def _lanes(self, most: int) -> Iterator[int]:
        """Return the number of lanes: as many as are useful and can be spared, at least one; one is left for other calls."""
        session, helpers = self._channel.session(), list[Holder]()
        most = min(most, -(-self._extent.length // _ALIGNED), session.connection.max_lanes - 1)
        try:
            while len(helpers) < most - 1 and session.ranges.join(helper := Holder()):
                helpers.append(helper)
            yield 1 + len(helpers)
        finally:
            for helper in helpers:
                session.ranges.leave(helper)


class _Worker:
    """Receives chunks, one after the other, each into its place in the file.

    Attributes:
        done: Number of bytes written.
        waited: Seconds that writing has kept a stream waiting.
        is_unwanted: Whether the rest is no longer wanted.
    """

    def __init__(
        self,
        channel: Channel,
        chunks: SimpleQueue[VolumeRange],
        sink: PlacedSink,
        begin: int,
        over: SimpleQueue[BaseException | None],
        latest: float,
    ) -> None:
        self.done: int = 0
        self.waited: float = 0.0
        self.is_unwanted: bool = False
        self._channel, self._chunks, self._over, self._latest = channel, chunks, over, latest
        self._sink, self._begin = sink, begin
        self._pieces: list[Piece] = []
        self._place = sink.at(0)
        self._intake: Intake | None = None
        self._thread = threading.Thread(target=self._run, name="libstorage-range", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        threads.start(self._thread)

    def stop(self) -> None:
        """Wait for the thread, which is told to stop."""
        ended(self._thread, self._intake)

    def put(self, piece: Piece) -> None:
        """Take a piece."""
        self._pieces.append(piece)

    def hand_over(self, lane: Lane, latest: float, patience: float | None) -> bool:
        """Write the buffered pieces with the lane's time limit suspended.

        Return whether that took at most ``patience`` seconds.

        Raises:
            Stopped: If the rest is no longer wanted.
        """
        if self.is_unwanted:
            raise Stopped
        began = monotonic()
        with lane.paused(latest):
            for piece in self._pieces:
                self._place.write(piece)
                self.done += length_of(piece)
        self._pieces.clear()
        took = monotonic() - began
        if took > _STALL:
            self.waited += took
        return patience is None or took <= patience

    def _run(self) -> None:
        try:
            while not self.is_unwanted and (chunk := self._next_chunk()) is not None:
                self._receive(chunk)
        except BaseException as error:  # noqa: BLE001 -- the waiting thread raises it
            self._over.put(error)
        else:
            self._over.put(None)

    def _next_chunk(self) -> VolumeRange | None:
        with suppress(Empty):
            return self._chunks.get_nowait()
        return None

    def _receive(self, chunk: VolumeRange) -> None:
        self._place = self._sink.at(chunk.offset - self._begin)
        self._intake = Intake(self._channel, chunk, self, self._latest)
        self._intake.run()
        self._place.flush()


def _watch(workers: list[_Worker], over: SimpleQueue[BaseException | None], meter: Meter) -> None:
    """Report the progress until every worker has ended."""
    running = len(workers)
    while running:
        try:
            error = over.get(timeout=_EVERY)
        except Empty:
            pass
        else:
            running -= 1
            if error is not None:
                raise error
        meter.add(sum(worker.done for worker in workers) - meter.done)
