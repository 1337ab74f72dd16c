"""Answers of web servers, read by the letter (RFC 9112): what can be understood in two ways is not understood.

A length that is none must not count as no length: then a connection that breaks would pass for the end.
"""

from __future__ import annotations

import re
from typing import Final, Protocol

import attrs

from libstorage.transfer.ends.web.wire import EndedError, MalformedError, Wire

_MOST_BYTES: Final = 64 * 1024  # of a head
_MOST_INTERIM: Final = 20  # answers before the answer
_MOST_LENGTH: Final = (1 << 63) - 1

_status_line = re.compile(r"HTTP/1\.([0-9]) ([1-5][0-9][0-9])(?: .*)?").fullmatch
_field = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*([^\0-\x08\x0a-\x1f\x7f]*?)[\t ]*").fullmatch
_chunk_size = re.compile(rb"([0-9A-Fa-f]{1,15})[\t ]*(?:;.*)?").fullmatch
_digits = re.compile(r"[0-9]{1,19}").fullmatch
_range = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19}|\*)").fullmatch


@attrs.frozen
class Head:
    """The head of an answer.

    Attributes:
        minor: Of the version of HTTP/1 that it is in.
        status: Its status.
        fields: Its fields, names in small letters.
    """

    minor: int
    status: int
    fields: tuple[tuple[str, str], ...]

    def all(self, name: str) -> list[str]:
        """All values of a field, those in one line as well."""
        return [part.strip() for field, value in self.fields if field == name for part in value.split(",")]

    def get(self, name: str) -> str | None:
        """The one value of a field, of which there may be commas in it."""
        values = [value for field, value in self.fields if field == name]
        return ", ".join(values) if values else None


@attrs.frozen
class Range:
    """Which part of a file an answer holds: the first and the last byte, and of how many."""

    first: int
    last: int
    total: int | None

    @property
    def length(self) -> int:
        """How many bytes that are."""
        return self.last - self.first + 1


class Body(Protocol):
    """What comes behind a head."""

    @property
    def length(self) -> int | None:
        """How many bytes, if the head says that."""
        ...

    def read(self, most: int) -> bytes:
        """The next bytes that are there; none at the end.

        Raises:
            OSError: The connection broke.
            MalformedError: What comes breaks the rules.
        """
        ...


def read_head(wire: Wire) -> Head:
    """The head of the answer, behind all that only announce it (1xx).

    Raises:
        OSError: The connection broke, or nothing comes in time.
        MalformedError: It breaks the rules.
    """
    for _ in range(_MOST_INTERIM):
        head = _one_head(wire)
        if head.status >= 200 or head.status == 101:
            return head
    raise MalformedError(f"it sent {_MOST_INTERIM} interim responses and no final one")


def body_of(wire: Wire, head: Head) -> Body:
    """The body of an answer.

    Raises:
        MalformedError: Nobody can tell where it ends.
    """
    codings, length = head.all("transfer-encoding"), length_of(head)
    if not codings:
        return Sized(wire, length) if length is not None else UpToTheEnd(wire)
    if length is not None or not head.minor or [coding.lower() for coding in codings] != ["chunked"]:
        raise MalformedError(f"it has the Transfer-Encoding {', '.join(codings)!r}, so its end is unknown")
    return Chunked(wire)


def length_of(head: Head) -> int | None:
    """What an answer says of its length; ``None`` if it says nothing.

    Raises:
        MalformedError: It says something that is none, or several.
    """
    said = head.all("content-length")
    if not said:
        return None
    if len(set(said)) > 1 or not _digits(said[0]) or int(said[0]) > _MOST_LENGTH:
        raise MalformedError(f"its Content-Length is {', '.join(said)!r}")
    return int(said[0])


def range_of(head: Head) -> Range | None:
    """Which part an answer says that it holds; ``None`` if it says nothing.

    Raises:
        MalformedError: That is no part of anything.
    """
    said = head.get("content-range")
    if said is None:
        return None
    found = _range(said)
    if found is None:
        raise MalformedError(f"its Content-Range is {said!r}")
    part = Range(int(found[1]), int(found[2]), None if found[3] == "*" else int(found[3]))
    if part.length < 1 or (part.total is not None and part.last >= part.total):
        raise MalformedError(f"its Content-Range is {said!r}")
    return part


class Sized:
    """A body of so many bytes."""

    def __init__(self, wire: Wire, length: int) -> None:
        self.length: int | None = length
        self._wire, self._left = wire, length

    def read(self, most: int) -> bytes:
        """See [Body][libstorage.transfer.ends.web.answer.Body]."""
        data = self._wire.some(min(most, self._left)) if self._left else b""
        self._left -= len(data)
        return data


class UpToTheEnd:
    """A body that ends with its connection."""

    length: int | None = None

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def read(self, most: int) -> bytes:
        """See [Body][libstorage.transfer.ends.web.answer.Body]."""
        return self._wire.some(most)


class Chunked:
    """A body in chunks, the last of which is empty."""

    length: int | None = None

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._left = 0
        self._is_first, self._is_over = True, False

    def read(self, most: int) -> bytes:
        """See [Body][libstorage.transfer.ends.web.answer.Body]."""
        if not self._left and not self._is_over:
            self._begin_chunk()
        if self._is_over:
            return b""
        data = self._wire.some(min(most, self._left))
        if not data:
            raise ConnectionResetError("it ended within a chunk")
        self._left -= len(data)
        return data

    def _begin_chunk(self) -> None:
        if not self._is_first and self._line():
            raise MalformedError("a chunk is longer than its stated length")
        self._is_first = False
        line = self._line()
        found = _chunk_size(line)
        if found is None:
            raise MalformedError(f"a chunk has the length {line.decode('latin-1')!r}")
        self._left = int(found[1], 16)
        if not self._left:
            _fields(self._wire, _MOST_BYTES)
            self._is_over = True

    def _line(self) -> bytes:
        try:
            return self._wire.line(4096)
        except EndedError:
            raise ConnectionResetError("it ended between chunks") from None


def _one_head(wire: Wire) -> Head:
    line = wire.line(_MOST_BYTES).decode("latin-1")
    found = _status_line(line)
    if found is None:
        raise MalformedError(f"it does not use HTTP: {line!r}")
    return Head(int(found[1]), int(found[2]), _fields(wire, _MOST_BYTES - len(line)))


def _fields(wire: Wire, most: int) -> tuple[tuple[str, str], ...]:
    fields: list[tuple[str, str]] = []
    while line := wire.line(max(0, most)):
        most -= len(line) + 2
        found = _field(line.decode("latin-1"))
        if found is None:
            raise MalformedError(
                f"line {len(fields) + 1} of its header is malformed: {line.decode('latin-1')!r}"
            )
        fields.append((found[1].lower(), found[2]))
    return tuple(fields)
