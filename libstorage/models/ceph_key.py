"""Keys of Ceph users, in the two forms in which people have them."""

from __future__ import annotations

import base64
import re
from typing import Final

from libstorage.errors import InvalidRequestError
from libstorage.models.secret_value import SecretLike, SecretValue

_AES: Final = b"\x01\x00"
_SHORTEST: Final = 28  # bytes: type, time, length and a key of 16 bytes
_is_base64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}").fullmatch


def is_key_text(value: SecretValue) -> bool:
    """Return whether a value is the base64 text of a key, as ``ceph auth get-key`` prints it."""
    return _decoded(value) is not None


def ceph_key(key: SecretLike) -> SecretValue:
    """Return the bytes of a key that is given as base64 text or as bytes.

    Raises:
        InvalidRequestError: If it is neither. The error does not contain the key.
    """
    try:
        value = SecretValue(key)
    finally:
        del key  # a traceback may show this frame
    found = _decoded(value) or (value if _is_key(value.reveal()) else None)
    if found is None:
        raise InvalidRequestError(
            "the value is not a key of Ceph",
            hint="Pass what ceph auth get-key prints, as text; or the bytes that this text stands for.",
        )
    return found


def _decoded(value: SecretValue) -> SecretValue | None:
    text = value.reveal().strip()
    if not _is_base64(text) or len(text) % 4:
        return None
    raw = base64.b64decode(text)
    return SecretValue(raw) if _is_key(raw) else None


def _is_key(raw: bytes) -> bool:
    return raw.startswith(_AES) and len(raw) >= _SHORTEST
