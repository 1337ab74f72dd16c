"""What a text is an address of, what a web server's status means, and what is hidden of both."""

from __future__ import annotations

import pytest

from libstorage.errors import (
    AccessDeniedError,
    AuthenticationError,
    NotFoundError,
    Retry,
    StorageError,
    TransferError,
)
from libstorage.transfer.ends.addresses import is_url, is_web, refusal
from libstorage.transfer.ends.redaction import LONGEST, Redactor, plain, redacted, redacted_url


@pytest.mark.parametrize(
    ("status", "kind", "retry"),
    [
        (206, TransferError, "no"),
        (301, TransferError, "no"),
        (400, TransferError, "no"),
        (401, AuthenticationError, "no"),
        (403, AccessDeniedError, "no"),
        (404, NotFoundError, "no"),
        (407, AuthenticationError, "no"),
        (410, NotFoundError, "no"),
        (416, TransferError, "no"),
        (428, TransferError, "no"),
        (429, TransferError, "backoff"),
        (430, TransferError, "no"),
        (500, TransferError, "backoff"),
        (503, TransferError, "backoff"),
        (599, TransferError, "backoff"),
    ],
)
def test_what_a_status_means(status: int, kind: type[StorageError], retry: Retry) -> None:
    error = refusal("http://h/x", status)
    assert (type(error), error.retry, error.outcome) == (kind, retry, "not_started")
    assert f"HTTP {status}" in error.message


@pytest.mark.parametrize("text", ["http://h", "memory://x", "zip::http://h", "a+b.c-1://"])
def test_addresses(text: str) -> None:
    assert is_url(text)


@pytest.mark.parametrize("text", ["/http://h", "1http://h", "a:b", "C:\\x", "./a://b", ""])
def test_paths(text: str) -> None:
    assert not is_url(text)


def test_only_one_web_server_is_the_web() -> None:
    assert [is_web(url) for url in ("HTTP://h", "https://h", "zip::http://h", "ftp://h", "httpx://h")] == [
        True,
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(
    "shown", ["hunter2", "hunter%32", "sig%20nature", "sig nature", "Bearer t0ken", "t0ken"]
)
def test_secrets_are_hidden_wherever_they_stand(shown: str) -> None:
    url = "http://visitor:hunter%32@h/x?key=sig%20nature#part"
    redactor = Redactor(url, values=["Bearer t0ken", "t0ken"])
    for text in (shown, f"no such thing: {shown}", f"{shown}{shown}", f"<{shown}>\n"):
        assert shown not in redactor.hide(text)
        assert shown not in redactor.describe(ValueError(text))
    assert redactor.hide("nothing of that") == "nothing of that"


def test_a_secret_that_was_cut_in_two_is_hidden() -> None:
    secret = "s3cret" * 20
    for before in range(4000, 4096, 7):
        assert "s3cret" not in Redactor(values=[secret]).hide("." * before + secret)[-60:]
    assert len(Redactor(values=[secret]).hide("x" * 10_000)) <= LONGEST


def test_one_character_is_no_secret() -> None:
    assert Redactor("http://a:b@h/").hide("a b c") == "a b c"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see http://u:p@h/x?q#f and", "see http://h/x and"),
        ("'https://u@h/x?q'", "'https://h/x'"),
        ("a@b", "a@b"),
    ],
)
def test_addresses_within_a_text(text: str, shown: str) -> None:
    assert redacted(text) == shown


def test_a_chain_of_addresses() -> None:
    assert redacted_url("zip://a::http://u:p@h/x?q") == "zip://a::http://h/x"


def test_what_a_terminal_is_shown() -> None:
    assert plain("a\x1b[31m\nb\u202e") == "a?[31m?b?"
    assert plain("x" * LONGEST) == "x" * LONGEST
    assert plain("x" * (LONGEST + 1)) == "x" * (LONGEST - 1) + "…"
