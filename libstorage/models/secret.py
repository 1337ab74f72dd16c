"""Secrets to which pools and volumes refer: ``<secret>``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Self

from attrs import field, frozen

from libstorage.enums import SecretUsage
from libstorage.errors import Problem
from libstorage.models.auth import SecretRef
from libstorage.models.convert import to_secret_usage, to_uuid
from libstorage.models.source_parts import VOLUME_PATH
from libstorage.models.spec import Spec
from libstorage.xml.document import Element
from libstorage.xml.fields import Unknown, attribute, child, text, unknown
from libstorage.xml.kinds import UUID, YES_NO, UnknownWord, matching, words

if TYPE_CHECKING:
    import uuid as uuids

__all__ = ["SecretRef", "SecretSpec", "Usage"]

_NAME = matching("object name", r"[^/\n]+", "a name, without '/' and line breaks")
_PLACES = {"volume": "volume", "ceph": "name", "iscsi": "target", "tls": "name", "vtpm": "name"}


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class Usage(Element):
    """The purpose of a secret: the ``<usage>`` element."""

    TAG: ClassVar[str] = "usage"

    type: SecretUsage | UnknownWord = field(
        converter=to_secret_usage,
        metadata=attribute("type", words(SecretUsage), doc="Kind of object that uses the secret."),
    )
    volume: str | None = field(
        default=None, metadata=text("volume", VOLUME_PATH, doc="Path of the volume (type volume).")
    )
    name: str | None = field(
        default=None, metadata=text("name", _NAME, doc="Usage name (types ceph, tls and vtpm).")
    )
    target: str | None = field(default=None, metadata=text("target", _NAME, doc="Usage name (type iscsi)."))

    @property
    def id(self) -> str:
        """The usage name, from whichever field holds it, as ``SecretRef(usage=…)`` takes it."""
        return self.volume or self.name or self.target or ""

    def _rules(self) -> Iterator[Problem]:
        wanted = _PLACES.get(self.type)
        for place in ("volume", "name", "target"):
            given = getattr(self, place) is not None
            if wanted and given != (place == wanted):
                word = "needs a" if place == wanted else "cannot have a"
                yield self._broken(place, f"a secret for {self.type} {word} {place}")


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class SecretSpec(Spec):
    """A secret of the host, without its value: the ``<secret>`` document.

    A separate call sets the value: ``host.secrets.define(spec).set_value(value)``.
    """

    ROOT: ClassVar[str] = "secret"
    EXAMPLE: ClassVar[str] = 'SecretSpec.volume("/srv/images/web.img")'

    ephemeral: bool | None = field(
        default=None,
        metadata=attribute(
            "ephemeral", YES_NO, doc="Whether the secret is kept in memory only; libvirt's default is no."
        ),
    )
    private: bool | None = field(
        default=None,
        metadata=attribute(
            "private",
            YES_NO,
            doc="Whether libvirt never reveals the value to a client; libvirt's default is no.",
        ),
    )
    uuid: str | None = field(
        default=None,
        converter=to_uuid,
        metadata=text("uuid", UUID, doc="UUID; libvirt generates one if it is left out."),
    )
    description: str | None = field(default=None, metadata=text("description", doc="Description for people."))
    usage: Usage | None = field(default=None, metadata=child("usage", Usage, doc="Purpose of the secret."))
    unknown: tuple[Unknown, ...] = unknown()

    @classmethod
    def _for(
        cls,
        type: SecretUsage,
        usage_id: str,
        *,
        uuid: str | uuids.UUID | None,
        private: bool | None,
        ephemeral: bool | None,
        description: str | None,
    ) -> Self:
        usage = Usage(type=type, **{_PLACES[type]: usage_id})
        return cls(uuid=uuid, private=private, ephemeral=ephemeral, description=description, usage=usage)

    @classmethod
    def volume(
        cls,
        path: str,
        *,
        uuid: str | uuids.UUID | None = None,
        private: bool | None = None,
        ephemeral: bool | None = None,
        description: str | None = None,
    ) -> Self:
        """Describe the passphrase of the encrypted volume at ``path``.

        After a restart libvirt finds the secret again by that path.

        Raises:
            DocumentError: If the arguments do not make a sound document.
        """
        return cls._for(
            SecretUsage.VOLUME, path, uuid=uuid, private=private, ephemeral=ephemeral, description=description
        )

    @classmethod
    def ceph(
        cls,
        name: str,
        *,
        uuid: str | uuids.UUID | None = None,
        private: bool | None = None,
        ephemeral: bool | None = None,
        description: str | None = None,
    ) -> Self:
        """Describe the key of a Ceph user, under usage name ``name``.

        The value is the bytes of the key, not their base64 text.

        Raises:
            DocumentError: If the arguments do not make a sound document.
        """
        return cls._for(
            SecretUsage.CEPH, name, uuid=uuid, private=private, ephemeral=ephemeral, description=description
        )

    @classmethod
    def iscsi(
        cls,
        target: str,
        *,
        uuid: str | uuids.UUID | None = None,
        private: bool | None = None,
        ephemeral: bool | None = None,
        description: str | None = None,
    ) -> Self:
        """Describe the CHAP password of an iSCSI user, under usage name ``target``.

        Raises:
            DocumentError: If the arguments do not make a sound document.
        """
        return cls._for(
            SecretUsage.ISCSI,
            target,
            uuid=uuid,
            private=private,
            ephemeral=ephemeral,
            description=description,
        )

    def ref(self) -> SecretRef:
        """Return a reference to this secret: by UUID if the spec has one, otherwise by usage.

        Raises:
            DocumentError: If the spec has neither a UUID nor a usage.
        """
        usage = None if self.uuid or not self.usage else self.usage.id
        return SecretRef(uuid=self.uuid, usage=usage)
