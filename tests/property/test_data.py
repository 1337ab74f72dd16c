"""What holds for the plain data of every document: it comes back, through every format, and its schema agrees."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libstorage.data.convert import from_data, to_data
from libstorage.data.files import Format, dump, load
from libstorage.data.schema import json_schema
from libstorage.errors import DocumentError
from libstorage.models.spec import without_reported
from libstorage.units import SPELLINGS, Size
from libstorage.xml.code import once_per_class
from libstorage.xml.document import Document, Element, value_problem
from libstorage.xml.mapping import mapping_of
from tests.property.test_laws import DOCUMENTS, inside, law
from tests.support import same


@once_per_class
def schema_of(model: type) -> jsonschema.Draft202012Validator:
    schema = json_schema(model)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


# ---- there and back -------------------------------------------------------------------------------------------------


@law()
def test_data_come_back(kind: str, data: st.DataObject) -> None:
    made: Document = data.draw(DOCUMENTS[kind])
    model = type(made)
    whole = to_data(made, reported=True)

    assert same(from_data(model, whole), made)
    assert same(from_data(model, whole, check=False), made)
    assert json.loads(json.dumps(whole)) == whole
    assert all(type(value) in {str, int, bool, list, dict} for value in values_in(whole))
    assert schema_of(model).is_valid(whole)


def values_in(data: Any) -> Iterator[Any]:
    yield data
    inner = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    for value in inner:
        yield from values_in(value)


@law()
def test_what_libvirt_reports_is_left_out_as_in_xml(kind: str, data: st.DataObject) -> None:
    made: Document = data.draw(DOCUMENTS[kind])
    again = from_data(type(made), to_data(made), check=False)

    assert same(again, without_reported(made))
    assert again.to_xml() == made.to_xml()


@law()
def test_each_element_has_data_of_its_own(kind: str, data: st.DataObject) -> None:
    for element in inside(data.draw(DOCUMENTS[kind])):
        whole = to_data(element, reported=True)
        assert same(from_data(type(element), whole), element)
        assert schema_of(type(element)).is_valid(whole)


@pytest.mark.parametrize("format", ["yaml", "json", "toml"])
@law("volume", "secret", "pool netfs", "pool scsi", "pool rbd", "capabilities", "sources")
def test_texts_come_back(kind: str, format: Format, data: st.DataObject) -> None:
    made: Document = data.draw(DOCUMENTS[kind])
    model = type(made)

    assert same(load(model, dump(made, format=format, reported=True), format=format), made)
    several = dump([made, made], format=format, reported=True)
    assert same(tuple(load(model, several, format=format, many=True)), (made, made))


# ---- the schema -----------------------------------------------------------------------------------------------------

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 511, 512, 2**63 - 1, 2**63, 1.5),
    *("", " ", "x", "..", "/", "/a\n", "a/b", "a\nb", "\x07", "\ufffe", "raw", "yes", "fs"),
    *("20 GiB", "1.5 GiB", " 7 kib ", "7 x", "0640", "0o640", "1777", "0000640", "1.1", "host0", "nas:2049"),
    *("3E3FCE45-4f53-4fa7bb3211f34168b82b", "3e3fce45", "0x0123456789abcdef", "[::1]", "::1"),
    *([], {}, [1], ["a"], [{}], {"type": "dir"}, {"path": "/a"}),
    *([{"path": "/volume/new", "xml": "<new/>"}], [{"path": "/volume/@new", "xml": 'new="1"'}]),
)
KEYS = ("name", "type", "capacity", "target", "source", "unknown", "nmae", "$schema", "xml", "path", "uuid")


@st.composite
def changed(draw: st.DrawFn, whole: Any) -> Any:
    """Data of which one to three values or keys are others."""
    whole = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from([value for value in values_in(whole) if isinstance(value, dict)]))
        key = draw(st.sampled_from([*place, *KEYS]))
        if key in place and draw(st.booleans()):
            del place[key]
        else:
            place[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
    return whole


@law()
def test_the_schema_takes_what_is_taken(kind: str, data: st.DataObject) -> None:
    """And refuses what is refused, unless every value by itself is right."""
    made: Document = data.draw(DOCUMENTS[kind])
    given = data.draw(changed(to_data(made, reported=True)))
    refusals = [error.message for error in schema_of(type(made)).iter_errors(given)]
    if is_taken(type(made), given):
        assert not refusals
    else:
        assert refusals or breaks_rules_only(type(made), given)


def is_taken(model: type[Document], given: Any) -> bool:
    try:
        from_data(model, given)
    except DocumentError:
        return False
    return True


def breaks_rules_only(model: type[Document], given: Any) -> bool:
    found = from_data(model, given, check=False)
    return not [problem for element in (found, *inside(found)) for problem in wrong_values(element)]


def wrong_values(element: Element) -> Iterator[object]:
    model = type(element)
    for mapped in mapping_of(model).fields:
        if problem := value_problem(model, mapped, getattr(element, mapped.name)):
            yield problem


@given(
    st.one_of(
        st.from_regex(f"(?:{SPELLINGS})", fullmatch=True), st.text("0123456789 kKiIbByYtTeE.", max_size=9)
    )
)
def test_the_pattern_of_sizes_takes_what_is_a_size(text: str) -> None:
    assert bool(re.fullmatch(SPELLINGS, text)) == is_size(text)


def is_size(text: str) -> bool:
    try:
        Size(text)
    except ValueError as error:
        return "too large" in str(error) and "-" not in text and "." not in text
    return True
