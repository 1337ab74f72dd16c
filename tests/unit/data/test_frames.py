"""Rows, and frames of the real pandas and polars: columns, types, keys, errors, and several hosts together."""

from __future__ import annotations

import csv
import io
import json
import sys
from typing import Any

import attrs
import pytest

import libstorage as ls
from libstorage.data.frames import to_pandas, to_polars
from libstorage.data.rows import COLUMNS, Table, rows

UUID = "3e3fce45-4f53-4fa7-bb32-11f34168b82b"
NANOSECONDS = 1_795_884_764_129_360_210

VOLUME = ls.VolumeSpec(
    name="web.qcow2",
    type=ls.VolumeType.FILE,
    capacity="20 GiB",
    allocation=200704,
    physical=196624,
    target=ls.VolumeTarget(
        path="/srv/images/web.qcow2",
        format="qcow2",
        timestamps=ls.Timestamps(mtime=NANOSECONDS, btime=NANOSECONDS + 1),
    ),
    backing_store=ls.BackingStore(path="/srv/images/base", format="raw"),
)
BARE = ls.VolumeSpec.from_xml("<volume><name>bare</name><target/></volume>")
LATE = ls.VolumeSpec.from_xml(
    "<volume><name>late</name><target><timestamps><mtime>18446744073709551556</mtime><btime>0</btime></timestamps>"
    "</target></volume>"
)
LOST = ls.StorageIOError("cannot read it", operation="volume.xml")
LISTING = (
    ls.VolumeEntry(name="web.qcow2", spec=VOLUME),
    ls.VolumeEntry(name="bare", spec=BARE),
    ls.VolumeEntry(name="late", spec=LATE),
    ls.VolumeEntry(name="lost", error=LOST),
)
SPEC = attrs.evolve(
    ls.PoolSpec.dir("images", "/srv/images"), capacity="1 TiB", allocation=5, available="1 GiB"
)
POOLS = (
    ls.PoolEntry(
        name="images", uuid=UUID, active=True, persistent=True, autostart=False, spec=SPEC, volumes=LISTING
    ),
    ls.PoolEntry(name="slow", uuid="s", active=True, error=ls.DeadlineError("no answer")),
    ls.PoolEntry(name="off", uuid="o", active=False, spec=ls.PoolSpec.logical("off")),
)
FULL = ls.Inventory(uri="qemu:///system", pools=POOLS)
EMPTY = ls.Inventory(uri="qemu+ssh://far/system", pools=())
DOWN = ls.ConnectionFailedError("cannot be reached", uri="qemu+ssh://down/system")
SOURCES: tuple[Any, ...] = (FULL, EMPTY, DOWN, POOLS)

tables = pytest.mark.parametrize("table", COLUMNS)
sources = pytest.mark.parametrize("source", SOURCES, ids=["full", "empty", "down", "entries"])


@attrs.frozen
class Known:
    """What a handle says of itself."""

    name: str
    uuid: str = UUID
    uri: str = "qemu:///system"

    @property
    def host(self) -> Known:
        return self


# ---- rows -----------------------------------------------------------------------------------------------------------


def test_the_row_of_a_volume() -> None:
    assert rows(FULL, "volumes")[0] == {
        "host": "qemu:///system",
        "pool": "images",
        "pool_uuid": UUID,
        "volume": "web.qcow2",
        "type": "file",
        "format": "qcow2",
        "capacity": 20 * 2**30,
        "allocation": 200704,
        "physical": 196624,
        "path": "/srv/images/web.qcow2",
        "backing_path": "/srv/images/base",
        "backing_format": "raw",
        "created": "2026-11-28T16:52:44.129360211+00:00",
        "modified": "2026-11-28T16:52:44.129360210+00:00",
        "error": None,
    }


def test_the_row_of_a_pool() -> None:
    found = rows(FULL, "pools")
    assert found[0] == {
        "host": "qemu:///system",
        "pool": "images",
        "pool_uuid": UUID,
        "type": "dir",
        "active": True,
        "persistent": True,
        "autostart": False,
        "capacity": 2**40,
        "allocation": 5,
        "available": 2**30,
        "path": "/srv/images",
        "volumes": 4,
        "error": None,
    }
    assert [row["volumes"] for row in found] == [4, None, None]
    assert [row["type"] for row in found] == ["dir", None, "logical"]


def test_an_error_is_a_row_with_keys() -> None:
    keys = ("host", "pool", "pool_uuid", "volume", "error")
    found = [tuple(row[key] for key in keys) for row in rows(FULL, "volumes")]
    assert found[3:] == [
        ("qemu:///system", "images", UUID, "lost", "StorageIOError: cannot read it"),
        ("qemu:///system", "slow", "s", None, "DeadlineError: no answer"),
    ]
    said = "ConnectionFailedError: cannot be reached"
    assert [(row["host"], row["pool"], row["error"]) for row in rows(DOWN, "pools")] == [
        (DOWN.uri, None, said)
    ]


def test_a_time_that_no_clock_shows_is_missing() -> None:
    late = rows(FULL, "volumes")[2]
    assert (late["modified"], late["created"]) == (None, None)


def test_a_listing_with_and_without_its_pool() -> None:
    alone, known = rows(LISTING, "volumes"), rows(iter(LISTING), "volumes", pool=Known("images"))
    assert known == rows(FULL, "volumes")[:4]
    assert [(row["host"], row["pool"], row["pool_uuid"]) for row in alone] == [(None, None, None)] * 4


@tables
@sources
def test_rows_are_plain(table: Table, source: Any) -> None:
    found = rows(source, table)
    assert json.loads(json.dumps(found)) == found
    assert all(type(value) in {str, int, bool, type(None)} for row in found for value in row.values())
    out = io.StringIO()
    writer = csv.DictWriter(out, [column.name for column in COLUMNS[table]])
    writer.writerows(found)
    assert len(out.getvalue().splitlines()) == len(found)


@pytest.mark.parametrize(
    ("source", "table", "said"),
    [
        (FULL, "volume", "'volume' is not a table; expected one of pools, volumes .did you mean 'volumes'"),
        (LISTING, "pools", "a VolumeEntry is not an entry of a table of pools"),
        ([VOLUME], "volumes", "a VolumeSpec is not an entry of a table of volumes"),
    ],
)
def test_what_is_refused(source: Any, table: Any, said: str) -> None:
    for function in (rows, to_pandas, to_polars):
        with pytest.raises(ls.InvalidRequestError, match=said):
            function(source, table)


# ---- pandas ---------------------------------------------------------------------------------------------------------


def types_in_pandas(table: Table) -> dict[str, Any]:
    import pandas as pd

    known = {
        "text": pd.StringDtype(),
        "bytes": pd.Int64Dtype(),
        "count": pd.Int64Dtype(),
        "flag": pd.BooleanDtype(),
    }
    words = {
        column.name: pd.CategoricalDtype(list(column.words))
        for column in COLUMNS[table]
        if column.kind == "word"
    }
    times = {
        column.name: pd.DatetimeTZDtype("ns", "UTC") for column in COLUMNS[table] if column.kind == "time"
    }
    return (
        {column.name: known[column.kind] for column in COLUMNS[table] if column.kind in known} | words | times
    )


@tables
@sources
def test_columns_and_types_of_pandas(table: Table, source: Any) -> None:
    frame = to_pandas(source, table)
    assert list(frame.columns) == [column.name for column in COLUMNS[table]]
    assert dict(frame.dtypes) == types_in_pandas(table)


@tables
def test_frames_of_hosts_fit_together(table: Table) -> None:
    import pandas as pd

    whole = pd.concat([to_pandas(source, table) for source in (EMPTY, FULL, DOWN)], ignore_index=True)
    assert dict(whole.dtypes) == types_in_pandas(table)
    assert len(whole) == len(rows(FULL, table)) + 1
    assert whole["host"].tolist() == ["qemu:///system"] * len(rows(FULL, table)) + [DOWN.uri]


def test_values_in_pandas() -> None:
    import pandas as pd

    frame = to_pandas(FULL, "volumes")
    assert frame["capacity"][0] == 20 * 2**30
    assert frame["capacity"].isna().tolist() == [False, True, True, True, True]
    assert frame["modified"][0].value == NANOSECONDS
    assert frame["modified"].isna().tolist() == [False, True, True, True, True]
    assert frame["format"][0] == "qcow2"
    assert frame.groupby("format", observed=True)["capacity"].sum().to_dict() == {"qcow2": 20 * 2**30}
    joined = to_pandas(FULL, "pools").merge(
        frame, on=["host", "pool", "pool_uuid"], suffixes=("", "_of_volume")
    )
    assert len(joined) == 5
    assert isinstance(joined.dtypes["capacity"], pd.Int64Dtype)


def test_a_word_of_a_newer_libvirt_is_kept() -> None:
    newer = ls.VolumeSpec.from_xml("<volume><name>a</name><target><format type='vhdx'/></target></volume>")
    listing = [ls.VolumeEntry(name="a", spec=newer)]
    frame = to_pandas(listing, "volumes")
    assert frame["format"].tolist() == ["vhdx"]
    assert list(frame["format"].cat.categories)[-1] == "vhdx"
    assert to_polars(listing, "volumes")["format"].to_list() == ["vhdx"]


# ---- polars ---------------------------------------------------------------------------------------------------------


@tables
def test_columns_and_types_of_polars(table: Table) -> None:
    import polars as pl

    types = {
        "text": pl.String,
        "word": pl.Categorical,
        "bytes": pl.Int64,
        "count": pl.Int64,
        "flag": pl.Boolean,
        "time": pl.Datetime("ns", "UTC"),
    }
    frames = [to_polars(source, table) for source in SOURCES]
    for frame in frames:
        assert dict(frame.schema) == {column.name: types[column.kind] for column in COLUMNS[table]}
    assert len(pl.concat(frames)) == 2 * len(rows(FULL, table)) + 1


def test_values_in_polars() -> None:
    frame = to_polars(FULL, "volumes")
    assert frame["capacity"].to_list() == [20 * 2**30, None, None, None, None]
    assert frame["modified"].dt.timestamp("ns").to_list() == [NANOSECONDS, None, None, None, None]
    assert frame["format"].to_list() == ["qcow2", None, None, None, None]
    assert frame["error"].to_list()[3] == "StorageIOError: cannot read it"


@pytest.mark.parametrize(("package", "function"), [("pandas", to_pandas), ("polars", to_polars)])
def test_a_missing_package_is_named(package: str, function: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ls.UnsupportedError, match=rf"pip install 'libstorage\[{package}\]'"):
        function(FULL, "pools")
