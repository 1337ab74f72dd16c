"""What may be the backing store of another volume."""

from __future__ import annotations

import pytest

from libstorage import BackingStore, UnsupportedError, VolumeSpec
from libstorage.provision.checks import backing


def volume(path: str, form: str = "qcow2", *, kind: str = "file", more: str = "") -> VolumeSpec:
    """What libvirt reports of a volume."""
    return VolumeSpec.from_xml(
        f"<volume type='{kind}'><name>v</name><capacity>4096</capacity>"
        f"<target><path>{path}</path><format type='{form}'/>{more}</target></volume>"
    )


@pytest.mark.parametrize(
    "path",
    [
        "/srv/images/../../etc/shadow",
        "/srv/..",
        "/../v",
        "images/v",
        "../v",
        "",
        "rbd/v",
        "gluster://server/volume/v",
    ],
)
def test_a_path_that_leads_elsewhere_is_none(path: str) -> None:
    with pytest.raises(UnsupportedError, match="is not a plain absolute path") as refused:
        backing(volume(path))
    assert "mode='copy'" in str(refused.value.hint)
    assert refused.value.outcome == "not_started"


@pytest.mark.parametrize("path", ["/srv/a..b", "/srv/..a", "/srv/a../b", "/srv/./v", "/srv/..."])
def test_dots_alone_are_no_way_up(path: str) -> None:
    assert backing(volume(path)) == BackingStore(path=path, format="qcow2")


@pytest.mark.parametrize(
    ("form", "expected"),
    [("raw", "raw"), ("qcow2", "qcow2"), ("vmdk", "vmdk"), ("iso", "raw"), ("none", "raw"), ("ext4", "raw")],
)
def test_it_always_has_a_format(form: str, expected: str) -> None:
    """Without one a guest could write a header into a raw volume, and qemu would follow it."""
    assert backing(volume("/srv/v", form)).format == expected
    assert backing(
        VolumeSpec.from_xml("<volume><name>v</name><target><path>/v</path></target></volume>")
    ) == (BackingStore(path="/v", format="raw"))


def test_what_cannot_be_one() -> None:
    with pytest.raises(UnsupportedError, match="it is a directory"):
        backing(volume("/srv/v", "dir", kind="dir"))
    with pytest.raises(UnsupportedError, match="is encrypted"):
        backing(volume("/srv/v", more="<encryption format='luks'/>"))
