"""A volume as the source of a transfer, on streams that give what they like."""

from __future__ import annotations

from contextlib import suppress
from threading import Thread, active_count
from time import monotonic, sleep
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libstorage import StorageIOError, TransferError
from libstorage.connection import threads
from libstorage.session.channel import Channel
from libstorage.transfer.pieces.piece import Hole, Piece, length_of
from libstorage.transfer.volume import intake, receiver
from libstorage.transfer.volume.range import VolumeRange
from libstorage.transfer.volume.receiver import receiving
from tests.unit.transfer.memory import VOLUME, MemoryChannel, MemoryStream, MemoryVolume, channel_to
from tests.unit.transfer.volume.test_streams import STEPS, bytes_of, stepping

DATA = bytes(range(1, 251)) * 8


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiver, "_BATCH", 64)
    monkeypatch.setattr(receiver, "_AHEAD", 256)
    monkeypatch.setattr(receiver, "_HOLE_COST", 8)


def received(
    volume: MemoryVolume, offset: int, length: int, most: int, *, holes: bool = False
) -> list[Piece]:
    wanted, pieces = VolumeRange(VOLUME, offset, length, holes), list[Piece]()
    with receiving(channel_to(volume), wanted) as source:
        while length_of(piece := source.read(most)):
            assert length_of(piece) <= most
            pieces.append(piece)
    return pieces


@given(STEPS, st.integers(0, 2000), st.integers(0, 2000), st.integers(1, 700))
def test_just_the_range_is_received(steps: list[int], offset: int, length: int, most: int) -> None:
    length = min(length, len(DATA) - offset)
    volume = MemoryVolume(DATA, stepping(steps))
    assert bytes_of(received(volume, offset, length, most)) == DATA[offset : offset + length]
    assert {stream.end for stream in volume.streams} == ({"finished"} if length else set())


@given(STEPS, st.lists(st.tuples(st.integers(1, 60), st.integers(1, 90)), max_size=6), st.integers(1, 300))
def test_holes_stay_holes(steps: list[int], runs: list[tuple[int, int]], most: int) -> None:
    volume = MemoryVolume(b"", stepping(steps))
    for data, hole in runs:
        place = len(volume.data)
        volume.write(place, b"x" * data + bytes(hole))
        volume.holes.append((place + data, hole))
    pieces = received(volume, 0, len(volume.data), most, holes=True)
    assert bytes_of(pieces) == volume.data
    assert sum(map(length_of, (piece for piece in pieces if isinstance(piece, Hole)))) == sum(
        hole for _, hole in runs
    )


def test_a_hole_that_goes_past_the_range_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def whole_hole(stream: MemoryStream, flags: int = 0) -> int:
        at, length = stream.volume.holes[0]
        stream.place, stream.left = at + length, 0
        return length

    monkeypatch.setattr(MemoryStream, "recvHole", whole_hole)
    volume = MemoryVolume(b"x" * 10 + bytes(90))
    volume.holes.append((10, 90))
    assert received(volume, 0, 50, 1000, holes=True) == [b"x" * 10, Hole(40)]


@given(STEPS, st.integers(1, 500))
def test_a_volume_that_is_shorter_than_it_says(steps: list[int], missing: int) -> None:
    with pytest.raises(TransferError, match=f"ended after {len(DATA)} of {len(DATA) + missing} bytes"):
        received(MemoryVolume(DATA, stepping(steps)), 0, len(DATA) + missing, 100)


@given(STEPS, st.integers(1, 2000), st.integers(1, 700))
def test_the_last_byte_comes_when_the_stream_has_ended_well(steps: list[int], length: int, most: int) -> None:
    def broken() -> None:
        raise StorageIOError("the daemon died behind the last byte")

    volume, data = MemoryVolume(DATA, stepping(steps)), b""
    volume.at_end = broken
    with receiving(channel_to(volume), VolumeRange(VOLUME, 0, length, holes=False)) as source:
        with suppress(StorageIOError):
            while piece := source.read(most):
                data += bytes_of([piece])
        assert DATA.startswith(data)
        assert len(data) < length


def test_who_stops_early_stops_the_stream() -> None:
    volume, before = MemoryVolume(DATA * 50, stepping([10])), active_count()
    with receiving(channel_to(volume), VolumeRange(VOLUME, 0, len(volume.data), holes=False)) as source:
        assert source.read(5) == DATA[:5]
    assert [stream.end for stream in volume.streams] == ["aborted"]
    assert active_count() == before


def test_a_thread_that_begins_after_the_end_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Thread] = []

    def interrupted(thread: Thread) -> None:
        started.append(thread)
        raise KeyboardInterrupt

    monkeypatch.setattr(threads, "start", interrupted)
    channel = MemoryChannel(MemoryVolume(DATA))
    wanted = VolumeRange(VOLUME, 0, len(DATA), holes=False)
    with suppress(KeyboardInterrupt), receiving(cast(Channel, channel), wanted):
        pass
    started[0].start()  # the system was slow to run it
    started[0].join()
    assert not channel.lanes


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "_SLOW", 0.005)
    monkeypatch.setattr(intake, "_PART", 512)


@pytest.mark.usefixtures("impatient")
def test_a_slow_reader_is_served_in_parts() -> None:
    volume = MemoryVolume(DATA * 2, stepping([100]))
    channel = channel_to(volume)
    data = b""
    with receiving(channel, VolumeRange(VOLUME, 0, len(volume.data), holes=False)) as source:
        while piece := source.read(200):
            data += bytes_of([piece])
            sleep(0.004)
    assert data == DATA * 2
    assert len(volume.streams) > 2
    assert {stream.end for stream in volume.streams} <= {"finished", "aborted"}


def test_the_deadline_bounds_the_lanes_time_again_after_each_piece() -> None:
    seen: list[float] = []

    def step() -> int:
        seen.append(channel.lanes[0].expires)
        return 100

    volume, latest = MemoryVolume(DATA * 2, step), monotonic() + 30
    channel = MemoryChannel(volume)
    wanted = VolumeRange(VOLUME, 0, len(volume.data), holes=False)
    with receiving(cast(Channel, channel), wanted, latest=latest) as source:
        while source.read(1000):
            pass
    assert set(seen[1:]) == {latest}


def test_the_time_limit_rests_while_the_reader_is_slow() -> None:
    volume = MemoryVolume(DATA * 4, stepping([100]))
    channel = MemoryChannel(volume)
    wanted = VolumeRange(VOLUME, 0, len(volume.data), holes=False)
    with receiving(cast(Channel, channel), wanted) as source:
        source.read(1)
        until = monotonic() + 5
        while channel.lanes[0].expires < float("inf"):  # the stream waits for its reader, and for nobody else
            assert monotonic() < until
            sleep(0.001)
        assert channel.lanes[0].is_receiving
        while source.read(1000):
            pass
    assert not channel.lanes[0].is_receiving
