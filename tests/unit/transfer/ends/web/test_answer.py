"""Responses of web servers: read as they are, or refused where they are ambiguous."""

from __future__ import annotations

import socket
from time import monotonic

import pytest

from libstorage.transfer.ends.web.answer import Range, body_of, range_of, read_head
from libstorage.transfer.ends.web.wire import EndedError, MalformedError, Wire

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def wire_of(said: bytes) -> Wire:
    """A connection on which a server says that, and closes it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        mine = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
    with theirs:
        theirs.sendall(said)
    return Wire(mine, monotonic() + 20)


def body(said: bytes) -> bytes:
    wire, found = wire_of(said), b""
    try:
        content = body_of(wire, read_head(wire))
        while data := content.read(3):
            found += data
        return found
    finally:
        wire.close()


@pytest.mark.parametrize(
    "said",
    [
        OK + b"Content-Length: 5\r\n\r\nhello and more",
        OK + b"Content-Length: 5, 5\r\n\r\nhello",
        OK + b"\r\nhello",
        b"HTTP/1.0 200\r\n\r\nhello",
        b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
        CHUNKED + b"5\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"3;x=y\r\nhel\r\n0002\r\nlo\r\n0\r\nTrailer: z\r\n\r\n",
        OK + b"Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" * 19 + OK + b"Content-Length: 5\r\n\r\nhello",
    ],
)
def test_a_body_is_read_to_its_end(said: bytes) -> None:
    assert body(said) == b"hello"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (CHUNKED + b"4\r\nhello\r\n0\r\n\r\n", "a chunk is longer than its stated length"),
        (CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n", "a chunk has the length"),
        (CHUNKED + b"5 5\r\nhello\r\n0\r\n\r\n", "a chunk has the length"),
        (CHUNKED + b"\r\nhello\r\n0\r\n\r\n", "a chunk has the length"),
        (CHUNKED + b"1" * 16 + b"\r\nhello", "a chunk has the length"),
        (CHUNKED.replace(b"1.1", b"1.0") + b"5\r\nhello\r\n0\r\n\r\n", "so its end is unknown"),
        (CHUNKED.replace(b"chunked", b"chunked, chunked") + b"5\r\nhello", "so its end is unknown"),
        (CHUNKED.replace(b"chunked", b"gzip") + b"hello", "so its end is unknown"),
        (
            OK + b"Content-Length: 5\r\n" + CHUNKED[len(OK) :] + b"5\r\nhello\r\n0\r\n\r\n",
            "its end is unknown",
        ),
        (OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "its Content-Length is"),
        (OK + b"Content-Length: 9223372036854775808\r\n\r\nhello", "its Content-Length is"),
        (b"HTTP/1.1 103 Early\r\n\r\n" * 20 + OK + b"\r\nhello", "20 interim responses"),
        (b"HTTP/2 200 OK\r\n\r\n", "does not use HTTP"),
        (OK + b"X: " + b"y" * 70_000 + b"\r\n\r\n", "a line has no end"),
        (OK + b"X: y\r\n" * 20_000 + b"\r\n", "a line has no end"),
    ],
)
def test_an_ambiguous_one_is_refused(said: bytes, why: str) -> None:
    with pytest.raises(MalformedError, match=why):
        body(said)


@pytest.mark.parametrize(
    "said", [CHUNKED + b"5\r\nhel", CHUNKED + b"5\r\nhello", CHUNKED + b"5\r\nhello\r\n"]
)
def test_one_that_ends_within_its_chunks_is_broken(said: bytes) -> None:
    with pytest.raises(ConnectionResetError):
        body(said)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 2", OK, OK + b"Content-Length: 5\r\n"])
def test_one_that_ends_within_its_head_is_broken(said: bytes) -> None:
    with pytest.raises(EndedError):
        body(said)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"bytes 0-0/1", Range(0, 0, 1)),
        (b"bytes 5-9/10", Range(5, 9, 10)),
        (b"bytes 5-9/*", Range(5, 9, None)),
        (b"bytes 5-9/9", None),
        (b"bytes 5-4/10", None),
        (b"bytes 5-/10", None),
        (b"bytes */10", None),
        (b"bytes=5-9/10", None),
        (b"Bytes 5-9/10", None),
    ],
)
def test_the_part_that_is_stated(said: bytes, expected: Range | None) -> None:
    wire = wire_of(b"HTTP/1.1 206 Part\r\nContent-Range: " + said + b"\r\n\r\n")
    head = read_head(wire)
    wire.close()
    if expected is None:
        with pytest.raises(MalformedError, match="its Content-Range is"):
            range_of(head)
    else:
        assert range_of(head) == expected
        assert expected.length == expected.last - expected.first + 1
