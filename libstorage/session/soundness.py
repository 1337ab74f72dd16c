"""The first guard: what is sent is sound."""

from __future__ import annotations

from libstorage.errors import DocumentError
from libstorage.models.spec import Spec
from libstorage.session.guards import Change

_NEWER = "If the document is meant for a newer libvirt, allow_unknown=True sends the parts that libstorage does not know."


def refuse_unsound(change: Change) -> None:
    """Refuse a document that has a problem, or parts that libstorage does not know and a person wrote.

    Raises:
        DocumentError: If the document is refused. The error has every problem.
    """
    if change.spec is None:
        return
    try:
        change.spec.check_request(rules=change.validate)
    except DocumentError as error:
        raise DocumentError(
            error.problems,
            operation=change.operation.name,
            target=str(change.target),
            uri=change.target.uri,
            hint=_hint(change.spec),
            outcome="not_started",
            retry="no",
        ) from None


def _hint(spec: Spec) -> str | None:
    try:
        spec.check_request(rules=False)
    except DocumentError:
        return _NEWER
    return None
