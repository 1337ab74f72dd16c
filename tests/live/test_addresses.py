"""Addresses, judged by what runs: nothing that an address names, and for good ones just what libvirt would run."""

from __future__ import annotations

import re
import subprocess
import traceback
from pathlib import Path
from typing import Any
from urllib.parse import quote

import fsspec
import pytest

import libstorage as ls
from libstorage.session.channel import Channel
from libstorage.testing import PrivateDaemon
from tests.live.addresses import good, hostile, install, outcomes

SLIPPED_IN = ("StrictHostKeyChecking=no", "evil", "-oX", "me:pw")


def has_struck(one: dict[str, Any]) -> bool:
    """Whether a program ran, here or in the remote host's shell, or ssh was told what it must not be told."""
    before_the_command = "".join(call.rpartition("\0sh -c ")[0] for call in one["argv"].split("\n"))
    return one["ran"] or any(word in before_the_command for word in SLIPPED_IN)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return install(tmp_path_factory.mktemp("addresses"))


@pytest.fixture
def evil(environment: dict[str, str]) -> str:
    return f"{environment['RECORDS']}/bin/evil"


def test_of_hostile_addresses_none_runs_anything(environment: dict[str, str], evil: str) -> None:
    found = outcomes("ours", list(hostile(3000, 1, evil)), environment, FAR_SHELL="1")
    assert [one for one in found if has_struck(one)] == []
    errors = {one["said"].partition(":")[0] for one in found}
    assert errors <= {"InvalidRequestError", "ConnectionFailedError", "opened"}


def test_libvirt_itself_runs_what_many_of_them_say(environment: dict[str, str], evil: str) -> None:
    """Or the test above would show nothing."""
    found = outcomes("bare", list(hostile(300, 1, evil)), environment, FAR_SHELL="1")
    assert sum(map(has_struck, found)) > 50


@pytest.fixture(scope="module")
def addresses(environment: dict[str, str]) -> list[str]:
    """Good ones."""
    folder = Path(environment["RECORDS"])
    for name in ("node.xml", "a node.xml", "nöde.xml", "a;b=c&d.xml", "%.xml", "@x:y.xml"):
        (folder / name).write_text("<node/>")
    return list(good(300, 1, folder))


def as_we_write(argv: str) -> str:
    """What ssh was given, with names of parameters in lower case: newer clients pass some on, spelled as they stand."""
    return re.sub(r"[?&]\w+=", lambda name: name[0].lower(), argv)


class TestGood:
    def test_are_opened_as_libvirt_opens_them(
        self, addresses: list[str], environment: dict[str, str]
    ) -> None:
        bare = outcomes("bare", addresses, environment)
        ours = outcomes("ours", addresses, environment)
        assert [(one["address"], one["said"]) for one in ours if "InvalidRequest" in one["said"]] == []
        for judge, one in zip(bare, ours, strict=True):
            assert one["argv"] == as_we_write(judge["argv"]), one
            reason = judge["said"].removeprefix("libvirtError: ").splitlines()[0]
            assert judge["argv"] or reason in one["said"], (judge, one)  # when ssh ends is chance
        assert sum(bool(judge["argv"]) for judge in bare) > 100
        assert sum(judge["said"] == "opened" for judge in bare) > 20

    def test_virsh_agrees(self, addresses: list[str], environment: dict[str, str]) -> None:
        some = [address for address in addresses if "ssh://" in address.lower()][:60:3]
        record = Path(environment["RECORDS"], "record")
        for address, one in zip(some, outcomes("ours", some, environment), strict=True):
            record.unlink(missing_ok=True)
            command = ["virsh", "--connect", address, "version"]
            subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)
            said = record.read_bytes().decode("utf-8", "surrogateescape") if record.exists() else ""
            assert as_we_write(said) == one["argv"], address


def test_a_daemon_is_not_sent_elsewhere(daemon: PrivateDaemon, tmp_path: Path) -> None:
    """libvirt's daemon opens what name= says, and runs as root what that says."""
    install(tmp_path)
    for name in (
        f"qemu+ext://h/x?command={tmp_path}/bin/evil",
        f"qemu+ssh://h/x?Command={tmp_path}/bin/evil",
    ):
        for quoted in (name, quote(name, safe="")):
            with pytest.raises(ls.InvalidRequestError, match="name= would send"):
                ls.connect(f"{daemon.uri}&name={quoted}")
            with pytest.raises(ls.InvalidRequestError, match="name= would send"):
                ls.connect(f"{daemon.uri}&name={quoted}", allow={"command"})
    assert not (tmp_path / "ran").exists()
    with ls.connect(f"{daemon.uri}&name=storage:///system") as host:
        assert host.pools.count() >= 0


@pytest.mark.parametrize("seed", range(2, 5))
def test_what_libvirt_is_given_says_what_was_read(seed: int, addresses: list[str]) -> None:
    read = 0
    for address in (*addresses, *hostile(3000, seed, "/bin/evil")):
        try:
            parts = ls.HostURI.parse(address)
        except ls.InvalidRequestError:
            continue
        read += 1
        assert ls.HostURI.parse(str(parts)) == parts
        assert str(ls.HostURI.parse(str(parts))) == str(parts)
    assert read > 330


@pytest.mark.parametrize("secret", ["me:hunter2@", "me%3ahunter2@"])
def test_fsspec_reads_addresses_too(secret: str, environment: dict[str, str], evil: str) -> None:
    for address in (f"qemu+ssh://{secret}h/system?%43ommand={evil}", f"qemu+ssh://{secret}h:x/system"):
        with pytest.raises(ls.InvalidRequestError) as caught:
            fsspec.open("libvirt://pool/volume", uri=address)
        assert "hunter2" not in "".join(traceback.format_exception(caught.value))
        assert caught.value.__context__ is None
    assert not Path(environment["RECORDS"], "ran").exists()


@pytest.mark.usefixtures("daemon")
class TestHosts:
    def test_equal_addresses_are_one_host(self, uri: str) -> None:
        with ls.connect(uri) as one, ls.connect(uri.replace("?socket", "?SOC%6bet")) as other:
            assert (one, one.uri) == (other, uri)

    def test_from_parts(self, daemon: PrivateDaemon) -> None:
        path = "system" if daemon.is_system else "session"
        address = ls.HostURI("storage", path=path, socket=daemon.socket)
        with ls.connect(address) as host:
            assert (host.uri, str(address)) == (daemon.uri, daemon.uri)
            assert host.secrets.count() >= 0  # over the twin

    def test_an_unpickled_one_reads_its_address_again(self, environment: dict[str, str], evil: str) -> None:
        handle = ls.Host(Channel(f"qemu+ssh://h/system?Command={evil}", False, ls.Options()))
        with pytest.raises(ls.InvalidRequestError, match="does not open again from a pickle"):
            handle.pools.names()
        assert not Path(environment["RECORDS"], "ran").exists()
