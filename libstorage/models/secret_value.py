"""The value of a secret, stored so that nothing shows it by accident."""

from __future__ import annotations

import hmac
import io
from typing import Any, Final, NoReturn, Self, TypeAlias, final

from libstorage.errors import InvalidRequestError

_SHOWN: Final = "SecretValue(…)"


@final
class SecretValue:
    """The value of a secret: a passphrase, a password or a key.

    Only ``reveal()`` returns the bytes. Neither the bytes nor their number appear in ``repr``, ``str``, a formatted
    string, a log or a traceback that shows local variables. A ``SecretValue`` cannot be pickled, so it never reaches a
    file or another process unnoticed. A copy is the object itself.

    A ``SecretValue`` equals another ``SecretValue``, ``bytes`` or ``bytearray`` of the same content. The time of the
    comparison does not depend on where the contents differ.

    Args:
        value: The bytes, or text, which is encoded as UTF-8.

    Raises:
        InvalidRequestError: If ``value`` is neither bytes nor text, or is text that UTF-8 cannot encode.
    """

    __slots__ = ("_held",)

    def __init__(self, value: SecretLike, /) -> None:
        data, wrong = _taken(value)
        del value  # a traceback may show this frame
        if data is None:
            raise InvalidRequestError(
                f"the value of a secret {wrong}",
                hint="Pass bytes, or text, which is encoded as UTF-8.",
            )
        # Neither the repr of a BytesIO nor any of its attributes shows the content.
        self._held = io.BytesIO(data)

    def reveal(self) -> bytes:
        """Return the bytes."""
        return self._held.getvalue()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, SecretValue):
            return hmac.compare_digest(self.reveal(), other.reveal())
        if isinstance(other, (bytes, bytearray)):
            return hmac.compare_digest(self.reveal(), other)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.reveal())

    def __repr__(self) -> str:
        return _SHOWN

    def __format__(self, spec: str) -> str:
        """Return the same text for every ``spec``: a width or precision would reveal the number of characters."""
        return _SHOWN

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(
            "a SecretValue cannot be pickled: read the secret where it is needed, or send the result of reveal()"
        )


SecretLike: TypeAlias = bytes | bytearray | memoryview | str | SecretValue
"""The values that a parameter for the value of a secret accepts."""


def _taken(value: object) -> tuple[bytes | None, str]:
    """Return the bytes of ``value``, or ``None`` and the reason; never raise, since the error would hold ``value``."""
    try:
        if isinstance(value, SecretValue):
            return value.reveal(), ""
        if isinstance(value, str):
            return str.encode(value), ""
        if isinstance(value, (bytes, bytearray, memoryview)):
            return bytes(value), ""
    except UnicodeEncodeError:
        return None, "contains half of a surrogate pair, which UTF-8 cannot encode"
    except ValueError:
        return None, "is a memoryview that has been released"
    return None, f"must be bytes or text, not {type(value).__name__}"
