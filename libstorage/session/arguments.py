"""What verbs are given: flags, sizes, names, uuids; each checked before anything is sent."""

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
    """``flags`` as one of their enum, together with those that keyword arguments stand for.

    Raises:
        InvalidRequestError: ``flags`` are of another enum, no flags at all, or have more bits than libvirt has.
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
    """The flag for an answer that is yes, no or not given."""
    if value is None:
        return None
    return yes if value else no


def size_of(what: str, value: SizeLike) -> Size:
    """A parameter that is a size.

    Raises:
        InvalidRequestError: It is none.
    """
    try:
        return Size(value)
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(f"{what}: {error}") from None


def member_of(kind: type[N], value: int | str) -> N:
    """A parameter that is a member of an enum, or libvirt's word for one.

    Raises:
        InvalidRequestError: It is none.
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
    """``text``, when it can be sent to libvirt at all.

    Raises:
        InvalidRequestError: It is no string, or holds what libvirt's strings cannot.
    """
    if not isinstance(text, str):
        raise InvalidRequestError(f"{what} is text, not {text!r}")
    if problem := _unsendable(text):
        raise InvalidRequestError(f"{what} {text!r} {problem}")
    return text


def check_name(name: object) -> str:
    """The name of something that may be there, so that nearly any text will do.

    Raises:
        InvalidRequestError: It is no string, or one that libvirt would cut off.
    """
    if not isinstance(name, str) or "\0" in name:
        return check_text("name", name)
    return name


def check_uuid(uuid: object) -> str:
    """A uuid as libvirt writes it.

    Raises:
        InvalidRequestError: It is none.
    """
    try:
        return uuid_text(check_text("uuid", str(uuid)))
    except ValueError:
        raise InvalidRequestError(f"{uuid!r} is not a uuid") from None


def _unsendable(text: str) -> str | None:
    if "\0" in text:
        return "contains a NUL character, at which libvirt would cut it off"
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "contains half of a surrogate pair, which has no UTF-8 form"
    return None
