"""What calls are told beside their subject: options that handles inherit, flags, sizes."""

from __future__ import annotations

from typing import Any, TypedDict

import attrs

from libstorage.connection.arguments import (
    check_seconds,
    check_switch,
)


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
