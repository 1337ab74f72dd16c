"""Redaction: makes texts of servers and file systems short, printable, and free of an address's secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, NoReturn
from urllib.parse import quote, unquote

LONGEST: Final = 200
"""Largest number of characters of a foreign text in a message."""

_LOOKED_AT: Final = 4096  # characters; what comes behind them is not even searched for secrets
_SHORTEST: Final = 2  # characters; one alone is in every text

_links = re.compile(r"::(?=[A-Za-z][A-Za-z0-9+.-]*(?:::|://|$))").split
_place_ends = re.compile(r"[/?#]").split
_path_ends = re.compile(r"[?#]").split
_is_place = re.compile(r"(?:\[[^\]]*\]|[^\s:@\[\]]*)(?::\d*)?").fullmatch
_user = re.compile(r"[^\s/?#'\"]*@")
_query = re.compile(r"[?#][^\s'\"]*")


def plain(text: str, longest: int = LONGEST) -> str:
    """Return a text that a terminal can show: one line, no control characters, not too long."""
    cut = text[:longest] if len(text) <= longest else f"{text[: longest - 1]}…"
    return cut if cut.isprintable() else "".join(char if char.isprintable() else "?" for char in cut)


def redacted_url(url: str) -> str:
    """Return a URL, or a chain of URLs, without users, passwords, queries and fragments, which may be secret."""
    return plain("::".join(_redacted_link(link) for link in _links(url)))


def redacted(text: str) -> str:
    """Return a text with the URLs in it redacted, in time proportional to its length."""
    first, *addresses = text.split("://")
    return "://".join([first, *(_query.sub("", _without_user(address)) for address in addresses)])


class Redactor:
    """Removes secrets from texts: the secret parts of URLs, and values such as those of headers.

    Args:
        urls: The URLs.
        values: Other secrets.
    """

    def __init__(self, *urls: str, values: Iterable[str] = ()) -> None:
        found = {form for text in (*urls, *values) for form in _forms(text)}
        found.update(form for url in urls for part in _secret_parts(url) for form in _forms(part))
        self._texts = sorted((text for text in found if len(text) >= _SHORTEST), key=len, reverse=True)

    def hide(self, text: str) -> str:
        """Return a foreign text as a message can hold it."""
        looked_at = text[:_LOOKED_AT]
        for secret in self._texts:
            looked_at = looked_at.replace(secret, "…")
        if len(text) > _LOOKED_AT and self._texts:
            looked_at = looked_at[: -len(self._texts[0])]  # where a secret may have been cut in two
        return plain(redacted(looked_at))

    def describe(self, error: BaseException) -> str:
        """Return the text of a foreign error as a message can hold it."""
        text = str(error)
        return f"{type(error).__name__}: {self.hide(text)}" if text else type(error).__name__


def raise_alone(error: Exception) -> NoReturn:
    """Raise an error without its cause, which may hold secrets and would be printed with it."""
    try:
        raise error from None
    finally:
        error.__context__ = None


def _without_user(address: str) -> str:
    found = _user.match(address)
    return address[found.end() :] if found else address


def _redacted_link(link: str) -> str:
    scheme, mark, rest = link.rpartition("://")
    user = _user_of(rest)
    return f"{scheme}{mark}{_path_ends(rest[len(user) + 1 :] if user else rest, 1)[0]}"


def _user_of(rest: str) -> str:
    """Return user and password of the part behind ``scheme://``."""
    place = _place_ends(rest, 1)[0]
    if "@" not in place and not _is_place(place):  # a password with a character that should have been quoted
        place = rest
    return place.rpartition("@")[0]


def _secret_parts(url: str) -> Iterator[str]:
    for link in _links(url):
        rest = link.rpartition("://")[2]
        before, _, fragment = rest.partition("#")
        query = before.partition("?")[2]
        yield from (fragment, query)
        yield from (pair.partition("=")[2] for pair in query.split("&"))
        user, _, password = _user_of(rest).partition(":")
        yield from (user, password)


def _forms(text: str) -> tuple[str, ...]:
    return text, quote(text, errors="replace"), unquote(text)
