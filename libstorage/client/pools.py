"""The pools of a host."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cache
from uuid import UUID, uuid4

import attrs

from libstorage.client.ensure import Lost, converge, has_folder, run, run_new
from libstorage.client.handle import Collection
from libstorage.client.pool import Pool, build_flag
from libstorage.client.spec_first import spec_first
from libstorage.connection.identity import HostId, PoolId
from libstorage.connection.lane import Lane
from libstorage.connection.raw import RawConnect, RawPool
from libstorage.connection.resolve import list_pools, pool_id
from libstorage.enums import ListPoolsFlags, PoolCreateFlags, PoolDefineFlags, PoolType
from libstorage.errors import (
    InvalidRequestError,
    PoolExistsError,
    PoolNotFoundError,
)
from libstorage.foreign import answer_foreign_names
from libstorage.models.compare import Difference
from libstorage.models.pool import PoolSpec
from libstorage.operations import (
    POOL_CREATE_TRANSIENT,
    POOL_DEFINE,
    POOL_LOOKUP_BY_NAME,
    POOL_LOOKUP_BY_TARGET_PATH,
    POOL_LOOKUP_BY_UUID,
    POOLS_COUNT,
    POOLS_LIST,
    Operation,
)
from libstorage.session.arguments import NoFlags, check_text, check_uuid, combined, switch
from libstorage.session.calls import make_pool, without_schema
from libstorage.session.guards import Change
from libstorage.session.names import check_pool_name
from libstorage.session.soundness import refuse_unsound
from libstorage.session.validating import pool_define_flags


class Pools(Collection[Pool, HostId]):
    """The pools of a host, by name. Iterating reads all of them in one call."""

    __slots__ = ()
    _SEE = (
        "list() and names() ask the host for all pools; ['name'] looks one up; host.inventory() shows them."
    )

    # ---- finding ----------------------------------------------------------------------------------------------------

    def lookup(self, name: str, /) -> Pool:
        """Look up a pool by name (``virStoragePoolLookupByName``).

        Raises:
            PoolNotFoundError: If the host has no such pool; the hint says which name is similar.
        """
        try:
            return self._look_up(name)
        except PoolNotFoundError as error:
            self._suggest(error, name)
            raise

    def _look_up(self, name: str, /) -> Pool:
        check_text("pool name", name)
        target = PoolId(self._scope.uri, name, "")
        try:
            return self._found(POOL_LOOKUP_BY_NAME, target, lambda raw: raw.storagePoolLookupByName(name))
        except PoolNotFoundError as error:
            if "/" in name:
                error.add_hint("To look a running pool up by its path: pools.by_target_path(path).")
            with suppress(InvalidRequestError):
                check_uuid(name)
                error.add_hint("To look a pool up by its UUID: pools.by_uuid(uuid).")
            raise

    def by_uuid(self, uuid: str | UUID) -> Pool:
        """Look up a pool by UUID (``virStoragePoolLookupByUUIDString``).

        Raises:
            PoolNotFoundError: If the host has no such pool.
            InvalidRequestError: If ``uuid`` is not a UUID.
        """
        text = check_uuid(uuid)
        target = PoolId(self._scope.uri, text, text)
        return self._found(POOL_LOOKUP_BY_UUID, target, lambda raw: raw.storagePoolLookupByUUIDString(text))

    def by_target_path(self, path: str | os.PathLike[str]) -> Pool:
        """Look up the running pool whose ``<target>`` has this path (``virStoragePoolLookupByTargetPath``).

        Raises:
            PoolNotFoundError: If no running pool has this path.
        """
        text = check_text("path", os.fspath(path))
        target = PoolId(self._scope.uri, text, "")
        return self._found(
            POOL_LOOKUP_BY_TARGET_PATH, target, lambda raw: raw.storagePoolLookupByTargetPath(text)
        )

    def list(
        self,
        flags: ListPoolsFlags | NoFlags = 0,
        *,
        active: bool | None = None,
        persistent: bool | None = None,
        autostart: bool | None = None,
        types: Iterable[PoolType | str] = (),
    ) -> tuple[Pool, ...]:
        """Return the pools that match every filter, by name, in one call (``virConnectListAllStoragePools``).

        Args:
            flags: More filters, as flags.
            active: ``True`` for running pools only, ``False`` for stopped pools only.
            persistent: ``True`` for pools with a definition only, ``False`` for transient pools only.
            autostart: ``True`` for pools that start with the daemon only, ``False`` for the others only.
            types: Only pools of one of these types.

        Raises:
            InvalidRequestError: If there is no such type, or ``flags`` belong to another enum.
            StorageError: If the host could not be asked.
        """
        chosen = combined(
            ListPoolsFlags,
            flags,
            switch(active, ListPoolsFlags.ACTIVE, ListPoolsFlags.INACTIVE),
            switch(persistent, ListPoolsFlags.PERSISTENT, ListPoolsFlags.TRANSIENT),
            switch(autostart, ListPoolsFlags.AUTOSTART, ListPoolsFlags.NO_AUTOSTART),
            *map(_type_flag, types),
        )
        uri = self._scope.uri
        found = self._call(
            POOLS_LIST,
            lambda lane: list_pools(lane, uri, chosen),
        )
        if not chosen:
            self._keep(identity.name for identity in found)
        return tuple(Pool(self._channel, identity) for identity in found)

    def names(self, *, active: bool | None = None) -> tuple[str, ...]:
        """Return the names of all pools, or with ``active`` of the running or stopped ones, in one call.

        Raises:
            StorageError: If the host could not be asked.
        """
        return tuple(pool.name for pool in self.list(active=active))

    def count(self, *, active: bool | None = None) -> int:
        """Return the number of pools, or with ``active`` of the running or stopped ones.

        libvirt counts running pools and stopped pools separately (``virConnectNumOfStoragePools``,
        ``virConnectNumOfDefinedStoragePools``), so counting all pools takes two calls.

        Raises:
            StorageError: If the host could not be asked.
        """

        def count(lane: Lane) -> int:
            running = 0 if active is False else lane.connection.numOfStoragePools()
            others = 0 if active is True else lane.connection.numOfDefinedStoragePools()
            return running + others

        return self._call(POOLS_COUNT, count)

    # ---- making -----------------------------------------------------------------------------------------------------

    @spec_first("PoolSpec.dir")
    def define(self, spec: PoolSpec, *, allow_unknown: bool = False, validate: bool = True) -> Pool:
        """Define a pool, or redefine the pool with the same UUID (``virStoragePoolDefineXML``).

        Defining neither builds nor starts the pool. A spec without a UUID gets one. libvirt 7.7 and newer check the
        document against their schema.

        Args:
            spec: The pool to define.
            allow_unknown: Also send parts that libstorage does not know, for a libvirt that is newer than this version.
            validate: Check the document first, here and by the daemon's schema. ``False`` leaves that to the driver.

        Raises:
            PoolExistsError: If another pool has the name or the UUID.
            SourceConflictError: If another pool has the same source.
            InvalidRequestError: If the name is not allowed for a new pool.
            DocumentError: If libvirt rejects the document.
            UnsupportedError: If the host has no driver for pools of that type.
        """
        request = self._request(spec, allow_unknown=allow_unknown)
        flags = pool_define_flags(self._channel.versions) if validate else PoolDefineFlags(0)

        def made(chosen: PoolDefineFlags) -> PoolId:
            return make_pool(
                self._channel,
                POOL_DEFINE,
                request,
                lambda raw: raw.storagePoolDefineXML(request.to_xml(), chosen),
                validate=validate,
            )

        return Pool(self._channel, without_schema(made, flags, request))

    @spec_first("PoolSpec.dir")
    def create_transient(
        self,
        spec: PoolSpec,
        *,
        build: bool = False,
        overwrite: bool | None = None,
        allow_unknown: bool = False,
        validate: bool = True,
    ) -> Pool:
        """Start a pool without a definition: it vanishes when it is stopped (``virStoragePoolCreateXML``).

        Args:
            spec: The pool to start.
            build: Build the pool first.
            overwrite: How to build it, as for [Pool.build][libstorage.Pool.build].
            allow_unknown: Also send parts that libstorage does not know, for a libvirt that is newer than this version.
            validate: Check the document first.

        Raises:
            PoolExistsError: If another pool has the name or the UUID.
            SourceConflictError: If another pool has the same source.
            InvalidRequestError: If the name is not allowed for a new pool.
            DocumentError: If libvirt rejects the document.
            UnsupportedError: If the host has no driver for pools of that type.
            StorageError: If the pool could not be built or started; then the pool does not exist.
        """
        request = self._request(spec, allow_unknown=allow_unknown)
        flags = build_flag(build, overwrite) or PoolCreateFlags.NORMAL
        made = make_pool(
            self._channel,
            POOL_CREATE_TRANSIENT,
            request,
            lambda raw: raw.storagePoolCreateXML(request.to_xml(), flags),
            validate=validate,
        )
        return Pool(self._channel, made)

    @spec_first("PoolSpec.dir")
    def ensure(self, spec: PoolSpec, *, allow_unknown: bool = False, validate: bool = True) -> Pool:
        """Make sure that the pool that ``spec`` describes exists and runs: define, build and start it as far as needed.

        ``ensure`` never changes or deletes an existing pool, and never builds over storage that exists. It may run in
        several processes at once. If it defined the pool and cannot start it, it undefines the pool again.

        Args:
            spec: The pool.
            allow_unknown: As for ``define``.
            validate: As for ``define``.

        Raises:
            PoolExistsError: If a pool of this name exists and differs; ``.differences`` says how.
            StorageError: If a step failed; the message names the step, and the hint the state that the pool is in.
        """
        request = self._request(spec, allow_unknown=allow_unknown)
        target = PoolId(self._scope.uri, spec.name, spec.uuid or "")
        refuse_unsound(Change(POOL_DEFINE, target, request, validate))
        had_folder = cache(lambda: has_folder(spec, is_local=self._channel.session().connection.local))
        return converge(lambda: self._ensured(spec, request, had_folder, validate))

    def _ensured(
        self, spec: PoolSpec, request: PoolSpec, had_folder: Callable[[], bool], validate: bool
    ) -> Pool:
        pool = self.get(spec.name)
        if pool is None:
            had_folder()  # before the pool is built
            try:
                pool = self.define(request, validate=validate)
            except PoolExistsError as error:  # another client was faster, or another pool has the UUID
                if self.get(spec.name) is None:
                    raise
                raise Lost from error
        if pool.uuid == request.uuid != spec.uuid:  # defined by this call
            return run_new(pool, spec, had_folder=had_folder())
        try:
            if differences := pool.spec(inactive=True).differences(spec):
                raise self._different(spec, differences)
            if not pool.is_persistent():
                pool = self.define(attrs.evolve(request, uuid=pool.uuid), validate=validate)
        except PoolNotFoundError as error:
            raise Lost from error
        return run(pool)

    # ---- inside -----------------------------------------------------------------------------------------------------

    def _all(self) -> tuple[Pool, ...]:
        return self.list()

    def _keys(self) -> tuple[str, ...]:
        return self.names()

    def _request(self, spec: PoolSpec, *, allow_unknown: bool) -> PoolSpec:
        if not isinstance(spec, PoolSpec):
            raise InvalidRequestError(
                f"spec must be a PoolSpec, not {type(spec).__name__}",
                hint="Make one with PoolSpec.dir(name, path) or another factory, or read one with PoolSpec.from_xml(text).",
            )
        check_pool_name(spec.name, strict=self._channel.options.strict_names)
        spec = spec.with_unknown_allowed() if allow_unknown else spec
        return spec if spec.uuid else attrs.evolve(spec, uuid=uuid4())

    def _different(self, spec: PoolSpec, differences: Sequence[Difference]) -> PoolExistsError:
        listed = "\n".join(f"  {difference}" for difference in differences)
        return PoolExistsError(
            f"pool {spec.name!r} exists and differs from the spec:\n{listed}",
            differences=differences,
            operation=POOL_DEFINE.name,
            target=str(PoolId(self._scope.uri, spec.name, spec.uuid or "")),
            uri=self._scope.uri,
            hint="Change the spec to match the pool, redefine the pool with define() and its uuid, or choose another name.",
            outcome="not_started",
            retry="no",
        )

    def _found(self, operation: Operation, target: PoolId, find: Callable[[RawConnect], RawPool]) -> Pool:
        uri = self._scope.uri
        found = self._call(operation, lambda lane: pool_id(lane, uri, find(lane.connection)), target)
        return Pool(self._channel, found)


def _type_flag(pool_type: PoolType | str) -> ListPoolsFlags:
    try:
        return ListPoolsFlags.for_type(PoolType(pool_type))
    except ValueError:
        known = ", ".join(PoolType)
        raise InvalidRequestError(
            f"{pool_type!r} is not a pool type", hint=f"The pool types are {known}."
        ) from None


answer_foreign_names(Pools)
