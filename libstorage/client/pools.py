"""The pools of a host."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID, uuid4

import attrs

from libstorage.client.handle import Collection
from libstorage.client.pool import Pool, build_flag
from libstorage.connection.identity import HostId, PoolId
from libstorage.connection.lane import Lane
from libstorage.connection.raw import RawConnect, RawPool
from libstorage.connection.resolve import pool_id
from libstorage.enums import ListPoolsFlags, PoolCreateFlags, PoolType
from libstorage.errors import (
    InvalidRequestError,
    PoolActiveError,
    PoolExistsError,
)
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
from libstorage.session.calls import make_pool
from libstorage.session.names import check_pool_name
from libstorage.session.validating import pool_define_flags


class Pools(Collection[Pool, HostId]):
    """The pools of a host, by name. Iterating asks for all of them in one call."""

    __slots__ = ()

    # ---- finding ----------------------------------------------------------------------------------------------------

    def lookup(self, name: str, /) -> Pool:
        """The pool with this name (``virStoragePoolLookupByName``).

        Raises:
            PoolNotFoundError: There is none.
        """
        check_text("pool name", name)
        target = PoolId(self._scope.uri, name, "")
        return self._found(POOL_LOOKUP_BY_NAME, target, lambda raw: raw.storagePoolLookupByName(name))

    def by_uuid(self, uuid: str | UUID) -> Pool:
        """The pool with this uuid (``virStoragePoolLookupByUUIDString``).

        Raises:
            PoolNotFoundError: There is none.
            InvalidRequestError: That is no uuid.
        """
        text = check_uuid(uuid)
        target = PoolId(self._scope.uri, text, text)
        return self._found(POOL_LOOKUP_BY_UUID, target, lambda raw: raw.storagePoolLookupByUUIDString(text))

    def by_target_path(self, path: str | os.PathLike[str]) -> Pool:
        """The running pool whose ``<target>`` has this path (``virStoragePoolLookupByTargetPath``).

        Raises:
            PoolNotFoundError: There is none.
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
        """The pools that pass all the filters, in one call (``virConnectListAllStoragePools``).

        Args:
            flags: Filters as flags, in addition to the others.
            active: Only those that are running, or that are not.
            persistent: Only those that have a definition, or that vanish when they are stopped.
            autostart: Only those that start with the daemon, or that do not.
            types: Only those of one of these types.

        Raises:
            InvalidRequestError: There is no such type, or these are other flags.
            StorageError: The host could not be asked.
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
            lambda lane: [pool_id(lane, uri, raw) for raw in lane.connection.listAllStoragePools(chosen)],
        )
        return tuple(Pool(self._channel, identity) for identity in found)

    def names(self, *, active: bool | None = None) -> tuple[str, ...]:
        """The names of all pools, or of those that are running or are not; in one call.

        Raises:
            StorageError: The host could not be asked.
        """
        return tuple(pool.name for pool in self.list(active=active))

    def count(self, *, active: bool | None = None) -> int:
        """How many pools there are, or how many that are running or are not.

        libvirt counts running pools and others apart (``virConnectNumOfStoragePools``,
        ``virConnectNumOfDefinedStoragePools``), so that all of them take two calls.

        Raises:
            StorageError: The host could not be asked.
        """

        def count(lane: Lane) -> int:
            running = 0 if active is False else lane.connection.numOfStoragePools()
            others = 0 if active is True else lane.connection.numOfDefinedStoragePools()
            return running + others

        return self._call(POOLS_COUNT, count)

    # ---- making -----------------------------------------------------------------------------------------------------

    def define(self, spec: PoolSpec) -> Pool:
        """Define a pool, which is then neither built nor started; or change the definition of the one with its uuid.

        A spec without a uuid gets one. libvirt checks the document against its schema, from 7.7 on
        (``virStoragePoolDefineXML``).

        Raises:
            PoolExistsError: Another pool has the name or the uuid.
            SourceConflictError: Another pool has the same source.
            InvalidRequestError: The name is not one to give to a new pool.
            DocumentError: libvirt does not take the document.
            UnsupportedError: The host has no driver for pools of that type.
        """
        request = self._request(spec)
        flags = pool_define_flags(self._channel.versions)
        made = make_pool(
            self._channel,
            POOL_DEFINE,
            request,
            lambda raw: raw.storagePoolDefineXML(request.to_xml(), flags),
        )
        return Pool(self._channel, made)

    def create_transient(self, spec: PoolSpec, *, build: bool = False, overwrite: bool | None = None) -> Pool:
        """Start a pool without a definition: it vanishes when it is stopped (``virStoragePoolCreateXML``).

        Args:
            spec: What to start.
            build: Build it first.
            overwrite: How to build it, as for [Pool.build][libstorage.Pool.build].

        Raises:
            PoolExistsError: Another pool has the name or the uuid.
            SourceConflictError: Another pool has the same source.
            InvalidRequestError: The name is not one to give to a new pool.
            DocumentError: libvirt does not take the document.
            UnsupportedError: The host has no driver for pools of that type.
            StorageError: It could not be built or started; it is not there then.
        """
        request = self._request(spec)
        flags = build_flag(build, overwrite) or PoolCreateFlags.NORMAL
        made = make_pool(
            self._channel,
            POOL_CREATE_TRANSIENT,
            request,
            lambda raw: raw.storagePoolCreateXML(request.to_xml(), flags),
        )
        return Pool(self._channel, made)

    def ensure(self, spec: PoolSpec) -> Pool:
        """The pool that ``spec`` describes: defined and built if it was not there, and running.

        Never changes or deletes one that is there.

        Raises:
            PoolExistsError: A pool of this name is there and differs; ``.differences`` says how.
            StorageError: A step failed; the message names it, and the state that the pool is in.
        """
        request = self._request(spec)
        pool = self.get(spec.name)
        if pool is None:
            try:
                return _running(self.define(request).build())
            except PoolExistsError:
                pool = self.get(spec.name)  # somebody was faster, or another pool has the uuid
                if pool is None:
                    raise
        if differences := pool.spec(inactive=True).differences(spec):
            raise self._different(spec, differences)
        if not pool.is_persistent():
            pool = self.define(attrs.evolve(spec, uuid=pool.uuid))
        return _running(pool)

    # ---- inside -----------------------------------------------------------------------------------------------------

    def _all(self) -> tuple[Pool, ...]:
        return self.list()

    def _request(self, spec: PoolSpec) -> PoolSpec:
        if not isinstance(spec, PoolSpec):
            raise InvalidRequestError(
                f"a pool is made from a PoolSpec, not from {type(spec).__name__}",
                hint="PoolSpec.dir(name, path) and its siblings make one, PoolSpec.from_xml(text) reads one.",
            )
        check_pool_name(spec.name, strict=self._channel.options.strict_names)
        return spec if spec.uuid else attrs.evolve(spec, uuid=uuid4())

    def _different(self, spec: PoolSpec, differences: Sequence[Difference]) -> PoolExistsError:
        listed = "\n".join(f"  {difference}" for difference in differences)
        return PoolExistsError(
            f"pool {spec.name!r} exists and is not what was asked for:\n{listed}",
            differences=differences,
            operation=POOL_DEFINE.name,
            target=str(PoolId(self._scope.uri, spec.name, spec.uuid or "")),
            uri=self._scope.uri,
            hint="Ask for what is there, define() the pool anew with its uuid, or choose another name.",
            outcome="not_started",
            retry="no",
        )

    def _found(self, operation: Operation, target: PoolId, find: Callable[[RawConnect], RawPool]) -> Pool:
        uri = self._scope.uri
        found = self._call(operation, lambda lane: pool_id(lane, uri, find(lane.connection)), target)
        return Pool(self._channel, found)


def _running(pool: Pool) -> Pool:
    try:
        return pool if pool.is_active() else pool.start()
    except PoolActiveError:  # somebody was faster
        return pool


def _type_flag(pool_type: PoolType | str) -> ListPoolsFlags:
    try:
        return ListPoolsFlags.for_type(PoolType(pool_type))
    except ValueError:
        known = ", ".join(PoolType)
        raise InvalidRequestError(f"{pool_type!r} is no pool type", hint=f"There are {known}.") from None
