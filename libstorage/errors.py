"""What can go wrong, as classes that carry data.

```text
StorageError
├ LibvirtError
├ NotFoundError(LookupError)
│ ├ PoolNotFoundError
│ ├ VolumeNotFoundError
│ └ SecretNotFoundError
├ ExistsError(FileExistsError)
│ ├ PoolExistsError
│ ├ VolumeExistsError
│ └ SourceConflictError
├ StateError
│ ├ PoolInactiveError
│ └ PoolActiveError
├ BusyError
│ ├ PoolBusyError
│ └ VolumeBusyError
├ InvalidRequestError(ValueError)
│ └ DocumentError
├ UnsupportedError(NotImplementedError)
├ AccessDeniedError(PermissionError)
│ └ AuthenticationError
├ StorageIOError(OSError)
│ └ NoSpaceError
├ HelperError
├ ConnectionFailedError(ConnectionError)
├ ConnectionLostError(ConnectionError)
├ DeadlineError(TimeoutError)
└ TransferError
```

Every error has every field of [StorageError][libstorage.errors.StorageError], ``None`` where it does not
apply, and every error pickles.
"""

from __future__ import annotations

import copyreg
import errno as _errno
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, TypedDict, TypeVar

import attrs

if TYPE_CHECKING:
    from typing_extensions import Unpack

Outcome: TypeAlias = Literal["not_started", "done", "unknown"]
"""What became of the request: it never reached the host, it was carried out, or nobody knows."""

Retry: TypeAlias = Literal["no", "now", "backoff", "after_reconcile"]
"""Whether the same call may be made again: never, at once, after a pause, or after a look at the host."""


class ErrorFields(TypedDict, total=False):
    """The keyword fields that every error takes."""

    operation: str | None
    target: str | None
    uri: str | None
    hint: str | None
    outcome: Outcome | None
    retry: Retry | None
    code: int | None
    domain: int | None
    level: int | None
    errno: int | None
    detail: str | None
    program: str | None
    exit_status: int | None
    stderr: str | None


class StorageError(Exception):
    """Anything that libstorage refuses or that went wrong on the way to the host or on it.

    Attributes:
        message: What was tried, on what, and what came back, for a person.
        operation: Name of the operation, such as ``volume.resize``.
        target: What it was tried on, such as ``volume 'web.qcow2' in pool 'images'``.
        uri: Address of the host.
        hint: What a person can do about it.
        outcome: What became of the request.
        retry: Whether the same call may be made again.
        code: libvirt's error number (``virErrorNumber``).
        domain: The part of libvirt that spoke (``virErrorDomain``).
        level: libvirt's ``virErrorLevel``.
        errno: The system's error number, where there is one.
        detail: libvirt's raw text, which may quote a document and the secrets in it. Neither shown by ``str`` or
            ``repr`` nor kept in a pickle or a copy.
        program: The program that failed on the host (mount, qemu-img, lvcreate …), where it was one that did. Its
            name, without arguments: these may hold passwords.
        exit_status: What that program exited with, or the number of the signal that ended it.
        stderr: What it wrote to its error output.
    """

    _usual_errno: ClassVar[int | None] = None
    _refuses_before_call: ClassVar[bool] = False
    """Whether an error without an outcome and without a code of libvirt's was raised before anything was sent."""

    def __init__(
        self,
        message: str,
        *,
        operation: str | None = None,
        target: str | None = None,
        uri: str | None = None,
        hint: str | None = None,
        outcome: Outcome | None = None,
        retry: Retry | None = None,
        code: int | None = None,
        domain: int | None = None,
        level: int | None = None,
        errno: int | None = None,
        detail: str | None = None,
        program: str | None = None,
        exit_status: int | None = None,
        stderr: str | None = None,
    ) -> None:
        super().__init__(message)
        if self._refuses_before_call and outcome is None and code is None:
            outcome, retry = "not_started", retry or "no"
        self.message = message
        self.operation = operation
        self.target = target
        self.uri = uri
        self.hint = hint
        self.outcome: Outcome | None = outcome
        self.retry: Retry | None = retry
        self.code = code
        self.domain = domain
        self.level = level
        self.errno: int | None = self._usual_errno if errno is None else errno
        self.detail = detail
        self.program = program
        self.exit_status = exit_status
        self.stderr = stderr

    def add_hint(self, text: str) -> None:
        """Add a line to the hint; an empty text adds nothing."""
        self.hint = "\n".join(filter(None, (self.hint, text))) or None

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def __repr__(self) -> str:
        shown = (
            "operation",
            "target",
            "uri",
            "outcome",
            "retry",
            "code",
            "domain",
            "errno",
            "program",
            "exit_status",
        )
        fields = ((name, getattr(self, name)) for name in shown)
        said = [repr(self.message), *(f"{name}={value!r}" for name, value in fields if value is not None)]
        return f"{type(self).__name__}({', '.join(said)})"

    def __reduce__(self) -> tuple[Any, ...]:
        # errno and args live in C slots of OSError: they are not in __dict__, and __new__ does not set them.
        state = {**self.__dict__, "args": self.args, "errno": self.errno, "detail": None}
        return copyreg.__newobj__, (type(self),), state  # type: ignore[attr-defined]


class LibvirtError(StorageError):
    """libvirt answered with a code that has no class of its own; ``code`` and ``domain`` are kept whole."""


class NotFoundError(StorageError, LookupError):
    """The host, or the server that a pool is on, has no such thing."""


class PoolNotFoundError(NotFoundError):
    """The host has no such pool (any more)."""


class VolumeNotFoundError(NotFoundError):
    """The pool, or the host, has no such volume (any more)."""


class SecretNotFoundError(NotFoundError):
    """The host has no such secret (any more)."""


class ExistsError(StorageError, FileExistsError):
    """What was to be made is there already; ``errno`` is ``EEXIST`` unless the host said otherwise."""

    _usual_errno = _errno.EEXIST


class PoolExistsError(ExistsError):
    """A pool with this name or uuid exists.

    Attributes:
        differences: How the pool that is there differs from what was wanted, where that was compared.
    """

    def __init__(
        self, message: str, *, differences: Iterable[object] = (), **fields: Unpack[ErrorFields]
    ) -> None:
        super().__init__(message, **fields)
        self.differences: tuple[object, ...] = tuple(differences)


class VolumeExistsError(ExistsError):
    """A volume with this name, or a file that libvirt has not listed yet, exists."""


class SourceConflictError(ExistsError):
    """Another pool uses the same source."""


class StateError(StorageError):
    """The pool or volume is not in a state that allows this."""


class PoolInactiveError(StateError):
    """The pool must be started first."""


class PoolActiveError(StateError):
    """The pool must be stopped first."""


class BusyError(StorageError):
    """Something else is at work on it; the same call can succeed later."""


class PoolBusyError(BusyError):
    """Volumes of the pool are being built, cloned or wiped."""


class VolumeBusyError(BusyError):
    """The volume is being built, cloned, wiped or transferred."""


class InvalidRequestError(StorageError, ValueError):
    """The request itself is wrong: a value, a flag, a name, or a combination of them."""

    _refuses_before_call = True


_LONGEST_SHOWN = 80


def shortened(text: str) -> str:
    """``text``, or the beginning of a long one: what a message can hold of it."""
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


E = TypeVar("E", bound=BaseException)


def without_frames(error: E) -> E:
    """``error`` as if it had not been raised yet: its frames, and what it came from, hold documents and secrets."""
    error.__context__ = error.__cause__ = None
    return error.with_traceback(None)


@attrs.frozen
class Problem:
    """One thing that is wrong with a document.

    Attributes:
        path: Where, as a path of elements: ``/volume/target/permissions/mode`` or ``/pool/@type``.
        reason: What is wrong. It names the value itself (``'ten' is not a size``), or goes on from ``found``
            (``is not a size``).
        line: Line in the text that was read, counted from 1.
        found: What stands there, such as ``ten``, ``<sorce>`` or the name of an attribute; long ones in part.
        expected: What should stand there: a description, or the choices and which of them was probably meant.
    """

    path: str
    reason: str
    line: int | None = attrs.field(default=None, kw_only=True)
    found: str | None = attrs.field(
        default=None, kw_only=True, converter=attrs.converters.optional(shortened)
    )
    expected: str | None = attrs.field(default=None, kw_only=True)

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path} (line {self.line})"
        return f"{place}: {self._found()}{self.reason}{self._expected()}"

    def _found(self) -> str:
        said = (
            self.found is None or repr(self.found) in self.reason or self.reason.startswith(f"{self.found} ")
        )
        return "" if said else f"{self.found!r} "

    def _expected(self) -> str:
        said = self.expected is None or self.expected in self.reason
        return "" if said else f"; expected {self.expected}"


class DocumentError(InvalidRequestError):
    """A document cannot be read, or says what libvirt would refuse.

    Attributes:
        problems: Everything that is wrong with it, in document order.
    """

    _refuses_before_call = False  # libvirt's documents are read, too

    def __init__(
        self, problems: Iterable[Problem], message: str | None = None, **fields: Unpack[ErrorFields]
    ) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(_summary(self.problems) if message is None else message, **fields)


class UnsupportedError(StorageError, NotImplementedError):
    """This host, pool type or machine cannot do that."""

    _refuses_before_call = True


class AccessDeniedError(StorageError, PermissionError):
    """The host forbids it to this user or on this connection; ``errno`` is ``EACCES`` unless the host said otherwise."""

    _usual_errno = _errno.EACCES


class AuthenticationError(AccessDeniedError):
    """The host, or the server that a pool logs in to, did not accept who we are."""


class StorageIOError(StorageError, OSError):
    """The file system or device under the pool failed; ``errno`` says how."""


class NoSpaceError(StorageIOError):
    """There is not enough space left; ``errno`` is ``ENOSPC`` unless the host said otherwise."""

    _usual_errno = _errno.ENOSPC


class HelperError(StorageError):
    """A program that libvirt ran on the host (mount, qemu-img, lvcreate …) failed: ``.program`` says which.

    Where what the program said has a class of its own (no space, a missing program), the error is of that class.
    """


class ConnectionFailedError(StorageError, ConnectionError):
    """No connection to the host could be made."""


class ConnectionLostError(StorageError, ConnectionError):
    """The connection to the host broke; ``outcome`` says what may have happened to the call that was under way."""


class DeadlineError(StorageError, TimeoutError):
    """The host did not answer in time, and may still be at work; ``errno`` is ``ETIMEDOUT``."""

    _usual_errno = _errno.ETIMEDOUT


class TransferError(StorageError):
    """An upload or download broke off, or what arrived is not what was sent."""


_MOST_SHOWN = 5


def _summary(problems: tuple[Problem, ...]) -> str:
    if len(problems) == 1:
        return str(problems[0])
    lines = [f"{len(problems)} problems:", *map(str, problems[:_MOST_SHOWN])]
    if len(problems) > _MOST_SHOWN:
        lines.append(f"… and {len(problems) - _MOST_SHOWN} more, in .problems")
    return "\n  ".join(lines)
