"""Options of calls, which handles inherit; and the versions of libvirt."""

from __future__ import annotations

from typing import Any, TypedDict

import attrs

from libstorage.connection.arguments import check_seconds, check_switch
from libstorage.enums.base import version_text


def _seconds(_: object, option: attrs.Attribute[Any], value: object) -> None:
    check_seconds(option.name, value)


def _switch(_: object, option: attrs.Attribute[Any], value: object) -> None:
    check_switch(option.name, value)


@attrs.frozen(kw_only=True)
class Options:
    """Options of calls, which ``with_options`` can change.

    Attributes:
        timeout: Seconds that the host may take to answer, and that a transfer may make no progress. ``None`` sets no
            limit.
        long_timeout: Seconds for calls whose duration depends on the storage: building and starting pools, creating,
            cloning, resizing and wiping volumes. ``None`` sets no limit; a lost host is detected anyway.
        open_timeout: Seconds that opening a connection may take. ``None`` allows as long as a call may take. A call that
            waits for the connection is also bounded by ``timeout`` and its own deadline.
        strict_names: Refuse names for new pools and volumes that libvirt would change or people would misread.

    Raises:
        InvalidRequestError: If a time is not a number of seconds from 0.001 to 1e9, or ``strict_names`` is neither true
            nor false.
    """

    timeout: float | None = attrs.field(default=60.0, validator=_seconds)
    long_timeout: float | None = attrs.field(default=None, validator=_seconds)
    open_timeout: float | None = attrs.field(default=10.0, validator=_seconds)
    strict_names: bool = attrs.field(default=True, validator=_switch)

    @property
    def opening(self) -> float | None:
        """Seconds that opening a connection may take: at most as long as a call."""
        return min((span for span in (self.open_timeout, self.timeout) if span is not None), default=None)


class OptionChanges(TypedDict, total=False):
    """The attributes of [Options][libstorage.Options], all optional."""

    timeout: float | None
    long_timeout: float | None
    open_timeout: float | None
    strict_names: bool


@attrs.frozen
class Versions:
    """Versions of libvirt, as libvirt encodes them: 9.1.2 is 9001002.

    Attributes:
        daemon: Version of the daemon on the host.
        client: Version of the client library in this process.
    """

    daemon: int
    client: int

    def __str__(self) -> str:
        """Return both as people write them."""
        return f"libvirt {version_text(self.daemon)} on the host, {version_text(self.client)} in this process"
