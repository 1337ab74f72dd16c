"""Addresses of web servers: what tells servers apart, and what a request says."""

from __future__ import annotations

import pytest

from libstorage.transfer.ends.web.request import Place


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("http://h/a", "http://h:80/b?c", True),
        ("https://h/a", "https://h:443/", True),
        ("http://u:p@h/a", "http://h/a", True),
        ("http://H/", "http://h/", True),
        ("http://h:443/", "https://h/", False),
        ("http://h/", "https://h/", False),
        ("http://h/", "http://h:81/", False),
        ("http://h/", "http://i/", False),
        ("http://[::1]/", "http://[::2]/", False),
    ],
)
def test_what_tells_servers_apart(one: str, other: str, is_same: bool) -> None:
    assert (Place.of(one).origin == Place.of(other).origin) is is_same


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("http://u:p@h/a b?c d#e", "h", "/a%20b?c%20d"),
        ("https://h:8443", "h:8443", "/"),
        ("http://[::1]:81/%41", "[::1]:81", "/%41"),
        ("https://h:80/", "h:80", "/"),
    ],
)
def test_what_is_asked_for(url: str, authority: str, path: str) -> None:
    place = Place.of(url)
    assert (place.authority, place.path) == (authority, path)
    assert place.url == f"{place.scheme}://{authority}{path}"
    assert (place.user is not None) is ("@" in url)


@pytest.mark.parametrize(
    "url", ["ftp://h/", "http://", "http:///x", "http://h:port/", "http://h h/", "h/x", ""]
)
def test_what_is_no_address_of_one(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- it holds the address, which may be secret
        Place.of(url)
