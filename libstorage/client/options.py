"""What calls are told beside their subject: options that handles inherit, flags, sizes."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, TypedDict, TypeVar

import attrs

from libstorage.connection.arguments import (
    LARGEST_INT,
    MOST_FLAGS,
    check_seconds,
    check_switch,
    refused,
)
from libstorage.enums import Flags, Number
from libstorage.errors import InvalidRequestError
from libstorage.units import Size, SizeLike

F = TypeVar("F", bound=Flags)
N = TypeVar("N", bound=Number)

NoFlags: TypeAlias = Literal[0]


def _seconds(_: object, option: attrs.Attribute[Any], value: object) -> None:
    check_seconds(option.name, value)


def _switch(_: object, option: attrs.Attribute[Any], value: object) -> None:
    check_switch(option.name, value)


@attrs.frozen(kw_only=True)
class Options:
    """What ``with_options`` can change.

    Attributes:
        timeout: Seconds that the host may take to answer, and that a transfer may stand still; ``None`` for as long
            as it likes.
        long_timeout: Seconds that it may take for what the storage decides: building and starting pools, creating,
            cloning, resizing and wiping volumes. A host that is gone is noticed anyway.
        open_timeout: Seconds that opening a connection may take, ``None`` for as long as a call may. Whatever waits for
            it is bounded by ``timeout`` and its own deadline as well.
        strict_names: Refuse names for new pools and volumes that libvirt would mangle or people would misread.

    Raises:
        InvalidRequestError: A time is no number of seconds from 0.001 to 1e9, or ``strict_names`` neither true nor
            false.
    """

    timeout: float | None = attrs.field(default=60.0, validator=_seconds)
    long_timeout: float | None = attrs.field(default=None, validator=_seconds)
    open_timeout: float | None = attrs.field(default=10.0, validator=_seconds)
    strict_names: bool = attrs.field(default=True, validator=_switch)


class OptionChanges(TypedDict, total=False):
    """The attributes of [Options][libstorage.Options], each of which may be left out."""

    timeout: float | None
    long_timeout: float | None
    open_timeout: float | None
    strict_names: bool


@attrs.frozen
class Versions:
    """Versions of libvirt, as libvirt counts them: 9.1.2 is 9001002.

    Attributes:
        daemon: What runs on the host.
        client: What we use here.
    """

    daemon: int
    client: int


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
        raise InvalidRequestError(f"{what}: {error}", outcome="not_started", retry="no") from None


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
        raise InvalidRequestError(str(error), outcome="not_started", retry="no") from None


@attrs.frozen
class Part:
    """Which bytes of a volume to transfer; ``length`` is ``None`` for all that follow."""

    offset: int
    length: int | None

    @classmethod
    def of(cls, offset: SizeLike, length: SizeLike | None) -> Part:
        """From what a caller gave.

        Raises:
            InvalidRequestError: That are no sizes.
        """
        return cls(int(size_of("offset", offset)), None if length is None else int(size_of("length", length)))
