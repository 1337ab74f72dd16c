"""Plain data of documents: how values are spelled, and what is said of data that describe none."""

from __future__ import annotations

from typing import Any

import pytest

import libstorage as ls
from libstorage.data.convert import from_data, to_data
from libstorage.xml.fields import Unknown
from libstorage.xml.kinds import UnknownWord

POOL = {"name": "images", "source": {"type": "dir"}, "target": {"path": "/srv/images"}}
VOLUME = {"name": "web.qcow2", "capacity": "20 GiB", "target": {"format": "qcow2"}}


def problems(model: Any, data: Any, *, check: bool = True) -> list[str]:
    with pytest.raises(ls.DocumentError) as refused:
        from_data(model, data, check=check)
    return [str(problem) for problem in refused.value.problems]


def test_a_volume() -> None:
    spec = ls.VolumeSpec.qcow2(
        "web.qcow2",
        "20 GiB",
        backing=ls.BackingStore(path="/srv/base.qcow2", format="qcow2"),
        permissions=ls.Permissions(mode=0o40, owner=0, label="it's"),
        cluster_size=64 * ls.KiB,
        lazy_refcounts=True,
        compat="1.1",
    )
    data = {
        "name": "web.qcow2",
        "capacity": "20 GiB",
        "target": {
            "format": "qcow2",
            "permissions": {"mode": "040", "owner": 0, "label": "it's"},
            "compat": "1.1",
            "cluster_size": "64 KiB",
            "features": {"lazy_refcounts": True},
        },
        "backing_store": {"path": "/srv/base.qcow2", "format": "qcow2"},
    }
    assert to_data(spec) == data
    assert from_data(ls.VolumeSpec, data) == spec


def test_a_variant_has_its_type_first() -> None:
    spec = ls.PoolSpec.scsi("fc", adapter=ls.FcHostAdapter(wwnn="2" * 16, wwpn="1" * 16))
    data = to_data(spec)
    adapter = {"type": "fc_host", "wwnn": "2" * 16, "wwpn": "1" * 16}
    assert data["source"] == {"type": "scsi", "adapter": adapter}
    assert [next(iter(table)) for table in (data["source"], data["source"]["adapter"])] == ["type", "type"]
    assert from_data(ls.PoolSpec, data) == spec


def test_the_word_of_a_numbered_enum() -> None:
    spec = ls.VolumeSpec(name="a", type=ls.VolumeType.NETDIR)
    assert to_data(spec, reported=True)["type"] == "netdir"
    assert "type" not in to_data(spec)
    assert from_data(ls.VolumeSpec, {"name": "a", "type": "netdir"}).type is ls.VolumeType.NETDIR


@pytest.mark.parametrize("size", [2048, "2048", "2 KiB", "2k", " 2 KIB ", ls.Size("2 KiB")])
def test_spellings_of_a_size(size: int | str) -> None:
    assert from_data(ls.VolumeSpec, VOLUME | {"capacity": size}).capacity == 2048


@pytest.mark.parametrize("mode", [0o640, "640", "0640", "0o640", "000640"])
def test_spellings_of_a_mode(mode: int | str) -> None:
    assert from_data(ls.Permissions, {"mode": mode}).mode == 0o640


@pytest.mark.parametrize("uuid", ["3e3fce45-4f53-4fa7-bb32-11f34168b82b", "3E3FCE454F534FA7BB3211F34168B82B"])
def test_spellings_of_a_uuid(uuid: str) -> None:
    assert from_data(ls.PoolSpec, POOL | {"uuid": uuid}).uuid == "3e3fce45-4f53-4fa7-bb32-11f34168b82b"


def test_what_editors_put_into_a_file_is_no_field() -> None:
    assert from_data(ls.PoolSpec, {"$schema": "pool.schema.json", **POOL}) == from_data(ls.PoolSpec, POOL)
    assert problems(ls.PoolSpec, {"$schema": 1, **POOL})[0].startswith(
        "PoolSpec.$schema: '$schema' is not a field"
    )


def test_all_problems_at_once() -> None:
    data = {
        "name": "a/b",
        "capactiy": "1 GiB",
        "capacity": "1.5 GiB",
        "target": {"format": "qcow3", "nocow": "yes", "cluster_size": "3 KiB", "permissions": {"mode": 644}},
        "backing_store": {},
    }
    found = problems(ls.VolumeSpec, data)
    assert [line.partition(":")[0] for line in found] == [
        "VolumeSpec.capactiy",
        "VolumeSpec.target.nocow",
        "VolumeSpec.target.permissions.mode",
        "VolumeSpec.target.format",
        "VolumeSpec.backing_store.path",
        "VolumeSpec.name",
        "VolumeSpec.capacity",
    ]
    assert "(did you mean 'capacity'?)" in found[0]
    assert "is a str; expected true or false" in found[1]
    assert "(did you mean 0o644?)" in found[2]
    assert "(did you mean 'qcow2'?)" in found[3] or "(did you mean 'qcow'?)" in found[3]
    assert "is missing; expected an absolute path" in found[4]
    assert "write '1536 MiB'" in found[6]


def test_rules_are_checked_where_the_values_are_right() -> None:
    data = {"name": "a", "nmae": "b", "target": {"format": "raw", "compat": "1.1"}}
    assert problems(ls.VolumeSpec, data)[1] == (
        "VolumeSpec.target.compat: only qcow2 volumes have compat; expected format qcow2"
    )


@pytest.mark.parametrize(
    ("model", "data", "said"),
    [
        (ls.PoolSpec, None, "PoolSpec: is null; expected a table of fields"),
        (ls.PoolSpec, [], "PoolSpec: is a list; expected a table of fields"),
        (ls.PoolSpec, POOL | {"type": "dir"}, "PoolSpec.type: 'type' belongs into the table 'source'"),
        (ls.PoolSpec, POOL | {"source": "dir"}, "PoolSpec.source: is a str; expected a table of fields"),
        (ls.PoolSpec, POOL | {"source": {}}, "PoolSpec.source.type: is missing; expected one of dir, fs"),
        (
            ls.PoolSpec,
            POOL | {"source": {"type": 1}},
            "PoolSpec.source.type: 1 is an int; expected one of dir",
        ),
        (
            ls.PoolSpec,
            POOL | {"source": {"type": "dri"}},
            "PoolSpec.source.type: 'dri' is not valid; expected",
        ),
        (ls.PoolSpec, POOL | {"mount_options": "ro"}, "PoolSpec.mount_options: is a str; expected a list"),
        (
            ls.PoolSpec,
            POOL | {"mount_options": [True]},
            "PoolSpec.mount_options[0]: True is a bool; expected text",
        ),
        (ls.PoolSpec, POOL | {"uuid": None}, "PoolSpec.uuid: is null: leave out a field that is not set"),
        (
            ls.VolumeSpec,
            {"name": 1.1},
            "VolumeSpec.name: 1.1 is a float; expected a name without '/', and neither",
        ),
        (ls.VolumeSpec, {"name": "a", 5: 1}, "VolumeSpec.5: '5' is not a field of VolumeSpec"),
        (
            ls.VolumeSpec,
            {"name": "a", "capacity": True},
            "VolumeSpec.capacity: True is a bool; expected a size",
        ),
        (
            ls.VolumeSpec,
            {"name": "a", "capacity": 10**5000},
            "VolumeSpec.capacity: is a number of too many digits",
        ),
        (ls.Permissions, {"owner": 1.0}, "Permissions.owner: 1.0 is a float; expected the number of a user"),
        (ls.Permissions, {"mode": "0649"}, "Permissions.mode: '0649' is not valid; expected an octal mode"),
        (ls.Permissions, {"mode": "6_40"}, "Permissions.mode: '6_40' is not valid; expected an octal mode"),
        (
            ls.VolumeSpec,
            {"name": "a", "unknown": ["<a/>"]},
            "VolumeSpec.unknown[0]: is a str; expected a table of",
        ),
        (
            ls.VolumeSpec,
            {"name": "a", "unknown": [{"path": "/a"}]},
            "VolumeSpec.unknown[0].xml: is null; expected",
        ),
    ],
)
def test_what_is_said(model: Any, data: Any, said: str) -> None:
    assert problems(model, data)[0].startswith(said)


def test_a_text_in_a_wrong_place_is_not_quoted() -> None:
    data = {"type": "chap", "username": "me", "secret": "hunter2", "password": "hunter2"}
    assert "hunter2" not in "".join(problems(ls.Auth, data))
    assert "hunter2" not in "".join(
        problems(ls.Auth, {"type": "chap", "username": "me", "secret": {"uuid": "hunter2"}})
    )


def test_a_secret_has_no_value_in_data() -> None:
    spec = ls.SecretSpec.ceph("client.libvirt", private=True)
    assert to_data(spec) == {"private": True, "usage": {"type": "ceph", "name": "client.libvirt"}}
    assert problems(ls.SecretSpec, {"value": "hunter2"})[0].startswith(
        "SecretSpec.value: 'value' is not a field"
    )
    with pytest.raises(TypeError, match="a SecretValue is not a document"):
        to_data(ls.SecretValue("hunter2"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_other_classes_are_refused() -> None:
    with pytest.raises(TypeError, match="is not a model of libstorage"):
        from_data(dict, {})  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]


# ---- what a host has ------------------------------------------------------------------------------------------------

NEWER = """<volume><name>a</name><target><format type='vhdx'/><permissions><mode>01777</mode></permissions>
<shiny level='3'>x<deep/></shiny></target><physical unit='bytes' new='1'>1</physical></volume>"""


def test_what_a_newer_libvirt_says_comes_back() -> None:
    read = ls.VolumeSpec.from_xml(NEWER)
    data = to_data(read, reported=True)

    assert data["target"] == {"format": "vhdx", "permissions": {"mode": "01777"}}
    assert [part["path"] for part in data["unknown"]] == ["/volume/physical/@new", "/volume/target/shiny"]
    again = from_data(ls.VolumeSpec, data, check=False)
    assert again == read
    assert isinstance(again.target.format, UnknownWord)
    assert again.to_xml(reported=True) == read.to_xml(reported=True)
    assert [line.split(":")[0] for line in problems(ls.VolumeSpec, data)] == [
        "VolumeSpec.target.permissions.mode",
        "VolumeSpec.target.format",
    ]


def test_parts_of_data_are_a_persons_and_not_libvirts() -> None:
    read = ls.VolumeSpec.from_libvirt(NEWER)
    assert all(part.reported for part in read.unknown)
    again = from_data(ls.VolumeSpec, to_data(read, reported=True), check=False)
    assert not any(part.reported for part in again.unknown)
    with pytest.raises(ls.DocumentError, match="shiny"):
        again.check_request(rules=False)


@pytest.mark.parametrize(
    ("part", "is_whole"),
    [
        (Unknown("/volume/new", "<new at='1'/>"), True),
        (Unknown("/volume/new", "<new/><other/>"), False),
        (Unknown("/volume/new", "</volume>"), False),
        (Unknown("/volume/new", "text"), False),
        (Unknown("/volume/new", "<!DOCTYPE a><a/>"), False),
        (Unknown("/volume/@new", "new='1'"), True),
        (Unknown("/volume/@x:new", "x:new='1' xmlns:x='urn:x'"), True),
        (Unknown("/volume/@new", ""), False),
        (Unknown("/volume/@new", "new='1' newer='2'"), False),
        (Unknown("/volume/@new", "new='1'><b/></a><!--"), False),
        (Unknown("/volume/@new", "new='1'><b/></a><a x='1'"), False),
    ],
)
def test_an_unknown_part_is_whole(part: Unknown, is_whole: bool) -> None:
    data = {"name": "a", "unknown": [{"path": part.path, "xml": part.xml}]}
    if is_whole:
        assert from_data(ls.VolumeSpec, data).unknown == (part,)
    else:
        assert problems(ls.VolumeSpec, data) == [
            "VolumeSpec.unknown[0].xml: is not one element, or for a path that ends in '@name' one attribute, of XML"
        ]


def test_keys_of_an_unknown_part() -> None:
    data = {"name": "a", "unknown": [{"path": "/a", "xml": "<a/>", "line": 3}]}
    assert problems(ls.VolumeSpec, data)[0].startswith(
        "VolumeSpec.unknown[0].line: 'line' is not a field of an"
    )


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (ls.VolumeSpec, {"name": "a", "capacity": "7 x"}),
        (ls.VolumeSpec, {"name": "a\x07"}),
        (ls.PoolSpec, POOL | {"uuid": "x"}),
        (ls.Permissions, {"mode": "x"}),
        (ls.Permissions, {"owner": True}),
        (ls.VolumeSpec, {"name": "a", "target": {"format": "\x07"}}),
        (ls.PoolSpec, {"name": "a", "source": {"type": "\x07"}}),
        (ls.PoolSpec, POOL | {"mount_options": ["\x07"]}),
    ],
)
def test_what_no_document_can_hold_is_refused_unchecked_too(model: Any, data: Any) -> None:
    assert len(problems(model, data, check=False)) == 1


def test_what_only_a_host_can_have() -> None:
    source = from_data(ls.UnknownSource, {"type": "nvme"}, check=False)
    assert isinstance(source.type, UnknownWord)
    assert from_data(ls.PoolSpec, {"name": "a", "source": {"type": "nvme"}}, check=False).source == source
    assert from_data(ls.Permissions, {"owner": -7}, check=False).owner == -7
    assert problems(ls.UnknownSource, {"type": "nvme"})[0].startswith(
        "UnknownSource.type: 'nvme' is not valid"
    )
