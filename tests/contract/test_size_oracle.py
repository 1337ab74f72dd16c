"""Our sizes against libvirt itself: its test driver reads the ``<capacity>`` of a volume."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import libvirt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libstorage.units import Size

Oracle = Callable[[str, str | None], int | None]

NODE = """
<node>
  <pool type='dir'><name>pool</name><target><path>/pool</path></target></pool>
</node>
"""
UNITS = ["b", "byte", "bytes", *(prefix + end for prefix in "KMGTPE" for end in ("", "iB", "B"))]
LIMIT = 2**63 - 1


@pytest.fixture(scope="module")
def libvirts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    """What libvirt makes of a number and a unit, in bytes; ``None`` when it refuses them."""
    node = Path(tmp_path_factory.mktemp("node"), "node.xml")
    node.write_text(NODE, encoding="utf-8")
    connection = libvirt.open(f"test://{node}")
    pool = connection.storagePoolLookupByName("pool")

    def ask(number: str, unit: str | None) -> int | None:
        document = ET.Element("volume")
        ET.SubElement(document, "name").text = "volume"
        ET.SubElement(document, "allocation").text = "0"
        ET.SubElement(document, "capacity", {} if unit is None else {"unit": unit}).text = number
        try:
            volume = pool.createXML(ET.tostring(document, encoding="unicode"))
        except libvirt.libvirtError:
            return None
        capacity = ET.fromstring(volume.XMLDesc()).find("capacity")
        volume.delete()
        assert capacity is not None
        assert capacity.get("unit") == "bytes"
        return int(capacity.text or "")

    yield ask
    connection.close()


def ours(number: str, unit: str | None) -> int | None:
    try:
        return Size.parse(number, unit or "")
    except ValueError:
        return None


@pytest.mark.parametrize("unit", UNITS)
def test_every_unit(libvirts: Oracle, unit: str) -> None:
    largest = LIMIT // Size(1, unit)
    for spelt in {unit, unit.lower(), unit.upper(), unit.swapcase()}:
        for number in (0, 1, 7, 1000, largest - 1, largest, largest + 1, 2**64 - 1, 2**64):
            assert ours(str(number), spelt) == libvirts(str(number), spelt)
    assert ours(str(largest), unit) is not None


@given(number=st.integers(0, 2**64 + 2), unit=st.none() | st.sampled_from(UNITS))
def test_any_number(libvirts: Oracle, number: int, unit: str | None) -> None:
    assert ours(str(number), unit) == libvirts(str(number), unit)


@given(
    unit=st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")
    )
)
def test_any_unit(libvirts: Oracle, unit: str) -> None:
    assert ours("1", unit) == libvirts("1", unit)


@pytest.mark.parametrize(
    "unit",
    [
        "",
        " ",
        " KiB",
        "KiB ",
        "KiBs",
        "kI",
        "i",
        "iB",
        "ZiB",
        "byt",
        "bytess",
        "\u212aiB",
        "K\u0131B",
        "%",
        "Ki B",
    ],
)
def test_odd_units(libvirts: Oracle, unit: str) -> None:
    assert ours("1", unit) == libvirts("1", unit)


@pytest.mark.parametrize(
    "number",
    [
        *(
            "",
            "-1",
            "-0",
            "-18446744073709551615",
            "1.5",
            "1.0",
            ".5",
            "1,5",
            "1e3",
            "0x10",
            "007",
            "0" * 5000 + "7",
        ),
        *(
            "5 GiB",
            "ten",
            "\u0663",
            "5\xa0",
            "\xa05",
            " 5",
            "\t5",
            "5_0",
            "9223372036854775807",
            "9223372036854775808",
        ),
    ],
)
def test_odd_numbers(libvirts: Oracle, number: str) -> None:
    assert ours(number, "b") == libvirts(number, "b")


@pytest.mark.parametrize(
    ("number", "mine", "theirs"),
    [
        ("+5", None, 5),  # libvirt's schema refuses a sign as we do
        ("5 ", 5, None),  # space around a number changes nothing, so we take it
        ("5\n", 5, None),
    ],
)
def test_known_differences(libvirts: Oracle, number: str, mine: int | None, theirs: int | None) -> None:
    assert (ours(number, "b"), libvirts(number, "b")) == (mine, theirs)
