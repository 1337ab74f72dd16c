"""A volume that is written, filled by whatever takes what is written."""

from __future__ import annotations

import pytest

from libstorage import TransferError
from libstorage.transfer.pipe import Pipe
from libstorage.transfer.writer import VolumeWriter


def test_all_of_it_is_taken() -> None:
    found: list[bytes] = []

    def fill(pipe: Pipe) -> None:
        while isinstance(data := pipe.read(3), bytes) and data:
            found.append(data)

    with VolumeWriter("v", fill) as writer:
        assert writer.write(b"hello") == writer.tell() == 5
    assert b"".join(found) == b"hello"


@pytest.mark.parametrize("most", [0, 3])
def test_what_was_not_taken_is_an_error(most: int) -> None:
    """Also if the upload ends well."""
    undone: list[bool] = []

    def fill(pipe: Pipe) -> None:
        pipe.read(most)

    writer = VolumeWriter("v", fill, lambda: undone.append(True))
    writer.write(b"hello")
    with pytest.raises(TransferError, match=f"v takes at most {most} bytes"):
        writer.close()
    assert writer.closed
    assert undone


def test_an_error_of_the_upload_is_the_writers() -> None:
    def fill(pipe: Pipe) -> None:
        pipe.read(1)
        raise KeyError("mine")

    writer = VolumeWriter("v", fill)
    writer.write(b"hello")
    with pytest.raises(KeyError, match="mine"):
        writer.close()
    assert writer.closed
