"""The caller's requests to a web server: more headers, and where redirects may lead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, Literal, TypeAlias, get_args

import attrs

from libstorage.errors import InvalidRequestError
from libstorage.models.secret_value import SecretValue

Redirects: TypeAlias = Literal["follow", "public", "forbid"]
"""Where redirects may lead: anywhere, to public addresses only, or nowhere."""

Headers: TypeAlias = Mapping[str, str | SecretValue]
"""More headers of a request, by name. A ``SecretValue`` is sent as the bytes that it holds."""

_is_name = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_is_value = re.compile(rb"[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?").fullmatch
_OURS: Final = frozenset(
    [
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-range",
        "expect",
        "host",
        "keep-alive",
        "range",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)
_OUR_KINDS: Final = ("proxy-", "if-")


@attrs.frozen
class Asking:
    """Headers and redirect policy of requests to a web server.

    Attributes:
        headers: The caller's headers, as they are sent.
        redirects: Where redirects may lead.
        fault: The fault in the caller's arguments; empty if there is none.
    """

    headers: tuple[tuple[str, SecretValue], ...] = ()
    redirects: Redirects = "follow"
    fault: str = ""

    @classmethod
    def of(cls, headers: Headers | None, redirects: Redirects) -> Asking:
        """Build it from the caller's arguments. Nothing is raised here: a traceback would show the headers."""
        if redirects not in get_args(Redirects):
            words = ", ".join(map(repr, get_args(Redirects)))
            return cls(fault=f"redirects is one of {words}, not {redirects!r:.40}")
        if headers is None:
            return cls((), redirects)
        if not isinstance(headers, Mapping):
            return cls(fault=f"headers is a mapping of names to values, not a {type(headers).__name__}")
        pairs: dict[str, SecretValue] = {}
        for number, (name, value) in enumerate(headers.items(), 1):
            sent = _sent(value)
            if fault := _fault_of(number, name, sent):
                return cls(fault=fault)
            pairs[name] = SecretValue(sent)
        if len({name.lower() for name in pairs}) < len(pairs):
            return cls(fault="headers has the same name twice, in capital and in small letters")
        return cls(tuple(pairs.items()), redirects)

    def check(self) -> None:
        """Check the arguments.

        Raises:
            InvalidRequestError: If a header cannot be sent or is reserved, or there is no such redirect policy.
        """
        if self.fault:
            raise InvalidRequestError(self.fault)

    @property
    def is_plain(self) -> bool:
        """Whether the defaults apply, which any client supports."""
        return self == USUAL


USUAL: Final = Asking()
"""The default: no headers, and redirects are followed."""


def is_public(address: str) -> bool:
    """Return whether an address is a public one: not of this machine, its network or its provider's internal network."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or _translated(found)
        if inner is None:
            return found in _GLOBAL and found not in _SIX_TO_FOUR and found.is_global
        found = inner
    return found.is_global and not found.is_multicast and not any(found in network for network in _PROTOCOLS)


_PROTOCOLS: Final = (
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
)  # older Pythons call them global
_GLOBAL: Final = IPv6Network("2000::/3")
_SIX_TO_FOUR: Final = IPv6Network("2002::/16")
_NAT64: Final = IPv6Network("64:ff9b::/96")


def _translated(address: IPv6Address) -> IPv4Address | None:
    return IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else None


def _sent(value: object) -> bytes:
    """Return the value of a header as it is sent; empty if it cannot be sent."""
    if isinstance(value, SecretValue):
        return value.reveal()
    try:
        return value.encode("latin-1") if isinstance(value, str) else b""
    except UnicodeEncodeError:
        return b""


def _fault_of(number: int, name: object, sent: bytes) -> str:
    if not isinstance(name, str) or not _is_name(name):
        return f"header {number} of headers has a name that is none: a name has letters, digits and hyphens"
    if name.lower() in _OURS or name.lower().startswith(_OUR_KINDS):
        return f"header {name:.60} is not for a caller to set: the transfer depends on it"
    if not _is_value(sent):
        return (
            f"the value of header {name:.60} cannot be sent: a value is text of one line (Latin-1, or a SecretValue of "
            f"any bytes), without control characters and without blanks at its ends"
        )
    return ""
