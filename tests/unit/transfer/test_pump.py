"""Moving pieces from a source to a sink."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libstorage import TransferError
from libstorage.connection.clock import NEVER, TimeLimit
from libstorage.transfer.pieces.piece import Piece, length_of, split
from libstorage.transfer.progress import TransferProgress, Watch
from libstorage.transfer.pump import pump
from tests.unit.transfer.memory import MemoryVolume, lane_to
from tests.unit.transfer.volume.test_streams import PIECES, bytes_of


class Pieces:
    """A source and a sink of pieces."""

    name = "pieces"

    def __init__(self, pieces: list[Piece]) -> None:
        self.pieces = [piece for piece in pieces if length_of(piece)]
        self.written: list[Piece] = []
        self.length = sum(map(length_of, self.pieces))

    def read(self, most: int) -> Piece:
        if not self.pieces:
            return b""
        piece, rest = split(self.pieces.pop(0), most)
        if length_of(rest):
            self.pieces.insert(0, rest)
        return piece

    def write(self, piece: Piece) -> None:
        self.written.append(piece)


@given(PIECES, st.booleans())
def test_all_bytes_move_and_are_counted(pieces: list[Piece], knows_length: bool) -> None:
    both, told = Pieces(pieces), list[TransferProgress]()
    meter = Watch("x", told.append, None).phase("upload", both.length if knows_length else None)
    pump(both, both, meter)
    assert bytes_of(both.written) == bytes_of(pieces)
    assert meter.done == told[-1].done == both.length


@given(PIECES, st.integers(1, 100))
def test_a_source_that_is_too_short(pieces: list[Piece], missing: int) -> None:
    both = Pieces(pieces)
    meter = Watch("x", None, None).phase("upload", both.length + missing)
    with pytest.raises(TransferError, match=f"ended after {both.length} of {both.length + missing} bytes"):
        pump(both, both, meter)


@given(PIECES, st.integers(0, 300))
def test_nothing_is_written_past_the_room(pieces: list[Piece], room: int) -> None:
    both = Pieces(pieces)
    meter = Watch("x", None, None).phase("upload", None)
    if both.length > room:
        with pytest.raises(TransferError, match=f"there is room for {room} bytes"):
            pump(both, both, meter, room=room)
    else:
        pump(both, both, meter, room=room)
    assert len(bytes_of(both.written)) <= room


def test_the_deadline_bounds_the_lanes_time_again_after_each_piece() -> None:
    lane, limit = lane_to(MemoryVolume(b"")), TimeLimit(60.0)
    lane.enter(limit)
    watch, seen = Watch("x", None, 30.0), list[float]()

    class Looking(Pieces):
        def write(self, piece: Piece) -> None:
            seen.append(limit.expires)

    pump(source := Looking([b"abc", b"def"]), source, watch.phase("upload", 6), lane)
    assert [*seen, limit.expires] == [watch.latest] * 3


def test_the_lanes_time_rests_in_the_source_and_in_the_progress_function() -> None:
    lane, limit = lane_to(MemoryVolume(b"")), TimeLimit(60.0)
    lane.enter(limit)
    seen: list[tuple[str, bool]] = []

    class Looking(Pieces):
        def read(self, most: int) -> Piece:
            seen.append(("read", limit.expires == NEVER))
            return super().read(most)

        def write(self, piece: Piece) -> None:
            seen.append(("write", limit.expires == NEVER))

    meter = Watch("x", lambda _: seen.append(("progress", limit.expires == NEVER)), None).phase("upload", 3)
    seen.clear()
    pump(source := Looking([b"abc"]), source, meter, lane)
    assert seen == [("read", True), ("write", False), ("progress", True)]
    assert limit.expires < NEVER
