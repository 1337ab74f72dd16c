"""The text of an address: parses it as libvirt does, and shows it without its secrets.

libvirt parses addresses with libxml2 (RFC 3986). It splits the query at ``&``, and also at ``;`` after the last ``&``.
After that it decodes names and values once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NoReturn
from urllib.parse import quote, unquote_to_bytes

import attrs

from libstorage.errors import InvalidRequestError

EXAMPLES: Final = (
    "Addresses look like qemu:///system, qemu+ssh://user@host/system or storage:///session?socket=/path."
)
_AUTHORITY_HINT: Final = (
    "The port must be a number, and an IPv6 address must be in brackets. "
    "In the user, quote @ as %40, : as %3A and / as %2F."
)
HIDDEN: Final = "***"
"""Placeholder for the password in a shown address."""

_LONGEST = 16_384  # characters; a path has at most 4,096
_LONGEST_SHOWN = 200

_ADDRESS = re.compile(
    r"(?P<driver>[A-Za-z][A-Za-z0-9.-]*)(?:\+(?P<transport>[A-Za-z0-9.+-]*))?:"
    r"(?://(?P<authority>[^/?#]*))?(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?"
)
_AUTHORITY = re.compile(
    r"(?:(?P<user>[^@\[\]]*)@)?(?P<host>\[[^\]@]*:[^\]@]*\]|[^@:\[\]]*)(?::(?P<port>[0-9]{1,9}))?"
)
_ASTRAY = re.compile(r":.*@")  # user and password, after a forgotten slash or an unquoted one
_BRACKET = re.compile(r"[\[\]]")
_NEVER_RAW = re.compile(r"[^!#$%&\'()*+,./0-9:;=?@A-Z\[\]_a-z~-]")
_ZONE = re.compile(r"^[^/?#]*//[^/?#\[]*\[[0-9A-Fa-f:.]*%(?![0-9A-Fa-f]{2})")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")

# If an address cannot be parsed, the end of its password is unknown. The last @ counts as the end, however it is encoded.
_AT = re.compile(r"@|%(?:25)*40|[\uff20\ufe6b]")
_COLON = re.compile(r":|%(?:25)*3[aA]|[\uff1a\ufe55]")
_START = re.compile(r"[^:/?#@%]*:(?://)?")
_PASSWORD_AS_PORT = re.compile(r"^([^/?#:\[\]]*):(?![0-9]*(?:[/?#]|$))[^/?#]*")


@attrs.frozen
class AddressText:
    """The decoded parts of an address.

    Attributes:
        driver: The text before the first ``+`` or ``:``.
        transport: The text between the ``+`` and the ``:``, in lowercase; ``None`` without a ``+``.
        user: The user, and the password after a colon, if any; ``None`` without an ``@``.
        host: The host, without the brackets of an IPv6 address; empty if the address does not name a host.
        port: The port number.
        path: The path.
        parameters: Names and values, in their order.
    """

    driver: str
    transport: str | None
    user: str | None = attrs.field(repr=False)
    host: str
    port: int | None
    path: str
    parameters: tuple[tuple[str, str], ...] = attrs.field(repr=False)


def take_apart(text: str) -> AddressText:
    """Parse an address as libvirt does.

    Raises:
        InvalidRequestError: If libvirt cannot parse the address either, or would ignore a part of it.
    """
    text = _ZONE.sub(r"\g<0>25", text)  # fe80::1%eth0, which libvirt accepts
    _refuse_characters(text)
    found = _ADDRESS.fullmatch(text)
    if found is None:
        refuse_text(text, "the address does not begin with a driver", EXAMPLES)
    if found["fragment"] is not None:
        refuse_text(
            text, "the address has a fragment, which means nothing here", "In a value, quote # as %23."
        )
    authority = _AUTHORITY.fullmatch(found["authority"] or "")
    if authority is None or authority["user"] == "":
        refuse_text(text, "the part before the path is not user@host:port", _AUTHORITY_HINT)
    if authority["user"] is None and _ASTRAY.search(f"{found['authority'] or ''}{found['path']}"):
        refuse_text(text, "an @ follows the host", "Quote / as %2F in the user, or @ as %40 in the path.")
    if found["authority"] is None and not found["path"].startswith("/"):
        refuse_text(text, "no slash follows the driver", EXAMPLES)
    if _BRACKET.search(found["path"] + (found["query"] or "")):
        refuse_text(
            text, "the address has a bracket outside of an IPv6 address", "Quote [ as %5B and ] as %5D."
        )
    host = authority["host"]
    return AddressText(
        found["driver"],
        None if found["transport"] is None else found["transport"].lower(),
        None if authority["user"] is None else decoded(authority["user"]),
        decoded(host[1:-1] if host.startswith("[") else host),
        None if authority["port"] is None else int(authority["port"]),
        decoded(found["path"]),
        tuple(_parameters(text, found["query"] or "")),
    )


def _refuse_characters(text: str) -> None:
    if not text:
        hint = "Pass None for libvirt's default address, or qemu:///system for this machine."
        refuse_text(text, "the address is empty", hint)
    if len(text) > _LONGEST:
        refuse_text(text, f"the address is longer than {_LONGEST} characters", EXAMPLES)
    found = _NEVER_RAW.search(text)
    if found is not None:
        character = found[0]
        what = f"U+{ord(character):04X}"
        if character.isspace() or not character.isprintable():
            what = f"a space or a control character, {what}"
        encoded = quote(character, safe="", errors="replace")
        refuse_text(text, f"the address contains {what}", f"If it belongs there, quote it as {encoded}.")
    if _BROKEN_ESCAPE.search(text):
        refuse_text(text, "two digits from 0 to F must follow each %", "Quote % itself as %25.")
    if "%00" in text:
        refuse_text(
            text, "the address contains a NUL, where libvirt would cut it off", "Remove the NUL (%00)."
        )


def _parameters(text: str, query: str) -> Iterator[tuple[str, str]]:
    *sections, last = query.split("&")
    for section in (*sections, *last.split(";")):
        name, _, value = section.partition("=")
        if name:
            yield decoded(name), decoded(value)
        elif section:
            refuse_text(
                text,
                "the address has a value without a name",
                "Write parameters as name=value after the question mark.",
            )


def decoded(text: str) -> str:
    """Return ``text`` percent-decoded; bytes that are not UTF-8 become surrogates, as in file names."""
    return unquote_to_bytes(text).decode("utf-8", "surrogateescape")


def encoded(text: str, safe: str) -> str:
    """Return ``text`` percent-encoded, except for letters, digits, ``-._~`` and the characters in ``safe``."""
    return quote(text, safe=safe, errors="surrogateescape")


def without_secrets(text: str) -> str:
    """Return an arbitrary text, meant as an address, without passwords and without parameter values, for a message."""
    start = _START.match(text)
    begin = start.end() if start else 0
    ats = [found.start() for found in _AT.finditer(text, begin)]
    if ats:
        # The driver may be missing, so that the first colon is the one between user and password.
        colon = _COLON.search(text, begin if text.endswith("//", 0, begin) else 0, ats[-1])
        if colon is not None:
            text = f"{text[: colon.start()]}:{HIDDEN}{text[ats[-1] :]}"
    else:
        text = text[:begin] + _PASSWORD_AS_PORT.sub(rf"\1:{HIDDEN}", text[begin:])
    place, mark, _ = text.partition("?")
    place, hash_mark, _ = place.partition("#")
    tail = (hash_mark or mark) and f"{hash_mark or mark}…"
    return (place if len(place) <= _LONGEST_SHOWN else f"{place[:_LONGEST_SHOWN]}…") + tail


def refuse_text(text: str, reason: str, hint: str) -> NoReturn:
    """Refuse an address that was not parsed, and may be any text.

    Raises:
        InvalidRequestError: Always.
    """
    refuse(without_secrets(text), reason, hint)


def refuse(shown: str, reason: str, hint: str) -> NoReturn:
    """Refuse an address.

    Args:
        shown: The address without secrets.
        reason: Why the address is refused.
        hint: What the user can do.

    Raises:
        InvalidRequestError: Always.
    """
    raise InvalidRequestError(
        f"cannot connect to {shown!r}: {reason}",
        operation="host.open",
        hint=hint,
    )
