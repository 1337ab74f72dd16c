"""Whatever pieces a source is cut into, what comes out of it is the same bytes."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libstorage.errors import TransferError
from libstorage.transfer.ends import sinks
from libstorage.transfer.ends.sinks import Cursor, NewFileSink
from libstorage.transfer.ends.sources import FileSource, IterableSource, SparseFileSource
from libstorage.transfer.pieces.checksum import Digest
from libstorage.transfer.pieces.filters import Hashed, Padded, Preceded, Sparsified
from libstorage.transfer.pieces.piece import Hole, Piece, Source, length_of, split, taken, zeros
from libstorage.transfer.pieces.resume import after_what_is_there
from libstorage.transfer.progress import Meter, Watch
from libstorage.transfer.volume.ending import Ending

DATA = st.binary(min_size=1, max_size=300) | st.integers(1, 200_000).map(bytes)
PIECES = st.lists(DATA | st.integers(1, 200_000).map(Hole), max_size=8)
SIZES = st.lists(st.integers(1, 150_000) | st.just(1 << 40), min_size=1, max_size=5)


class Given:
    """A source of given pieces."""

    def __init__(self, pieces: Iterable[Piece], *, known: bool = True) -> None:
        self.name = "given"
        self._pieces = list(pieces)
        self.length = sum(map(length_of, self._pieces)) if known else None

    def read(self, most: int) -> Piece:
        if not self._pieces:
            return b""
        piece, rest = split(self._pieces.pop(0), most)
        if length_of(rest):
            self._pieces.insert(0, rest)
        return piece


def plain(pieces: Iterable[Piece]) -> bytes:
    return b"".join(bytes(piece.length) if isinstance(piece, Hole) else piece for piece in pieces)


def read_all(source: Source, sizes: Sequence[int] = (1 << 40,)) -> list[Piece]:
    """Everything, by asking for so much in turn; no piece is longer than what was asked for."""
    pieces: list[Piece] = []
    while True:
        most = sizes[len(pieces) % len(sizes)]
        piece = source.read(most)
        assert length_of(piece) <= most
        if not length_of(piece):
            return pieces
        pieces.append(piece)


@given(PIECES, SIZES)
def test_zeros_become_holes(pieces: list[Piece], sizes: list[int]) -> None:
    assert plain(read_all(Sparsified(Given(pieces)), sizes)) == plain(pieces)


@given(PIECES, SIZES)
def test_a_digest_is_that_of_the_bytes(pieces: list[Piece], sizes: list[int]) -> None:
    digest = Digest()
    read_all(Hashed(Given(pieces), digest), sizes)
    assert digest.hex() == hashlib.sha256(plain(pieces)).hexdigest()


@given(PIECES, SIZES, st.integers(0, 10_000), st.booleans())
def test_a_source_is_padded(pieces: list[Piece], sizes: list[int], more: int, known: bool) -> None:
    data = plain(pieces)
    padded = Padded(Given(pieces, known=known), len(data) if known else None, len(data) + more)
    assert plain(read_all(padded, sizes)) == data + bytes(more)
    assert padded.content == len(data)


@given(PIECES.filter(bool), SIZES)
def test_nothing_is_cut_off_in_silence(pieces: list[Piece], sizes: list[int]) -> None:
    with pytest.raises(TransferError, match="does not fit"):
        read_all(Padded(Given(pieces, known=False), None, len(plain(pieces)) - 1), sizes)


@given(PIECES, SIZES, st.integers(0, 400_000))
def test_what_was_taken_can_be_put_back(pieces: list[Piece], sizes: list[int], length: int) -> None:
    source = Given(pieces)
    head = taken(source, length)
    assert plain(head) == plain(pieces)[:length]
    assert plain(read_all(Preceded(head, source), sizes)) == plain(pieces)


@given(PIECES.filter(bool), st.integers(0, 200_000))
def test_splitting(pieces: list[Piece], place: int) -> None:
    first, rest = split(pieces[0], place)
    assert length_of(first) <= place
    assert plain([first, rest]) == plain(pieces[:1])


@given(st.integers(0, 3 << 20))
def test_so_many_zeros(length: int) -> None:
    assert b"".join(zeros(length)) == bytes(length)


@given(st.lists(DATA, max_size=6), SIZES, st.sampled_from([bytes, bytearray, memoryview]))
def test_an_iterable(parts: list[bytes], sizes: list[int], kind: type) -> None:
    assert plain(read_all(IterableSource(kind(part) for part in parts), sizes)) == b"".join(parts)


@given(st.binary(max_size=1000), st.integers(0, 1000), SIZES)
def test_a_file_object_from_where_it_stands(data: bytes, start: int, sizes: list[int]) -> None:
    file = io.BytesIO(data)
    file.seek(start)
    assert plain(read_all(FileSource("file", file), sizes)) == data[start:]


@given(PIECES, SIZES)
def test_holes_of_a_file(pieces: list[Piece], sizes: list[int]) -> None:
    with tempfile.NamedTemporaryFile() as named, io.FileIO(named.name, "r+") as file:
        sink = NewFileSink(file)
        for piece in pieces:
            sink.write(piece)
        sink.end()
        assert plain(read_all(SparseFileSource("file", file), sizes)) == plain(pieces)


@given(PIECES, st.integers(0, 3000), st.integers(700, 3000))
def test_a_place_of_a_file(pieces: list[Piece], begin: int, at_once: int) -> None:
    """However pieces and blocks lie, and however little the file system takes at once."""
    pwritev = os.pwritev

    def little(file: int, data: Sequence[memoryview], place: int) -> int:
        return pwritev(file, [part[:at_once] for part in data[:1]], place)

    with tempfile.NamedTemporaryFile() as named, io.FileIO(named.name, "r+") as file:
        place = Cursor(file, begin)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sinks, "_BLOCK", 1024)
            patch.setattr(os, "pwritev", little)
            for piece in pieces:
                place.write(piece)
            end = place.flush()
        file.truncate(end)
        assert Path(named.name).read_bytes() == bytes(begin) + plain(pieces)


@given(PIECES, PIECES, st.integers(0, 400_000), SIZES)
def test_going_on_after_what_is_there(
    same: list[Piece], there: list[Piece], limit: int, sizes: list[int]
) -> None:
    wanted, have = [*same, b"wanted"], [*same, *there]
    meter = Meter(Watch("test", None, None), "compare", min(limit, len(plain(have))))
    rest = after_what_is_there(Given(wanted), Given(have), meter)
    assert plain(have)[: meter.done] == plain(wanted)[: meter.done]
    assert plain(read_all(rest, sizes)) == plain(wanted)[meter.done :]


@given(st.integers(0, 5), PIECES)
def test_the_end_is_found_where_it_was_put(offset: int, pieces: list[Piece]) -> None:
    ending, there = Ending(offset), bytes(offset) + plain(pieces)
    for piece in pieces:
        if isinstance(piece, Hole):
            ending.skip(piece.length)
        else:
            ending.add(piece)
    assert ending.first_missing(lambda place, length: there[place : place + length]) is None
