"""Converters, which let constructors accept more than a field's own type.

A converter turns a value into the field's type if it can, and returns any other value unchanged: the check that follows
names the field, the value and the rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any, TypeVar, cast

from libstorage.enums import (
    AuthType,
    DiskFormat,
    EncryptionEngine,
    EncryptionFormat,
    FsFormat,
    LogicalFormat,
    NetfsFormat,
    PoolType,
    RefreshAllocation,
    SecretUsage,
    VolumeFormat,
    VolumeType,
)
from libstorage.units import Size, SizeLike
from libstorage.xml.kinds import UnknownWord, uuid_text

if TYPE_CHECKING:
    from uuid import UUID

PathText = str | PathLike[str]
"""A path, as text or as a ``pathlib.Path``."""

_OCTAL = re.compile("(?:0o)?[0-7]{1,100}")

W = TypeVar("W", bound=StrEnum)


def to_size(value: SizeLike | None) -> Size | None:
    """Return a size, from bytes as an ``int`` or from text with a unit."""
    if value is None or isinstance(value, bool):
        return cast("Size | None", value)
    try:
        return Size(value)
    except (ValueError, TypeError):
        return cast("Size", value)


def to_path(value: PathText | None) -> str | None:
    """Return a path as text; it may be given as a ``pathlib.Path``."""
    return fspath(value) if isinstance(value, PathLike) else value


def to_path_text(value: PathText) -> str:
    """Return a required path as text."""
    return fspath(value) if isinstance(value, PathLike) else value


def to_mode(value: int | str | None) -> int | None:
    """Return a mode, from an ``int`` (``0o755``) or from octal text (``"0755"``, ``"0o755"``)."""
    if isinstance(value, str) and _OCTAL.fullmatch(value):
        return int(value, 8)
    return cast("int | None", value)


def to_uuid(value: str | UUID | None) -> str | None:
    """Return a UUID as text, from any form that libvirt accepts."""
    if value is None:
        return None
    try:
        return uuid_text(str(value))
    except ValueError:
        return cast("str", value)


def _word(enum: type[W], value: W | str | None) -> W | UnknownWord | None:
    known = cast("dict[object, W]", enum._value2member_map_)
    return cast("W | UnknownWord | None", known.get(value, value) if type(value) is str else value)


def to_volume_format(value: VolumeFormat | str | None) -> VolumeFormat | UnknownWord | None:
    """Return a volume format, from its name."""
    return _word(VolumeFormat, value)


def to_volume_type(value: VolumeType | str | None) -> VolumeType | UnknownWord | None:
    """Return a volume type, from its word."""
    named = (member for member in VolumeType if member.word == value)
    return cast("VolumeType | UnknownWord | None", next(named, value) if type(value) is str else value)


def to_fs_format(value: FsFormat | str | None) -> FsFormat | UnknownWord | None:
    """Return a file system, from its name."""
    return _word(FsFormat, value)


def to_netfs_format(value: NetfsFormat | str | None) -> NetfsFormat | UnknownWord | None:
    """Return a network file system, from its name."""
    return _word(NetfsFormat, value)


def to_logical_format(value: LogicalFormat | str | None) -> LogicalFormat | UnknownWord | None:
    """Return a volume manager, from its name."""
    return _word(LogicalFormat, value)


def to_disk_format(value: DiskFormat | str | None) -> DiskFormat | UnknownWord | None:
    """Return a disk label, from its name."""
    return _word(DiskFormat, value)


def to_pool_type(value: PoolType | str) -> PoolType | UnknownWord:
    """Return a pool type, from its name."""
    return cast("PoolType | UnknownWord", _word(PoolType, value))


def to_auth_type(value: AuthType | str) -> AuthType | UnknownWord:
    """Return a method of authentication, from its name."""
    return cast("AuthType | UnknownWord", _word(AuthType, value))


def to_encryption_format(value: EncryptionFormat | str) -> EncryptionFormat | UnknownWord:
    """Return an encryption format, from its name."""
    return cast("EncryptionFormat | UnknownWord", _word(EncryptionFormat, value))


def to_encryption_engine(value: EncryptionEngine | str | None) -> EncryptionEngine | UnknownWord | None:
    """Return an encryption engine, from its name."""
    return _word(EncryptionEngine, value)


def to_refresh_allocation(value: RefreshAllocation | str | None) -> RefreshAllocation | UnknownWord | None:
    """Return the way in which a refresh determines the allocation, from its name."""
    return _word(RefreshAllocation, value)


def to_secret_usage(value: SecretUsage | str) -> SecretUsage | UnknownWord:
    """Return the purpose of a secret, from its name."""
    return cast("SecretUsage | UnknownWord", _word(SecretUsage, value))


def many(value: Any) -> tuple[Any, ...]:
    """Return any iterable as a tuple; a single string or other value becomes its only item."""
    if isinstance(value, tuple):
        return value
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Iterable):
        return (value,)
    return tuple(value)


def to_names(value: Iterable[str] | str | None) -> tuple[str, ...]:
    """Return one name or several as a tuple."""
    return many(value)
