"""The secrets of a host: what pools log in with and volumes are encrypted with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self, TypeVar
from uuid import UUID, uuid4

import attrs

from libstorage.client.handle import Collection, Handle
from libstorage.connection.identity import HostId, SecretId
from libstorage.connection.raw import RawConnect, RawSecret
from libstorage.connection.resolve import secret_id
from libstorage.enums import ListSecretsFlags, SecretUsageType
from libstorage.errors import InvalidRequestError
from libstorage.models.secret import SecretSpec
from libstorage.models.secret_value import SecretLike, SecretValue
from libstorage.operations import (
    SECRET_DEFINE,
    SECRET_LOOKUP_BY_USAGE,
    SECRET_LOOKUP_BY_UUID,
    SECRET_SET_VALUE,
    SECRET_UNDEFINE,
    SECRET_VALUE,
    SECRET_XML,
    SECRETS_COUNT,
    SECRETS_LIST,
    Operation,
)
from libstorage.session.arguments import NoFlags, check_text, check_uuid, combined, member_of, switch
from libstorage.session.calls import ask_secret, change_secret, make_secret
from libstorage.session.channel import Channel
from libstorage.session.validating import secret_define_flags

R = TypeVar("R")


class _Unshown(bytes):
    """The bytes for libvirt's binding, whose own frames hold them while it is called."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "…"

    __str__ = __repr__


class Secret(Handle[SecretId]):
    """A secret on a host, known by its uuid. Its value is never part of its document or its repr."""

    __slots__ = ()

    @property
    def uuid(self) -> str:
        """Its uuid."""
        return self._id.uuid

    def spec(self) -> SecretSpec:
        """What its document says.

        Raises:
            SecretNotFoundError: If the secret is gone.
        """
        return SecretSpec.from_xml(self.xml())

    def xml(self) -> str:
        """Its document as libvirt writes it (``virSecretGetXMLDesc``).

        Raises:
            SecretNotFoundError: If the secret is gone.
        """
        return self._ask(SECRET_XML, lambda raw: raw.XMLDesc(0))

    def set_value(self, value: SecretLike) -> Self:
        """Set its value (``virSecretSetValue``).

        For Ceph these are the bytes of the key, not their base64 text.

        Args:
            value: The bytes, text, which is encoded as UTF-8, or a [SecretValue][libstorage.SecretValue].

        Raises:
            InvalidRequestError: ``value`` is neither bytes nor text. The error does not hold it.
            SecretNotFoundError: If the secret is gone.
        """
        try:
            secret = SecretValue(value)
        finally:
            del value  # a traceback may show this frame
        self._change(SECRET_SET_VALUE, lambda raw: raw.setValue(_Unshown(secret.reveal()), 0))
        return self

    def value(self) -> SecretValue:
        """Its value (``virSecretGetValue``); ``value().reveal()`` are the bytes.

        Raises:
            StateError: It has none yet.
            AccessDeniedError: It is private, or the connection read-only.
            SecretNotFoundError: If the secret is gone.
        """
        return self._ask(SECRET_VALUE, lambda raw: SecretValue(raw.value(0)))

    def undefine(self) -> None:
        """Remove it, value included (``virSecretUndefine``).

        Raises:
            SecretNotFoundError: If the secret is gone.
        """
        self._change(SECRET_UNDEFINE, lambda raw: raw.undefine())

    def _ask(self, operation: Operation, read: Callable[[RawSecret], R]) -> R:
        return ask_secret(self._channel, operation, self._id, read)

    def _change(self, operation: Operation, act: Callable[[RawSecret], object]) -> None:
        change_secret(self._channel, operation, self._id, act)

    def _label(self) -> str:
        return self._id.uuid


class Secrets(Collection[Secret, HostId]):
    """The secrets of a host, by uuid. Iterating asks for all of them in one call."""

    __slots__ = ()

    def lookup(self, name: str | UUID, /) -> Secret:
        """The secret with this uuid (``virSecretLookupByUUIDString``).

        Raises:
            SecretNotFoundError: There is none.
            InvalidRequestError: That is no uuid.
        """
        uuid = check_uuid(name)
        target = SecretId(self._scope.uri, uuid)
        return self._found(SECRET_LOOKUP_BY_UUID, target, lambda raw: raw.secretLookupByUUIDString(uuid))

    def by_usage(self, usage: SecretUsageType | str, usage_id: str) -> Secret:
        """The secret for this use (``virSecretLookupByUsage``).

        Args:
            usage: What kind of thing it is for, also as libvirt's word: ``volume``, ``ceph``, ``iscsi``, ``tls``, ``vtpm``.
            usage_id: Which: the path of the volume, or the name that pools refer to.

        Raises:
            SecretNotFoundError: There is none.
        """
        kind, text = member_of(SecretUsageType, usage), check_text("usage", usage_id)
        target = SecretId(self._scope.uri, f"for {kind.word} {text!r}")
        return self._found(SECRET_LOOKUP_BY_USAGE, target, lambda raw: raw.secretLookupByUsage(kind, text))

    def list(
        self,
        flags: ListSecretsFlags | NoFlags = 0,
        *,
        ephemeral: bool | None = None,
        private: bool | None = None,
    ) -> tuple[Secret, ...]:
        """The secrets that pass all the filters, in one call (``virConnectListAllSecrets``).

        Args:
            flags: Filters as flags, in addition to the others.
            ephemeral: Only those that are kept in memory, or on disk.
            private: Only those whose value is told to nobody, or can be read.

        Raises:
            InvalidRequestError: These are other flags.
            StorageError: The host could not be asked.
        """
        chosen = combined(
            ListSecretsFlags,
            flags,
            switch(ephemeral, ListSecretsFlags.EPHEMERAL, ListSecretsFlags.NO_EPHEMERAL),
            switch(private, ListSecretsFlags.PRIVATE, ListSecretsFlags.NO_PRIVATE),
        )
        uri = self._scope.uri
        found = self._calls.call(
            SECRETS_LIST,
            self._scope,
            lambda lane: [secret_id(lane, uri, raw) for raw in lane.connection.listAllSecrets(chosen)],
        )
        return tuple(Secret(self._channel, identity) for identity in found)

    def count(self) -> int:
        """How many there are (``virConnectNumOfSecrets``).

        Raises:
            StorageError: The host could not be asked.
        """
        return self._calls.call(SECRETS_COUNT, self._scope, lambda lane: lane.connection.numOfSecrets())

    def define(self, spec: SecretSpec) -> Secret:
        """Define a secret, which has no value yet; or change the one with its uuid (``virSecretDefineXML``).

        A spec without a uuid gets one.

        Raises:
            ExistsError: There is another one for that use.
            DocumentError: libvirt does not take the document.
        """
        if not isinstance(spec, SecretSpec):
            raise InvalidRequestError(
                f"a secret is made from a SecretSpec, not from {type(spec).__name__}",
                hint="SecretSpec.volume(path) and its siblings make one, SecretSpec.from_xml(text) reads one.",
            )
        uuid = spec.uuid or str(uuid4())
        request, flags = attrs.evolve(spec, uuid=uuid), secret_define_flags(self._channel.versions)
        target = SecretId(self._scope.uri, uuid)
        made = make_secret(
            self._channel,
            SECRET_DEFINE,
            target,
            request,
            lambda raw: raw.secretDefineXML(request.to_xml(), flags),
        )
        return Secret(self._channel, made)

    def _all(self) -> tuple[Secret, ...]:
        return self.list()

    def _found(
        self, operation: Operation, target: SecretId, find: Callable[[RawConnect], RawSecret]
    ) -> Secret:
        uri = self._scope.uri
        found = self._calls.call(operation, target, lambda lane: secret_id(lane, uri, find(lane.connection)))
        return Secret(self._channel, found)

    @property
    def _calls(self) -> Channel:
        return self._channel.for_secrets()
