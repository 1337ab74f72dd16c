"""Numbers that callers give: wherever one is taken, what it cannot be is refused before anything happens."""

from __future__ import annotations

import inspect
import io
import math
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import libstorage as ls
from libstorage import Host, Options, Pool, PoolState, Volume, VolumeSpec, connect
from libstorage.connection.arguments import LONGEST, SHORTEST

NO_NUMBERS = ["5", b"5", "", [1], (1, 2), {}, 5j, Decimal(5), True, False, object(), math.nan, -math.nan]
NO_SECONDS = [
    *NO_NUMBERS,
    0,
    -0.0,
    -1,
    -1e-9,
    SHORTEST / 2,
    math.inf,
    -math.inf,
    1e10,
    10**400,
    Fraction(-1, 2),
]
NO_COUNTS: list[Any] = [*NO_NUMBERS, 0, -1, 1.0, 2.5, 2**31, 2**64, -(2**63), math.inf]
NO_FLAGS = [
    *NO_NUMBERS,
    None,
    -1,
    2**32,
    2**32 | 4,
    2**33 | 1,
    2**64,
    -(2**32),
    1.0,
    math.inf,
    PoolState.RUNNING,
]
NO_SIZES = [*NO_NUMBERS[1:], -1, 2**63, 2**64, 1.5, math.inf, "-1", "ten"]

Things: TypeAlias = dict[type, Any]
Place: TypeAlias = tuple[str, Callable[[Things, Any], object]]
"""Where a number is taken, and what gives it one."""

OPTIONS = [option.name for option in attrs.fields(Options) if option.name.endswith("timeout")]


@pytest.fixture(scope="module")
def things(uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Things]:
    """One of each that has verbs, on a real host, by class."""
    folder = tmp_path_factory.mktemp("arguments")
    with connect(uri) as host:
        pool = host.pools.create_transient(ls.PoolSpec.dir("arguments", str(folder)))
        volume = pool.volumes.create(VolumeSpec.raw("there", "1 MiB"))
        found = (host, pool, volume, host.pools, pool.volumes, host.secrets)
        yield {type(thing): thing for thing in found}
        pool.stop()


def seconds_taken() -> Iterator[Place]:
    """Everything of libstorage's that takes a number of seconds."""
    for option in OPTIONS:
        yield f"Options({option})", partial(_made_with, option)
        for kind in (Host, Pool, Volume):
            yield f"{kind.__name__}.with_options({option})", partial(_changed, kind, option)
    for parameter in inspect.signature(connect).parameters:
        if parameter.endswith("timeout"):
            yield f"connect({parameter})", partial(_connected_with, parameter)
    yield from verbs_with("deadline")


def verbs_with(*parameters: str) -> Iterator[Place]:
    """Every public verb that has one of these parameters, to be called with a value for it."""
    for kind in (Host, Pool, Volume, ls.Pools, ls.Volumes, ls.Secrets):
        for name, verb in inspect.getmembers(kind, inspect.isfunction):
            for parameter in inspect.signature(verb).parameters:
                if not name.startswith("_") and parameter in parameters:
                    yield f"{kind.__name__}.{name}({parameter})", partial(_called, kind, name, parameter)


def _made_with(option: str, _: Things, value: Any) -> object:
    return Options(**{option: value})


def _changed(kind: type, option: str, things: Things, value: Any) -> object:
    return things[kind].with_options(**{option: value})


def _connected_with(parameter: str, things: Things, value: Any) -> None:
    options: dict[str, Any] = {parameter: value}
    connect(things[Host].uri, **options).close()


def _called(kind: type, name: str, parameter: str, things: Things, value: Any) -> object:
    needed = NEEDS[kind, name](things) if (kind, name) in NEEDS else {}
    return getattr(things[kind], name)(**{**needed, parameter: value})


NEEDS: dict[tuple[type, str], Callable[[Things], dict[str, object]]] = {
    (Volume, "upload"): lambda _: {"source": b"other bytes"},
    (Volume, "download"): lambda _: {"target": io.BytesIO()},
    (Volume, "copy_to"): lambda things: {"pool": things[Pool], "new": "copy"},
    (Volume, "clone"): lambda _: {"new": "clone"},
    (Volume, "resize"): lambda _: {"capacity": 4096},
    (ls.Volumes, "create"): lambda _: {"spec": VolumeSpec.raw("new", 4096)},
    (ls.Volumes, "import_image"): lambda _: {"source": b"bytes", "name": "new"},
}


class TestSeconds:
    @pytest.mark.parametrize("place", [name for name, _ in seconds_taken()])
    def test_what_is_none_is_refused(self, things: Things, place: str) -> None:
        call = dict(seconds_taken())[place]
        before = state_of(things)
        option = re.findall(r"\w+", place)[-1]
        for value in NO_SECONDS:
            with pytest.raises(
                ls.InvalidRequestError, match=rf"^{option} must be a number of seconds from"
            ) as caught:
                call(things, value)
            assert (caught.value.outcome, caught.value.retry) == ("not_started", "no"), value
        assert state_of(things) == before

    @given(
        value=st.floats(SHORTEST, LONGEST)
        | st.integers(1, int(LONGEST))
        | st.fractions("1/999", 10**9)
        | st.none()
    )
    def test_what_is_one_is_taken(self, value: Any) -> None:
        for option in OPTIONS:
            assert getattr(Options(**{option: value}), option) == value

    @given(value=st.floats() | st.integers() | st.text() | st.booleans() | st.binary() | st.none())
    def test_every_value_is_one_or_the_other(self, value: Any) -> None:
        right = value is None or (
            type(value) in {int, float} and not math.isnan(value) and SHORTEST <= value <= LONGEST
        )
        for option in OPTIONS:
            try:
                Options(**{option: value})
            except ls.InvalidRequestError:
                assert not right
            else:
                assert right


class TestCounts:
    def test_lanes(self, uri: str) -> None:
        for value in NO_COUNTS:
            with pytest.raises(ls.InvalidRequestError, match=r"^lanes must be a whole number from 1"):
                connect(uri, lanes=value)

    def test_ranges(self, things: Things, tmp_path: Path) -> None:
        for value in NO_COUNTS:
            with pytest.raises(ls.InvalidRequestError, match=r"^parallel must be a whole number from 1"):
                things[Volume].download(tmp_path / "file", parallel=value)
        assert not list(tmp_path.iterdir())

    def test_buffers(self, things: Things) -> None:
        for value in [*NO_COUNTS, None, -2]:
            if value not in (0, -1):
                with pytest.raises(
                    ls.InvalidRequestError, match=r"^buffering must be a whole number from -1"
                ):
                    things[Volume].open("rb", buffering=value)

    def test_switches(self, things: Things) -> None:
        wrong: list[Any] = ["no", 1, 0, None]
        for value in wrong:
            with pytest.raises(ls.InvalidRequestError, match=r"^strict_names must be True or False"):
                things[Host].with_options(strict_names=value)


class TestFlags:
    """libvirt's binding cuts flags down to 32 bits: what is left of 2**32 | SHRINK shrinks."""

    @pytest.mark.parametrize("place", [name for name, _ in verbs_with("flags")])
    def test_what_are_none_is_refused(self, things: Things, place: str) -> None:
        call = dict(verbs_with("flags"))[place]
        before = state_of(things)
        for value in NO_FLAGS:
            with pytest.raises(ls.InvalidRequestError, match=r"^flags must be a combination of") as caught:
                call(things, value)
            assert (caught.value.outcome, caught.value.retry) == ("not_started", "no"), value
        assert state_of(things) == before

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(high=st.integers(32, 80), low=st.sampled_from(list(ls.VolumeResizeFlags)), negative=st.booleans())
    def test_no_high_bits(self, things: Things, high: int, low: int, negative: bool) -> None:
        flags: Any = -(1 << high | low) if negative else 1 << high | low
        with pytest.raises(ls.InvalidRequestError):
            things[Volume].resize(4096, flags=flags)

    @pytest.mark.parametrize("value", [2**32 | 1, -1, 2**31, 2**64])
    def test_numbers_of_enums(self, things: Things, value: int) -> None:
        with pytest.raises(ls.InvalidRequestError, match="is not a WipeAlgorithm"):
            things[Volume].wipe(ls.WipeAlgorithm(value))
        with pytest.raises(ls.InvalidRequestError, match="is not a SecretUsageType"):
            things[ls.Secrets].by_usage(ls.SecretUsageType(value), "/x")


class TestSizes:
    @pytest.mark.parametrize(
        "place", [name for name, _ in verbs_with("offset", "length", "capacity", "min_capacity")]
    )
    def test_what_is_none_is_refused(self, things: Things, place: str) -> None:
        call = dict(verbs_with("offset", "length", "capacity", "min_capacity"))[place]
        before = state_of(things)
        for value in NO_SIZES:
            with pytest.raises(ls.InvalidRequestError):
                call(things, value)
        assert state_of(things) == before


def test_all_numbers_of_verbs_are_known() -> None:
    """A new parameter that takes a number belongs above, too."""
    known = {"deadline", "flags", "parallel", "buffering", "offset", "length", "capacity", "min_capacity"}
    found = set()
    for kind in (Host, Pool, Volume, ls.Pools, ls.Volumes, ls.Secrets, ls.Secret):
        for name, verb in inspect.getmembers(kind, inspect.isfunction):
            for parameter in inspect.signature(verb).parameters.values():
                if not name.startswith("_") and re.search(
                    r"\b(int|float|SizeLike|\w*Flags)\b", str(parameter.annotation)
                ):
                    found.add(parameter.name)
    assert known <= found <= known | {"max_capacity"}


def state_of(things: Things) -> object:
    """What the file system says."""
    folder = Path(things[Volume].path()).parent
    return {
        file.name: (file.stat().st_size, file.stat().st_mtime_ns, file.read_bytes())
        for file in folder.iterdir()
    }
