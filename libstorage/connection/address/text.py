"""The text of an address: taken apart as libvirt does it, and shown without what is secret.

libvirt leaves the reading to libxml2 (RFC 3986), splits what is behind the question mark at ``&``, and at ``;`` where no
``&`` follows, and decodes names and values after that, once.
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
HIDDEN: Final = "***"
"""Stands for a password where an address is shown."""

_LONGEST = 16_384  # characters; a path has 4,096 at most
_LONGEST_SHOWN = 200

_ADDRESS = re.compile(
    r"(?P<driver>[A-Za-z][A-Za-z0-9.-]*)(?:\+(?P<transport>[A-Za-z0-9.+-]*))?:"
    r"(?://(?P<authority>[^/?#]*))?(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?"
)
_AUTHORITY = re.compile(
    r"(?:(?P<user>[^@\[\]]*)@)?(?P<host>\[[^\]@]*:[^\]@]*\]|[^@:\[\]]*)(?::(?P<port>[0-9]{1,9}))?"
)
_ASTRAY = re.compile(r":.*@")  # a user and a password, had somebody not forgotten a slash or to quote one
_BRACKET = re.compile(r"[\[\]]")
_NEVER_RAW = re.compile(r"[^!#$%&\'()*+,./0-9:;=?@A-Z\[\]_a-z~-]")
_ZONE = re.compile(r"^[^/?#]*//[^/?#\[]*\[[0-9A-Fa-f:.]*%(?![0-9A-Fa-f]{2})")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")

# Of an address that cannot be taken apart nobody knows where its password ends: at the last @, however that is written.
_AT = re.compile(r"@|%(?:25)*40|[\uff20\ufe6b]")
_COLON = re.compile(r":|%(?:25)*3[aA]|[\uff1a\ufe55]")
_START = re.compile(r"[^:/?#@%]*:(?://)?")
_PASSWORD_AS_PORT = re.compile(r"^([^/?#:\[\]]*):(?![0-9]*(?:[/?#]|$))[^/?#]*")


@attrs.frozen
class AddressText:
    """What an address says, decoded.

    Attributes:
        driver: What is before the first ``+`` or ``:``.
        transport: What is between them, in small letters.
        user: The user, and whatever a colon separates from it; ``None`` without an ``@``.
        host: Without the brackets of an IPv6 address; empty if there is none.
        port: Its number.
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
    """Read an address as libvirt does.

    Raises:
        InvalidRequestError: libvirt could not read it either, or would leave out a part of it.
    """
    text = _ZONE.sub(r"\g<0>25", text)  # fe80::1%eth0, which libvirt takes
    _refuse_characters(text)
    found = _ADDRESS.fullmatch(text)
    if found is None:
        refuse_text(text, "it does not begin with a driver", EXAMPLES)
    if found["fragment"] is not None:
        refuse_text(text, "it has a fragment, which means nothing here", "Quote # as %23 where it belongs.")
    authority = _AUTHORITY.fullmatch(found["authority"] or "")
    if authority is None or authority["user"] == "":
        refuse_text(
            text,
            "what is before its path is not user@host:port",
            "A port is a number, an IPv6 address stands in brackets; quote @ as %40, : as %3A and / as %2F in the user.",
        )
    if authority["user"] is None and _ASTRAY.search(f"{found['authority'] or ''}{found['path']}"):
        refuse_text(text, "an @ follows its host", "Quote / as %2F in the user, or @ as %40 in the path.")
    if found["authority"] is None and not found["path"].startswith("/"):
        refuse_text(text, "no slash follows its driver", EXAMPLES)
    if _BRACKET.search(found["path"] + (found["query"] or "")):
        refuse_text(text, "it has a bracket where no IPv6 address is", "Quote it as %5B or %5D.")
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
        hint = "None stands for libvirt's default; qemu:///system is this machine."
        refuse_text(text, "it is empty", hint)
    if len(text) > _LONGEST:
        refuse_text(text, f"it is longer than {_LONGEST} characters", EXAMPLES)
    found = _NEVER_RAW.search(text)
    if found is not None:
        character = found[0]
        what = f"U+{ord(character):04X}"
        if character.isspace() or not character.isprintable():
            what = f"a space or a control character, {what}"
        encoded = quote(character, safe="", errors="replace")
        refuse_text(text, f"it holds {what}", f"Quote it as {encoded}, if it belongs there.")
    if _BROKEN_ESCAPE.search(text):
        refuse_text(text, "two digits from 0 to F must follow each %", "Quote % itself as %25.")
    if "%00" in text:
        refuse_text(text, "it holds a NUL, where libvirt takes it to end", "Leave it out.")


def _parameters(text: str, query: str) -> Iterator[tuple[str, str]]:
    *sections, last = query.split("&")
    for section in (*sections, *last.split(";")):
        name, _, value = section.partition("=")
        if name:
            yield decoded(name), decoded(value)
        elif section:
            refuse_text(text, "it has a value without a name", "Behind the question mark stands name=value.")


def decoded(text: str) -> str:
    """Without percent signs; bytes that are no UTF-8 become surrogates, as they do in names of files."""
    return unquote_to_bytes(text).decode("utf-8", "surrogateescape")


def encoded(text: str, safe: str) -> str:
    """With percent signs for all but letters, digits, ``-._~`` and what is safe."""
    return quote(text, safe=safe, errors="surrogateescape")


def without_secrets(text: str) -> str:
    """An address that may be anything at all, for a message: without passwords, and without values of parameters."""
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
    """Refuse an address that may be anything at all.

    Raises:
        InvalidRequestError: Always.
    """
    refuse(without_secrets(text), reason, hint)


def refuse(shown: str, reason: str, hint: str) -> NoReturn:
    """Refuse an address.

    Args:
        shown: It, without secrets.
        reason: Why.
        hint: What to do.

    Raises:
        InvalidRequestError: Always.
    """
    raise InvalidRequestError(
        f"cannot connect to {shown!r}: {reason}",
        operation="host.open",
        hint=hint,
    )
