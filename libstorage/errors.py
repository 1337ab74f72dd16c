"""The exceptions that libstorage raises, as classes that carry data.

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

Every error has every field of [StorageError][libstorage.errors.StorageError]; a field that does not apply is
``None``. Every error can be pickled.
"""

from __future__ import annotations

import copyreg
import errno as _errno
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, TypedDict, TypeVar

import attrs

from libstorage import tracebacks
from libstorage.display.shown import Html

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from libstorage.display.page import Block, Page

Outcome: TypeAlias = Literal["not_started", "done", "unknown"]
"""Outcome of a request: it never reached the host, it was carried out, or its outcome is unknown."""

Retry: TypeAlias = Literal["no", "now", "backoff", "after_reconcile"]
"""Whether the same call may be retried: never, at once, after a pause, or after checking the state of the host."""


class ErrorFields(TypedDict, total=False):
    """Keyword fields that every error accepts."""

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


class StorageError(Html, Exception):
    """Base class of all errors: libstorage refused a request, or the request failed on the way to the host or on it.

    Attributes:
        message: Description for a person: what was attempted, on which object, and what the host answered.
        operation: Name of the operation, such as ``volume.resize``.
        target: Object of the operation, such as ``volume 'web.qcow2' in pool 'images'``.
        uri: Address of the host.
        hint: Advice on what to do about the error.
        outcome: Outcome of the request.
        retry: Whether the same call may be retried.
        code: libvirt's error number (``virErrorNumber``).
        domain: The part of libvirt that reported the error (``virErrorDomain``).
        level: libvirt's ``virErrorLevel``.
        errno: The system's error number, if one is known.
        detail: libvirt's raw text, which may quote a document and the secrets in it. ``str`` and ``repr`` do not
            show the text; pickles and copies do not keep it.
        program: If a program failed on the host (mount, qemu-img, lvcreate …), the name of that program. Arguments
            are left out because they may hold passwords.
        exit_status: Exit status of that program, or the number of the signal that ended it.
        stderr: Text that the program wrote to its standard error.
    """

    _usual_errno: ClassVar[int | None] = None
    _refuses_before_call: ClassVar[bool] = False
    """Whether an error without an outcome and without a libvirt error code was raised before anything was sent."""

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
        tracebacks.mark_modules()
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
        """Append ``text`` as a line to the hint. If ``text`` is empty, the hint does not change."""
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

    def _render_traceback_(self) -> list[str]:
        return tracebacks.rendered(self)

    def _page(self, most: int | None) -> Page:
        from libstorage.display.inline import Span
        from libstorage.display.page import Page
        from libstorage.display.table import Fields

        more = self._more_blocks(most)
        lines = self.message.split("\n")[: 1 if more else None]
        told = {"where": self.target, "on": self.uri, "operation": self.operation, "program": self.program}
        told |= {"outcome": self.outcome, "retry": self.retry}
        rows = [("what", line.strip().removesuffix(":")) for line in lines]
        rows += [("hint", line) for line in (self.hint or "").split("\n") if line]
        rows += [(name, value) for name, value in told.items() if value]
        title = Span(f"✗ {type(self).__name__}", "bad")
        return Page(title=title, blocks=(Fields(rows).capped(None), *more))

    def _more_blocks(self, most: int | None) -> tuple[Block, ...]:
        """Return what is shown below the fields that every error has. Subclasses define it."""
        return ()

    def __reduce__(self) -> tuple[Any, ...]:
        # OSError keeps errno and args in C slots: they are not in __dict__, and __new__ does not set them.
        state = {**self.__dict__, "args": self.args, "errno": self.errno, "detail": None}
        return copyreg.__newobj__, (type(self),), state  # type: ignore[attr-defined]


class LibvirtError(StorageError):
    """libvirt returned an error code that has no class of its own; ``code`` and ``domain`` keep libvirt's values."""


class NotFoundError(StorageError, LookupError):
    """The object does not exist on the host or on the server that a pool uses."""


class PoolNotFoundError(NotFoundError):
    """The pool does not exist on the host, or no longer exists."""


class VolumeNotFoundError(NotFoundError):
    """The volume does not exist in the pool or on the host, or no longer exists."""


class SecretNotFoundError(NotFoundError):
    """The secret does not exist on the host, or no longer exists."""


class ExistsError(StorageError, FileExistsError):
    """The object to create already exists; ``errno`` is ``EEXIST`` unless the host reported another number."""

    _usual_errno = _errno.EEXIST


class PoolExistsError(ExistsError):
    """A pool with this name or UUID already exists.

    Attributes:
        differences: Differences between the existing pool and the requested one, if they were compared.
    """

    def __init__(
        self, message: str, *, differences: Iterable[object] = (), **fields: Unpack[ErrorFields]
    ) -> None:
        super().__init__(message, **fields)
        self.differences: tuple[object, ...] = tuple(differences)

    def _more_blocks(self, most: int | None) -> tuple[Block, ...]:
        from libstorage.display.table import Table

        rows = [(str(difference),) for difference in self.differences[:most]]
        more = len(self.differences) - len(rows)
        return (Table(("difference",), rows, more=more),) if rows else ()


class VolumeExistsError(ExistsError):
    """A volume with this name already exists, or a file with this name that libvirt has not listed yet."""


class SourceConflictError(ExistsError):
    """Another pool already uses the same source.

    Attributes:
        pool: Name of that pool; ``None`` if libvirt did not say it.
    """

    def __init__(self, message: str, *, pool: str | None = None, **fields: Unpack[ErrorFields]) -> None:
        super().__init__(message, **fields)
        self.pool: str | None = pool


class StateError(StorageError):
    """The state of the pool or volume does not allow the operation."""


class PoolInactiveError(StateError):
    """The pool is inactive and must be started first."""


class PoolActiveError(StateError):
    """The pool is active and must be stopped first."""


class BusyError(StorageError):
    """Another operation is using the pool or volume; the same call can succeed later."""


class PoolBusyError(BusyError):
    """Volumes of the pool are being built, cloned or wiped."""


class VolumeBusyError(BusyError):
    """The volume is being built, cloned, wiped or transferred."""


class InvalidRequestError(StorageError, ValueError):
    """The request itself is invalid: a value, a flag, a name, or a combination of them."""

    _refuses_before_call = True


_LONGEST_SHOWN = 80


def shortened(text: str) -> str:
    """Return ``text``, cut to the length that a message can hold."""
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


E = TypeVar("E", bound=BaseException)


def without_frames(error: E) -> E:
    """Return ``error`` without its traceback, cause and context, because these hold documents and secrets."""
    error.__context__ = error.__cause__ = None
    return error.with_traceback(None)


@attrs.frozen
class Problem(Html):
    """One problem of a document.

    Attributes:
        path: Location of the problem, as a path of elements: ``/volume/target/permissions/mode`` or ``/pool/@type``.
        reason: Description of the problem. The reason names the value itself (``'ten' is not a size``), or continues
            after ``found`` (``is not a size``).
        line: Line number in the text that was read, counted from 1.
        found: What the document contains there, such as ``ten``, ``<sorce>`` or the name of an attribute. A long
            text is cut.
        expected: What the document should contain there: a description, or the choices and the one that was probably
            meant.
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

    def _page(self, most: int | None) -> Page:
        from libstorage.display.page import Page

        return Page(title=type(self).__name__, blocks=(_problem_table((self,), most),))


class DocumentError(InvalidRequestError):
    """A document cannot be read, or contains something that libvirt would refuse.

    Attributes:
        problems: All problems of the document, in document order.
    """

    _refuses_before_call = False  # the document may have come from libvirt, after a call

    def __init__(
        self, problems: Iterable[Problem], message: str | None = None, **fields: Unpack[ErrorFields]
    ) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(_summary(self.problems) if message is None else message, **fields)

    def _more_blocks(self, most: int | None) -> tuple[Block, ...]:
        return (_problem_table(self.problems, most),) if self.problems else ()


class UnsupportedError(StorageError, NotImplementedError):
    """This host, pool type or machine does not support the operation."""

    _refuses_before_call = True


class AccessDeniedError(StorageError, PermissionError):
    """The host denies the operation to this user or on this connection.

    ``errno`` is ``EACCES`` unless the host reported another number.
    """

    _usual_errno = _errno.EACCES


class AuthenticationError(AccessDeniedError):
    """The host, or the server that a pool logs in to, rejected the credentials."""


class StorageIOError(StorageError, OSError):
    """The file system or device under the pool failed; ``errno`` gives the reason."""


class NoSpaceError(StorageIOError):
    """Not enough space is left; ``errno`` is ``ENOSPC`` unless the host reported another number."""

    _usual_errno = _errno.ENOSPC


class HelperError(StorageError):
    """A program that libvirt ran on the host (mount, qemu-img, lvcreate …) failed; ``program`` is its name.

    If the program's output matches a more specific class (no space, a missing program), that class is raised instead.
    """


class ConnectionFailedError(StorageError, ConnectionError):
    """The connection to the host could not be opened."""


class ConnectionLostError(StorageError, ConnectionError):
    """The connection to the host broke; ``outcome`` says whether the interrupted call may have been carried out."""


class DeadlineError(StorageError, TimeoutError):
    """The host did not answer in time and may still be working on the call; ``errno`` is ``ETIMEDOUT``."""

    _usual_errno = _errno.ETIMEDOUT


class TransferError(StorageError):
    """An upload or download broke off, or the received data differ from the data sent."""


_MOST_SHOWN = 5


def _summary(problems: tuple[Problem, ...]) -> str:
    if len(problems) == 1:
        return str(problems[0])
    lines = [f"{len(problems)} problems:", *map(str, problems[:_MOST_SHOWN])]
    if len(problems) > _MOST_SHOWN:
        lines.append(f"… and {len(problems) - _MOST_SHOWN} more, in .problems")
    return "\n  ".join(lines)


def _problem_table(problems: tuple[Problem, ...], most: int | None) -> Block:
    from libstorage.display.table import Table

    shown = problems[:most]
    rows = [
        (each.path, str(each.line or ""), each.found or "", each.reason, each.expected or "")
        for each in shown
    ]
    return Table(("path", "line", "found", "problem", "expected"), rows, more=len(problems) - len(shown))
