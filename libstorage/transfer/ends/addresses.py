"""Words about URLs."""

from __future__ import annotations

import re

from libstorage.errors import (
    AccessDeniedError,
    AuthenticationError,
    NotFoundError,
    Retry,
    StorageError,
    TransferError,
)

_begins_url = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?:::|://)").match


def is_url(text: str) -> bool:
    """Whether it is a URL, and not a path."""
    return _begins_url(text) is not None


def is_web(url: str) -> bool:
    """Whether it is a web server's, and not part of a chain."""
    return url.lower().startswith(("http://", "https://"))


def refusal(name: str, status: int) -> StorageError:
    """What a web server's status means."""
    said = f"the server answered {status}"
    if status in {404, 410}:
        return NotFoundError(f"{name} is not there: {said}", outcome="not_started", retry="no")
    if status in {401, 407}:
        return AuthenticationError(
            f"{name} is not given to everybody: {said}",
            hint="An address can have a user and a password: https://user:password@host/…; import_image takes headers=, too.",
            outcome="not_started",
            retry="no",
        )
    if status == 403:
        return AccessDeniedError(f"{name} is not given to us: {said}", outcome="not_started", retry="no")
    if status < 300:
        return TransferError(
            f"{name} cannot be had: {said}, which is not a whole file", outcome="not_started", retry="no"
        )
    retry: Retry = "backoff" if status >= 500 or status == 429 else "no"
    return TransferError(f"{name} cannot be had: {said}", outcome="not_started", retry=retry)
