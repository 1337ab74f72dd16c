"""How web servers are asked: which addresses are public, and which headers can be sent."""

from __future__ import annotations

import socket

import pytest

from libstorage import InvalidRequestError, SecretValue
from libstorage.transfer.ends.web.asking import Asking, Headers, is_public
from tests import sinks


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254"),
        *(
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "239.1.1.1",
        ),
        *("240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1", "fe80::1", "fe80::1%eth0", "fec0::1"),
        *("fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "2002:7f00:1::", "64:ff9b::127.0.0.1"),
        *("64:ff9b::a9fe:a9fe", "64:ff9b:1::10.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254"),
        *("::ffff:0.0.0.0", "::ffff:10.0.0.1"),
    ],
)
def test_no_public_address(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "1.1.1.1",
            "8.8.8.8",
            "172.32.0.1",
            "126.255.255.255",
            "128.0.0.1",
            "100.128.0.1",
            "223.255.255.254",
        ),
        *("2606:4700::1111", "2a00:1450:4001::1", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8"),
    ],
)
def test_a_public_address(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("spelling", ["2130706433", "0x7f000001", "017700000001", "127.1", "0177.0.0.1", "0"])
def test_other_spellings_are_what_the_resolver_makes_of_them(spelling: str) -> None:
    found = {entry[4][0] for entry in socket.getaddrinfo(spelling, 80, type=socket.SOCK_STREAM)}
    assert found
    assert not any(is_public(str(address)) for address in found)


@pytest.mark.parametrize("make", [str, SecretValue])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("X", f"{sinks.CANARY}{end}")
            for end in ("\r\nHost: x", "\n", "\r", "\0", "\x7f", "\x1b", " ", "\t")
        ),
        *(("X", value) for value in ("", " ")),
        *(
            (name, sinks.CANARY)
            for name in ("Host", "RANGE", "content-length", "Proxy-Authorization", "If-Match")
        ),
        *((name, sinks.CANARY) for name in ("", "a b", "a:b", "ä", "a\r\nb", "a\0")),
    ],
)
def test_what_cannot_be_sent_is_refused_and_not_shown(
    make: type[str | SecretValue], name: str, value: str
) -> None:
    headers: Headers = {"A": make(sinks.CANARY), name: make(value)}
    with pytest.raises(InvalidRequestError) as error:
        Asking.of(headers, "follow").check()
    for where, shown in sinks.shown_errors(error.value):
        assert not sinks.hits(shown), where


def test_a_value_is_sent_as_it_is() -> None:
    asking = Asking.of({"A": "caf\xe9", "B": SecretValue("café"), "C": SecretValue(b"\xff x")}, "follow")
    asking.check()
    assert [value.reveal() for _, value in asking.headers] == [b"caf\xe9", "café".encode(), b"\xff x"]


@pytest.mark.parametrize(
    "headers", [{1: "x"}, {"A": 1}, {"A": b"x"}, {"A": "\u20ac"}, {"A": "x", "a": "y"}, "A: x"]
)
def test_what_is_no_mapping_of_text(headers: Headers) -> None:
    with pytest.raises(InvalidRequestError):
        Asking.of(headers, "follow").check()
