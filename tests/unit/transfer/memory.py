"""A volume in memory behind a real lane: the pieces of a transfer need no daemon to be tried on every sort of stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from libstorage.connection.clock import TimeLimit
from libstorage.connection.identity import PoolId, VolumeId
from libstorage.connection.lane import Lane
from libstorage.connection.process import Process
from libstorage.session.channel import Channel

POOL = PoolId("test:///", "images", "00000000-0000-0000-0000-000000000001")
VOLUME = VolumeId(POOL, "disk.img")


class MemoryStream:
    """A stream that moves as many bytes at once as ``step`` says."""

    def __init__(self, step: Callable[[], int]) -> None:
        self.step = step
        self.end: str | None = None
        self.volume = MemoryVolume(b"", step)
        self.place = self.left = 0

    def begin(self, volume: MemoryVolume, offset: int, length: int) -> None:
        self.volume, self.place = volume, offset
        self.left = length or len(volume.data)

    def send(self, data: bytes) -> int:
        sent = min(len(data), self.step())
        self.volume.write(self.place, data[:sent])
        self.place += sent
        return sent

    def sendHole(self, length: int, flags: int = 0) -> int:  # noqa: N802 -- libvirt's name
        self.volume.holes.append((self.place, length))
        self.place += length
        return 0

    def recv(self, most: int) -> bytes:
        data = bytes(self.volume.data[self.place : self.place + min(most, self.left, self.step())])
        self.place += len(data)
        self.left -= len(data)
        return data

    def recvFlags(self, most: int, flags: int = 0) -> bytes | int:  # noqa: N802
        return -3 if self._hole() else self.recv(min(most, self._until_hole()))

    def recvHole(self, flags: int = 0) -> int:  # noqa: N802
        length = min(self._hole(), self.left)
        self.place += length
        self.left -= length
        return length

    def finish(self) -> int:
        self.end = "finished"
        self.volume.at_end()
        return 0

    def abort(self) -> int:
        self.end = "aborted"
        return 0

    def _hole(self) -> int:
        """How many bytes from here on are in a hole."""
        return next((at + n - self.place for at, n in self.volume.holes if at <= self.place < at + n), 0)

    def _until_hole(self) -> int:
        return min((at - self.place for at, _ in self.volume.holes if at > self.place), default=self.left)


class MemoryVolume:
    """The bytes of a volume, the holes in them, and every stream that was opened on it."""

    def __init__(self, data: bytes, step: Callable[[], int] = lambda: 1 << 30) -> None:
        self.data = bytearray(data)
        self.step = step
        self.holes: list[tuple[int, int]] = []
        self.streams: list[MemoryStream] = []
        self.at_end: Callable[[], object] = lambda: None

    def write(self, place: int, data: bytes) -> None:
        self.data.extend(bytes(max(0, place + len(data) - len(self.data))))
        self.data[place : place + len(data)] = data

    def upload(self, stream: MemoryStream, offset: int, length: int, flags: int) -> int:
        stream.begin(self, offset, length)
        return 0

    download = upload


class MemoryConnection:
    """A libvirt connection that finds one volume, whatever it is asked for."""

    def __init__(self, volume: MemoryVolume) -> None:
        self.volume = volume

    def newStream(self, flags: int = 0) -> MemoryStream:  # noqa: N802
        stream = MemoryStream(self.volume.step)
        self.volume.streams.append(stream)
        return stream

    def storagePoolLookupByUUIDString(self, uuid: str) -> MemoryConnection:  # noqa: N802
        return self

    def storageVolLookupByName(self, name: str) -> MemoryVolume:  # noqa: N802
        return self.volume

    def name(self) -> str:
        return POOL.name


class _Unwatched:
    def watch(self, lane: Lane) -> None:
        """Nothing cuts the lane."""


def lane_to(volume: MemoryVolume) -> Lane:
    """A lane on which the volume is found."""
    return Lane(cast(Any, MemoryConnection(volume)), None, cast(Process, _Unwatched()))


class MemoryChannel:
    """A channel with lanes to one volume."""

    def __init__(self, volume: MemoryVolume) -> None:
        self.volume = volume
        self.lanes: list[Lane] = []

    @contextmanager
    def lane(self, operation: object, target: object, *, latest: float | None = None) -> Iterator[Lane]:
        lane, limit = lane_to(self.volume), TimeLimit(60.0)
        self.lanes.append(lane)
        lane.enter(limit)
        yield lane
        lane.leave(limit)


def channel_to(volume: MemoryVolume) -> Channel:
    """A channel on which the volume is found."""
    return cast(Channel, MemoryChannel(volume))
