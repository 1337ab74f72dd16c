"""What others say, in messages: short, printable, without secrets, and in time that grows as its length does."""

from __future__ import annotations

import pickle
import traceback
import unicodedata
from collections.abc import Callable, Iterator
from time import process_time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libstorage import StorageError
from libstorage.transfer.ends import origin, redaction
from libstorage.transfer.ends.opening import url_source
from libstorage.transfer.ends.redaction import LONGEST, Redactor, plain, redacted, redacted_url

SECRET = "hunter2-swordfish"
HOSTILE = st.lists(
    st.one_of(
        st.text(max_size=8),
        st.sampled_from(
            [
                "\x1b]0;x\x07",
                "\x9b31m",
                "\r\n",
                "\u202e",
                "\u2066",
                "\u2028",
                "\0",
                "\x7f",
                "://",
                "@",
                "::",
                "'",
                "?",
            ]
        ),
        st.sampled_from(
            [SECRET, quote(SECRET), f"u:{SECRET}@", f"http://u:{SECRET}@h/x?k={SECRET}#{SECRET}"]
        ),
    ),
    max_size=40,
).map("".join)
ADDRESS = f"http://u:{SECRET}@h/x"


@pytest.mark.parametrize("show", [plain, redacted_url, Redactor(ADDRESS).hide])
@given(text=HOSTILE)
def test_short_and_printable(show: Callable[[str], str], text: str) -> None:
    found = show(text)
    assert len(found) <= LONGEST
    assert not {unicodedata.category(char) for char in found} & {"Cc", "Cf", "Zl", "Zp", "Cs"}


@given(before=HOSTILE, after=HOSTILE, length=st.integers(0, 5000))
def test_no_secret_is_said(before: str, after: str, length: int) -> None:
    text = f"{before}{'x' * length}{SECRET}{after}"
    assert SECRET not in Redactor(ADDRESS).hide(text)
    assert SECRET not in Redactor("http://h/", values=[f"Bearer {SECRET}", SECRET]).hide(text)


@pytest.mark.parametrize(
    "unit", ["a", "a:", "http://", "a@", "::", "a::b", "'", "/", "[", "?", "%3A", "://@?", "a+"]
)
def test_ten_times_the_text_takes_ten_times_the_time(unit: str) -> None:
    secrets = Redactor(ADDRESS)
    for show in (
        plain,
        redacted_url,
        redacted,
        secrets.hide,
        lambda text: Redactor(f"http://{text}").hide(text),
    ):
        short, long = (unit * (length // len(unit)) for length in (20_000, 400_000))
        assert _seconds(show, long) < 100 * _seconds(show, short) + 0.5  # squared, it would be 400 times


def _seconds(show: Callable[[str], object], text: str) -> float:
    def once() -> float:
        began = process_time()
        show(text)
        return process_time() - began

    return min(once() for _ in range(2))


@pytest.mark.parametrize(
    "scheme", ["http", "https", "ftp", "memory", "nosuch", "simplecache::http", "zip://a::https"]
)
@pytest.mark.parametrize(
    "rest",
    [
        *(
            "127.0.0.1:1/x",
            "[::1/x",
            "[::1]x/",
            "127.0.0.1:port/x",
            "127.0.0.1:99999/x",
            "/x",
            "",
            "a b/",
            "\x1b/",
            "@/",
        ),
        *("127.0.0.1:1/x?token=hunter2-swordfish", "127.0.0.1:1/x#hunter2-swordfish"),
    ],
)
def test_no_error_holds_the_password_of_an_address(
    scheme: str, rest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(origin, "PAUSES", [])
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(StorageError) as error, url_source(f"{scheme}://u:{SECRET}@{rest}"):
        pass
    for one in _all(error.value):
        for text in (repr(one), str(one), repr(one.args), repr(vars(one)), repr(pickle.dumps(one))):
            assert SECRET not in text
    assert SECRET not in "".join(traceback.format_exception(error.value))


def _all(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def test_raised_alone() -> None:
    def fails() -> None:
        try:
            raise KeyError(SECRET)
        except KeyError:
            redaction.raise_alone(ValueError("mine"))

    with pytest.raises(ValueError, match="mine") as error:
        fails()
    assert list(_all(error.value)) == [error.value]
