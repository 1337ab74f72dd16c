"""Encryption of a volume: ``<encryption>``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar, Self

from attrs import field, frozen

from libstorage.enums import EncryptionEngine, EncryptionFormat
from libstorage.errors import Problem
from libstorage.models.auth import SecretRef
from libstorage.models.convert import many, to_encryption_engine, to_encryption_format
from libstorage.xml.document import Element
from libstorage.xml.fields import attribute, child, children
from libstorage.xml.kinds import UnknownWord, number, words

if TYPE_CHECKING:
    from uuid import UUID


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class Cipher(Element):
    """The cipher of a LUKS volume: the ``<cipher>`` element."""

    TAG: ClassVar[str] = "cipher"
    SECRETIVE: ClassVar[bool] = True

    name: str = field(metadata=attribute("name", doc="Algorithm, such as aes or serpent."))
    size: int = field(metadata=attribute("size", number("bits", 0, 2**32 - 1), doc="Key size in bits."))
    mode: str | None = field(
        default=None, metadata=attribute("mode", doc="Chaining mode, such as cbc or xts.")
    )
    hash: str | None = field(
        default=None, metadata=attribute("hash", doc="Digest of the key, such as sha256.")
    )

    def _rules(self) -> Iterator[Problem]:
        if (self.mode is None) != (self.hash is None):
            yield self._broken("mode", "mode and hash must be given together or not at all")
        for name in ("name", "mode", "hash"):
            if getattr(self, name) == "":
                yield self._broken(name, "is empty, which qemu-img refuses")


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class Ivgen(Element):
    """The initialization vector of a LUKS volume: the ``<ivgen>`` element."""

    TAG: ClassVar[str] = "ivgen"
    SECRETIVE: ClassVar[bool] = True

    name: str = field(metadata=attribute("name", doc="Name of the generator: plain, plain64 or essiv."))
    hash: str | None = field(default=None, metadata=attribute("hash", doc="Digest for essiv."))

    def _rules(self) -> Iterator[Problem]:
        for name in ("name", "hash"):
            if getattr(self, name) == "":
                yield self._broken(name, "is empty, which qemu-img refuses")


_BY_LIBRBD = (EncryptionFormat.LUKS2, EncryptionFormat.LUKS_ANY)


def to_secrets(value: Iterable[SecretRef] | SecretRef | None) -> tuple[SecretRef, ...]:
    """Return one secret or several as a tuple."""
    return many(value)


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class Encryption(Element):
    """Encryption of a volume: the ``<encryption>`` element.

    libvirt creates encrypted volumes only with format ``luks``, as raw and qcow2 volumes, with one secret whose usage
    type is ``volume``. The other formats and several secrets describe RBD images that librbd encrypts.
    """

    TAG: ClassVar[str] = "encryption"
    SECRETIVE: ClassVar[bool] = True

    format: EncryptionFormat | UnknownWord = field(
        converter=to_encryption_format,
        metadata=attribute("format", words(EncryptionFormat), doc="Format of the encryption."),
    )
    engine: EncryptionEngine | UnknownWord | None = field(
        default=None,
        converter=to_encryption_engine,
        metadata=attribute("engine", words(EncryptionEngine), doc="Software that encrypts: qemu or librbd."),
    )
    secrets: tuple[SecretRef, ...] = field(
        default=(),
        converter=to_secrets,
        metadata=children(
            "secret",
            SecretRef,
            fixed=SecretRef.FIXED,
            doc="The secret that holds the passphrase; of a layered RBD image, one for each layer, its own first.",
        ),
    )
    cipher: Cipher | None = field(
        default=None, metadata=child("cipher", Cipher, doc="The cipher; libvirt's default is aes-256-xts.")
    )
    ivgen: Ivgen | None = field(
        default=None, metadata=child("ivgen", Ivgen, doc="Generator of the initialization vector.")
    )

    @classmethod
    def luks(
        cls,
        *,
        uuid: str | UUID | None = None,
        usage: str | None = None,
        cipher: Cipher | None = None,
        ivgen: Ivgen | None = None,
    ) -> Self:
        """Describe LUKS encryption with the passphrase of one secret, which ``uuid`` or ``usage`` identifies.

        Raises:
            DocumentError: If neither or both of ``uuid`` and ``usage`` are given, or only one of ``cipher`` and
                ``ivgen`` is given.
        """
        return cls(
            format=EncryptionFormat.LUKS,
            secrets=SecretRef(uuid=uuid, usage=usage),
            cipher=cipher,
            ivgen=ivgen,
        )

    @classmethod
    def luks_any(
        cls,
        *,
        uuid: str | UUID | None = None,
        usage: str | None = None,
        parents: Iterable[SecretRef] | SecretRef = (),
    ) -> Self:
        """Describe an RBD image that librbd encrypts with LUKS version 1 or 2, as the image says; since libvirt 9.3.0.

        Args:
            uuid: UUID of the secret that holds the image's passphrase.
            usage: Usage name of that secret, as the alternative to its UUID.
            parents: The secrets of a layered image's parents, the nearest first.

        Raises:
            DocumentError: If neither or both of ``uuid`` and ``usage`` are given.
        """
        return cls(
            format=EncryptionFormat.LUKS_ANY,
            engine=EncryptionEngine.LIBRBD,
            secrets=(SecretRef(uuid=uuid, usage=usage), *to_secrets(parents)),
        )

    def _rules(self) -> Iterator[Problem]:
        by_librbd = self.engine == EncryptionEngine.LIBRBD
        if not self.secrets:
            yield self._broken("secrets", "libvirt needs a secret, which holds the passphrase")
        elif len(self.secrets) > 1 and not by_librbd:
            yield self._broken(
                "secrets",
                "libvirt accepts one secret only, save for layers of RBD images, with engine librbd",
            )
        if self.format in _BY_LIBRBD and not by_librbd:
            yield self._broken("engine", f"libvirt supports {self.format} with engine librbd only")
        if (self.cipher is None) != (self.ivgen is None):
            yield self._broken("cipher", "cipher and ivgen must be given together or not at all")
        if self.format in _BY_LIBRBD and self.cipher:
            yield self._broken("cipher", f"libvirt drops the cipher of {self.format}; leave it out")
        if self.format in (EncryptionFormat.DEFAULT, EncryptionFormat.QCOW):
            yield self._broken("format", f"libvirt no longer creates {self.format} volumes", expected="luks")
