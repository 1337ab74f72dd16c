"""A socket in front of a daemon's that counts the calls which clients make."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections import Counter
from pathlib import Path

REMOTE_PROGRAM = 0x20008086
CALL = 0
HEADER = struct.Struct(">6I")  # length, program, version, procedure, type, serial


class RpcCounter:
    """Passes bytes on between clients and a daemon, and counts the clients' calls.

    Args:
        uri: The daemon's address.
        folder: Where to put the socket.

    Attributes:
        uri: The address that leads through here.
        procedures: How often each procedure of libvirt's remote protocol was called, by its number.
    """

    def __init__(self, uri: str, folder: Path) -> None:
        path, _, self._daemon = uri.partition("?socket=")
        self.procedures: Counter[int] = Counter()
        self._ends: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / "rpc.sock"))
        self.uri = f"{path}?socket={folder / 'rpc.sock'}"
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def calls(self) -> int:
        """How many calls there were so far."""
        return self.procedures.total()

    def close(self) -> None:
        for end in (self._listener, *self._ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                daemon = socket.socket(socket.AF_UNIX)
                daemon.connect(self._daemon)
                self._ends += [client, daemon]
                threading.Thread(target=self._pump, args=(client, daemon, True), daemon=True).start()
                threading.Thread(target=self._pump, args=(daemon, client, False), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:
        waiting = bytearray()
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 18):
                if counted:
                    waiting += data
                    self._count(waiting)
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _count(self, waiting: bytearray) -> None:
        while len(waiting) >= HEADER.size:
            length, program, _, procedure, kind, _ = HEADER.unpack_from(waiting)
            if len(waiting) < length:
                return
            if program == REMOTE_PROGRAM and kind == CALL:
                self.procedures[procedure] += 1
            del waiting[:length]
