"""Responses of web servers, parsed strictly (RFC 9112): an ambiguous response is refused.

An invalid length must not count as a missing length: then a broken connection would pass for the end of the body.
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
    """The head of a response.

    Attributes:
        minor: Minor version of HTTP/1.
        status: Status code.
        fields: Header fields, with names in lower case.
    """

    minor: int
    status: int
    fields: tuple[tuple[str, str], ...]

    def all(self, name: str) -> list[str]:
        """Return all values of a field; several values may share a line."""
        return [part.strip() for field, value in self.fields if field == name for part in value.split(",")]

    def get(self, name: str) -> str | None:
        """Return the value of a field that is not a list, so that commas belong to the value."""
        values = [value for field, value in self.fields if field == name]
        return ", ".join(values) if values else None


@attrs.frozen
class Range:
    """The part of a file that a response contains: its first byte, its last byte, and the size of the file."""

    first: int
    last: int
    total: int | None

    @property
    def length(self) -> int:
        """Number of bytes in the part."""
        return self.last - self.first + 1


class Body(Protocol):
    """The body of a response."""

    @property
    def length(self) -> int | None:
        """Number of bytes; ``None`` if the head does not state it."""
        ...

    def read(self, most: int) -> bytes:
        """Return the next bytes, as soon as some have arrived; ``b""`` at the end.

        Raises:
            OSError: If the connection broke.
            MalformedError: If the body violates HTTP.
        """
        ...


def read_head(wire: Wire) -> Head:
    """Read the head of the final response, after any interim responses (1xx).

    Raises:
        OSError: If the connection broke, or the server does not answer in time.
        MalformedError: If the head violates HTTP.
    """
    for _ in range(_MOST_INTERIM):
        head = _one_head(wire)
        if head.status >= 200 or head.status == 101:
            return head
    raise MalformedError(f"it sent {_MOST_INTERIM} interim responses and no final one")


def body_of(wire: Wire, head: Head) -> Body:
    """Return the body of a response.

    Raises:
        MalformedError: If the head does not define where the body ends.
    """
    codings, length = head.all("transfer-encoding"), length_of(head)
    if not codings:
        return Sized(wire, length) if length is not None else UpToTheEnd(wire)
    if length is not None or not head.minor or [coding.lower() for coding in codings] != ["chunked"]:
        raise MalformedError(f"it has the Transfer-Encoding {', '.join(codings)!r}, so its end is unknown")
    return Chunked(wire)


def length_of(head: Head) -> int | None:
    """Return the length that a response states; ``None`` if it states none.

    Raises:
        MalformedError: If it states an invalid length, or several different lengths.
    """
    said = head.all("content-length")
    if not said:
        return None
    if len(set(said)) > 1 or not _digits(said[0]) or int(said[0]) > _MOST_LENGTH:
        raise MalformedError(f"its Content-Length is {', '.join(said)!r}")
    return int(said[0])


def range_of(head: Head) -> Range | None:
    """Return the part of the file that a response states to contain; ``None`` if it states none.

    Raises:
        MalformedError: If such a part cannot exist.
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
    """A body of a stated length."""

    def __init__(self, wire: Wire, length: int) -> None:
        self.length: int | None = length
        self._wire, self._left = wire, length

    def read(self, most: int) -> bytes:
        """See [Body][libstorage.transfer.ends.web.answer.Body]."""
        data = self._wire.some(min(most, self._left)) if self._left else b""
        self._left -= len(data)
        return data


class UpToTheEnd:
    """A body that ends when the server closes the connection."""

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
