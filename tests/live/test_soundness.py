"""What is sent is sound: a person's unknown parts are refused before anything is sent, libvirt's own go back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import pytest

from libstorage import DocumentError, Host, Pool, PoolSpec, Secret, SecretSpec, VolumeCreateFlags, VolumeSpec
from libstorage.connection import binding

POOL = "<pool type='dir'><name>sent</name><target><path>{path}</path></target></pool>"
VOLUME = "<volume><name>sent</name><capacity>4096</capacity><allocation>0</allocation><target><format type='raw'/></target></volume>"
SECRET = "<secret ephemeral='no' private='no'><usage type='ceph'><name>sent</name></usage></secret>"

WRONG: dict[str, Callable[[str], str]] = {
    "an element": lambda xml: xml.replace("<name>", "<shiny>1</shiny><name>", 1),
    "an attribute": lambda xml: xml.replace("<name>", "<name shiny='1'>", 1),
    "at the end": lambda xml: f"{xml[: xml.rindex('</')]}<shiny/>{xml[xml.rindex('</') :]}",
    "of another namespace": lambda xml: xml.replace("<name>", "<x:a xmlns:x='urn:x'/><name>", 1),
    "of the root": lambda xml: xml.replace(">", " shiny='1'>", 1),
}

Sender: TypeAlias = Callable[[Host, Pool, str, dict[str, Any]], object]


def volume(change: Callable[[Pool, VolumeSpec, dict[str, Any]], object]) -> Sender:
    return lambda host, pool, xml, options: change(pool, VolumeSpec.from_xml(xml), options)


SENDERS: dict[str, tuple[str, Sender]] = {
    "define": (POOL, lambda host, _, xml, options: host.pools.define(PoolSpec.from_xml(xml), **options)),
    "create_transient": (
        POOL,
        lambda host, _, xml, options: host.pools.create_transient(
            PoolSpec.from_xml(xml), build=True, **options
        ),
    ),
    "ensure": (POOL, lambda host, _, xml, options: host.pools.ensure(PoolSpec.from_xml(xml), **options)),
    "create": (VOLUME, volume(lambda pool, spec, options: pool.volumes.create(spec, **options))),
    "clone": (VOLUME, volume(lambda pool, spec, options: pool.volumes["source"].clone(spec, **options))),
    "secrets.define": (
        SECRET,
        lambda host, _, xml, options: host.secrets.define(SecretSpec.from_xml(xml), **options),
    ),
}
ALWAYS: dict[str, Sender] = {
    "import_image": volume(lambda pool, spec, _: pool.volumes.import_image(bytes(4096), spec)),
    "copy_to": volume(lambda pool, spec, _: pool.volumes["source"].copy_to(pool, spec)),
}
ALL = SENDERS | {name: (VOLUME, sender) for name, sender in ALWAYS.items()}


@pytest.fixture
def pool(host: Host, folder: Path) -> Iterator[Pool]:
    pool = host.pools.ensure(PoolSpec.dir("sound", str(folder / "pool")))
    pool.volumes.create(VolumeSpec.raw("source", 4096))
    yield pool
    for volume in pool.refresh().volumes:
        volume.delete()
    pool.stop().undefine()


def state(host: Host) -> object:
    return (
        host.pools.names(),
        [str(each) for each in host.secrets.list()],
        host.pools["sound"].volumes.names(),
    )


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("sender", ALL)
def test_what_a_person_wrote_is_refused(
    host: Host, pool: Pool, folder: Path, sender: str, wrong: str
) -> None:
    text, send = ALL[sender]
    before = state(host)
    with pytest.raises(DocumentError) as refused:
        send(host, pool, WRONG[wrong](text.format(path=folder / "sent")), {})
    assert refused.value.code is None
    assert refused.value.outcome == "not_started"
    assert [problem.line for problem in refused.value.problems] == [1]
    assert state(host) == before


@pytest.mark.parametrize("sender", SENDERS)
def test_it_is_sent_if_the_caller_says_so(
    host: Host, pool: Pool, folder: Path, sender: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon gets the very part. It ignores what it does not know, unless it is asked to validate."""
    text, send = SENDERS[sender]
    sent = recorded(monkeypatch)
    options = {"allow_unknown": True, "validate": False}
    made: Any = send(host, pool, WRONG["an element"](text.format(path=folder / "sent")), options)
    assert "<shiny>1</shiny>" in sent[-1]
    match made:
        case Pool():
            is_defined = made.is_persistent()
            if made.is_active():
                made.stop()
            if is_defined:
                made.undefine()
        case Secret():
            made.undefine()
        case _:
            made.delete()


def recorded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The documents that go through the binding."""
    sent: list[str] = []
    raw: Any = binding.load()
    for owner, name in (
        ("virConnect", "storagePoolDefineXML"),
        ("virConnect", "storagePoolCreateXML"),
        ("virConnect", "secretDefineXML"),
        ("virStoragePool", "createXML"),
        ("virStoragePool", "createXMLFrom"),
    ):
        kind: Any = getattr(raw, owner)
        call = getattr(kind, name)

        def record(self: Any, xml: str, *more: Any, call: Any = call) -> Any:
            sent.append(xml.replace('"', "'"))
            return call(self, xml, *more)

        monkeypatch.setattr(kind, name, record)
    return sent


def newer(text: str) -> str:
    """A document of a libvirt that nobody knows yet: an element, an attribute and a word."""
    text = text.replace("<target>", "<durable level='3'>yes</durable><target>", 1)
    return text.replace("<permissions>", "<permissions inherit='yes'>").replace("type='raw'", "type='rawer'")


@pytest.fixture
def newer_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon's documents have parts that no version knows; it takes them, and forgets them."""
    raw: Any = binding.load()
    for owner in ("virStoragePool", "virStorageVol"):
        kind: Any = getattr(raw, owner)
        call = kind.XMLDesc
        monkeypatch.setattr(kind, "XMLDesc", lambda self, flags=0, call=call: newer(call(self, flags)))
    schema = VolumeCreateFlags.VALIDATE  # which has them, too
    for name in ("createXML", "createXMLFrom"):
        make = getattr(raw.virStoragePool, name)
        monkeypatch.setattr(
            raw.virStoragePool,
            name,
            lambda self, xml, *more, make=make: make(
                self, xml.replace("rawer", "raw"), *more[:-1], more[-1] & ~schema
            ),
        )


@pytest.mark.usefixtures("newer_daemon")
def test_what_a_newer_daemon_wrote_goes_back(host: Host, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = recorded(monkeypatch)
    source = pool.volumes["source"]
    spec = source.spec()
    assert len(spec.unknown) == 2
    assert str(spec.target.format) == "rawer"
    for name, document in {
        "request": spec.request(name="request"),
        "evolve": attrs.evolve(spec.request(), name="evolve"),
        "with_target": spec.request(name="with_target").with_target(nocow=None),
    }.items():
        pool.volumes.create(document)
        assert "<durable level='3'>yes</durable>" in sent[-1], name
        assert "type='rawer'" in sent[-1]
        assert "inherit=" in sent[-1]
    source.clone("clone")
    assert "type='rawer'" in sent[-1]
    changed = pool.spec(inactive=True).request()
    host.pools.define(changed, validate=False)
    assert "durable" in sent[-1]
    assert {entry.spec.target.format for entry in pool.volumes.specs() if entry.spec} == {"rawer"}


def test_a_value_that_we_refuse_can_be_insisted_on(host: Host, pool: Pool) -> None:
    """libvirt decides then: here it refuses, too."""
    read = VolumeSpec.from_xml(VOLUME.replace("type='raw'/>", "type='raw'/><compat>1.1</compat>"))
    with pytest.raises(DocumentError) as ours:
        pool.volumes.create(read)
    assert ours.value.code is None
    volume = pool.volumes.create(read, validate=False)
    volume.delete()
