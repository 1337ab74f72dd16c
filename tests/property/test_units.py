from __future__ import annotations

import pickle

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from libstorage.units import Size

LIMIT = 2**63 - 1
sizes = st.integers(0, LIMIT).map(Size)
words = st.sampled_from(
    ["b", "byte", "bytes", *(p + end for p in "KMGTPE" for end in ("", "iB", "B"))]
).flatmap(lambda word: st.tuples(*(st.sampled_from([c.lower(), c.upper()]) for c in word)).map("".join))
numbers = st.integers(0, 40) | st.integers(0, 2 * LIMIT)


def scaled(value: int, word: str) -> int | None:
    """libvirt's rule, told another way: the letter is the power, what follows it the base."""
    if word.lower() in {"b", "byte", "bytes"}:
        result = value
    else:
        base = {"": 1024, "ib": 1024, "b": 1000}[word[1:].lower()]
        result = value * base ** " kmgtpe".index(word[0].lower())
    return result if result <= LIMIT else None


@given(numbers, words, st.sampled_from(["", " ", "\t"]))
def test_units_scale_as_libvirt_does(number: int, word: str, gap: str) -> None:
    expected = scaled(number, word)
    for value, unit in ((number, word), (str(number), word), (f"{number}{gap}{word}", None)):
        if expected is None:
            with pytest.raises(ValueError, match="too large"):
                Size(value, unit)
        else:
            assert Size(value, unit) == expected


@given(st.text(max_size=8) | st.from_regex(r"[kmgtpebi]{1,4}", fullmatch=True))
def test_nothing_else_is_a_unit(word: str) -> None:
    low = word.lower() if word.isascii() else word
    assume(low not in {"", "b", "byte", "bytes"})
    assume(low[:1] not in set("kmgtpe") or low[1:] not in {"", "b", "ib"})
    with pytest.raises(ValueError, match="is not a unit of size"):
        Size(1, word)


@given(sizes)
def test_text_reads_back(size: Size) -> None:
    assert Size(str(size)) == Size(f"{size:d}") == pickle.loads(pickle.dumps(size)) == size
    assert eval(repr(size)) == size


@given(sizes, st.integers(0, 6))
def test_text_for_people_is_the_nearest_number(size: Size, digits: int) -> None:
    number, unit = f"{size:.{digits}h}".split()
    scale = Size(1, unit)
    assert float(number) < 1024
    assert abs(float(number) - size / scale) <= 0.500001 * 10**-digits
    assert unit.startswith("byte") == (size < 1024)


@given(st.decimals(0, 7, places=6), st.sampled_from(["KiB", "GiB", "EB", "b"]))
def test_the_advice_for_a_fraction_is_its_value(number: object, unit: str) -> None:
    with pytest.raises(ValueError, match="write '") as caught:
        Size(f"{number} {unit}")
    advice = str(caught.value)
    written = Size(advice.rsplit("write '", maxsplit=1)[1].split("'", maxsplit=1)[0])
    exact = float(str(number)) * Size(1, unit)
    assert exact * (1 - 1e-12) <= written <= exact * (1 + 1e-12) + 1
    if not advice.endswith("rounded up to a whole byte"):
        assert written == pytest.approx(exact, rel=1e-12)


@given(st.text())
def test_any_text_is_a_size_or_a_value_error(text: str) -> None:
    try:
        size = Size(text)
    except ValueError as error:
        assert str(error)  # noqa: PT017 - either way is right
    else:
        assert 0 <= size <= LIMIT


@given(sizes, sizes)
def test_differences_undo_sums(one: Size, other: Size) -> None:
    assume(one + int(other) <= LIMIT if int(one) + int(other) <= LIMIT else False)
    assert one + other - other == one
    assert type(one + other - other) is Size
    assert int(one - other) == int(one) - int(other)
