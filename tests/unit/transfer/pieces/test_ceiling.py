"""The ceiling of an image: from both sides, to the byte."""

from __future__ import annotations

import io

import pytest

from libstorage import InvalidRequestError
from libstorage.transfer.ends.sources import FileSource, IterableSource
from libstorage.transfer.pieces.ceiling import Capped, check_held, check_shown
from libstorage.transfer.pieces.piece import length_of

CEILING = 1600
TABLES = CEILING + 100 + (16 << 20)


@pytest.mark.parametrize(("most", "tables"), [(CEILING, False), (TABLES, True)])
def test_what_an_image_may_hold(most: int, tables: bool) -> None:
    check_held("x", most, CEILING, tables=tables)
    with pytest.raises(InvalidRequestError, match=f"x: the image holds at least {most + 1} bytes"):
        check_held("x", most + 1, CEILING, tables=tables)


def test_what_a_guest_may_see() -> None:
    check_shown("x", CEILING, CEILING)
    with pytest.raises(InvalidRequestError, match=f"x: a guest would see {CEILING + 1} bytes"):
        check_shown("x", CEILING + 1, CEILING)


def test_a_stated_length_is_refused_before_a_byte_is_read() -> None:
    fits, is_larger = io.BytesIO(bytes(CEILING)), io.BytesIO(bytes(CEILING + 1))
    assert Capped(FileSource("x", fits), CEILING, tables=False).length == CEILING
    with pytest.raises(InvalidRequestError, match="ceiling of 1600 bytes"):
        Capped(FileSource("x", is_larger), CEILING, tables=False)
    assert is_larger.tell() == 0


@pytest.mark.parametrize("step", [1, 7, 1600])
def test_what_comes_is_counted(step: int) -> None:
    def source(length: int) -> IterableSource:
        return IterableSource(bytes(min(step, length - start)) for start in range(0, length, step))

    assert read(Capped(source(CEILING), CEILING, tables=False)) == CEILING
    is_larger = Capped(source(CEILING + 1), CEILING, tables=False)
    with pytest.raises(InvalidRequestError, match="holds at least 1601 bytes"):
        read(is_larger)


def read(source: Capped) -> int:
    """The number of bytes that come."""
    done = 0
    while length := length_of(source.read(10_000)):
        done += length
    return done
