"""Our enums have what libvirt's API description, its Python binding and its schemas have, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from xml.etree import ElementTree as ET

import libvirt
import pytest

from libstorage import enums
from libstorage.enums import Constant, Flags, Number, PoolType, Words
from tests.contract.api import api, library_version
from tests.contract.rng import newest

ENUMS = [cls for cls in vars(enums).values() if isinstance(cls, type) and issubclass(cls, Constant)]
OURS = {cls.c_type: cls for cls in ENUMS if cls.__members__}
FILES = {"libvirt-storage", "libvirt-secret", "libvirt-stream"}
PREFIXES = (
    "VIR_STORAGE_",
    "VIR_SECRET_",
    "VIR_STREAM_",
    "VIR_CONNECT_LIST_STORAGE_POOLS_",
    "VIR_CONNECT_LIST_SECRETS_",
)
# Not members: each counts the members that one version of libvirt has, so its value changes from version to version.
SENTINELS = {
    "VIR_SECRET_EVENT_ID_LAST",
    "VIR_SECRET_EVENT_LAST",
    "VIR_SECRET_USAGE_TYPE_LAST",
    "VIR_STORAGE_POOL_EVENT_ID_LAST",
    "VIR_STORAGE_POOL_EVENT_LAST",
    "VIR_STORAGE_POOL_STATE_LAST",
    "VIR_STORAGE_VOL_LAST",
    "VIR_STORAGE_VOL_WIPE_ALG_LAST",
}


def members(cls: type[Constant]) -> list[Constant]:
    """All members, those of value 0 and combinations included, which iteration over flags leaves out."""
    return list(cls.__members__.values())


def our_constants() -> dict[str, Constant]:
    return {str(member.constant): member for cls in OURS.values() for member in members(cls)}


def described() -> Iterator[dict[str, str]]:
    """The constants of the storage, secret and stream parts in libvirt's API description."""
    for enum in api().iter("enum"):
        if enum.attrib["file"] in FILES:
            yield dict(enum.attrib)


def test_every_enum_is_there() -> None:
    assert {enum["type"] for enum in described()} == set(OURS)


def test_sentinels_are_all_there_is_beside_the_members() -> None:
    assert {enum["name"] for enum in described()} - set(our_constants()) == SENTINELS


def test_values_enums_and_versions_are_those_of_the_api() -> None:
    theirs = {
        enum["name"]: (enum["type"], int(enum["value"]), enum["version"])
        for enum in described()
        if enum["name"] not in SENTINELS
    }
    ours = {
        name: (type(member).c_type, member.value, member.since)
        for name, member in our_constants().items()
        if name in theirs
    }
    assert ours == theirs


def test_members_that_the_api_lacks_are_newer() -> None:
    theirs = {enum["name"] for enum in described()}
    lacking = {name: member for name, member in our_constants().items() if name not in theirs}
    assert all((member.since_number or 0) > library_version() for member in lacking.values()), lacking


def test_values_are_those_of_the_binding() -> None:
    theirs = {
        name: value
        for name, value in vars(libvirt).items()
        if name.startswith(PREFIXES) and name not in SENTINELS and isinstance(value, int)
    }
    ours = {
        name: member.value
        for name, member in our_constants().items()
        if name in theirs or (member.since_number or 0) <= libvirt.getVersion()
    }
    assert ours == theirs


@pytest.mark.parametrize("cls", OURS.values())
class TestEveryEnum:
    def test_names_its_c_enum(self, cls: type[Constant]) -> None:
        assert f"``{cls.c_type}``" in (cls.__doc__ or "")

    def test_members_are_described(self, cls: type[Constant]) -> None:
        docs = [member.__doc__ for member in members(cls)]
        assert all(docs)
        assert len(set(docs)) == len(docs)
        assert cls.__doc__ not in docs

    def test_is_flags_exactly_when_libvirt_says_so(self, cls: type[Constant]) -> None:
        bits = {
            enum["name"] for enum in described() if "value_bitshift" in enum and enum["type"] == cls.c_type
        }
        assert issubclass(cls, Flags if bits else Number)


RNG = "{http://relaxng.org/ns/structure/1.0}"


def schema(name: str) -> ET.Element:
    path = newest().folder / f"{name}.rng"
    if not path.exists():
        pytest.skip(f"not run: libvirt's schemas are not installed ({path})")
    return ET.parse(path).getroot()


def definition(name: str, define: str) -> ET.Element:
    found = schema(name).find(f"{RNG}define[@name='{define}']")
    assert found is not None
    return found


def values(name: str, define: str, attribute: str | None = None) -> set[str]:
    """The words that a definition in one of libvirt's schemas lists, or that one of its attributes may have."""
    found = definition(name, define)
    parts = [found] if attribute is None else found.iterfind(f".//{RNG}attribute[@name='{attribute}']")
    return {value.text or "" for part in parts for value in part.iter(f"{RNG}value")}


def pool_types() -> set[str]:
    refs = schema("storagepool").iterfind(f"{RNG}define[@name='pool']//{RNG}ref")
    return {word for ref in refs for word in values("storagepool", ref.attrib["name"])}


def volume_formats() -> set[str]:
    own = (values("storagevol", define) for define in ("formatfile", "formatdev", "formatdisk"))
    common = (values("storagecommon", define) for define in ("storageFormat", "storageFormatBacking"))
    return set[str]().union(*own, *common)


def netfs_formats() -> set[str]:
    return values("storagepool", "sourcefmtnetfs") | values("storagepool", "sourcenetfs", "type")


def secret_usages() -> set[str]:
    names = {ref.attrib["name"] for ref in definition("secret", "secret").iter(f"{RNG}ref")}
    return {word for name in names if name.startswith("usage") for word in values("secret", name, "type")}


VOCABULARIES: dict[type[Words], Callable[[], set[str]]] = {
    enums.PoolType: pool_types,
    enums.VolumeFormat: volume_formats,
    enums.FsFormat: lambda: values("storagepool", "sourcefmtfs"),
    enums.NetfsFormat: netfs_formats,
    enums.DiskFormat: lambda: values("storagepool", "sourcefmtdisk"),
    enums.LogicalFormat: lambda: values("storagepool", "sourcefmtlogical"),
    enums.AdapterType: lambda: values("basictypes", "sourceinfoadapter", "type"),
    enums.AuthType: lambda: values("storagepool", "sourceinfoauth", "type"),
    enums.RefreshAllocation: lambda: values("storagecommon", "refreshVolumeAllocation"),
    enums.EncryptionFormat: lambda: values("storagecommon", "encryption", "format"),
    enums.EncryptionEngine: lambda: values("storagecommon", "encryption", "engine"),
    enums.SecretUsage: secret_usages,
}


def test_every_vocabulary_is_compared() -> None:
    ours = {enums.Ability}
    assert set(VOCABULARIES) | ours == set(Words.__subclasses__())


@pytest.mark.parametrize(("cls", "theirs"), VOCABULARIES.items())
def test_words_are_those_of_the_schema(cls: type[Words], theirs: Callable[[], set[str]]) -> None:
    ours, newer = {str(word) for word in cls}, newest().lacked_words
    assert ours == theirs() | (newer & ours)
    assert not theirs() & newer


def test_words_of_numbers_are_those_of_the_schemas() -> None:
    volume_types = {kind.word for kind in enums.VolumeType}
    assert volume_types - values("storagevol", "vol", "type") == {"ploop"}  # which the schema forgets
    assert {usage.word for usage in enums.SecretUsageType} == secret_usages() | {"none"}


def test_every_pool_type_can_be_listed() -> None:
    flags = {enums.ListPoolsFlags.for_type(pool_type) for pool_type in PoolType}
    filters = {"INACTIVE", "ACTIVE", "PERSISTENT", "TRANSIENT", "AUTOSTART", "NO_AUTOSTART"}
    assert flags == {flag for flag in enums.ListPoolsFlags if flag.name not in filters}
