"""Checks of arguments before anything is sent: flags, sizes, names, UUIDs."""

from __future__ import annotations

from typing import Literal, TypeAlias, TypeVar

from libstorage.connection.arguments import (
    LARGEST_INT,
    MOST_FLAGS,
    refused,
)
from libstorage.enums import Flags, Number
from libstorage.errors import InvalidRequestError
from libstorage.units import Size, SizeLike
from libstorage.xml.kinds import uuid_text

F = TypeVar("F", bound=Flags)


N = TypeVar("N", bound=Number)


NoFlags: TypeAlias = Literal[0]


def combined(kind: type[F], flags: int, *more: F | None) -> F:
    """Return ``flags`` as a member of ``kind``, combined with the flags that keyword arguments stand for.

    Raises:
        InvalidRequestError: If ``flags`` belong to another enum, are not flags, or have more than 32 bits.
    """
    given: object = flags
    others = isinstance(given, bool | Flags | Number) and not isinstance(given, kind)
    if others or not isinstance(given, int) or not 0 <= flags <= MOST_FLAGS:
        raise refused("flags", f"a combination of {kind.__name__}, which has 32 bits", flags)
    result = kind(flags)
    for flag in more:
        if flag is not None:
            result |= flag
    return result


def switch(value: bool | None, yes: F, no: F) -> F | None:
    """Return the flag for a switch that is true, false or not given (``None``)."""
    if value is None:
        return None
    return yes if value else no


def size_of(what: str, value: SizeLike) -> Size:
    """Return a parameter as a size.

    Raises:
        InvalidRequestError: If ``value`` is not a size.
    """
    try:
        return Size(value)
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(f"{what}: {error}") from None


def member_of(kind: type[N], value: int | str) -> N:
    """Return the enum member that a parameter is, or that libvirt's word stands for.

    Raises:
        InvalidRequestError: If ``value`` is neither.
    """
    try:
        if isinstance(value, str):
            return kind.from_word(value)
        if isinstance(value, kind) and 0 <= value <= LARGEST_INT:
            return value
        raise ValueError(f"{value!r} is not a {kind.__name__}")
    except ValueError as error:
        raise InvalidRequestError(str(error)) from None


def check_text(what: str, text: object) -> str:
    """Return ``text`` if libvirt's protocol can carry it.

    Raises:
        InvalidRequestError: If ``text`` is not a string, or has characters that libvirt's strings cannot hold.
    """
    if not isinstance(text, str):
        raise InvalidRequestError(f"{what} must be a string, not {text!r}")
    if problem := _unsendable(text):
        raise InvalidRequestError(f"{what} {text!r} {problem}")
    return text


def check_name(name: object) -> str:
    """Return a name to look up: nearly any string, since an existing object may have it.

    Raises:
        InvalidRequestError: If ``name`` is not a string, or libvirt would truncate it.
    """
    if not isinstance(name, str) or "\0" in name:
        return check_text("name", name)
    return name


def check_uuid(uuid: object) -> str:
    """Return a UUID as libvirt writes it.

    Raises:
        InvalidRequestError: If ``uuid`` is not a UUID.
    """
    try:
        return uuid_text(check_text("uuid", str(uuid)))
    except ValueError:
        raise InvalidRequestError(f"{uuid!r} is not a uuid") from None


def _unsendable(text: str) -> str | None:
    if "\0" in text:
        return "contains a NUL character, where libvirt would truncate it"
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "contains half of a surrogate pair, which has no UTF-8 form"
    return None
