"""The value of a secret: what it takes, what it gives, and that nothing else shows it."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from enum import StrEnum
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import pytest

from libstorage import InvalidRequestError, SecretValue
from tests.sinks import CANARY, hits, shown_errors, shown_values

DATA = CANARY.encode()


class Word(StrEnum):
    PASSWORD = CANARY


FORMS: dict[str, Callable[[], Any]] = {
    "text": lambda: CANARY,
    "bytes": lambda: DATA,
    "bytearray": lambda: bytearray(DATA),
    "memoryview": lambda: memoryview(DATA),
    "every other byte": lambda: memoryview(bytes(byte for one in DATA for byte in (one, 0)))[::2],
    "itself": lambda: SecretValue(CANARY),
    "a word": lambda: Word.PASSWORD,
}


def released() -> memoryview:
    view = memoryview(DATA)
    view.release()
    return view


REFUSED: dict[str, Callable[[], Any]] = {
    "number": lambda: 5,
    "long number": lambda: int.from_bytes(DATA, "big"),
    "truth": lambda: True,
    "fraction": lambda: 1.5,
    "none": lambda: None,
    "list": lambda: [*DATA],
    "tuple": lambda: (CANARY,),
    "range": lambda: range(3),
    "set": lambda: {CANARY},
    "dict": lambda: {CANARY: CANARY},
    "iterator": lambda: iter(DATA),
    "path": lambda: Path(CANARY),
    "type": lambda: bytes,
    "half a surrogate": lambda: CANARY + "\ud800",
    "released view": released,
}


@pytest.fixture(params=FORMS)
def value(request: pytest.FixtureRequest) -> SecretValue:
    return SecretValue(FORMS[request.param]())


def test_every_form_gives_the_bytes(value: SecretValue) -> None:
    assert value.reveal() == DATA
    assert value == SecretValue(CANARY) == DATA == bytearray(DATA)
    assert hash(value) == hash(SecretValue(CANARY))
    assert value != SecretValue("other")
    assert value != CANARY + "x"
    assert {value: 1}[SecretValue(DATA)] == 1


def test_nothing_shows_it(value: SecretValue) -> None:
    shown = dict(shown_values(value))
    assert {sink: found for sink, text in shown.items() if (found := hits(text))} == {}


def test_nothing_shows_its_length() -> None:
    for (sink, short), (_, long) in zip(
        shown_values(SecretValue("a")), shown_values(SecretValue("b" * 10_000)), strict=True
    ):
        if sink != "attributes":  # which holds an address
            assert short == long


def test_the_caller_may_overwrite_what_it_gave() -> None:
    data = bytearray(DATA)
    value = SecretValue(data)
    data[:] = bytes(len(data))
    assert value.reveal() == DATA


@pytest.mark.parametrize("form", REFUSED)
def test_anything_else_is_refused_by_its_type(form: str) -> None:
    given = REFUSED[form]()
    with pytest.raises(InvalidRequestError) as caught:
        SecretValue(given)
    error = caught.value
    assert (error.outcome, error.retry) == ("not_started", "no")
    assert type(given).__name__ in error.message or form == "half a surrogate"
    assert error.__context__ is error.__cause__ is None
    assert {sink: found for sink, text in shown_errors(error) if (found := hits(text))} == {}
    assert str(5) not in error.message


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_is_never_pickled(protocol: int) -> None:
    for holder in (SecretValue(CANARY), [SecretValue(CANARY)], {"a": SecretValue(CANARY)}):
        with pytest.raises(TypeError, match="reveal") as caught:
            pickle.dumps(holder, protocol)
        assert {sink for sink, text in shown_errors(caught.value) if hits(text)} == set()


def test_it_does_not_reach_another_process() -> None:
    with pytest.raises(TypeError, match="reveal"):
        ForkingPickler.dumps(SecretValue(CANARY))


def test_copies_are_itself() -> None:
    value = SecretValue(CANARY)
    assert copy.copy(value) is copy.deepcopy(value) is value
    assert copy.deepcopy([value])[0] is value


def test_what_would_reveal_it_without_saying_so_is_not_there() -> None:
    value: Any = SecretValue(CANARY)
    for act in (
        bytes,
        list,
        iter,
        len,
        memoryview,
        vars,
        dict,
        json.dumps,
        int,
        float,
        lambda v: v + b"",
        lambda v: v[0],
    ):
        with pytest.raises(TypeError) as caught:
            act(value)
        assert not hits(str(caught.value))
