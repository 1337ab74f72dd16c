"""What type checkers make of sizes, enums, errors and operations; checked by ``make lint``, never run."""

from __future__ import annotations

from typing import assert_type

from libstorage.enums import ListPoolsFlags, PoolState, PoolType, VolumeFormat, WipeAlgorithm
from libstorage.errors import DocumentError, HelperError, Outcome, Problem, Retry, StorageError
from libstorage.operations import OPERATIONS, Duration, Operation
from libstorage.units import GiB, Size


def sizes(size: Size) -> None:
    assert_type(Size("20 GiB"), Size)
    assert_type(Size.parse("20", "GiB"), Size)
    assert_type(size + 1, Size)
    assert_type(size * 2, Size)
    assert_type(size % 512, Size)
    assert_type(size // 2, Size)
    assert_type(size // GiB, int)
    assert_type(size - GiB, int)
    assert_type(GiB, Size)


def enums(state: PoolState) -> None:
    assert_type(PoolState(99), PoolState)
    assert_type(PoolState.from_word("running"), PoolState)
    assert_type(state.value, int)
    assert_type(state.since, str | None)
    assert_type(state.constant, str | None)
    assert_type(state.word, str)
    assert_type(ListPoolsFlags.ACTIVE | ListPoolsFlags.DIR, ListPoolsFlags)
    assert_type(ListPoolsFlags.for_type(PoolType.DIR), ListPoolsFlags)
    assert_type(VolumeFormat("raw"), VolumeFormat)
    assert_type([algorithm for algorithm in WipeAlgorithm], list[WipeAlgorithm])  # noqa: C416 - its type is the point


def errors(error: StorageError, document: DocumentError, helper: HelperError) -> None:
    assert_type(error.outcome, Outcome | None)
    assert_type(error.retry, Retry | None)
    assert_type(error.errno, int | None)
    assert_type(document.problems, tuple[Problem, ...])
    assert_type(helper.exit_status, int | None)


def operations() -> None:
    assert_type(OPERATIONS["pool.start"], Operation)
    assert_type(OPERATIONS["pool.start"].duration, Duration)
