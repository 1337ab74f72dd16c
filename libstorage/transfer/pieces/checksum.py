"""What a transfer is checked against."""

from __future__ import annotations

import attrs

from libstorage.errors import InvalidRequestError, TransferError
from libstorage.transfer.pieces.piece import Hole, Piece, zeros

_HEX = set("0123456789abcdef")


@attrs.frozen(kw_only=True)
class Checks:
    """What a transfer is checked against.

    Attributes:
        algorithm: One of ``hashlib``'s, for the bytes of the source.
        digits: What their digest must be; empty for anything.
        verify: Read back what was sent, and compare digests.
    """

    algorithm: str = "sha256"
    digits: str = ""
    verify: bool = False

    @classmethod
    def of(cls, checksum: str | None, *, verify: bool = False) -> Checks:
        """From what a caller gave.

        Raises:
            InvalidRequestError: That is no checksum.
        """
        if checksum is None:
            return cls(verify=verify)
        algorithm, _, digits = str(checksum).lower().partition(":")
        try:
            length = len(Digest(algorithm).hex())
        except (ValueError, TypeError):
            length = -1
        if len(digits) != length or set(digits) - _HEX:
            raise InvalidRequestError(
                f"{checksum!r} is not a checksum",
                hint="It is an algorithm of hashlib's, a colon and the digits: 'sha256:' and 64 of them.",
            )
        return cls(algorithm=algorithm, digits=digits, verify=verify)

    def digest(self) -> Digest | None:
        """A new digest to add the source's bytes to, if it matters."""
        return Digest(self.algorithm) if self.digits else None

    def check(self, digest: Digest | None, name: str) -> None:
        """Compare.

        Raises:
            TransferError: The bytes are others.
        """
        if digest is not None and digest.hex() != self.digits:
            raise TransferError(
                f"the {self.algorithm} of {name} is {digest.hex()}, not {self.digits}",
                hint="It was damaged on its way, or is not what it should be.",
            )


class Digest:
    """The digest of all pieces that went by.

    Args:
        algorithm: One of ``hashlib``'s.
    """

    def __init__(self, algorithm: str = "sha256") -> None:
        import hashlib  # brings OpenSSL, which a plain transfer does without

        self._hash = hashlib.new(algorithm)

    def add(self, piece: Piece) -> None:
        """This piece is next."""
        for data in zeros(piece.length) if isinstance(piece, Hole) else (piece,):
            self._hash.update(data)

    def hex(self) -> str:
        """In hexadecimal digits."""
        return self._hash.hexdigest()
