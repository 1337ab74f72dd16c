"""A connection to a server on which no wait outlasts the deadline of the transfer."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, Final

from libstorage.errors import DeadlineError
from libstorage.models.secret_value import SecretValue
from libstorage.transfer.ends.aside import Aside

TIMEOUT: Final = 60.0
"""Seconds that a server may keep silent."""

_SHORTEST: Final = 0.001  # seconds; a timeout of 0 would make the socket non-blocking
_AT_ONCE: Final = 256 * 1024


class NotAllowedError(Exception):
    """A name resolves to forbidden addresses only."""


class MalformedError(Exception):
    """The server violates HTTP."""


class EndedError(MalformedError):
    """The connection ended before the end of a message."""


class Wire:
    """A connection.

    Args:
        connection: The socket, which the wire owns from now on.
        latest: When the transfer must be over, by the monotonic clock.

    Attributes:
        peer: The address of the other end.
    """

    def __init__(self, connection: socket.socket, latest: float) -> None:
        self.peer: str = connection.getpeername()[0]
        self._socket, self._latest = connection, latest
        self._rest = b""

    def secure(self, host: str) -> None:
        """Switch to TLS, and verify that the server is ``host``.

        Raises:
            OSError: If the server cannot prove that it is ``host``, or does not answer in time.
            MalformedError: If the server sent data earlier.
        """
        if self._rest:
            raise MalformedError("it sent data before the request")
        self._socket.settimeout(self._patience())
        # A body without a length ends with the server's TLS message, and not when someone cuts the connection.
        context = ssl.create_default_context()
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # Debian 12's Python sets it
        self._socket = context.wrap_socket(self._socket, server_hostname=host, suppress_ragged_eofs=False)

    def send(self, data: SecretValue) -> None:
        """Send all of the data.

        Raises:
            OSError: If the data cannot be sent.
        """
        self._socket.settimeout(self._patience())
        self._socket.sendall(data.reveal())

    def some(self, most: int) -> bytes:
        """Return the next bytes, as soon as some have arrived; ``b""`` at the end.

        Raises:
            OSError: If the connection broke, or no byte arrived in time.
        """
        if self._rest:
            data, self._rest = self._rest[:most], self._rest[most:]
            return data
        self._socket.settimeout(self._patience())
        return self._socket.recv(min(most, _AT_ONCE))

    def line(self, most: int) -> bytes:
        """Return the next line without its line ending.

        Args:
            most: Largest number of bytes.

        Raises:
            OSError: If the connection broke, or no byte arrived in time.
            EndedError: If the connection ended before the line did.
            MalformedError: If the line is longer.
        """
        found = bytearray()
        while (end := found.find(b"\n")) < 0 and len(found) <= most:
            data = self.some(4096)
            if not data:
                raise EndedError("it closed the connection in the middle of its response")
            found += data
        if end < 0 or end > most:
            raise MalformedError("a line has no end")
        self._rest = bytes(found[end + 1 :]) + self._rest
        return bytes(found[: end - 1 if found[:end].endswith(b"\r") else end])

    def has_more(self, seconds: float) -> bool:
        """Return whether another byte arrives within ``seconds``, although the message is over.

        Raises:
            OSError: If the connection broke.
        """
        if self._rest:
            return True
        self._socket.settimeout(min(seconds, self._patience()))
        try:
            return bool(self._socket.recv(1))
        except TimeoutError:
            return False

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _patience(self) -> float:
        return _left(self._latest)


def connected(host: str, port: int, latest: float, allows: Callable[[str], bool]) -> Wire:
    """Connect to a server.

    Args:
        host: Name or address of the server.
        port: Port of the server.
        latest: When the transfer must be over, by the monotonic clock.
        allows: Whether an address is allowed. It checks the very address that is then used.

    Raises:
        OSError: If the server cannot be reached in time.
        NotAllowedError: If the name resolves to forbidden addresses only.
    """
    found = [address for address in _addresses(host, port, latest) if allows(address[4][0])]
    if not found:
        raise NotAllowedError
    problem: OSError | None = None
    for family, kind, protocol, _, address in found:
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(_left(latest))
            connection.connect(address)
            return Wire(connection, latest)
        except OSError as error:
            connection.close()
            problem = error
        except BaseException:
            connection.close()
            raise
    assert problem is not None
    raise problem


def _addresses(host: str, port: int, latest: float) -> Sequence[tuple[Any, ...]]:
    resolver = Aside(f"the address of {host}", min(latest, monotonic() + TIMEOUT))
    try:
        return resolver.run(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except DeadlineError:
        raise TimeoutError(f"the address of {host} could not be resolved") from None
    finally:
        resolver.close(lambda: None)


def _left(latest: float) -> float:
    return min(TIMEOUT, max(_SHORTEST, latest - monotonic()))
