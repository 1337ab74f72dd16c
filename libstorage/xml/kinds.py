"""Kinds: the text form of a value, and the values that a field allows.

A kind reads any text that libvirt could write (``read`` raises ``ValueError``; ``in_xml`` describes the valid texts)
and checks values that a person gives to a constructor (``check`` returns the problem, or ``None``). The compiled reader
calls ``fast``, which may refuse more than ``read`` does, but never reads a text differently.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum, StrEnum
from functools import cache
from typing import Any

import attrs
from attrs import frozen

from libstorage.enums import Number
from libstorage.units import SPELLINGS as SIZE_SPELLINGS
from libstorage.units import Size
from libstorage.xml.wording import BLANK, Wrong, not_of_type, not_valid, one_of, value_not_valid

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HEX_32 = re.compile(r"[0-9a-f]{32}")
_TIMESTAMP = re.compile(r"([0-9]{1,100})(?:\.([0-9]{0,9}))?")
_PCI = re.compile(r"\+?(0x)?([0-9a-f]{1,100})")
_SECOND = 10**9
_MOST_DIGITS = 100
"""Limit far above libvirt's numbers. Python reads 5,000 digits in hexadecimal but refuses to print such a number."""

UUID_FORM = (
    "a UUID: 32 hexadecimal digits, with hyphens as in 3e3fce45-4f53-4fa7-bb32-11f34168b82b or without any"
)
UUID_SPELLINGS = "(?:-*[0-9A-Fa-f]){32}-*"
"""Pattern of the texts that libvirt takes for a UUID."""

_MODE = "an octal mode from 0 to 0777"
_SIZE = "a size, in bytes or with a unit"
_NANOSECONDS = "nanoseconds since 1970"
_IDS = 2**32


class UnknownWord(str):
    """A word of a document that is not on libstorage's list of words for its field.

    Only reading creates unknown words, so that a newer libvirt never breaks a listing. Constructors reject a plain
    ``str`` in such a field.
    """

    __slots__ = ()


class ReportedWord(UnknownWord):
    """An unknown word that libvirt itself wrote, so that it may be sent back."""

    __slots__ = ()


@frozen
class Kind:
    """One kind of value: its text form, and the values that it allows.

    ``expected`` describes the values that a person gives. ``spelt`` describes the text in a document, if that differs.
    ``choices`` are the allowed words, if they can be listed. ``vocabulary`` is an enum with the word for each of its
    values. ``pattern`` is what libvirt's schema accepts; ``accepted`` matches the texts that a constructor accepts.
    """

    name: str
    expected: str
    read: Callable[[str], Any]
    check: Callable[[Any], Wrong | None]
    template: str = "{v}"
    write: Callable[[Any], str] | None = None
    escaped: bool = False
    fast: Callable[[str], Any] | None = None
    words: type[StrEnum] | None = None
    vocabulary: tuple[type[Enum], dict[Any, str]] | None = None
    pattern: str | None = None
    accepted: str | None = None
    limits: tuple[int, int] | None = None
    spelt: str | None = None
    choices: tuple[str, ...] = ()

    def in_xml(self, found: str = "") -> str:
        """Return what a document should contain in place of ``found``; empty if any text is allowed."""
        if self.choices:
            return one_of(self.choices, found.strip(BLANK))
        return self.expected if self.spelt is None else self.spelt


def string_problem(value: Any, expected: str = "a string") -> Wrong | None:
    """Return why ``value`` cannot be text of an XML document, or ``None``."""
    if not isinstance(value, str):
        return not_of_type(value, expected)
    if found := _NOT_XML.search(value):
        reason = f"holds {found.group()!r}, which XML cannot represent"
        return Wrong(reason, value, unquoted=f"the text {reason}")
    return None


def whole_number(text: str) -> int:
    """Parse ASCII digits only (``int()`` also accepts underscores and digits of other scripts)."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise ValueError(f"{text!r} is not a whole number")
    return int(text)


def _int_check(low: int, high: int, expected: str, shown: str = "{}") -> Callable[[Any], Wrong | None]:
    def check(value: Any) -> Wrong | None:
        if isinstance(value, bool) or not isinstance(value, int):
            return not_of_type(value, expected)
        return None if low <= value <= high else value_not_valid(shown.format(value), expected)

    return check


def _signed(text: str) -> int:
    digits = text.strip(BLANK)
    return -whole_number(digits[1:]) if digits.startswith("-") else whole_number(digits.removeprefix("+"))


def number(name: str, low: int, high: int, expected: str | None = None, *, spelt: str | None = None) -> Kind:
    """Return the kind of whole numbers from ``low`` to ``high``."""
    expected = expected or f"a whole number from {low} to {high}"
    return Kind(
        name,
        expected,
        read=_signed,
        check=_int_check(low, high, expected),
        fast=whole_number,
        limits=(low, high),
        spelt=spelt,
    )


@cache
def matching(name: str, pattern: str, expected: str, *, also: str | None = None) -> Kind:
    """Return the kind of texts that match ``pattern``. Reading accepts any text, so that listings never fail on one.

    Args:
        name: Name of the kind.
        pattern: What libvirt's schema accepts.
        expected: The texts, in words.
        also: What libvirt accepts besides, although its schema does not.
    """
    accepted = pattern if also is None else f"(?:{pattern})|(?:{also})"

    def check(value: Any) -> Wrong | None:
        if wrong := string_problem(value, expected):
            return wrong
        return None if re.fullmatch(accepted, value, re.DOTALL) else not_valid(value, expected)

    return Kind(name, expected, read=str, check=check, escaped=True, pattern=pattern, accepted=accepted)


@cache
def words(enum: type[StrEnum]) -> Kind:
    """Return the kind of the words of ``enum``. Any other word is read as an ``UnknownWord``."""
    return _one_of(enum, {member.value: member for member in enum}, words=enum)


@cache
def numbered(enum: type[Number]) -> Kind:
    """Return the kind of the members of one of libvirt's numbered enums, spelled as their words."""
    known = {member.word: member for member in enum}
    return _one_of(enum, known)


def _one_of(enum: type[StrEnum | Number], known: dict[str, Any], **more: Any) -> Kind:
    choices = tuple(known)

    def read(text: str) -> Any:
        word = " ".join(text.split())
        return known.get(word, UnknownWord(word))

    def check(value: Any) -> Wrong | None:
        if isinstance(value, UnknownWord) or (isinstance(value, enum) and value in known.values()):
            return None
        if isinstance(value, str):
            return not_valid(value, one_of(choices, value))
        return not_of_type(value, one_of(choices))

    return Kind(
        enum.__name__,
        one_of(choices),
        read=read,
        check=check,
        fast=known.__getitem__,
        vocabulary=(enum, {member.value: word for word, member in known.items()}),
        choices=choices,
        **more,
    )


def _switch(name: str, on: str, off: str) -> Kind:
    known = {on: True, off: False}
    expected = "True or False"

    def check(value: Any) -> Wrong | None:
        return None if isinstance(value, bool) else not_of_type(value, expected)

    def read(text: str) -> bool:
        word = text.strip(BLANK)
        if word not in known:
            raise ValueError(f"{text!r} is not {on!r} or {off!r}")
        return known[word]

    return Kind(
        name,
        expected,
        read=read,
        check=check,
        write={True: on, False: off}.__getitem__,
        fast=known.__getitem__,
        choices=(on, off),
    )


def _read_owner(text: str) -> int:
    """Parse an id. libvirt prints ids of 2**31 and more as negative numbers; -1 is not an id."""
    owner = _signed(text)
    return owner + _IDS if -_IDS // 2 <= owner < -1 else owner


def _read_mode(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS) or "8" in text or "9" in text:
        raise ValueError(f"{text!r} is not an octal mode")
    return int(text, 8)


def _mode_check(value: Any) -> Wrong | None:
    if isinstance(value, str):
        return not_valid(value, _MODE)
    wrong = _int_check(0, 0o777, _MODE, "0o{:o}")(value)
    if wrong and re.fullmatch("[0-7]{3}", str(value)):
        return value_not_valid(str(value), f"{_MODE} (did you mean 0o{value}?)")
    return wrong


def uuid_text(text: str) -> str:
    """Return the canonical form (lower case, with hyphens) of a UUID in any form that libvirt accepts."""
    if _UUID.fullmatch(text):
        return text
    digits = text.replace("-", "").lower()
    if not _HEX_32.fullmatch(digits):
        raise ValueError(f"{text!r} is not a UUID")
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _read_uuid(text: str) -> str | None:
    """Return a UUID; ``None`` for an empty text, for which libvirt makes one."""
    return uuid_text(text) if text.strip(BLANK) else None


def _uuid_check(value: Any) -> Wrong | None:
    if wrong := string_problem(value, UUID_FORM):
        return wrong
    return None if _UUID.fullmatch(value) else not_valid(value, UUID_FORM)


def _read_timestamp(text: str) -> int:
    if not (match := _TIMESTAMP.fullmatch(text)):
        raise ValueError(f"{text!r} is not a time")
    seconds, fraction = match.groups(default="")
    return int(seconds) * _SECOND + int(fraction.ljust(9, "0"))


def _write_timestamp(value: int) -> str:
    seconds, rest = divmod(value, _SECOND)
    return f"{seconds}.{rest:09d}" if rest else str(seconds)


def _read_size(text: str) -> Size:
    return Size.parse(text.strip(BLANK))


def _size_check(value: Any) -> Wrong | None:
    if isinstance(value, Size):
        return None
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return not_of_type(value, _SIZE)
    try:
        Size(value)
    except ValueError as error:
        return Wrong(str(error), str(error).partition(" is ")[0].strip("'"))
    return not_of_type(value, "a Size")


def _read_pci(text: str) -> int:
    """Parse a number like libvirt: ``0x1f``, ``037`` and ``31`` are equal; bare hexadecimal digits are accepted."""
    if not (match := _PCI.fullmatch(text.strip(BLANK).lower())):
        raise ValueError(f"{text!r} is not a PCI number")
    prefix, digits = match.groups()
    octal = digits.startswith("0") and not {"8", "9"} & {*digits}
    return int(digits, 16 if prefix or not digits.isdigit() else 8 if octal else 10)


def pci(name: str, width: int, high: int, *, spelt: str | None = None) -> Kind:
    """Return the kind of one number of a PCI address, written in hexadecimal as libvirt does."""
    expected = f"a number from 0 to {high:#x}" if high > 9 else f"a number from 0 to {high}"
    return Kind(
        name,
        expected,
        read=_read_pci,
        check=_int_check(0, high, expected, "{:#x}"),
        template=f"0x{{v:0{width}x}}",
        limits=(0, high),
        spelt=spelt,
    )


def _unknown_word_check(value: Any) -> Wrong | None:
    if isinstance(value, UnknownWord):
        return None
    return not_valid(str(value), "a word from a document that was read")


WORD = Kind(
    "word", "a word that libstorage does not know", read=UnknownWord, check=_unknown_word_check, escaped=True
)
TEXT = Kind("text", "text", read=str, check=string_problem, escaped=True, spelt="")
UUID = Kind("uuid", UUID_FORM, read=_read_uuid, check=_uuid_check, fast=uuid_text, accepted=UUID_SPELLINGS)
SIZE = Kind("size", _SIZE, read=_read_size, check=_size_check, write=int.__repr__, accepted=SIZE_SPELLINGS)
OFFSET = number("offset", 0, 2**64 - 1)
YES_NO = _switch("yes/no", "yes", "no")
ON_OFF = _switch("on/off", "on", "off")
MODE = Kind(
    "mode",
    _MODE,
    read=_read_mode,
    check=_mode_check,
    template="0{v:o}",
    fast=_read_mode,
    limits=(0, 0o777),
    accepted="(?:0o)?0*[0-7]{1,3}",
    spelt="an octal mode, such as 0755",
)
OWNER = attrs.evolve(
    number("id", -1, _IDS - 1, "the number of a user or group, or -1 to leave it to libvirt"),
    read=_read_owner,
)
TIMESTAMP = Kind(
    "timestamp",
    _NANOSECONDS,
    read=_read_timestamp,
    check=_int_check(0, 2**63 - 1, _NANOSECONDS),
    write=_write_timestamp,
    fast=_read_timestamp,
    limits=(0, 2**63 - 1),
    spelt="seconds since 1970, with at most nine decimals",
)
