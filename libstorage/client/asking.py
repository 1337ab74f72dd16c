"""What a caller says of how a web server is asked: more headers, and where redirects may lead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final, Literal, TypeAlias, get_args

import attrs

from libstorage.errors import InvalidRequestError

Redirects: TypeAlias = Literal["follow", "public", "forbid"]
"""Where redirects may lead: anywhere, to public addresses only, or nowhere."""

_is_name = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_is_value = re.compile(r"[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?").fullmatch
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
    """How a web server is asked.

    Attributes:
        headers: Headers of the caller's, which may be secret.
        redirects: Where redirects may lead.
    """

    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=False)
    redirects: Redirects = "follow"

    @classmethod
    def of(cls, headers: Mapping[str, str] | None, redirects: Redirects) -> Asking:
        """From what a caller gave. What he gave is not quoted: it may be secret.

        Raises:
            InvalidRequestError: A header cannot be sent, or is ours to send; there is no such word.
        """
        if redirects not in get_args(Redirects):
            words = ", ".join(map(repr, get_args(Redirects)))
            raise _refusal(f"redirects is one of {words}, not {redirects!r:.40}")
        if headers is None:
            return cls((), redirects)
        if not isinstance(headers, Mapping):
            raise _refusal(f"headers is a mapping of names to values, not a {type(headers).__name__}")
        pairs = tuple(headers.items())
        for number, (name, value) in enumerate(pairs, 1):
            _check_header(number, name, value)
        if len({name.lower() for name, _ in pairs}) < len(pairs):
            raise _refusal("headers has the same name twice, in capital and in small letters")
        return cls(pairs, redirects)

    @property
    def is_plain(self) -> bool:
        """Whether nothing is asked for that only we can do."""
        return self == USUAL


USUAL: Final = Asking()
"""As a server is asked if a caller says nothing."""


def is_public(address: str) -> bool:
    """Whether an address is one of the internet's, and not of this machine, its network or its provider's inside."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or _translated(found)
        if inner is None:
            return found in _GLOBAL and found not in _SIX_TO_FOUR and found.is_global
        found = inner
    return found.is_global and not found.is_multicast


_GLOBAL: Final = IPv6Network("2000::/3")
_SIX_TO_FOUR: Final = IPv6Network("2002::/16")
_NAT64: Final = IPv6Network("64:ff9b::/96")


def _translated(address: IPv6Address) -> IPv4Address | None:
    return IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else None


def _check_header(number: int, name: object, value: object) -> None:
    if not isinstance(name, str) or not _is_name(name):
        raise _refusal(
            f"header {number} of headers has a name that is none", "A name has letters, digits and hyphens."
        )
    if name.lower() in _OURS or name.lower().startswith(_OUR_KINDS):
        raise _refusal(f"header {name:.60} is not for a caller to set: the transfer depends on it")
    if not isinstance(value, str) or not _is_value(value):
        raise _refusal(
            f"the value of header {name:.60} cannot be sent",
            "A value is text of one line, without control characters and without blanks at its ends.",
        )


def _refusal(message: str, hint: str | None = None) -> InvalidRequestError:
    return InvalidRequestError(message, hint=hint, outcome="not_started", retry="no")
