"""libvirt's errors turned into ours.

The class follows from (operation, code, domain, errno) and never from the message, which is translated. Where these
are ambiguous one read on the same lane decides; see [verdict][libstorage.connection.failures.judge]. Text is read in two
places only: the output of a helper program, see [advice][libstorage.connection.failures.programs], and the number that an iSCSI
server gives, see [network][libstorage.connection.failures.network].
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from libstorage.connection.binding import Answer, answer
from libstorage.connection.failures.case import Case
from libstorage.connection.failures.codes import Code, Domain
from libstorage.connection.failures.judge import judge
from libstorage.connection.failures.verdict import Verdict
from libstorage.connection.identity import Identity
from libstorage.connection.lane import Lane, TimeLimit
from libstorage.connection.threads import ENDING_HINT, FORK_HINT
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
    Problem,
    StateError,
    StorageError,
    StorageIOError,
)
from libstorage.operations import HOST_OPEN, Effect, Operation

_AUTHENTICATION = {Code.AUTH_FAILED, Code.AUTH_CANCELLED, Code.AUTH_UNAVAILABLE}
_PERMISSION = {1, 13}  # EPERM, EACCES
_MAY_HAVE_BEGUN = (StorageIOError, HelperError, LibvirtError)


def map_error(
    error: BaseException, op: Operation, target: Identity, lane: Lane | None, uri: str
) -> StorageError:
    """Our error for libvirt's.

    Args:
        error: What was raised; a ``StorageError`` is returned as it is.
        op: What was tried.
        target: What it was tried on.
        lane: Where; it may be asked one more question. ``None`` if it cannot be.
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


def map_open_error(
    error: BaseException, uri: str | None, redacted: Callable[[str], str] = str
) -> StorageError:
    """Our error for one that libvirt raised while a connection was opened.

    Args:
        error: libvirt's error.
        uri: The address.
        redacted: Takes the address's password out of what libvirt says.
    """
    if isinstance(error, StorageError):
        return error
    said = answer(error)
    common = _opening(uri) | ({} if said is None else _spoken(said))
    if said is None:
        return ConnectionFailedError(f"{_cannot_connect(uri)}: {redacted(repr(error))}", **common)
    message = f"{_cannot_connect(uri)}: {redacted(_first_line(said.text))}"
    if said.code in _AUTHENTICATION or said.errno in _PERMISSION:
        hint = "Log in as a user whom the daemon accepts: root, or a member of its group, which usually is libvirt."
        return AuthenticationError(message, **(common | ErrorFields(hint=hint)))
    if said.code == Code.SYSTEM_ERROR:
        hint = "Is the daemon (libvirtd or virtstoraged) running there, and is that its socket?"
        return ConnectionFailedError(message, **(common | ErrorFields(hint=hint, retry="backoff")))
    hint = "Addresses look like qemu:///system or qemu+ssh://user@host/system."
    return ConnectionFailedError(message, **(common | ErrorFields(hint=hint)))


def no_answer(uri: str | None, timeout: float) -> ConnectionFailedError:
    """A connection did not open in time."""
    hint = "The daemon is stopped or stuck, or serves as many clients as its max_clients allows."
    return ConnectionFailedError(
        f"{_cannot_connect(uri)}: no answer within {_rounded(timeout)} s",
        **(_opening(uri) | ErrorFields(hint=hint, retry="backoff")),
    )


def not_wanted(uri: str | None) -> StateError:
    """The host was closed while a connection to it was being opened."""
    return StateError(
        f"{_cannot_connect(uri)}: the host is closed", **(_opening(uri) | ErrorFields(hint="Connect again."))
    )


def untold_socket(uri: str | None) -> ConnectionFailedError:
    """A connection did open, but nobody knows how to cut it."""
    hint = "Something else in this process connects to the same place all the time."
    return ConnectionFailedError(
        f"{_cannot_connect(uri)}: its socket cannot be told from others of this process",
        **(_opening(uri) | ErrorFields(hint=hint, retry="backoff")),
    )


def cut(op: Operation, target: Identity, uri: str, limit: TimeLimit) -> StorageError:
    """A call ended because its lane was cut: its time was up, or the host was closed."""
    common = fields(op, target, uri) | _after_silence(op)
    head = f"{op} on {target} failed: "
    if limit.expires <= monotonic():
        return DeadlineError(f"{head}no answer within {_rounded(limit.span)} s", **common)
    return ConnectionLostError(f"{head}the connection was closed while it ran", **common)


def no_turn(common: ErrorFields, waited: float, most: str | None) -> DeadlineError:
    """A call did not get its turn in time.

    Args:
        common: What every error says of the call.
        waited: How long, in seconds.
        most: What the host allows; ``None`` if not even one connection was open.
    """
    hint = "Connect with more lanes, give it a larger timeout, or do less at once; and does the daemon hang?"
    why = (
        f"{most} are allowed on this host, and none of them ended"
        if most
        else "no connection opened in that time"
    )
    return DeadlineError(
        f"{_subject(common)} did not get its turn within {_rounded(waited)} s: {why}",
        **(common | ErrorFields(hint=hint, outcome="not_started", retry="backoff")),
    )


def closed(common: ErrorFields) -> StateError:
    """A call on a host that was closed."""
    return StateError(
        f"{_subject(common)} failed: the host is closed",
        **(common | ErrorFields(hint="Connect again.", outcome="not_started", retry="no")),
    )


def forked(common: ErrorFields) -> ConnectionLostError:
    """A call, in a forked child, on what the parent had opened."""
    return ConnectionLostError(
        f"{_subject(common)} failed: the connection belongs to the process that this one was forked from",
        **(common | ErrorFields(hint=FORK_HINT, outcome="not_started", retry="no")),
    )


def ending(common: ErrorFields) -> ConnectionFailedError:
    """A call after the end of the program."""
    return ConnectionFailedError(
        f"{_subject(common)} failed: the program is ending",
        **(common | ErrorFields(hint=ENDING_HINT, outcome="not_started", retry="no")),
    )


def fields(op: Operation, target: Identity, uri: str) -> ErrorFields:
    """What every error says of the call that failed."""
    return ErrorFields(operation=op.name, target=str(target), uri=uri)


def _is_lost(said: Answer, lane: Lane | None) -> bool:
    """Whether the connection is gone: libvirt's words for that mean other things as well."""
    if lane is not None and not lane.is_alive():
        return True
    return said.domain == Domain.RPC and said.code == Code.SYSTEM_ERROR


def _lost(said: Answer, op: Operation, target: Identity, uri: str) -> ConnectionLostError:
    return ConnectionLostError(
        f"{op} on {target} failed: the connection was lost: {_first_line(said.text)}",
        **(fields(op, target, uri) | _spoken(said) | _after_silence(op)),
    )


def _after_silence(op: Operation) -> ErrorFields:
    """Nobody knows what became of it; what changes nothing may simply be done again."""
    if op.effect is Effect.READ:
        return ErrorFields(outcome="unknown", retry="now", hint="Call it again: that connects anew.")
    hint = "It may have been carried out, or still be under way there: look before you repeat it."
    return ErrorFields(outcome="unknown", retry="after_reconcile", hint=hint)


def _compose(said: Answer, verdict: Verdict, op: Operation, target: Identity, uri: str) -> StorageError:
    begun = op.effect is not Effect.READ and issubclass(verdict.error, _MAY_HAVE_BEGUN)
    outcome: Outcome = "unknown" if begun else "not_started"
    common = fields(op, target, uri) | _spoken(said)
    common |= ErrorFields(hint=verdict.hint, retry=verdict.retry, outcome=verdict.outcome or outcome)
    if (run := verdict.run) is not None:
        common |= ErrorFields(program=run.program, exit_status=run.exit_status, stderr=run.stderr)
    message = f"{op} on {target} failed: {verdict.reason or _first_line(said.text)}"
    if issubclass(verdict.error, DocumentError):
        return verdict.error([Problem("/", _first_line(said.bare))], message, **common)
    return verdict.error(message, **common)


def _spoken(said: Answer) -> ErrorFields:
    return ErrorFields(
        code=said.code, domain=said.domain, level=said.level, errno=said.errno, detail=said.text
    )


def _first_line(text: str) -> str:
    """What follows it may quote the document, and the secrets in it."""
    return text.partition("\n")[0].strip()


def _opening(uri: str | None) -> ErrorFields:
    return ErrorFields(operation=HOST_OPEN.name, uri=uri, outcome="not_started", retry="no")


def _rounded(seconds: float) -> str:
    """Without the microseconds that other things took before."""
    return f"{seconds:g}" if seconds < 0.01 else f"{round(seconds, 2):g}"


def _cannot_connect(uri: str | None) -> str:
    return f"cannot connect to {uri or 'the default address of libvirt'}"


def _subject(common: ErrorFields) -> str:
    return f"{common.get('operation')} on {common.get('target')}"
