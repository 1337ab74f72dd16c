"""Checksums: what a transfer is checked against."""

from __future__ import annotations

import attrs

from libstorage.errors import InvalidRequestError, TransferError
from libstorage.transfer.pieces.piece import Hole, Piece, zeros

_HEX = set("0123456789abcdef")


@attrs.frozen(kw_only=True)
class Checks:
    """The checks of a transfer.

    Attributes:
        algorithm: Algorithm of ``hashlib`` for the bytes of the source.
        digits: The expected digest; empty for no check.
        verify: Whether to read back what was sent, and compare digests.
    """

    algorithm: str = "sha256"
    digits: str = ""
    verify: bool = False

    @classmethod
    def of(cls, checksum: str | None, *, verify: bool = False) -> Checks:
        """Parse a checksum.

        Raises:
            InvalidRequestError: If ``checksum`` is malformed.
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
                hint="Give an algorithm of hashlib, a colon and the hexadecimal digits: 'sha256:' and 64 digits.",
            )
        return cls(algorithm=algorithm, digits=digits, verify=verify)

    def digest(self) -> Digest | None:
        """Return a new digest for the source's bytes, ``None`` if none is checked."""
        return Digest(self.algorithm) if self.digits else None

    def check(self, digest: Digest | None, name: str) -> None:
        """Compare the digest with the expected one.

        Raises:
            TransferError: If they differ.
        """
        if digest is not None and digest.hex() != self.digits:
            raise TransferError(
                f"the {self.algorithm} of {name} is {digest.hex()}, not {self.digits}",
                hint="The data was damaged in transit, or is not the expected file.",
            )


class Digest:
    """A digest of pieces.

    Args:
        algorithm: Algorithm of ``hashlib``.
    """

    def __init__(self, algorithm: str = "sha256") -> None:
        import hashlib  # brings OpenSSL, which a plain transfer does without

        self._hash = hashlib.new(algorithm)

    def add(self, piece: Piece) -> None:
        """Add the next piece."""
        for data in zeros(piece.length) if isinstance(piece, Hole) else (piece,):
            self._hash.update(data)

    def hex(self) -> str:
        """Return the digest in hexadecimal digits."""
        return self._hash.hexdigest()
