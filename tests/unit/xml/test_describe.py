"""The description of models, and the declarations that it is made from."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import pytest
from attrs import field, frozen

import libstorage
from libstorage.enums import VolumeFormat
from libstorage.models.adapters import FcHostAdapter, ScsiHostAdapter
from libstorage.models.pool import PoolSpec
from libstorage.models.volume import VolumeSpec, VolumeTarget
from libstorage.xml.describe import Description, FieldDescription, describe
from libstorage.xml.document import Document, Element
from libstorage.xml.fields import Unknown, attribute, children, flag, text, unknown
from tests.unit.display.pages import checked


def described(model: type[Element], name: str) -> FieldDescription:
    return next(field for field in describe(model).fields if field.name == name)


def test_a_description_is_data() -> None:
    assert described(VolumeTarget, "format") == FieldDescription(
        name="format",
        path="format/@type",
        shape="value",
        kind="VolumeFormat",
        doc="Format; for files libvirt's default is raw.",
        required=False,
        reported=False,
        write_only=False,
        many=False,
        expected=f"one of {', '.join(VolumeFormat)}",
        default=None,
        words=VolumeFormat,
        pattern=None,
        limits=None,
        models=(),
    )
    assert hash(describe(VolumeTarget)) == hash(describe(VolumeTarget))


@pytest.mark.parametrize(
    ("model", "name", "about"),
    [
        (VolumeSpec, "name", {"path": "name", "required": True, "many": False, "kind": "volume name"}),
        (VolumeSpec, "type", {"path": "@type", "reported": True, "kind": "VolumeType"}),
        (VolumeSpec, "capacity", {"path": "capacity", "shape": "size", "kind": "size"}),
        (
            VolumeSpec,
            "target",
            {"path": "target", "default": VolumeTarget(), "models": (VolumeTarget,), "kind": ""},
        ),
        (VolumeSpec, "unknown", {"path": "", "expected": "Unknown", "many": True, "default": ()}),
        (
            VolumeTarget,
            "nocow",
            {"path": "nocow", "write_only": True, "expected": "True or False", "kind": ""},
        ),
        (PoolSpec, "mount_options", {"path": "fs:mount_opts/fs:option/@name", "many": True, "kind": "text"}),
        (PoolSpec, "config_options", {"path": "rbd:config_opts/rbd:option", "many": True}),
        (
            PoolSpec,
            "source",
            {"path": "source", "expected": "one of 14 classes, DirSource to VstorageSource"},
        ),
    ],
)
def test_what_is_told_of_a_field(model: type[Element], name: str, about: dict[str, Any]) -> None:
    field = described(model, name)
    assert {key: getattr(field, key) for key in about} == about


def test_classes_that_may_stand_there() -> None:
    source = next(m for m in described(PoolSpec, "source").models if m.__name__ == "ScsiSource")
    adapter = described(source, "adapter")
    assert adapter.models == (ScsiHostAdapter, FcHostAdapter)
    assert adapter.expected == "ScsiHostAdapter or FcHostAdapter"


def test_paths_go_all_the_way_down() -> None:
    paths = list(describe(VolumeSpec).paths("/volume/"))
    assert "/volume/@type" in paths
    assert "/volume/target/encryption/cipher/@name" in paths
    assert "/volume/backingStore/format/@type" in paths
    assert len(paths) == len(set(paths))


def test_a_description_is_shown_as_a_table() -> None:
    title, head, _, first, *_ = str(describe(VolumeTarget)).splitlines()
    assert (
        title
        == "VolumeTarget The path, format and other properties of a volume on the host: the <target> element."
    )
    assert re.split(" {2,}", head) == ["field", "in XML", "takes", "set by", "meaning"]
    cells = "path path an absolute path or a URI libvirt Path of the volume; libvirt derives it from the pool and the name."
    assert " ".join(first.split()) == cells
    html = checked(describe(VolumeTarget)._repr_html_())
    assert len(html.findall(".//tbody/tr")) == len(describe(VolumeTarget).fields)


def test_every_public_model_is_described() -> None:
    public = [getattr(libstorage, name) for name in libstorage.__all__]
    models = [m for m in public if isinstance(m, type) and issubclass(m, Element)]
    assert len(models) > 40
    for model in models:
        description = describe(model)
        assert isinstance(description, Description)
        assert description.doc.splitlines()[0].endswith(".")
        assert all(field.doc.endswith((".", ")")) for field in description.fields)


@pytest.mark.parametrize("wrong", [int, Unknown, VolumeFormat, Document, 5])
def test_only_models_are_described(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"is not a model of libstorage$"):
        describe(wrong)


# ---- declarations that contradict each other ------------------------------------------------------------------------


def test_a_field_says_where_it_stands() -> None:
    with pytest.raises(TypeError, match=r"^field 'a' does not declare its place in XML$"):

        @frozen
        class _Model(Element):
            a: str


def test_a_field_says_what_it_means() -> None:
    with pytest.raises(TypeError, match=r"^_Model\.a has no doc$"):

        @frozen
        class _Model(Element):
            a: str = field(metadata=text("a", doc=""))


def test_a_place_is_declared_once() -> None:
    with pytest.raises(TypeError, match=r"^_Model declares a, @b twice$"):

        @frozen
        class _Model(Element):
            a: str = field(metadata=text("a", doc="A."))
            b: str = field(metadata=attribute("b", doc="B."))
            c: str = field(metadata=text("b", doc="C."))
            d: bool = field(metadata=flag("a", doc="D."))
            e: str = field(metadata=attribute("b", doc="E."))


def test_many_are_nothing_when_missing() -> None:
    with pytest.raises(TypeError, match=r"^_Model\.a holds several values, so its default must be \(\)$"):

        @frozen
        class _Model(Element):
            a: Any = field(default=None, metadata=children("a", VolumeTarget, doc="A."))


def test_a_sound_declaration() -> None:
    @frozen(kw_only=True)
    class Model(Document):
        ROOT: ClassVar[str] = "model"
        a: str = field(metadata=text("a", doc="A."))
        b: str | None = field(default=None, metadata=attribute("b", doc="B."))
        unknown: tuple[Unknown, ...] = unknown()

    assert Model.from_xml("<model b='2'><a>1</a></model>") == Model(a="1", b="2")
    assert Model(a="1").to_xml() == "<model>\n  <a>1</a>\n</model>\n"
