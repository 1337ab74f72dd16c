"""A socket is known by its inode: a descriptor that was closed and used again meanwhile is left alone."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from libstorage.connection import sockets
from libstorage.connection.address.uri import Address, Transport


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A socket, and the other end of it."""
    mine, other = socket.socketpair()
    with mine, other:
        other.settimeout(5)
        mine.settimeout(5)
        yield mine, other


def inode(of: socket.socket) -> int:
    return os.fstat(of.fileno()).st_ino


def is_open(pair: tuple[socket.socket, socket.socket]) -> bool:
    pair[0].sendall(b"x")
    return pair[1].recv(1) == b"x"


def test_a_socket_is_shut_down(pair: tuple[socket.socket, socket.socket]) -> None:
    assert sockets.all_sockets()[inode(pair[0])] == pair[0].fileno()
    assert sockets.end(inode(pair[0]))
    assert pair[1].recv(1) == b""


def test_a_descriptor_that_was_used_again_is_left_alone(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = 1 + max(sockets.all_sockets())
    monkeypatch.setattr(sockets, "all_sockets", lambda: {gone: pair[0].fileno()})
    assert not sockets.end(gone)
    assert is_open(pair)
    assert sockets.candidates(Address("x:///", transport=Transport.UNKNOWN), ()) == set()


@pytest.mark.parametrize("kind", ["closed", "a file"])
def test_a_descriptor_that_is_no_socket_any_more(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    with (tmp_path / "file").open("wb") as file:
        number = file.fileno()
        if kind == "closed":
            file.close()
        monkeypatch.setattr(sockets, "all_sockets", lambda: {1: number})
        assert not sockets.end(1)
        assert sockets.candidates(Address("x:///", transport=Transport.UNIX), ()) == set()


def test_one_that_is_not_there() -> None:
    assert not sockets.end(1 + max(sockets.all_sockets(), default=0))


def test_which_sockets_may_be_a_connections(tmp_path: Path) -> None:
    """Those to the daemon's own socket, and those that are not connected yet; no listening ones, no others."""
    with socket.socket(socket.AF_UNIX) as daemon, socket.socket(socket.AF_UNIX) as other:
        daemon.bind(str(tmp_path / "libvirt-sock"))
        other.bind(str(tmp_path / "other-sock"))
        known = set(sockets.all_sockets())
        with (
            socket.socket(socket.AF_UNIX) as mine,
            socket.socket(socket.AF_UNIX) as theirs,
            socket.socket(socket.AF_UNIX) as server,
        ):
            server.bind(str(tmp_path / "server"))
            for listening in (daemon, other, server):
                listening.listen()
            theirs.connect(str(tmp_path / "other-sock"))
            with socket.socket(socket.AF_INET) as network, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM):
                address = Address("x:///", transport=Transport.UNIX)
                assert sockets.candidates(address, known) == {inode(mine)}
                assert sockets.candidates(address, known, connected=True) == set()
                mine.connect(str(tmp_path / "libvirt-sock"))
                assert sockets.candidates(address, known, connected=True) == {inode(mine)}
                assert sockets.candidates(address, known | {inode(mine)}) == set()
                assert inode(network) in sockets.candidates(Address("x:///", transport=Transport.TCP), known)
