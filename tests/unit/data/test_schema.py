"""What JSON Schema says of plain data, and what it cannot say."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

import libstorage as ls
from libstorage.data.convert import from_data
from libstorage.data.schema import json_schema


def accepts(model: Any, data: Any) -> bool:
    return jsonschema.Draft202012Validator(json_schema(model)).is_valid(data)


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (ls.VolumeSpec, {"name": "a", "target": {"format": "raw", "compat": "1.1"}}),
        (ls.VolumeSpec, {"name": "a", "capacity": "9 EiB"}),
        (ls.Permissions, {"owner": 1.0}),
        (ls.VolumeSpec, {"name": "a", "unknown": [{"path": "/volume/new", "xml": "<new"}]}),
        (ls.VolumeSpec, {"name": "\ud800"}),
        (ls.PoolSpec, {"name": "a", "source": {"type": "dir"}}),
    ],
)
def test_what_a_schema_cannot_say(model: Any, data: Any) -> None:
    """The list of the page docs/data.md."""
    assert accepts(model, data)
    with pytest.raises(ls.DocumentError):
        from_data(model, data)


def test_the_limits_of_a_number() -> None:
    assert accepts(ls.VolumeSpec, {"name": "a", "capacity": 2**63 - 1})
    assert not accepts(ls.VolumeSpec, {"name": "a", "capacity": 2**63})
    assert accepts(ls.Permissions, {"owner": -1, "mode": 0o777})
    assert not accepts(ls.Permissions, {"owner": -2})
    assert not accepts(ls.Permissions, {"mode": 0o1000})


@pytest.mark.parametrize("end", ["\n", "\r", "\u2028"])
def test_a_text_ends_where_it_ends(end: str) -> None:
    assert accepts(ls.BackingStore, {"path": "/srv/a"})
    assert accepts(ls.BackingStore, {"path": f"/srv/a{end}"}) == (end == "\u2028")


def test_what_editors_show() -> None:
    schema = json_schema(ls.VolumeSpec)
    volume = schema["$defs"]["VolumeSpec"]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert volume["properties"]["key"]["readOnly"] is True
    assert "readOnly" not in volume["properties"]["capacity"]
    assert volume["properties"]["capacity"]["description"] == (
        "Logical size, as a guest sees it. Takes a size, in bytes or with a unit."
    )
    assert volume["properties"]["$schema"] == {"type": "string"}
    assert schema["$defs"]["Permissions"]["properties"]["mode"]["anyOf"][1]["examples"] == ["0640"]


def test_a_word_that_only_reading_makes() -> None:
    assert not accepts(ls.UnknownSource, {"type": "nvme"})


@pytest.mark.parametrize("thing", [dict, ls.PoolSpec.dir("a", "/a"), ls.Size])
def test_other_classes_are_refused(thing: Any) -> None:
    with pytest.raises(TypeError, match="is not a model of libstorage"):
        json_schema(thing)
