"""The secrets of a host: what pools log in with and volumes are encrypted with."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Self, TypeVar
from uuid import UUID, uuid4

import attrs

from libstorage.client.handle import Collection, Handle
from libstorage.connection.identity import HostId, SecretId
from libstorage.connection.raw import RawConnect, RawSecret
from libstorage.connection.resolve import secret_id
from libstorage.enums import ListSecretsFlags, SecretDefineFlags, SecretUsage, SecretUsageType
from libstorage.errors import InvalidRequestError, SecretNotFoundError
from libstorage.foreign import answer_foreign_names
from libstorage.models.ceph_key import ceph_key, is_key_text
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
from libstorage.session.calls import ask_secret, change_secret, make_secret, without_schema
from libstorage.session.channel import Channel
from libstorage.session.hints import add_meant
from libstorage.session.validating import secret_define_flags

R = TypeVar("R")


class _Unshown(bytes):
    """Bytes for libvirt's binding, hidden from tracebacks: the binding's frames hold the value during the call."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "…"

    __str__ = __repr__


class Secret(Handle[SecretId]):
    """A secret on a host, identified by its UUID. The value is never part of the document or the repr."""

    __slots__ = ()
    _SEE = "secret.spec() asks the host. No display shows the value."

    @property
    def uuid(self) -> str:
        """UUID of the secret."""
        return self._id.uuid

    def spec(self) -> SecretSpec:
        """Return what the secret's document says.

        Raises:
            SecretNotFoundError: If the secret is gone.
        """
        return SecretSpec.from_libvirt(self.xml())

    def xml(self) -> str:
        """Return the secret's document as libvirt writes it (``virSecretGetXMLDesc``).

        Raises:
            SecretNotFoundError: If the secret is gone.
        """
        return self._ask(SECRET_XML, lambda raw: raw.XMLDesc(0))

    def set_value(self, value: SecretLike) -> Self:
        """Set the value (``virSecretSetValue``).

        For Ceph, pass the bytes of the key, not the base64 text that ``ceph auth get-key`` prints, which is refused.

        Args:
            value: Bytes, a string, which is encoded as UTF-8, or a [SecretValue][libstorage.SecretValue].

        Raises:
            InvalidRequestError: If ``value`` is none of these, or is the base64 text of a Ceph key for a secret of Ceph.
                The error does not contain the value.
            SecretNotFoundError: If the secret is gone.
        """
        try:
            secret = SecretValue(value)
        finally:
            del value  # a traceback may show this frame
        if is_key_text(secret) and (usage := self.spec().usage) and usage.type == SecretUsage.CEPH:
            raise InvalidRequestError(
                f"{self._id}: the value is the base64 text of a Ceph key, and libvirt needs its bytes",
                hint="Pass base64.b64decode(key), or call host.secrets.ensure_ceph(user, key).",
            )
        self._change(SECRET_SET_VALUE, lambda raw: raw.setValue(_Unshown(secret.reveal()), 0))
        return self

    def value(self) -> SecretValue:
        """Return the value (``virSecretGetValue``); ``value().reveal()`` returns the bytes.

        Raises:
            StateError: If the secret has no value yet.
            AccessDeniedError: If the secret is private, or the connection is read-only.
            SecretNotFoundError: If the secret is gone.
        """
        return self._ask(SECRET_VALUE, lambda raw: SecretValue(raw.value(0)))

    def undefine(self) -> None:
        """Remove the secret and its value (``virSecretUndefine``).

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

    def _fields(self) -> list[tuple[str, str]]:
        return [("uuid", self.uuid)]


class Secrets(Collection[Secret, HostId]):
    """The secrets of a host, by UUID. Iterating reads all of them in one call."""

    __slots__ = ()
    _SEE = "list() asks the host for all secrets; [uuid] looks one up."

    def lookup(self, name: str | UUID, /) -> Secret:
        """Look up a secret by UUID (``virSecretLookupByUUIDString``).

        Raises:
            SecretNotFoundError: If the host has no such secret; the hint says which UUID is similar.
            InvalidRequestError: If ``name`` is not a UUID.
        """
        try:
            return self._look_up(name)
        except SecretNotFoundError as error:
            self._suggest(error, check_uuid(name))
            raise

    def _look_up(self, name: str | UUID, /) -> Secret:
        uuid = check_uuid(name)
        target = SecretId(self._scope.uri, uuid)
        return self._found(SECRET_LOOKUP_BY_UUID, target, lambda raw: raw.secretLookupByUUIDString(uuid))

    def by_usage(self, usage: SecretUsageType | str, usage_id: str) -> Secret:
        """Look up a secret by its usage (``virSecretLookupByUsage``).

        Args:
            usage: The kind of usage, also as libvirt's word: ``volume``, ``ceph``, ``iscsi``, ``tls``, ``vtpm``.
            usage_id: The path of the volume, or the name that pools refer to.

        Raises:
            SecretNotFoundError: If the host has no secret for this usage; the hint says which one is similar.
        """
        try:
            return self._by_usage(usage, usage_id)
        except SecretNotFoundError as error:
            add_meant(error, usage_id, (), lambda: self._usages(member_of(SecretUsageType, usage)))
            raise

    def _by_usage(self, usage: SecretUsageType | str, usage_id: str) -> Secret:
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
        """Return the secrets that match every filter, by UUID, in one call (``virConnectListAllSecrets``).

        Args:
            flags: More filters, as flags.
            ephemeral: ``True`` for secrets in memory only, ``False`` for secrets on disk only.
            private: ``True`` for secrets whose value cannot be read only, ``False`` for readable ones only.

        Raises:
            InvalidRequestError: If ``flags`` belong to another enum.
            StorageError: If the host could not be asked.
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
        if not chosen:
            self._keep(identity.uuid for identity in found)
        return tuple(Secret(self._channel, identity) for identity in sorted(found, key=attrgetter("uuid")))

    def count(self) -> int:
        """Return the number of secrets (``virConnectNumOfSecrets``).

        Raises:
            StorageError: If the host could not be asked.
        """
        return self._calls.call(SECRETS_COUNT, self._scope, lambda lane: lane.connection.numOfSecrets())

    def ensure_ceph(self, user: str, key: SecretLike, *, usage: str | None = None) -> Secret:
        """Make sure that the key of a Ceph user is there: define its secret if needed, and set its value.

        ``Auth.ceph(user, usage=…)`` refers to the secret.

        Args:
            user: The Ceph user, without the prefix ``client.``.
            key: The key, as base64 text (what ``ceph auth get-key client.USER`` prints) or as bytes.
            usage: Usage name of the secret; by default ``client.USER secret``.

        Raises:
            InvalidRequestError: If ``user`` has the prefix, or ``key`` is not a key of Ceph. The error does not contain
                the key.
        """
        if user.startswith("client."):
            raise InvalidRequestError(
                f"{user!r} has the prefix client.", hint=f"Pass {user.removeprefix('client.')!r}."
            )
        try:
            found = ceph_key(key)
        finally:
            del key  # a traceback may show this frame
        name = usage or f"client.{user} secret"
        try:
            secret = self._by_usage(SecretUsage.CEPH, name)
        except SecretNotFoundError:
            secret = self.define(SecretSpec.ceph(name))
        return secret.set_value(found)

    def define(self, spec: SecretSpec, *, allow_unknown: bool = False, validate: bool = True) -> Secret:
        """Define a secret, or redefine the secret with the same UUID (``virSecretDefineXML``).

        A new secret has no value yet. A spec without a UUID gets one.

        Args:
            spec: The secret to define.
            allow_unknown: Also send parts that libstorage does not know, for a libvirt that is newer than this version.
            validate: Check the document first, here and by the daemon's schema. ``False`` leaves that to the driver.

        Raises:
            ExistsError: If another secret has that usage.
            DocumentError: If libvirt rejects the document.
        """
        if not isinstance(spec, SecretSpec):
            raise InvalidRequestError(
                f"spec must be a SecretSpec, not {type(spec).__name__}",
                hint="Make one with SecretSpec.volume(path) or another factory, or read one with SecretSpec.from_xml(text).",
            )
        uuid = spec.uuid or str(uuid4())
        request = attrs.evolve(spec.with_unknown_allowed() if allow_unknown else spec, uuid=uuid)
        flags = secret_define_flags(self._channel.versions) if validate else SecretDefineFlags(0)
        target = SecretId(self._scope.uri, uuid)

        def made(chosen: SecretDefineFlags) -> SecretId:
            return make_secret(
                self._channel,
                SECRET_DEFINE,
                target,
                request,
                lambda raw: raw.secretDefineXML(request.to_xml(), chosen),
                validate=validate,
            )

        return Secret(self._channel, without_schema(made, flags, request))

    def _all(self) -> tuple[Secret, ...]:
        return self.list()

    def _keys(self) -> tuple[str, ...]:
        return tuple(secret.uuid for secret in self.list())

    def _usages(self, kind: SecretUsageType) -> tuple[str, ...]:
        """Return the usages of one kind, in one call: the binding knows them of each secret that it lists."""
        return self._calls.call(
            SECRETS_LIST,
            self._scope,
            lambda lane: tuple(
                raw.usageID() for raw in lane.connection.listAllSecrets(0) if raw.usageType() == kind
            ),
        )

    def _found(
        self, operation: Operation, target: SecretId, find: Callable[[RawConnect], RawSecret]
    ) -> Secret:
        uri = self._scope.uri
        found = self._calls.call(operation, target, lambda lane: secret_id(lane, uri, find(lane.connection)))
        return Secret(self._channel, found)

    @property
    def _calls(self) -> Channel:
        return self._channel.for_secrets()


answer_foreign_names(Secret, Secrets)
