"""What kind of address a text is, and what a web server's status means."""

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
    """Return whether a text is a URL, and not a path."""
    return _begins_url(text) is not None


def is_web(url: str) -> bool:
    """Return whether a URL is a web server's, and not a chain of fsspec."""
    return url.lower().startswith(("http://", "https://"))


def refusal(name: str, status: int) -> StorageError:
    """Return the error for a web server's status."""
    said = f"the server answered HTTP {status}"
    if status in {404, 410}:
        return NotFoundError(f"{name} does not exist: {said}", outcome="not_started", retry="no")
    if status in {401, 407}:
        return AuthenticationError(
            f"{name} requires a login: {said}",
            hint="Put user and password into the address, https://user:password@host/…, or pass headers= to import_image.",
            outcome="not_started",
            retry="no",
        )
    if status == 403:
        return AccessDeniedError(f"{name}: access denied: {said}", outcome="not_started", retry="no")
    if status < 300:
        return TransferError(f"{name}: {said}, which is not a whole file", outcome="not_started", retry="no")
    retry: Retry = "backoff" if status >= 500 or status == 429 else "no"
    return TransferError(f"{name}: {said}", outcome="not_started", retry=retry)
