from __future__ import annotations

import copy
import pickle
import re
from typing import Any

import pytest

from libstorage import operations
from libstorage.operations import OPERATIONS, AfterUnknown, Duration, Effect, Operation

ROWS = list(OPERATIONS.values())
DESTRUCTIVE = """
    pool.create_transient pool.build pool.delete
    volume.resize volume.wipe volume.delete volume.upload
    secret.set_value secret.undefine
"""


def test_names_are_those_of_the_constants() -> None:
    constants = {name: row for name, row in vars(operations).items() if isinstance(row, Operation)}
    assert {name: row.name for name, row in constants.items()} == {
        row.name.upper().replace(".", "_"): row.name for row in ROWS
    }


def test_the_table_is_read_only() -> None:
    table: Any = OPERATIONS
    with pytest.raises(TypeError, match="does not support item assignment"):
        table["pool.start"] = operations.POOL_STOP
    with pytest.raises(AttributeError):
        operations.POOL_STOP.name = "pool.start"  # type: ignore[misc]


@pytest.mark.parametrize("row", ROWS, ids=str)
class TestEveryRow:
    def test_name_is_object_and_verb(self, row: Operation) -> None:
        assert re.fullmatch(r"(host|pools?|volumes?|secrets?)\.[a-z_]+", row.name)
        assert str(row) == row.name
        assert OPERATIONS[row.name] is row

    def test_calls_something(self, row: Operation) -> None:
        assert row.functions
        assert len(set(row.functions)) == len(row.functions)

    def test_reading_changes_nothing(self, row: Operation) -> None:
        if row.effect is Effect.READ:
            assert not row.destructive
            assert row.after_unknown is AfterUnknown.REPEAT

    def test_only_what_is_idempotent_is_just_repeated(self, row: Operation) -> None:
        if row.after_unknown in {AfterUnknown.REPEAT, AfterUnknown.REPEAT_SAME_UUID}:
            assert row.effect is not Effect.MUTATION

    def test_only_long_calls_run_on(self, row: Operation) -> None:
        if row.after_unknown is AfterUnknown.WAIT:
            assert row.duration is Duration.LONG

    @pytest.mark.parametrize("way", [lambda row: pickle.loads(pickle.dumps(row)), copy.deepcopy])
    def test_is_a_value(self, row: Operation, way: Any) -> None:
        assert way(row) == row
        assert hash(way(row)) == hash(row)


def test_what_can_destroy_data() -> None:
    assert {row.name for row in ROWS if row.destructive} == set(DESTRUCTIVE.split())


def test_what_streams() -> None:
    streams = {row.name for row in ROWS if row.duration is Duration.STREAM}
    assert streams == {"volume.upload", "volume.download"}
    assert all("virStreamNew" in row.functions for row in ROWS if row.name in streams)


@pytest.mark.parametrize(
    ("names", "rule"),
    [
        (
            "pools.list pool.info pool.lookup_by_name pool.xml pool.is_active pool.refresh volume.download",
            "repeat",
        ),
        ("pool.define secret.define", "repeat_same_uuid"),
        ("pool.start pool.stop pool.undefine pool.set_autostart", "read_state"),
        ("pool.create_transient volume.create", "look_up"),
        ("pool.build volume.clone volume.wipe volume.resize", "wait"),
        ("volume.upload", "start_over"),
        ("volume.delete secret.undefine", "gone_is_done"),
    ],
)
def test_what_to_do_after_an_unknown_outcome(names: str, rule: str) -> None:
    assert {OPERATIONS[name].after_unknown for name in names.split()} == {AfterUnknown(rule)}
