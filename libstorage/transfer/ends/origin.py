"""URLs as source and sink of a transfer: the web's by the standard library, all others by fsspec."""

from __future__ import annotations

from time import monotonic, sleep
from typing import Final, Protocol

import attrs

from libstorage.errors import (
    DeadlineError,
    StorageError,
    TransferError,
)
from libstorage.transfer.pieces.piece import Piece

PAUSES: Final = [0.1, 0.5, 1.0, 2.0, 4.0]
"""Seconds to wait before each try to go on with a connection that broke; any progress begins them anew."""

PIECE: Final = 256 * 1024
"""How many bytes to read at once."""


# ---- reading --------------------------------------------------------------------------------------------------------


class Changed(Exception):
    """What is behind a URL cannot be gone on with."""


class Broken(Exception):
    """The connection broke; it may be tried again."""


class Body(Protocol):
    """What is behind a URL, from some byte on, once."""

    def read(self, most: int) -> bytes:
        """The next bytes; none at the end.

        Raises:
            Broken: The connection broke.
        """
        ...

    def goes_on(self) -> bool:
        """Whether more comes where the end should be."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Origin(Protocol):
    """Where the bytes of a URL come from."""

    @property
    def name(self) -> str:
        """For messages: without secrets."""
        ...

    def open(self) -> tuple[Body, Version]:
        """From the beginning.

        Raises:
            StorageError: It cannot be had.
        """
        ...

    def reopen(self, place: int) -> tuple[Body, Version]:
        """From some byte on.

        Raises:
            Broken: It may be tried again.
            Changed: It does not do that.
        """
        ...


@attrs.frozen(kw_only=True)
class Version:
    """What tells whether a file is still the same.

    Attributes:
        length: How many bytes it has in all; ``None`` if that is not known.
        marks: What the server says of its version, such as an ``ETag``; in one order.
    """

    length: int | None
    marks: tuple[str | None, ...] = ()

    def differs(self, other: Version) -> bool:
        """Whether the other is that of another file, or cannot be said to be that of the same."""
        pairs = [(self.length, other.length), *zip(self.marks, other.marks, strict=True)]
        known = [mine == theirs for mine, theirs in pairs if mine is not None and theirs is not None]
        return not known or not all(known)


class UrlSource:
    """What is behind a URL, as a source that outlives its connections."""

    def __init__(self, origin: Origin, latest: float) -> None:
        self.name: str = origin.name
        self._origin, self._latest = origin, latest
        self._body, self._version = origin.open()
        self.length: int | None = self._version.length
        self._done = 0
        self._tries = 0

    def read(self, most: int) -> Piece:
        """The next bytes.

        Raises:
            TransferError: The connection broke for good, or the server's word on the length was wrong.
        """
        while True:
            if monotonic() >= self._latest:
                raise DeadlineError(f"the deadline passed after {self._done} bytes of {self.name}")
            try:
                data = self._next(min(most, PIECE))
            except Broken as broken:
                self._go_on(broken)
            else:
                self._tries = 0
                self._done += len(data)
                return data

    def close(self) -> None:
        """Let go of the connection."""
        self._body.close()

    def _next(self, most: int) -> bytes:
        if self.length is None:
            return self._body.read(most)
        left = self.length - self._done
        if not left:
            self._check_end()
            return b""
        data = self._body.read(min(most, left))
        if not data:
            raise Broken(f"it ended after {self._done} of {self.length} bytes")
        if len(data) == left:
            self._check_end()
        return data

    def _check_end(self) -> None:
        if self._body.goes_on():
            raise TransferError(
                f"{self.name} is longer than the {self.length} bytes that it was said to have",
                hint="The server is wrong about its length, or the file grows.",
                retry="backoff",
            )

    def _go_on(self, broken: Broken) -> None:
        """Take it up again where it broke.

        Raises:
            TransferError: That cannot be done.
            DeadlineError: There is no time left for that.
        """
        self._body.close()
        while True:
            if monotonic() >= self._latest:
                raise DeadlineError(f"the deadline passed after {self._done} bytes of {self.name}: {broken}")
            if self._tries == len(PAUSES):
                raise self._failure(f"it broke again after {self._tries} tries: {broken}") from None
            sleep(max(0.0, min(PAUSES[self._tries], self._latest - monotonic())))
            self._tries += 1
            try:
                self._body, version = self._origin.reopen(self._done)
            except Broken as again:
                broken = again
                continue
            except Changed as changed:
                raise self._failure(f"{broken}; {changed}") from None
            except StorageError as error:
                raise self._failure(f"{broken}; then {error.message}") from None
            if self._version.differs(version):
                raise self._failure(
                    f"{broken}; meanwhile the file has changed, or nothing tells that it has not"
                )
            return

    def _failure(self, why: str) -> TransferError:
        of = "" if self.length is None else f" of {self.length}"
        return TransferError(f"{self.name} broke off after {self._done}{of} bytes: {why}", retry="backoff")
