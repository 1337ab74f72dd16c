"""Base classes of the enums: every member has a docstring, a since-version and libvirt's own name."""

from __future__ import annotations

from enum import Enum, IntEnum, IntFlag, StrEnum
from typing import Any, Self, TypeVar

_UNKNOWN = "Not known to this version of libstorage."
_OF_NUMBERS = frozenset("bcdeEfFgGnoxX%")  # the types of a format specification that show a number


def version_number(version: str) -> int:
    """Return a version as libvirt encodes it: 9.1.2 is 9001002."""
    major, minor, release = map(int, version.split("."))
    return major * 1_000_000 + minor * 1_000 + release


def version_text(number: int) -> str:
    """Return a version that libvirt encodes as people write it: 9001002 is 9.1.2."""
    return f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"


class Constant(Enum):
    """Base class of the enums of libvirt's C API.

    ``class PoolState(Number, c_type="virStoragePoolState", prefix="VIR_STORAGE_POOL_")`` names the C enum and the
    prefix of its constants. A member is declared as ``RUNNING = 2, "Running normally.", "0.4.1"``.
    """

    _value_: int
    c_type: str
    c_prefix: str

    def __init_subclass__(cls, *, c_type: str = "", prefix: str = "", **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.c_type = c_type
        cls.c_prefix = prefix

    def __reduce_ex__(self, proto: object) -> tuple[type[Self], tuple[int]]:
        return type(self), (self._value_,)  # Python 3.11.2 pickles by name, which unnamed values lack

    @property
    def since(self) -> str | None:
        """The first libvirt release that has the member (``"0.9.10"``); ``None`` for an unknown or combined value."""
        since: str | None = vars(self).get("_since")
        return since

    @property
    def since_number(self) -> int | None:
        """The value of ``since`` as libvirt encodes versions: 9.1.2 is 9001002."""
        return None if self.since is None else version_number(self.since)

    @property
    def constant(self) -> str | None:
        """The name in the C API and in libvirt's Python binding (``"VIR_STORAGE_POOL_RUNNING"``)."""
        return None if self.since is None else f"{self.c_prefix}{self.name}"

    @property
    def word(self) -> str:
        """The spelling in libvirt's tools and documents (``"running"``); digits if the member has no name."""
        return str(self.value) if self.since is None else self.name.lower().replace("_", "-")


class Number(Constant, IntEnum):
    """A libvirt enum in which each value is exactly one member; an unknown number becomes an unnamed member.

    ``str`` and f-strings show the word; ``f"{state:d}"`` and ``int`` give the number.
    """

    def __new__(cls, value: int, doc: str = _UNKNOWN, since: str | None = None) -> Self:  # noqa: D102
        member = int.__new__(cls, value)
        member._value_ = value
        return _described(member, doc, since)

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        vars(member).update(_value_=int(value), _name_=None)
        return _described(member, _UNKNOWN, None)

    def __str__(self) -> str:
        return self.word

    def __format__(self, spec: str) -> str:
        return format(self._value_ if spec[-1:] in _OF_NUMBERS else self.word, spec)

    def __repr__(self) -> str:
        cls = type(self).__name__
        return (
            f"<{cls}: {self.value} (unknown)>" if self.since is None else f"<{cls}.{self.name}: {self.value}>"
        )

    @classmethod
    def from_word(cls, word: str) -> Self:
        """Return the member that libvirt's tools and documents write as ``word``.

        Raises:
            ValueError: If no member has this word.
        """
        for member in cls:
            if member.word == word:
                return member
        words = ", ".join(member.word for member in cls)
        raise ValueError(f"{word!r} is not a {cls.__name__}; the known words are {words}")


class Flags(Constant, IntFlag):
    """A libvirt enum of bits; unknown bits are kept."""

    def __new__(cls, value: int, doc: str = "", since: str | None = None) -> Self:  # noqa: D102
        member = int.__new__(cls, value)
        member._value_ = value
        return _described(member, doc, since)


class Words(StrEnum):
    """A vocabulary of libvirt's documents."""

    _value_: str

    def __new__(cls, value: str, doc: str = "") -> Self:  # noqa: D102
        member = str.__new__(cls, value)
        member._value_ = value
        member.__doc__ = doc
        return member


_C = TypeVar("_C", bound=Constant)


def _described(member: _C, doc: str, since: str | None) -> _C:
    member.__doc__ = doc
    vars(member)["_since"] = since
    return member
