from __future__ import annotations

import copy
import json
import operator
import pickle
from typing import Any

import pytest

from libstorage.units import GiB, KiB, MiB, Size, TiB, counted

LARGEST = 2**63 - 1


class TestReading:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("0", 0),
            ("1536", 1536),
            ("007", 7),
            ("1b", 1),
            ("1 byte", 1),
            ("2 BYTES", 2),
            ("1k", 1024),
            ("1KiB", 1024),
            ("1kib", 1024),
            ("1KB", 1000),
            ("1 kB", 1000),
            ("20 GiB", 20 * 2**30),
            ("20\tG", 20 * 2**30),
            (" 20 GiB\n", 20 * 2**30),
            ("3 MB", 3_000_000),
            ("2 T", 2**41),
            ("2 PB", 2 * 10**15),
            ("7 EiB", 7 * 2**60),
            ("9223372036854775807", LARGEST),
            ("0" * 5000 + "7 KiB", 7168),
        ],
    )
    def test_reads_libvirts_words(self, text: str, value: int) -> None:
        assert Size(text) == Size.parse(text) == value

    def test_takes_the_unit_beside_the_number(self) -> None:
        assert Size(20, "GiB") == Size("20", "GiB") == Size.parse("20", "gib") == 20 * GiB
        assert Size("5", "") == 5

    def test_takes_sizes_and_numbers(self) -> None:
        assert Size(KiB) == Size(1024) == 1024
        assert type(Size(1024)) is Size

    @pytest.mark.parametrize(
        ("text", "advice"),
        [
            ("1.5 GiB", "write '1536 MiB'"),
            (".5KB", "write '500 bytes'"),
            ("1.3 GiB", "write '1395864372 bytes', rounded up to a whole byte"),
            ("1.0", "write '1 byte'"),
            ("0.1", "write '1 byte', rounded up to a whole byte"),
            ("+5 KiB", "write '5 KiB'"),
            ("-0", "write '0 bytes'"),
        ],
    )
    def test_says_how_to_write_what_libvirt_cannot_read(self, text: str, advice: str) -> None:
        with pytest.raises(
            ValueError, match="is not a whole number, which is all that libvirt reads; "
        ) as caught:
            Size(text)
        assert str(caught.value).endswith(advice)
        assert Size(advice.split("'")[1]) >= 0

    def test_the_advice_knows_the_unit_beside_the_number(self) -> None:
        with pytest.raises(ValueError, match=r"'1\.5 GiB' is not a whole number.*write '1536 MiB'"):
            Size("1.5", "GiB")

    @pytest.mark.parametrize(
        "text", ["", " ", "ten", "GiB", "1e3", "0x10", "1,5 GiB", "1 000", "٣", "5\xa0KiB", "5 ٣"]
    )
    def test_refuses_what_is_no_size(self, text: str) -> None:
        with pytest.raises(
            ValueError, match="is not a size: write a whole number and a unit, such as '20 GiB'"
        ):
            Size(text)

    @pytest.mark.parametrize("unit", ["KiBs", "kI", "i", "ZiB", "byt", "bits", "\u212aiB", " KiB"])
    def test_refuses_other_units(self, unit: str) -> None:
        with pytest.raises(
            ValueError, match=r"is not a unit of size; libvirt's units are bytes, KiB, MiB, .* PB, EB$"
        ):
            Size(1, unit)
        with pytest.raises(ValueError, match="is not a unit of size; libvirt's units are"):
            Size("1", unit)

    def test_refuses_two_units(self) -> None:
        with pytest.raises(
            ValueError, match="'5 KiB' contains a unit, but the unit 'MiB' is given separately"
        ):
            Size("5 KiB", "MiB")

    @pytest.mark.parametrize("value", [-1, "-1", "-1.5 GiB", "-1 EiB"])
    def test_refuses_negative_sizes(self, value: int | str) -> None:
        with pytest.raises(ValueError, match="is negative: a size is 0 or more bytes"):
            Size(value)

    @pytest.mark.parametrize(
        "value", [2**63, "9223372036854775808", "8 EiB", "8.5 EiB", "9" * 5000, "9" * 5000 + " K"]
    )
    def test_refuses_what_is_too_large(self, value: int | str) -> None:
        with pytest.raises(
            ValueError, match="is too large: libvirt's limit is 9223372036854775807 bytes"
        ) as caught:
            Size(value)
        assert len(str(caught.value)) < 200

    @pytest.mark.parametrize("value", [True, False, 1.0, None, b"1", [1]])
    def test_refuses_other_types(self, value: Any) -> None:
        with pytest.raises(TypeError, match="is not a size: give a whole number of bytes, or text"):
            Size(value)

    def test_shortens_a_long_text(self) -> None:
        with pytest.raises(ValueError, match="x…' is not a size") as caught:
            Size("x" * 1_000_000)
        assert len(str(caught.value)) < 200


@pytest.mark.parametrize(("shown", "size"), [(0, 0), (LARGEST, LARGEST), (LARGEST + 1, 0), (2**64 - 1, 0)])
def test_a_counter_below_zero_is_zero(shown: int, size: int) -> None:
    assert counted(shown) == size
    assert type(counted(shown)) is Size


def test_no_counter_is_larger_than_64_bits() -> None:
    with pytest.raises(ValueError, match="too large"):
        counted(2**64)


class TestWriting:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1000, "1000 bytes"),
            (1024, "1 KiB"),
            (1536 * 2**20, "1536 MiB"),
            (20 * 2**30, "20 GiB"),
            (2**60, "1 EiB"),
            (LARGEST, "9223372036854775807 bytes"),
        ],
    )
    def test_str_is_exact(self, value: int, text: str) -> None:
        size = Size(value)
        assert str(size) == f"{size}" == text
        assert repr(size) == f"Size('{text}')"

    @pytest.mark.parametrize(
        ("value", "spec", "text"),
        [
            (1536 * 2**20, ".1h", "1.5 GiB"),
            (1536 * 2**20, "h", "1.5 GiB"),
            (1536 * 2**20, ".0h", "2 GiB"),
            (1536 * 2**20, ".3h", "1.500 GiB"),
            (0, ".1h", "0 bytes"),
            (1, ".1h", "1 byte"),
            (1023, ".1h", "1023 bytes"),
            (1024, ".1h", "1.0 KiB"),
            (2**20 - 1, ".1h", "1.0 MiB"),
            (2**20 - 1, ".4h", "1023.9990 KiB"),
            (LARGEST, ".1h", "8.0 EiB"),
            (1536 * 2**20, ">10.1h", "   1.5 GiB"),
            (1536 * 2**20, "*^11.1h", "**1.5 GiB**"),
            (1536 * 2**20, "12", "1536 MiB    "),
            (1536 * 2**20, ">12", "    1536 MiB"),
            (1536, "d", "1536"),
            (1536, ",", "1,536"),
            (1536, "x", "600"),
            (1536, "08d", "00001536"),
            (1536, ".1e", "1.5e+03"),
        ],
    )
    def test_format(self, value: int, spec: str, text: str) -> None:
        assert format(Size(value), spec) == text

    def test_refuses_other_formats(self) -> None:
        with pytest.raises(ValueError, match="format"):
            format(Size(1), ".1y")

    def test_json_has_digits(self) -> None:
        assert json.dumps({"capacity": 20 * GiB}) == '{"capacity": 21474836480}'


class TestCalculating:
    def test_sums_and_multiples_are_sizes(self) -> None:
        for result, text in [
            (GiB + GiB, "2 GiB"),
            (GiB + 1024, "1048577 KiB"),
            (1024 + GiB, "1048577 KiB"),
            (GiB + -1024, "1048575 KiB"),
            (sum([GiB, MiB, KiB]), "1049601 KiB"),
            (GiB - MiB, "1023 MiB"),
            (2048 - KiB, "1 KiB"),
            (GiB - GiB, "0 bytes"),
            (3 * MiB, "3 MiB"),
            (MiB * 3, "3 MiB"),
            (GiB // 2, "512 MiB"),
            (GiB % 1000, "824 bytes"),
        ]:
            assert type(result) is Size
            assert str(result) == text

    def test_a_negative_difference_is_a_number(self) -> None:
        assert type(KiB - MiB) is int
        assert type(0 - KiB) is int
        assert (KiB - MiB, 0 - KiB) == (-1047552, -1024)

    def test_a_size_by_a_size_is_a_count(self) -> None:
        assert type(GiB // MiB) is int
        assert GiB // MiB == 1024

    @pytest.mark.parametrize(
        "calculate", [lambda: Size(LARGEST) + 1, lambda: TiB * 2**23, lambda: GiB + -TiB]
    )
    def test_no_sum_or_multiple_leaves_the_range(self, calculate: Any) -> None:
        with pytest.raises(ValueError, match=r"is too large|is negative"):
            calculate()

    @pytest.mark.parametrize(
        ("result", "value"),
        [
            (KiB + 0.5, 1024.5),
            (0.5 + KiB, 1024.5),
            (KiB - 0.5, 1023.5),
            (0.5 - KiB, -1023.5),
            (KiB * 0.5, 512.0),
            (0.5 * KiB, 512.0),
            (KiB // 0.5, 2048.0),
            (KiB % 0.5, 0.0),
            (KiB / 2, 512.0),
        ],
    )
    def test_fractions_make_floats(self, result: Any, value: float) -> None:
        assert type(result) is float
        assert result == value

    def test_no_text_is_added(self) -> None:
        size: Any = KiB
        for calculate in (operator.add, operator.sub, operator.floordiv):
            with pytest.raises(TypeError, match="unsupported operand"):
                calculate(size, "1")
            with pytest.raises(TypeError, match=r"unsupported operand|can only concatenate"):
                calculate("1", size)

    def test_constants(self) -> None:
        assert (KiB, MiB, GiB, TiB) == (2**10, 2**20, 2**30, 2**40)
        assert [type(constant) for constant in (KiB, MiB, GiB, TiB)] == [Size] * 4


class TestBeingANumber:
    def test_equals_and_hashes_as_one(self) -> None:
        assert Size(5) == 5
        assert hash(Size(5)) == hash(5)
        assert {5: "five"}[Size(5)] == "five"
        assert sorted([GiB, KiB, Size(0)]) == [0, 1024, 2**30]

    @pytest.mark.parametrize("way", [lambda s: pickle.loads(pickle.dumps(s)), copy.copy, copy.deepcopy])
    def test_copies_are_sizes(self, way: Any) -> None:
        back = way(20 * GiB)
        assert type(back) is Size
        assert back == 20 * GiB

    def test_is_no_larger_than_a_number(self) -> None:
        assert not hasattr(Size(1), "__dict__")

    def test_made_from_a_checked_number(self) -> None:
        assert repr(int.__new__(Size, 1024)) == "Size('1 KiB')"
