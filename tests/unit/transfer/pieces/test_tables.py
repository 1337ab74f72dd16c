"""Tables are found wherever they are in a stream, however it is cut into pieces."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libstorage.transfer.pieces.piece import Hole, Piece
from libstorage.transfer.pieces.tables import CutOffError, Tables

DATA = b"".join(struct.pack(">I", number) for number in range(1000))


def parts(data: bytes, cuts: list[int]) -> list[bytes]:
    ends = [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@given(st.lists(st.integers(0, 4000), max_size=20), st.integers(0, 3900), st.integers(1, 25))
def test_a_table_arrives_whole(cuts: list[int], place: int, count: int) -> None:
    tables, found = Tables(None), b""

    def then(data: bytes) -> None:
        nonlocal found
        assert len(data) % 4 == 0
        found += data

    tables.read(place, count * 4, 4, "table", then)
    for part in parts(DATA, cuts):
        tables.feed(part)
    assert found == DATA[place : place + count * 4]


@given(st.lists(st.integers(0, 4000), max_size=20))
def test_a_table_that_points_to_tables(cuts: list[int]) -> None:
    """Those behind are read as they come by, those before afterwards."""
    tables = Tables(None)
    found: list[bytes] = []
    place = {2000: 2800, 2004: 400}

    def first(data: bytes) -> None:
        for (number,) in struct.iter_unpack(">I", data):
            tables.read(place[number * 4], 4, 4, "inner table", found.append)

    tables.read(2000, 8, 4, "table", first)
    for part in parts(DATA, cuts):
        tables.feed(part)
    tables.finish()
    if tables.has_missed:
        tables.look_back(lambda at, most: DATA[at : at + most])
    assert sorted(found) == [DATA[400:404], DATA[2800:2804]]
    assert not tables.has_missed


def test_holes_are_zeros() -> None:
    found: list[bytes] = []
    tables = Tables(None)
    tables.read(10, 1 << 20, 8, "table", found.append)
    pieces: list[Piece] = [b"x" * 12, Hole(1 << 30)]
    for piece in pieces:
        tables.feed(piece)
    assert b"".join(found) == b"xx" + bytes((1 << 20) - 2)


def test_what_is_cut_off() -> None:
    tables = Tables(100)
    tables.need(100, "data")
    with pytest.raises(CutOffError, match="its data reaches to byte 101, and it has 100 bytes"):
        tables.need(101, "data")
    late = Tables(None)
    late.need(101, "data")
    late.feed(bytes(100))
    with pytest.raises(CutOffError, match="reaches to byte 101"):
        late.finish()


@pytest.mark.parametrize("size", [1, 7, 512, 3000])
def test_the_end_of_a_stream(size: int) -> None:
    found: list[bytes] = []
    tables = Tables(None)
    tables.read_end(512, found.append)
    assert not tables.has_end
    for start in range(0, len(DATA), size):
        tables.feed(DATA[start : start + size])
    tables.finish()
    assert found == [DATA[-512:]]
    assert tables.has_end


def test_overlapping_tables_cost_no_more_than_the_image_is_worth() -> None:
    work = 0

    def then(data: bytes) -> None:
        nonlocal work
        work += len(data)

    tables = Tables(None)
    tables.read_all(range(1000), 1 << 20, 1, "table", then)
    for _ in range(4):
        tables.feed(bytes(1 << 20))
    assert work < 100 << 20
