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
"""Seconds to wait before each retry of a broken connection; any progress restarts the sequence."""

PIECE: Final = 256 * 1024
"""Number of bytes to read at once."""


# ---- reading --------------------------------------------------------------------------------------------------------


class Changed(Exception):
    """The file behind a URL cannot be resumed."""


class Broken(Exception):
    """The connection broke; it may be tried again."""


class Body(Protocol):
    """The bytes behind a URL from an offset, readable once."""

    def read(self, most: int) -> bytes:
        """Return the next bytes; empty at the end.

        Raises:
            Broken: If the connection broke.
        """
        ...

    def goes_on(self) -> bool:
        """Return whether more data follows the expected end."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class Origin(Protocol):
    """The server or file system that a URL's bytes come from."""

    @property
    def name(self) -> str:
        """Name for messages, without secrets."""
        ...

    def open(self) -> tuple[Body, Version]:
        """Open from the beginning.

        Raises:
            StorageError: If it cannot be read.
        """
        ...

    def reopen(self, place: int) -> tuple[Body, Version]:
        """Open from an offset.

        Raises:
            Broken: If it may be tried again.
            Changed: If the server cannot continue the file.
        """
        ...


@attrs.frozen(kw_only=True)
class Version:
    """Identifies the version of a file.

    Attributes:
        length: Length in bytes; ``None`` if unknown.
        marks: What the server states about the version, such as an ``ETag``; always in the same order.
    """

    length: int | None
    marks: tuple[str | None, ...] = ()

    def differs(self, other: Version) -> bool:
        """Return whether the other version differs, or cannot be shown to be the same."""
        pairs = [(self.length, other.length), *zip(self.marks, other.marks, strict=True)]
        known = [mine == theirs for mine, theirs in pairs if mine is not None and theirs is not None]
        return not known or not all(known)


class UrlSource:
    """The file behind a URL, as a source that survives broken connections."""

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
            TransferError: If the connection broke for good, or the stated length was wrong.
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
        """Close the connection."""
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
            raise Broken(f"the connection ended after {self._done} of {self.length} bytes")
        if len(data) == left:
            self._check_end()
        return data

    def _check_end(self) -> None:
        if self._body.goes_on():
            raise TransferError(
                f"{self.name} is longer than the {self.length} bytes that the server stated",
                hint="The server states a wrong length, or the file grows.",
                retry="backoff",
            )

    def _go_on(self, broken: Broken) -> None:
        """Resume at the offset where the connection broke.

        Raises:
            TransferError: If that is not possible.
            DeadlineError: If the deadline has passed.
        """
        self._body.close()
        while True:
            if monotonic() >= self._latest:
                raise DeadlineError(f"the deadline passed after {self._done} bytes of {self.name}: {broken}")
            if self._tries == len(PAUSES):
                raise self._failure(
                    f"the connection broke again after {self._tries} retries: {broken}"
                ) from None
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
                    f"{broken}; meanwhile the file changed, or the server does not say that it did not"
                )
            return

    def _failure(self, why: str) -> TransferError:
        of = "" if self.length is None else f" of {self.length}"
        return TransferError(f"{self.name} broke off after {self._done}{of} bytes: {why}", retry="backoff")
