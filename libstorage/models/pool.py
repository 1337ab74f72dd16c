"""Storage pools: ``<pool>``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import attrs
from attrs import field, frozen

from libstorage.enums import (
    PoolType,
)
from libstorage.errors import Problem
from libstorage.foreign import answer_foreign_names
from libstorage.models.convert import to_names, to_size, to_uuid
from libstorage.models.pool_factories import PoolFactories
from libstorage.models.pool_parts import (
    RBD,
    ConfigOption,
    Options,
    PoolFeatures,
    PoolRefresh,
    PoolTarget,
    to_config_options,
)
from libstorage.models.sources import SOURCES, Presence, Source
from libstorage.units import Size
from libstorage.xml.fields import (
    Namespace,
    Unknown,
    child,
    size,
    text,
    unknown,
    values,
    variant,
    wrapped,
)
from libstorage.xml.kinds import UUID, UnknownWord, matching

if TYPE_CHECKING:
    import uuid as uuids

FS = Namespace(prefix="fs", uri="http://libvirt.org/schemas/storagepool/fs/1.0")


def _given(name: str) -> str:
    if not name:
        raise ValueError("the name is empty: see fill_in")
    return name


POOL_NAME = attrs.evolve(
    matching("pool name", r"[^/\n]+", "a name, without '/' and line breaks"), fast=_given
)


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class PoolSpec(PoolFactories):
    """A storage pool: the ``<pool>`` document.

    The class of ``source`` decides the pool's type. Each type has a factory that takes all options of the type:
    ``PoolSpec.dir("images", "/srv/images")``.
    """

    ROOT: ClassVar[str] = "pool"
    EXAMPLE: ClassVar[str] = 'PoolSpec.dir("images", "/srv/images")'

    name: str = field(metadata=text("name", POOL_NAME, doc="Name, unique on its host."))
    uuid: str | None = field(
        default=None,
        converter=to_uuid,
        metadata=text("uuid", UUID, doc="UUID; libvirt generates one if it is left out."),
    )
    capacity: Size | None = field(
        default=None,
        converter=to_size,
        metadata=size("capacity", reported=True, doc="Size of the whole pool."),
    )
    allocation: Size | None = field(
        default=None,
        converter=to_size,
        metadata=size("allocation", reported=True, doc="Space in use."),
    )
    available: Size | None = field(
        default=None, converter=to_size, metadata=size("available", reported=True, doc="Free space.")
    )
    features: PoolFeatures | None = field(
        default=None, metadata=child("features", PoolFeatures, doc="Optional features of the pool.")
    )
    source: Source = field(metadata=variant("source", SOURCES, doc="Where the pool's storage comes from."))
    target: PoolTarget | None = field(
        default=None, metadata=child("target", PoolTarget, doc="Where the pool appears on the host.")
    )
    refresh: PoolRefresh | None = field(
        default=None, metadata=child("refresh", PoolRefresh, doc="How a refresh of the pool works; rbd only.")
    )
    mount_options: tuple[str, ...] = field(
        default=(),
        converter=to_names,
        metadata=values(
            "mount_opts", "option", "name", namespace=FS, doc="Options of mount(8); fs and netfs only."
        ),
    )
    config_options: tuple[ConfigOption, ...] = field(
        default=(),
        converter=to_config_options,
        metadata=wrapped(
            "config_opts", "option", ConfigOption, namespace=RBD, doc="Options of the Ceph client; rbd only."
        ),
    )
    unknown: tuple[Unknown, ...] = unknown()

    @property
    def type(self) -> PoolType | UnknownWord:
        """The pool's type, as the class of its source decides."""
        return cast("PoolType | UnknownWord", self.source.type)

    @classmethod
    def fill_in(cls, values: dict[str, Any]) -> None:
        """Take the name of the source for a pool without a name, as libvirt does."""
        if not values.get("name") and (name := getattr(values.get("source"), "name", None)):
            values["name"] = name

    def with_target(self, **changes: Any) -> Self:
        """Return a copy in which ``changes`` are applied to the target.

        Raises:
            DocumentError: If the result is not sound.
        """
        return attrs.evolve(self, target=attrs.evolve(self.target or PoolTarget(), **changes))

    def with_source(self, **changes: Any) -> Self:
        """Return a copy in which ``changes`` are applied to the source; the type stays the same.

        Raises:
            DocumentError: If the result is not sound.
        """
        return attrs.evolve(self, source=attrs.evolve(self.source, **changes))

    def _rules(self) -> Iterator[Problem]:
        source = self.source
        for name in ("features", "refresh", "mount_options", "config_options"):
            if getattr(self, name) and name not in source.allows:
                yield self._broken(name, f"{self.type} pools do not support {name}")
        if self.features and self.features.cow is not None and self.type not in ("dir", "fs"):
            yield self._broken("features.cow", f"only dir and fs pools support cow, not {self.type} pools")
        if self.target is None:
            if source.target is Presence.REQUIRED:
                made = (
                    f"; libvirt makes it PoolTarget(path='/dev/{self.name}')"
                    if self.type == "logical"
                    else ""
                )
                yield self._broken("target", f"{self.type} pools need a target{made}")
        elif source.target is Presence.FORBIDDEN:
            yield self._broken("target", f"{self.type} pools cannot have a target")
        elif self.target.path is None and self.type != "logical":
            yield self._broken("target.path", f"the target of {self.type} pools needs a path")

    @classmethod
    def _of(
        cls,
        name: str,
        source: Source,
        target: PoolTarget | None,
        uuid: str | uuids.UUID | None,
        *,
        cow: bool | None = None,
        mount_options: Iterable[str] = (),
        refresh: PoolRefresh | None = None,
        config_options: Options = (),
    ) -> Self:
        return cls(
            name=name,
            uuid=uuid,
            features=None if cow is None else PoolFeatures(cow=cow),
            source=source,
            target=target,
            refresh=refresh,
            mount_options=mount_options,
            config_options=config_options,
        )


answer_foreign_names(PoolSpec)
