"""Inventories and listings as data frames of pandas or polars, with the same columns and types whatever they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from libstorage.data.extras import extra
from libstorage.data.rows import Column, PoolLike, Source, Table, columns_of, values

if TYPE_CHECKING:
    import pandas
    import polars

_IN_PANDAS = {"text": "string", "bytes": "Int64", "count": "Int64", "flag": "boolean"}
_NOT_A_TIME = -(2**63)


def to_pandas(source: Source, table: Table, *, pool: PoolLike | None = None) -> pandas.DataFrame:
    """Return an inventory or a listing as a ``pandas.DataFrame``. Needs ``libstorage[pandas]``.

    The columns and their types are the same for every source, also for an empty one, so that ``pandas.concat`` keeps them:
    bytes ``Int64``, words categories, times ``datetime64[ns, UTC]``, text ``string``, yes and no ``boolean``. A word
    that libstorage does not know, of a newer libvirt, is one more category of its frame.

    Args:
        source: An ``Inventory``, its ``pools``, what ``pool.volumes.specs()`` returns, or a ``StorageError`` that stands
            for a host that could not be read.
        table: ``pools`` or ``volumes``.
        pool: For a listing of volumes: the pool, which is not part of its entries.

    Raises:
        InvalidRequestError: If ``table`` is not a table, or ``source`` has no such entries.
        UnsupportedError: If pandas is not installed.
    """
    pd = extra("pandas", "pandas", "pandas", "A frame of pandas cannot be made")
    made: pandas.DataFrame = pd.DataFrame(
        {
            column.name: _series(pd, column, list(found))
            for column, found in _by_column(source, table, pool)
        }
    )
    return made


def _series(pd: Any, column: Column, found: list[Any]) -> Any:
    if column.kind == "word":
        return pd.Categorical(found, dtype=pd.CategoricalDtype(_words(column, found)))
    if column.kind == "time":
        numbers = pd.array(found, dtype="Int64").to_numpy("int64", na_value=_NOT_A_TIME)
        return pd.DatetimeIndex(numbers.view("datetime64[ns]"), tz="UTC")
    return pd.array(found, dtype=_IN_PANDAS[column.kind])


def to_polars(source: Source, table: Table, *, pool: PoolLike | None = None) -> polars.DataFrame:
    """Return an inventory or a listing as a ``polars.DataFrame``. Needs ``libstorage[polars]``.

    The columns and their types are the same for every source, also for an empty one, so that ``polars.concat`` takes them:
    bytes ``Int64``, words ``Categorical``, times ``Datetime("ns", "UTC")``, text ``String``, yes and no ``Boolean``.

    Args:
        source: An ``Inventory``, its ``pools``, what ``pool.volumes.specs()`` returns, or a ``StorageError`` that stands
            for a host that could not be read.
        table: ``pools`` or ``volumes``.
        pool: For a listing of volumes: the pool, which is not part of its entries.

    Raises:
        InvalidRequestError: If ``table`` is not a table, or ``source`` has no such entries.
        UnsupportedError: If polars is not installed.
    """
    pl = extra("polars", "polars", "polars", "A frame of polars cannot be made")
    types = {
        "text": pl.String,
        "word": pl.Categorical,
        "bytes": pl.Int64,
        "count": pl.Int64,
        "flag": pl.Boolean,
        "time": pl.Int64,
    }
    columns = [
        pl.Series(column.name, list(found), dtype=types[column.kind])
        for column, found in _by_column(source, table, pool)
    ]
    times = [column.name for column in columns_of(table) if column.kind == "time"]
    made: polars.DataFrame = pl.DataFrame(columns).with_columns(pl.col(times).cast(pl.Datetime("ns", "UTC")))
    return made


def _by_column(source: Source, table: Table, pool: PoolLike | None) -> list[tuple[Column, tuple[Any, ...]]]:
    columns = columns_of(table)
    found = list(zip(*values(source, table, pool=pool), strict=True)) or [()] * len(columns)
    return list(zip(columns, found, strict=True))


def _words(column: Column, found: list[Any]) -> list[str]:
    """Return the words that a column is known to have, and after them others that it has."""
    return list(dict.fromkeys((*column.words, *(word for word in found if word is not None))))
