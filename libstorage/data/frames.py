"""Inventories and listings as data frames of pandas or polars, with the same columns and types whatever they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from libstorage.data.extras import extra
from libstorage.data.rows import Column, PoolLike, Source, Table, columns_of, values

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

_IN_PANDAS = {"text": "string", "bytes": "Int64", "count": "Int64", "flag": "boolean"}
_NOT_A_TIME = -(2**63)


def to_pandas(source: Source, table: Table, *, pool: PoolLike | None = None) -> pd.DataFrame:
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
    pandas = extra("pandas", "pandas", "pandas", "A frame of pandas cannot be made")
    made: pd.DataFrame = pandas.DataFrame(
        {
            column.name: _series(pandas, column, list(found))
            for column, found in _by_column(source, table, pool)
        }
    )
    return made


def _series(pandas: Any, column: Column, found: list[Any]) -> Any:
    if column.kind == "word":
        return pandas.Categorical(found, dtype=pandas.CategoricalDtype(_words(column, found)))
    if column.kind == "time":
        numbers = pandas.array(found, dtype="Int64").to_numpy("int64", na_value=_NOT_A_TIME)
        return pandas.DatetimeIndex(numbers.view("datetime64[ns]"), tz="UTC")
    return pandas.array(found, dtype=_IN_PANDAS[column.kind])


def to_polars(source: Source, table: Table, *, pool: PoolLike | None = None) -> pl.DataFrame:
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
    polars = extra("polars", "polars", "polars", "A frame of polars cannot be made")
    types = {
        "text": polars.String,
        "word": polars.Categorical,
        "bytes": polars.Int64,
        "count": polars.Int64,
        "flag": polars.Boolean,
        "time": polars.Int64,
    }
    columns = [
        polars.Series(column.name, list(found), dtype=types[column.kind])
        for column, found in _by_column(source, table, pool)
    ]
    times = [column.name for column in columns_of(table) if column.kind == "time"]
    made: pl.DataFrame = polars.DataFrame(columns).with_columns(
        polars.col(times).cast(polars.Datetime("ns", "UTC"))
    )
    return made


def _by_column(source: Source, table: Table, pool: PoolLike | None) -> list[tuple[Column, tuple[Any, ...]]]:
    columns = columns_of(table)
    found = list(zip(*values(source, table, pool=pool), strict=True)) or [()] * len(columns)
    return list(zip(columns, found, strict=True))


def _words(column: Column, found: list[Any]) -> list[str]:
    """Return the words that a column is known to have, and after them others that it has."""
    return list(dict.fromkeys((*column.words, *(word for word in found if word is not None))))
