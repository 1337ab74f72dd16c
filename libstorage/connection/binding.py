"""libvirt's Python binding, imported only here, and only when a connection is opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeGuard, cast

import attrs

from libstorage.connection.codes import Code
from libstorage.connection.raw import RawConnect
from libstorage.errors import UnsupportedError


class Binding(Protocol):
    """The part of the module ``libvirt`` that libstorage uses."""

    libvirtError: type[Exception]  # noqa: N815 -- the binding's name

    def open(self, name: str | None = None, /) -> RawConnect:
        """Call ``virConnectOpen``."""
        ...

    def openReadOnly(self, name: str | None = None, /) -> RawConnect:  # noqa: N802 -- the binding's name
        """Call ``virConnectOpenReadOnly``."""
        ...

    def getVersion(self, name: str | None = None, /) -> int:  # noqa: N802 -- the binding's name
        """Call ``virGetVersion``: return the version of the client library, 9000000 for 9.0.0."""
        ...

    def registerErrorHandler(self, f: Callable[..., object], ctx: object, /) -> int:  # noqa: N802 -- its name
        """Call ``virSetErrorFunc``: set the function that gets every error of the process."""
        ...

    def virEventRegisterDefaultImpl(self) -> int:  # noqa: N802 -- the binding's name
        """Use libvirt's own event loop in this process."""
        ...

    def virEventRunDefaultImpl(self) -> int:  # noqa: N802 -- the binding's name
        """Run one turn of libvirt's own event loop."""
        ...

    def virEventAddTimeout(self, timeout: int, cb: Callable[..., object], opaque: object, /) -> int:  # noqa: N802
        """Add a timer, in milliseconds; with -1 it never fires."""
        ...

    def virEventRemoveTimeout(self, timer: int, /) -> int:  # noqa: N802 -- the binding's name
        """Remove a timer."""
        ...


class _RawError(Protocol):
    err: tuple[int, int, str | None, int, str | None, str | None, str | None, int, int] | None


@attrs.frozen
class Answer:
    """The error that libvirt returned for a failed call, extracted from a ``libvirtError``.

    Attributes:
        code: ``virErrorNumber``; ``None`` if the binding itself raised the error.
        domain: ``virErrorDomain``, the part of libvirt that raised the error.
        level: ``virErrorLevel``.
        errno: The system's error number; only ``VIR_ERR_SYSTEM_ERROR`` has one.
        text: The message with libvirt's prefix.
        bare: The message without the prefix.
    """

    code: int | None
    domain: int | None
    level: int | None
    errno: int | None
    text: str
    bare: str


def load() -> Binding:
    """Return libvirt's Python binding.

    Raises:
        UnsupportedError: If the binding cannot be imported.
    """
    try:
        import libvirt  # imported here, because documents work without an installed libvirt
    except ImportError as error:
        raise UnsupportedError(
            f"libvirt's Python binding cannot be imported: {error}",
            hint="Install the binding: pip install libvirt-python (which needs libvirt's headers, on Debian libvirt-dev), "
            "or Debian's package python3-libvirt.",
        ) from error
    return cast(Binding, libvirt)


def answer(error: BaseException) -> Answer | None:
    """Return the error that libvirt reported; ``None`` if the exception is not libvirt's."""
    if not _is_libvirt_error(error):
        return None
    if error.err is None:
        return Answer(None, None, None, None, text=str(error), bare=str(error))
    code, domain, text, level, _, bare, _, number, _ = error.err
    return Answer(
        code,
        domain,
        level,
        errno=number if code == Code.SYSTEM_ERROR and number > 0 else None,
        text=text or str(error),
        bare=bare or text or str(error),
    )


def _is_libvirt_error(error: BaseException) -> TypeGuard[_RawError]:
    return isinstance(error, load().libvirtError)
