"""A pool's login at its source, ``<auth>``, and references to secrets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Self

from attrs import evolve, field, frozen

from libstorage.enums import AuthType
from libstorage.errors import DocumentError, Problem
from libstorage.models.convert import to_auth_type, to_uuid
from libstorage.xml.document import Element
from libstorage.xml.fields import attribute, child
from libstorage.xml.kinds import TEXT, UUID_FORM, UUID_SPELLINGS, UnknownWord, matching, words

if TYPE_CHECKING:
    from uuid import UUID

_CEPH_PREFIX = "client."
SECRET_UUID = evolve(
    matching("secret uuid", r"[0-9a-f]{8}\-([0-9a-f]{4}\-){3}[0-9a-f]{12}", UUID_FORM),
    accepted=UUID_SPELLINGS,
)


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class SecretRef(Element):
    """A reference to a secret by its UUID or usage: the ``<secret>`` element inside ``<auth>`` and ``<encryption>``."""

    TAG: ClassVar[str] = "secret"
    SECRETIVE: ClassVar[bool] = True
    FIXED: ClassVar[tuple[tuple[str, str], ...]] = (("type", "passphrase"),)

    uuid: str | None = field(
        default=None, converter=to_uuid, metadata=attribute("uuid", SECRET_UUID, doc="UUID of the secret.")
    )
    usage: str | None = field(
        default=None,
        metadata=attribute("usage", TEXT, doc="Usage name of the secret, as the alternative to its UUID."),
    )

    def _rules(self) -> Iterator[Problem]:
        if (self.uuid is None) == (self.usage is None):
            yield self._broken(
                "uuid", "a secret is identified by either its uuid or its usage; give exactly one of them"
            )


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class Auth(Element):
    """The user name and secret with which a pool logs in: the ``<auth>`` element."""

    TAG: ClassVar[str] = "auth"
    SECRETIVE: ClassVar[bool] = True

    type: AuthType | UnknownWord = field(
        converter=to_auth_type, metadata=attribute("type", words(AuthType), doc="Method of authentication.")
    )
    username: str = field(metadata=attribute("username", doc="User name at the source."))
    secret: SecretRef = field(
        metadata=child("secret", SecretRef, doc="The secret that holds the password or key.")
    )

    def _rules(self) -> Iterator[Problem]:
        if not self.username:
            yield self._broken("username", "is empty", expected="a user name")

    @classmethod
    def chap(cls, username: str, *, uuid: str | UUID | None = None, usage: str | None = None) -> Self:
        """Describe a CHAP login for iscsi and iscsi-direct pools; ``uuid`` or ``usage`` identifies the secret.

        Raises:
            DocumentError: If neither or both of ``uuid`` and ``usage`` are given.
        """
        return cls(type=AuthType.CHAP, username=username, secret=SecretRef(uuid=uuid, usage=usage))

    @classmethod
    def ceph(cls, username: str, *, uuid: str | UUID | None = None, usage: str | None = None) -> Self:
        """Describe a cephx login for rbd pools; ``uuid`` or ``usage`` identifies the secret.

        Raises:
            DocumentError: If neither or both of ``uuid`` and ``usage`` are given, or ``username`` has the prefix that
                ``ceph auth`` prints.
        """
        if username.startswith(_CEPH_PREFIX):
            name = username.removeprefix(_CEPH_PREFIX)
            reason = (
                f"{username!r} has the prefix that ceph prints, and libvirt adds it itself; write {name!r}"
            )
            raise DocumentError([Problem("Auth.username", reason, found=username)])
        return cls(type=AuthType.CEPH, username=username, secret=SecretRef(uuid=uuid, usage=usage))
