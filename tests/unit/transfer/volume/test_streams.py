"""A volume as the sink of a transfer, on streams that take what they like."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libstorage import TransferError
from libstorage.transfer.pieces.piece import Hole, Piece, length_of
from libstorage.transfer.volume import streams
from libstorage.transfer.volume.ending import MissingBytes
from libstorage.transfer.volume.streams import sending
from tests.unit.transfer.memory import VOLUME, MemoryVolume, lane_to

PIECES = st.lists(
    st.one_of(st.binary(max_size=40), st.integers(1, 40).map(Hole), st.integers(1, 40).map(bytes)),
    max_size=12,
)
STEPS = st.lists(st.integers(1, 50), min_size=1, max_size=5)


def stepping(steps: list[int]) -> Callable[[], int]:
    around = cycle(steps)
    return lambda: next(around)


def bytes_of(pieces: list[Piece]) -> bytes:
    return b"".join(bytes(piece.length) if isinstance(piece, Hole) else piece for piece in pieces)


@pytest.fixture(autouse=True, params=[1, 64, 1 << 20])
def small_messages(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "SEND_BYTES", request.param)
    monkeypatch.setattr(streams, "FIRST_BYTES", request.param)
    monkeypatch.setattr(streams, "_WRITTEN", 0.0)


@given(PIECES, STEPS, st.integers(0, 100), st.none() | st.integers(0, 300))
def test_every_byte_arrives(
    pieces: list[Piece], steps: list[int], offset: int, clean_from: int | None
) -> None:
    before = b"\xff" * (300 if clean_from is None else clean_from)
    volume = MemoryVolume(before.ljust(700, b"\0"), stepping(steps))
    with sending(lane_to(volume), VOLUME, offset, 0, clean_from) as sender:
        for piece in pieces:
            sender.write(piece)
    expected, data = bytearray(before.ljust(700, b"\0")), bytes_of(pieces)
    expected[offset : offset + len(data)] = data
    assert volume.data == expected
    assert sender.sent == sum(map(length_of, pieces))
    assert {stream.end for stream in volume.streams} == {"finished"}


@given(st.binary(min_size=1, max_size=200).filter(any), STEPS)
def test_bytes_that_do_not_arrive_are_missed(data: bytes, steps: list[int]) -> None:
    class Losing(MemoryVolume):
        def write(self, place: int, data: bytes) -> None:
            super().write(place, bytes(len(data)))

    volume = Losing(b"", stepping(steps))
    with pytest.raises(MissingBytes), sending(lane_to(volume), VOLUME, 7, 0, None) as sender:
        sender.write(data)


def test_a_stream_that_takes_nothing_is_an_error() -> None:
    volume = MemoryVolume(b"", lambda: 0)
    with (
        pytest.raises(TransferError, match="took none of 5 bytes"),
        sending(lane_to(volume), VOLUME, 0, 0, None) as sender,
    ):
        sender.write(b"abcde")
    assert [stream.end for stream in volume.streams] == ["aborted"]


def test_an_error_aborts_the_stream_and_nothing_is_compared() -> None:
    volume = MemoryVolume(b"")
    nothing: dict[str, bytes] = {}
    with pytest.raises(KeyError), sending(lane_to(volume), VOLUME, 0, 0, None) as sender:
        sender.write(nothing["a source that fails"])
    assert [stream.end for stream in volume.streams] == ["aborted"]
