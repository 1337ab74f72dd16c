"""libvirt's Python binding, imported here and nowhere else, and only when somebody connects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeGuard, cast

import attrs

from libstorage.connection.raw import RawConnect
from libstorage.errors import UnsupportedError


class Binding(Protocol):
    """The module ``libvirt``, as far as libstorage uses it."""

    libvirtError: type[Exception]  # noqa: N815 -- the binding's name

    def open(self, name: str | None = None, /) -> RawConnect:
        """virConnectOpen."""
        ...

    def openReadOnly(self, name: str | None = None, /) -> RawConnect:  # noqa: N802 -- the binding's name
        """virConnectOpenReadOnly."""
        ...

    def getVersion(self, name: str | None = None, /) -> int:  # noqa: N802 -- the binding's name
        """virGetVersion: the client library's version, 9000000 for 9.0.0."""
        ...

    def registerErrorHandler(self, f: Callable[..., object], ctx: object, /) -> int:  # noqa: N802 -- its name
        """virSetErrorFunc: who is told of every error of the process."""
        ...

    def virEventRegisterDefaultImpl(self) -> int:  # noqa: N802 -- the binding's name
        """Use libvirt's own event loop in this process."""
        ...

    def virEventRunDefaultImpl(self) -> int:  # noqa: N802 -- the binding's name
        """One turn of libvirt's own event loop."""
        ...

    def virEventAddTimeout(self, timeout: int, cb: Callable[..., object], opaque: object, /) -> int:  # noqa: N802
        """A timer, in milliseconds; -1 is one that never fires."""
        ...

    def virEventRemoveTimeout(self, timer: int, /) -> int:  # noqa: N802 -- the binding's name
        """Take a timer away."""
        ...


class _RawError(Protocol):
    err: tuple[int, int, str | None, int, str | None, str | None, str | None, int, int] | None


@attrs.frozen
class Answer:
    """What libvirt said when a call failed, taken out of a ``libvirtError``.

    Attributes:
        code: virErrorNumber; ``None`` when the binding itself complained.
        domain: virErrorDomain, the part of libvirt that spoke.
        level: virErrorLevel.
        errno: The system's error number; only ``VIR_ERR_SYSTEM_ERROR`` carries one.
        text: The message, with what libvirt puts before it.
        bare: The message alone.
    """

    code: int | None
    domain: int | None
    level: int | None
    errno: int | None
    text: str
    bare: str


_SYSTEM_ERROR = 38


def load() -> Binding:
    """The binding.

    Raises:
        UnsupportedError: It cannot be imported.
    """
    try:
        import libvirt  # here, because documents work where libvirt is not installed
    except ImportError as error:
        raise UnsupportedError(
            f"libvirt's Python binding cannot be imported: {error}",
            hint="Install it: pip install libvirt-python (it needs libvirt's headers, Debian's libvirt-dev), "
            "or Debian's python3-libvirt.",
        ) from error
    return cast(Binding, libvirt)


def answer(error: BaseException) -> Answer | None:
    """What libvirt said, or ``None`` when the error is not libvirt's."""
    if not _is_libvirt_error(error):
        return None
    if error.err is None:
        return Answer(None, None, None, None, text=str(error), bare=str(error))
    code, domain, text, level, _, bare, _, number, _ = error.err
    return Answer(
        code,
        domain,
        level,
        errno=number if code == _SYSTEM_ERROR and number > 0 else None,
        text=text or str(error),
        bare=bare or text or str(error),
    )


def _is_libvirt_error(error: BaseException) -> TypeGuard[_RawError]:
    return isinstance(error, load().libvirtError)
