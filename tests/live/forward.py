"""A port of this machine that leads to a daemon, as its own would."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

PIECE = 1 << 16


class ForwardedPort:
    """Forwards each connection to a daemon's socket.

    Args:
        place: The daemon's socket.

    Attributes:
        port: Where it listens.
        served: How many connections there were.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.served: int = 0
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for end in self._open:
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                theirs, _ = self._listening.accept()
                self.served += 1
                ours = socket.socket(socket.AF_UNIX)
                ours.connect(str(self._place))
                self._open += [theirs, ours]
                for source, target in ((theirs, ours), (ours, theirs)):
                    threading.Thread(target=_pump, args=(source, target), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(PIECE):
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
