"""Addresses: what they say, and which are refused."""

from __future__ import annotations

import pytest

from libstorage.connection.uri import Address, Transport, parse, secret_twin
from libstorage.errors import InvalidRequestError


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("qemu:///system", Address("qemu:///system", "qemu", Transport.UNIX)),
        ("qemu+unix:///system", Address("qemu+unix:///system", "qemu", Transport.UNIX)),
        ("qemu://host/system", Address("qemu://host/system", "qemu", Transport.TLS, 16514)),
        ("qemu+tls://host:7/system", Address("qemu+tls://host:7/system", "qemu", Transport.TLS, 7)),
        (
            "storage+tcp://[::1]/system",
            Address("storage+tcp://[::1]/system", "storage", Transport.TCP, 16509),
        ),
        ("qemu+ssh://me@host/system", Address("qemu+ssh://me@host/system", "qemu", Transport.SSH)),
        ("qemu+libssh2://host/system", Address("qemu+libssh2://host/system", "qemu", Transport.LIBSSH2, 22)),
        ("test:///default", Address("test:///default", "test", Transport.NONE)),
        ("test+unix:///default", Address("test+unix:///default", "test", Transport.UNIX)),
        (
            "storage:///session?socket=/tmp/a%20b/sock&mode=direct",
            Address(
                "storage:///session?socket=/tmp/a%20b/sock&mode=direct",
                "storage",
                Transport.UNIX,
                socket="/tmp/a b/sock",
            ),
        ),
        ("my-alias", Address("my-alias")),
        (None, Address(None)),
    ],
)
def test_what_an_address_says(uri: str | None, address: Address) -> None:
    assert parse(uri) == address


@pytest.mark.parametrize("transport", Transport)
def test_only_this_machine_is_local(transport: Transport) -> None:
    expected = transport in {Transport.UNIX, Transport.NONE}
    assert Address("x:///", transport=transport).is_local is expected


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("", "it is empty"),
        ("qemu:///sys tem", "a space or a control character"),
        ("qemu:///system\n", "a space or a control character"),
        ("qemu:///\u202esystem", "a space or a control character"),
        ("/var/run/libvirt/libvirt-sock", "does not begin with a driver"),
        ("qemu+quux:///system", "'quux' is no transport"),
        ("qemu+none:///system", "'none' is no transport"),
        ("qemu://[::1/system", "Invalid IPv6 URL"),
        ("qemu://host:port/system", "Port could not be cast"),
    ],
)
def test_mistakes_are_refused(uri: str, reason: str) -> None:
    with pytest.raises(InvalidRequestError, match=reason) as caught:
        parse(uri, unsafe=True)
    assert caught.value.hint
    assert (caught.value.outcome, caught.value.retry) == ("not_started", "no")


@pytest.mark.parametrize(
    "uri",
    [
        "qemu+ext:///system?command=/bin/evil",
        "qemu+ext:///system",
        "qemu+ssh://host/system?command=/bin/evil",
        "qemu+ssh://host/system?socket=/x;command=/bin/evil",
        "qemu+ssh://host/system?socket=/x%27$(id)%27",
        "qemu+libssh://host/system?socket=/x|id",
        "qemu+tcp://me:hunter2@host/system",
    ],
)
def test_traps_need_insistence(uri: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse(uri)
    assert "hunter2" not in f"{caught.value}{caught.value!r}"
    assert parse(uri, unsafe=True).uri == uri


@pytest.mark.parametrize(
    ("uri", "twin"),
    [
        ("storage:///system", "secret:///system"),
        ("storage:///session?socket=/run/x/libvirt-sock", "secret:///session?socket=/run/x/libvirt-sock"),
        ("storage+tcp://host:1/system", "secret+tcp://host:1/system"),
        ("storage:///system?socket=/run/virtstoraged-sock", "secret:///system?socket=/run/virtsecretd-sock"),
        ("qemu:///system", "qemu:///system"),
        ("test:///default", "test:///default"),
        ("alias", "alias"),
    ],
)
def test_where_the_secrets_are(uri: str, twin: str) -> None:
    assert secret_twin(uri) == twin
