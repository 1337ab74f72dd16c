"""A small sample of cut and changed images; ``make images`` judges as many as one likes."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from tests.images.judge import Case, as_file, as_stream, broken_laws, case, shown
from tests.images.made import Made, Maker

SAMPLE = 30


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Made]:
    return list(Maker(tmp_path_factory.mktemp("images")).all())


def test_every_kind_is_good_as_qemu_makes_it(made: list[Made]) -> None:
    for one in made:
        path = one.place / f"{one.form}.{'vhd' if one.form == 'vpc' else one.form}"
        path.write_bytes(one.data)
        assert as_file(path) is None, one.kind
        assert as_stream(path, one.data, 300_000) is None, one.kind


def test_cut_and_changed_images(made: list[Made], tmp_path: Path) -> None:
    (tmp_path / "base").write_bytes(bytes(6 << 20))
    chance, count = random.Random(3), Counter[str]()
    broken: list[str] = []
    for _ in range(SAMPLE):
        one = case(chance.choice(made), chance)
        broken += [shown(one, law) for law in broken_laws(one, tmp_path, 100_000, count)]
    assert broken == []
    assert count["must be refused"] > SAMPLE // 5
    assert count["file accepted"] > SAMPLE // 5


def test_every_number_of_a_qcow2_header(made: list[Made], tmp_path: Path) -> None:
    """Offset and size of the L1 table and the refcount table, and of the snapshots: each bit of them."""
    one, broken, count = (
        next(one for one in made if one.kind == "qcow2 of 33G without data"),
        list[str](),
        Counter[str](),
    )
    for place in (*range(36, 72), *range(96, 104)):
        for bit in range(8):
            data = bytearray(one.data)
            data[place] ^= 1 << bit
            changed = Case(one, f"bit {bit} of byte {place}", bytes(data))
            broken += [shown(changed, law) for law in broken_laws(changed, tmp_path, 100_000, count)]
    assert broken == []
