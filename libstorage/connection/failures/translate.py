"""Translates libvirt's errors into libstorage's.

The class follows from (operation, code, domain, errno) and never from the message, because libvirt translates its
messages. If these four are ambiguous, one read on the same lane decides; see
[judge][libstorage.connection.failures.judge]. Text is parsed in two places only: the output of a helper program, see
[programs][libstorage.connection.failures.programs], and the status number that an iSCSI server returns, see
[network][libstorage.connection.failures.network].
"""

from __future__ import annotations

from time import monotonic

from libstorage.connection.address.uri import Address
from libstorage.connection.binding import Answer, answer
from libstorage.connection.clock import TimeLimit
from libstorage.connection.codes import Code, Domain
from libstorage.connection.failures.case import Case
from libstorage.connection.failures.daemons import not_reached
from libstorage.connection.failures.judge import judge
from libstorage.connection.failures.verdict import Verdict
from libstorage.connection.identity import Identity
from libstorage.connection.lane import Lane
from libstorage.connection.threads import ENDING_HINT, FORK_HINT
from libstorage.display.text import short_address
from libstorage.errors import (
    AuthenticationError,
    ConnectionFailedError,
    ConnectionLostError,
    DeadlineError,
    DocumentError,
    ErrorFields,
    HelperError,
    LibvirtError,
    Outcome,
    PoolNotFoundError,
    Problem,
    Retry,
    SecretNotFoundError,
    SourceConflictError,
    StateError,
    StorageError,
    StorageIOError,
    VolumeNotFoundError,
)
from libstorage.operations import (
    HOST_OPEN,
    POOL_LOOKUP_BY_NAME,
    POOL_LOOKUP_BY_UUID,
    SECRET_LOOKUP_BY_USAGE,
    SECRET_LOOKUP_BY_UUID,
    VOLUME_LOOKUP_BY_NAME,
    Effect,
    Operation,
)

_AUTHENTICATION = {Code.AUTH_FAILED, Code.AUTH_CANCELLED, Code.AUTH_UNAVAILABLE}
_NOT_THERE = {
    POOL_LOOKUP_BY_NAME: PoolNotFoundError,
    POOL_LOOKUP_BY_UUID: PoolNotFoundError,
    VOLUME_LOOKUP_BY_NAME: VolumeNotFoundError,
    SECRET_LOOKUP_BY_UUID: SecretNotFoundError,
    SECRET_LOOKUP_BY_USAGE: SecretNotFoundError,
}
"""Look-ups, and the error that says no more than that their target does not exist."""

_PERMISSION = {1, 13}  # EPERM, EACCES
_MAY_HAVE_BEGUN = (StorageIOError, HelperError, LibvirtError)
_COMES_LATE = {Code.SYSTEM_ERROR, Code.RPC}
"""Codes that libvirt also returns after it began to carry an operation out, whatever class they have."""


def map_error(
    error: BaseException, op: Operation, target: Identity, lane: Lane | None, uri: str
) -> StorageError:
    """Return the libstorage error for an exception that a call raised.

    Args:
        error: The exception; a ``StorageError`` is returned unchanged.
        op: The operation that failed.
        target: The object that the operation was called on.
        lane: The lane of the call, on which one more read may be made; ``None`` if no read is possible.
        uri: Address of the host.
    """
    if isinstance(error, StorageError):
        return error
    said = answer(error)
    if said is None:
        return LibvirtError(f"{op} on {target} failed: {error!r}", **fields(op, target, uri))
    if _is_lost(said, lane):
        return _lost(said, op, target, uri)
    return _compose(said, judge(Case(said, op, target, lane)), op, target, uri)


def map_open_error(error: BaseException, address: Address) -> StorageError:
    """Return the libstorage error for an exception that was raised while a connection was opened.

    Args:
        error: The exception; a ``StorageError`` is returned unchanged.
        address: Address of the host.
    """
    if isinstance(error, StorageError):
        return error
    said, uri, redacted = answer(error), address.uri, address.redacted
    common = _opening(uri) | ({} if said is None else _spoken(said))
    if said is None:
        return ConnectionFailedError(f"{_cannot_connect(uri)}: {redacted(repr(error))}", **common)
    message = f"{_cannot_connect(uri)}: {redacted(_first_line(said.text))}"
    if said.code in _AUTHENTICATION or said.errno in _PERMISSION:
        hint = "Log in as a user that the daemon accepts: root, or a member of its group (usually libvirt)."
        return AuthenticationError(message, **(common | ErrorFields(hint=hint)))
    if said.code == Code.SYSTEM_ERROR or not address.driver:
        retry: Retry = (
            "no" if address.driver == "test" else "backoff"
        )  # no daemon of that driver may come up later
        return ConnectionFailedError(
            message, **(common | ErrorFields(hint=not_reached(address), retry=retry))
        )
    hint = "Addresses look like qemu:///system or qemu+ssh://user@host/system."
    return ConnectionFailedError(message, **(common | ErrorFields(hint=hint)))


def no_answer(uri: str | None, timeout: float) -> ConnectionFailedError:
    """Return the error for a connection that did not open within ``timeout`` seconds."""
    hint = "The daemon is stopped or hung, or already serves as many clients as its max_clients allows."
    return ConnectionFailedError(
        f"{_cannot_connect(uri)}: no answer within {_rounded(timeout)} s",
        **(_opening(uri) | ErrorFields(hint=hint, retry="backoff")),
    )


def not_wanted(uri: str | None) -> StateError:
    """Return the error for a host that was closed while a connection to it was being opened."""
    return StateError(
        f"{_cannot_connect(uri)}: the host is closed", **(_opening(uri) | ErrorFields(hint="Connect again."))
    )


def untold_socket(uri: str | None) -> ConnectionFailedError:
    """Return the error for a connection that opened, but cannot be cut because its socket is unknown."""
    hint = (
        "Another component of this process keeps opening connections to the same address; "
        "retry, or connect before it starts."
    )
    return ConnectionFailedError(
        f"{_cannot_connect(uri)}: the connection's socket could not be identified",
        **(_opening(uri) | ErrorFields(hint=hint, retry="backoff")),
    )


def cut(op: Operation, target: Identity, uri: str, limit: TimeLimit) -> StorageError:
    """Return the error for a call whose lane was cut because the timeout expired or the host was closed."""
    common = fields(op, target, uri) | _after_silence(op)
    head = f"{op} on {target} failed: "
    if limit.expires <= monotonic():
        return DeadlineError(f"{head}no answer within {_rounded(limit.span)} s", **common)
    return ConnectionLostError(f"{head}the connection was closed while it ran", **common)


def no_turn(common: ErrorFields, waited: float, most: str | None) -> DeadlineError:
    """Return the error for a call that timed out while it waited for a slot.

    Args:
        common: The fields that every error of the call has.
        waited: How long the call waited, in seconds.
        most: What the host allows; ``None`` if the host had no open connection.
    """
    hint = (
        "Connect with more lanes, raise the timeout, or start fewer calls at once. "
        "If none of them ever finishes, check whether the daemon is hung."
    )
    why = (
        f"all {most} allowed on this host are still running" if most else "no connection opened in that time"
    )
    return DeadlineError(
        f"{_subject(common)} timed out after {_rounded(waited)} s waiting for a slot: {why}",
        **(common | ErrorFields(hint=hint, outcome="not_started", retry="backoff")),
    )


def closed(common: ErrorFields) -> StateError:
    """Return the error for a call on a closed host."""
    return StateError(
        f"{_subject(common)} failed: the host is closed",
        **(common | ErrorFields(hint="Connect again.", outcome="not_started", retry="no")),
    )


def forked(common: ErrorFields) -> ConnectionLostError:
    """Return the error for a call in a forked child on a connection that the parent had opened."""
    return ConnectionLostError(
        f"{_subject(common)} failed: the connection belongs to the parent process that forked this one",
        **(common | ErrorFields(hint=FORK_HINT, outcome="not_started", retry="no")),
    )


def ending(common: ErrorFields) -> ConnectionFailedError:
    """Return the error for a call that was made after the end of the program."""
    return ConnectionFailedError(
        f"{_subject(common)} failed: the program is ending",
        **(common | ErrorFields(hint=ENDING_HINT, outcome="not_started", retry="no")),
    )


def fields(op: Operation, target: Identity, uri: str) -> ErrorFields:
    """Return the fields that every error of a call has."""
    return ErrorFields(operation=op.name, target=str(target), uri=uri)


def _is_lost(said: Answer, lane: Lane | None) -> bool:
    """Return whether the connection is lost; libvirt's codes for that have other meanings, too."""
    if lane is not None and not lane.is_alive():
        return True
    return said.domain == Domain.RPC and said.code == Code.SYSTEM_ERROR


def _lost(said: Answer, op: Operation, target: Identity, uri: str) -> ConnectionLostError:
    return ConnectionLostError(
        f"{op} on {target} failed: the connection was lost: {_first_line(said.text)}",
        **(fields(op, target, uri) | _spoken(said) | _after_silence(op)),
    )


def _after_silence(op: Operation) -> ErrorFields:
    """Return the fields for an operation of unknown outcome; one that only reads may simply be repeated."""
    if op.effect is Effect.READ:
        return ErrorFields(
            outcome="unknown", retry="now", hint="Repeat the call: libstorage reconnects automatically."
        )
    hint = (
        "The daemon may have carried the operation out, or may still be running it: "
        "check the result before you repeat the operation."
    )
    return ErrorFields(outcome="unknown", retry="after_reconcile", hint=hint)


def _compose(said: Answer, verdict: Verdict, op: Operation, target: Identity, uri: str) -> StorageError:
    may_have_begun = issubclass(verdict.error, _MAY_HAVE_BEGUN) or said.code in _COMES_LATE
    outcome: Outcome = "unknown" if may_have_begun and op.effect is not Effect.READ else "not_started"
    common = fields(op, target, uri) | _spoken(said)
    common |= ErrorFields(hint=verdict.hint, retry=verdict.retry, outcome=verdict.outcome or outcome)
    if (run := verdict.run) is not None:
        common |= ErrorFields(program=run.program, exit_status=run.exit_status, stderr=run.stderr)
    message = f"{op} on {target} failed: {verdict.reason or _first_line(said.text)}"
    if verdict.error is _NOT_THERE.get(op):
        message = f"no {target} on {short_address(uri)}"
    if issubclass(verdict.error, DocumentError):
        return verdict.error([Problem("/", _first_line(said.bare))], message, **common)
    if issubclass(verdict.error, SourceConflictError):
        return verdict.error(message, pool=verdict.pool, **common)
    return verdict.error(message, **common)


def _spoken(said: Answer) -> ErrorFields:
    return ErrorFields(
        code=said.code, domain=said.domain, level=said.level, errno=said.errno, detail=said.text
    )


def _first_line(text: str) -> str:
    """Return the first line only: the rest may quote the document, and secrets in the document."""
    return text.partition("\n")[0].strip()


def _opening(uri: str | None) -> ErrorFields:
    return ErrorFields(operation=HOST_OPEN.name, uri=uri, outcome="not_started", retry="no")


def _rounded(seconds: float) -> str:
    """Return ``seconds`` as text, without the microseconds that earlier steps used up."""
    return f"{seconds:g}" if seconds < 0.01 else f"{round(seconds, 2):g}"


def _cannot_connect(uri: str | None) -> str:
    return f"cannot connect to {uri or 'the default address of libvirt'}"


def _subject(common: ErrorFields) -> str:
    return f"{common.get('operation')} on {common.get('target')}"
