"""The base classes of handles and of collections of handles."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, Self, TypeVar, Unpack

import attrs

from libstorage.connection.identity import HostId, Identity, PoolId, SecretId, VolumeId
from libstorage.connection.lane import Lane
from libstorage.display.shown import Html
from libstorage.display.text import short_address
from libstorage.errors import NotFoundError
from libstorage.foreign import Native, NativeType
from libstorage.operations import Operation
from libstorage.session.channel import Channel
from libstorage.session.hints import COMPLETION, add_meant, soon
from libstorage.session.options import OptionChanges

if TYPE_CHECKING:
    from libstorage.client.host import Host
    from libstorage.display.page import Page

Id = TypeVar("Id", bound=PoolId | VolumeId | SecretId)
Scope = TypeVar("Scope", bound=HostId | PoolId)
H = TypeVar("H")
R = TypeVar("R")


class NativeABC(NativeType, ABCMeta):
    """Metaclass of abstract classes that answer foreign names."""


class Handle(Html, Native, Generic[Id], metaclass=NativeABC):
    """A pool, volume or secret on a host. Creating, comparing, hashing, printing or pickling a handle makes no call."""

    __slots__ = ("__weakref__", "_channel", "_id")

    _SEE: ClassVar[str]
    """How to see more of the object, for notebooks."""

    def __init__(self, channel: Channel, identity: Id) -> None:
        self._channel = channel
        self._id = identity

    @property
    def host(self) -> Host:
        """The host of this object."""
        from libstorage.client.host import Host

        return Host(self._channel)

    def with_options(self, **changes: Unpack[OptionChanges]) -> Self:
        """Return a handle of the same object with other options.

        Args:
            changes: Options to change, as for [Host.with_options][libstorage.Host.with_options].

        Raises:
            InvalidRequestError: If there is no such option, or an option has no such value.
        """
        return type(self)(self._channel.with_options(**changes), self._id)

    @abstractmethod
    def _label(self) -> str:
        """Return the words of the repr that identify the object."""

    def __eq__(self, other: object) -> bool:
        return self._id == other._id if isinstance(other, type(self)) else NotImplemented

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return attrs.astuple(self._id) < attrs.astuple(other._id)

    def __hash__(self) -> int:
        return hash(self._id)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._channel, self._id)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._label()} on {short_address(self._id.uri)}>"

    @abstractmethod
    def _fields(self) -> list[tuple[str, str]]:
        """Return what the handle knows of the object without a call, as names and values."""

    def _page(self, most: int | None) -> Page:
        from libstorage.display.inline import Span
        from libstorage.display.page import Page
        from libstorage.display.table import Fields

        host = Span(short_address(self._id.uri), title=self._id.uri)
        rows = [*((name, Span(value)) for name, value in self._fields() if value), ("host", host)]
        return Page(title=type(self).__name__, blocks=(Fields(rows).capped(most),), note=self._SEE)


def reached(handle: Handle[Id]) -> tuple[Channel, Id]:
    """Return the channel and the identity of a handle, for packages that work below handles."""
    return handle._channel, handle._id


class Collection(Html, Native, Generic[H, Scope], metaclass=NativeABC):
    """Objects on a host, by name: iterating reads all of them in one call, ``[name]`` looks one up.

    A collection has no length, and is neither true nor false: Python would otherwise call the daemon implicitly.
    """

    __slots__ = ("_channel", "_scope")

    _SEE: ClassVar[str]
    """How to see the objects, for notebooks."""

    def __init__(self, channel: Channel, scope: Scope) -> None:
        self._channel = channel
        self._scope = scope

    @abstractmethod
    def lookup(self, name: str, /) -> H:
        """Look up an object by name on the host.

        Raises:
            NotFoundError: If there is no object of this name.
        """

    @abstractmethod
    def _all(self) -> tuple[H, ...]:
        """Return all objects, in one call."""

    @abstractmethod
    def _look_up(self, name: str, /) -> H:
        """Look up an object by name, as ``lookup`` does, but without the name that was probably meant."""

    @abstractmethod
    def _keys(self) -> tuple[str, ...]:
        """Return what ``[…]`` takes for each object, in one call."""

    def get(self, name: str, /) -> H | None:
        """Return the object with this name, ``None`` if it does not exist.

        Raises:
            StorageError: If the host could not be asked.
        """
        try:
            return self._look_up(name)
        except NotFoundError:
            return None

    def exists(self, name: str, /) -> bool:
        """Return whether an object with this name exists.

        Raises:
            StorageError: If the host could not be asked.
        """
        return self.get(name) is not None

    def _suggest(self, error: NotFoundError, name: str) -> None:
        """Put the name that was probably meant before the hint of an error; at most one call, and 0.2 seconds."""
        listed = self._channel.session().listed.names((type(self), self._scope))
        add_meant(error, name, listed, self._keys)

    def _keep(self, names: Iterable[str]) -> None:
        """Keep the names of a whole listing for hints."""
        self._channel.session().listed.keep((type(self), self._scope), names)

    def _ipython_key_completions_(self) -> list[str]:
        names: tuple[str, ...] = soon(COMPLETION, self._keys, ())
        return list(names)

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
            f"{type(self).__name__} are neither true nor false: use .count(), .exists(name), or .list() for a tuple"
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._of()}>"

    def _of(self) -> str:
        if isinstance(self._scope, HostId):
            return f"host {short_address(self._scope.uri)}"
        return f"{self._scope} on {short_address(self._scope.uri)}"

    def _page(self, most: int | None) -> Page:
        from libstorage.display.inline import Span
        from libstorage.display.page import Page

        return Page(title=type(self).__name__, about=(Span(f"of {self._of()}"),), note=self._SEE)
