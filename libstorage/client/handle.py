"""What every handle and every collection of handles is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar, Unpack

import attrs

from libstorage.connection.identity import HostId, Identity, PoolId, SecretId, VolumeId
from libstorage.connection.lane import Lane
from libstorage.display import Table
from libstorage.errors import NotFoundError
from libstorage.operations import Operation
from libstorage.session.channel import Channel
from libstorage.session.options import OptionChanges

if TYPE_CHECKING:
    from libstorage.client.host import Host

Id = TypeVar("Id", bound=PoolId | VolumeId | SecretId)
Scope = TypeVar("Scope", bound=HostId | PoolId)
H = TypeVar("H")
R = TypeVar("R")


class Handle(ABC, Generic[Id]):
    """A thing on a host, known by its identity: making, comparing, hashing, showing or pickling it calls nobody."""

    __slots__ = ("__weakref__", "_channel", "_id")

    def __init__(self, channel: Channel, identity: Id) -> None:
        self._channel = channel
        self._id = identity

    @property
    def host(self) -> Host:
        """The host that it is on."""
        from libstorage.client.host import Host

        return Host(self._channel)

    def with_options(self, **changes: Unpack[OptionChanges]) -> Self:
        """The same thing, handled with other options.

        Args:
            changes: Options to change, as for [Host.with_options][libstorage.Host.with_options].

        Raises:
            InvalidRequestError: There is no such option.
        """
        return type(self)(self._channel.with_options(**changes), self._id)

    @abstractmethod
    def _label(self) -> str:
        """What the repr says of it."""

    def __eq__(self, other: object) -> bool:
        return self._id == other._id if isinstance(other, type(self)) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._id)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._channel, self._id)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._label()} on {self._id.uri}>"

    def _repr_html_(self) -> str:
        rows = [(name, str(value)) for name, value in attrs.asdict(self._id, recurse=False).items()]
        return Table((type(self).__name__, ""), rows).html()


def reached(handle: Handle[Id]) -> tuple[Channel, Id]:
    """Return the channel and the identity of a handle, for packages that work below handles."""
    return handle._channel, handle._id


class Collection(ABC, Generic[H, Scope]):
    """Things on a host, by name: iterating asks for all of them in one call, ``[name]`` looks one up.

    A collection has no length, and is neither true nor false: Python would ask the daemon behind your back.
    """

    __slots__ = ("_channel", "_scope")

    def __init__(self, channel: Channel, scope: Scope) -> None:
        self._channel = channel
        self._scope = scope

    @abstractmethod
    def lookup(self, name: str, /) -> H:
        """The thing with this name; asks the host.

        Raises:
            NotFoundError: There is none.
        """

    @abstractmethod
    def _all(self) -> tuple[H, ...]:
        """All of them, in one call."""

    def get(self, name: str, /) -> H | None:
        """The thing with this name, ``None`` if there is none.

        Raises:
            StorageError: The host could not be asked.
        """
        try:
            return self.lookup(name)
        except NotFoundError:
            return None

    def exists(self, name: str, /) -> bool:
        """Whether there is a thing with this name.

        Raises:
            StorageError: The host could not be asked.
        """
        return self.get(name) is not None

    def _call(self, operation: Operation, body: Callable[[Lane], R], target: Identity | None = None) -> R:
        return self._channel.call(operation, target or self._scope, body)

    def __getitem__(self, name: str, /) -> H:
        return self.lookup(name)

    def __contains__(self, thing: object) -> bool:
        return self.exists(thing) if isinstance(thing, str) else thing in self._all()

    def __iter__(self) -> Iterator[H]:
        return iter(self._all())

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} are neither true nor false: ask .count(), .exists(name), or .list() for a tuple"
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._scope}>"
