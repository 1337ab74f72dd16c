"""Inventories and listings as rows of plain values, for pandas, polars, csv, rich or json."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, TypeAlias

import attrs

from libstorage.enums import PoolType, VolumeFormat, VolumeType
from libstorage.errors import InvalidRequestError, StorageError
from libstorage.models.entries import VolumeEntry
from libstorage.models.inventory import Inventory, PoolEntry
from libstorage.units import LARGEST
from libstorage.xml.wording import article, one_of

Table: TypeAlias = Literal["pools", "volumes"]
"""The tables that an inventory has."""


class HostLike(Protocol):
    """A host, such as a ``Host``."""

    @property
    def uri(self) -> str:
        """Address of the host."""
        ...


class PoolLike(Protocol):
    """The pool of a listing, such as a ``Pool``."""

    @property
    def name(self) -> str:
        """Name of the pool."""
        ...

    @property
    def uuid(self) -> str:
        """UUID of the pool."""
        ...

    @property
    def host(self) -> HostLike:
        """The pool's host."""
        ...


Source: TypeAlias = Inventory | Iterable[PoolEntry] | Iterable[VolumeEntry] | StorageError
"""Where rows come from: an inventory, a listing, or the error because of which a host could not be read."""


@attrs.frozen(kw_only=True)
class Row:
    """What a row of a table is made from; any of it may be missing.

    Attributes:
        host: Address of the host.
        name: Name of the pool.
        uuid: UUID of the pool.
        pool: The pool's entry.
        volume: The volume's entry.
        error: The error that stands in the row.
    """

    host: str | None = None
    name: str | None = None
    uuid: str | None = None
    pool: PoolEntry | None = None
    volume: VolumeEntry | None = None
    error: StorageError | None = None


Kind: TypeAlias = Literal["text", "word", "bytes", "count", "flag", "time"]
"""The types of columns. Bytes and counts are whole numbers, times nanoseconds since 1970."""


@attrs.frozen
class Column:
    """One column of a table.

    Attributes:
        name: The column's name.
        kind: The type of its values.
        value: Function that takes the value from a row; an ``AttributeError`` means that the row has none.
        words: For words: those that the column is known to have.
    """

    name: str
    kind: Kind
    value: Callable[[Any], Any]
    words: tuple[str, ...] = ()


_FORMATS = tuple(map(str, VolumeFormat))
_POOL_TYPES = tuple(map(str, PoolType))
_VOLUME_TYPES = tuple(member.word for member in VolumeType)

_POOL_KEYS = (
    Column("host", "text", lambda row: row.host),
    Column("pool", "text", lambda row: row.name),
    Column("pool_uuid", "text", lambda row: row.uuid),
)
_ERROR = Column("error", "text", lambda row: row.error and f"{type(row.error).__name__}: {row.error.message}")


def _number_of_volumes(pool: PoolEntry) -> int | None:
    """Return the number of volumes; ``None`` if the pool is inactive or could not be listed."""
    listed = pool.active and (bool(pool.volumes) or pool.error is None)
    return len(pool.volumes) if listed else None


COLUMNS: dict[Table, tuple[Column, ...]] = {
    "pools": (
        *_POOL_KEYS,
        Column("type", "word", lambda row: row.pool.spec.type, _POOL_TYPES),
        Column("active", "flag", lambda row: row.pool.active),
        Column("persistent", "flag", lambda row: row.pool.persistent),
        Column("autostart", "flag", lambda row: row.pool.autostart),
        Column("capacity", "bytes", lambda row: row.pool.spec.capacity),
        Column("allocation", "bytes", lambda row: row.pool.spec.allocation),
        Column("available", "bytes", lambda row: row.pool.spec.available),
        Column("path", "text", lambda row: row.pool.spec.target.path),
        Column("volumes", "count", lambda row: _number_of_volumes(row.pool)),
        _ERROR,
    ),
    "volumes": (
        *_POOL_KEYS,
        Column("volume", "text", lambda row: row.volume.name),
        Column("type", "word", lambda row: row.volume.spec.type, _VOLUME_TYPES),
        Column("format", "word", lambda row: row.volume.spec.target.format, _FORMATS),
        Column("capacity", "bytes", lambda row: row.volume.spec.capacity),
        Column("allocation", "bytes", lambda row: row.volume.spec.allocation),
        Column("physical", "bytes", lambda row: row.volume.spec.physical),
        Column("path", "text", lambda row: row.volume.spec.target.path),
        Column("backing_path", "text", lambda row: row.volume.spec.backing_store.path),
        Column("backing_format", "word", lambda row: row.volume.spec.backing_store.format, _FORMATS),
        Column("created", "time", lambda row: row.volume.spec.target.timestamps.btime or None),
        Column("modified", "time", lambda row: row.volume.spec.target.timestamps.mtime),
        _ERROR,
    ),
}
"""The columns of each table. They are the same whatever an inventory has, so that tables of several hosts fit together."""


def rows(source: Source, table: Table, *, pool: PoolLike | None = None) -> list[dict[str, Any]]:
    """Return an inventory or a listing as a list of flat dictionaries with the same keys.

    Sizes are numbers of bytes, words ``str``, times text (``2026-11-28T09:30:00.123456789+00:00``); what is missing is
    ``None``. ``host``, ``pool``, ``pool_uuid`` and ``volume`` identify a row, also if all that is known of it is its
    ``error``.

    Args:
        source: An ``Inventory``, its ``pools``, what ``pool.volumes.specs()`` returns, or a ``StorageError`` that stands
            for a host that could not be read.
        table: ``pools`` or ``volumes``.
        pool: For a listing of volumes: the pool, which is not part of its entries.

    Raises:
        InvalidRequestError: If ``table`` is not a table, or ``source`` has no such entries.
    """
    columns = columns_of(table)
    return [
        {column.name: _readable(column, value) for column, value in zip(columns, row, strict=True)}
        for row in values(source, table, pool=pool)
    ]


def columns_of(table: Table) -> tuple[Column, ...]:
    """Return the columns of a table.

    Raises:
        InvalidRequestError: If ``table`` is not a table.
    """
    if table not in COLUMNS:
        raise InvalidRequestError(f"{table!r} is not a table; expected {one_of(COLUMNS, str(table))}")
    return COLUMNS[table]


def values(source: Source, table: Table, *, pool: PoolLike | None) -> Iterator[tuple[Any, ...]]:
    """Yield the values of each row, in the order of the columns."""
    columns = columns_of(table)
    for row in _rows(source, table, pool):
        yield tuple(_value(column, row) for column in columns)


def _value(column: Column, row: Row) -> Any:
    try:
        value = column.value(row)
    except AttributeError:  # part of the row is missing
        return None
    if value is None:
        return None
    match column.kind:
        case "flag":
            return bool(value)
        case "text" | "word":
            return str(getattr(value, "word", value))
        case _:
            return int(value) if 0 <= value <= LARGEST else None


def _readable(column: Column, value: Any) -> Any:
    if column.kind != "time" or value is None:
        return value
    seconds, rest = divmod(value, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}+00:00"


# ---- what a row is made from ----------------------------------------------------------------------------------------


def _rows(source: Source, table: Table, pool: PoolLike | None) -> Iterator[Row]:
    if isinstance(source, StorageError):
        yield Row(host=source.uri, error=source)
        return
    if isinstance(source, Inventory):
        known = Row(host=source.uri)
    else:
        known = Row() if pool is None else Row(host=pool.host.uri, name=pool.name, uuid=pool.uuid)
    entries: Iterable[object] = source.pools if isinstance(source, Inventory) else source
    for entry in entries:
        if isinstance(entry, PoolEntry):
            yield from _of_pool(known, entry, table)
        elif isinstance(entry, VolumeEntry) and table == "volumes":
            yield attrs.evolve(known, volume=entry, error=entry.error)
        else:
            raise InvalidRequestError(f"{article(entry)} is not an entry of a table of {table}")


def _of_pool(known: Row, entry: PoolEntry, table: Table) -> Iterator[Row]:
    of_pool = attrs.evolve(known, name=entry.name, uuid=entry.uuid, pool=entry, error=entry.error)
    if table == "pools":
        yield of_pool
        return
    for volume in entry.volumes:
        yield attrs.evolve(of_pool, volume=volume, error=volume.error)
    if entry.error is not None and not entry.volumes:
        yield of_pool
