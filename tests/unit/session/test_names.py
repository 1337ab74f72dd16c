"""Names for new pools and volumes: what is refused before libvirt hears of it, and what the message says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libstorage.errors import InvalidRequestError
from libstorage.session.arguments import check_name, check_uuid
from libstorage.session.names import POOL_NAME_BYTES, VOLUME_NAME_BYTES, check_pool_name, check_volume_name

REFUSED = {
    "": "is empty",
    ".": "names a directory",
    "..": "names a directory",
    "a/b": "contains '/'",
    "/": "contains '/'",
    " a": "begins or ends with a space",
    "a\u3000": "begins or ends with a space",
    "a\nb": "U+000A at position 2",
    "a\rb": "U+000D at position 2",
    "\tb": "U+0009 at position 1",
    "a\x01": "U+0001 at position 2",
    "a\x7f": "U+007F at position 2",
    "a\x85b": "U+0085 at position 2",
    "a\u2028b": "U+2028 at position 2",
    "a\u202eb": "changes the writing direction (U+202E at position 2)",
    "\u2066b": "changes the writing direction (U+2066 at position 1)",
    "é" * 128: "has 256 bytes",
}
NEVER = {"a\0b": "NUL", "a\ud800": "surrogate"}


@pytest.mark.parametrize("name", [*REFUSED, *NEVER])
def test_what_is_refused_and_why(name: str) -> None:
    for check in (check_volume_name, check_pool_name):
        with pytest.raises(InvalidRequestError) as refused:
            check(name)
        assert (REFUSED | NEVER)[name] in str(refused.value)
        assert refused.value.outcome == "not_started"
        assert ascii(name)[1:-1] in ascii(str(refused.value)).replace("\\\\", "\\")


@pytest.mark.parametrize("name", REFUSED)
def test_one_may_insist(name: str) -> None:
    check_volume_name(name, strict=False)
    check_pool_name(name, strict=False)


@pytest.mark.parametrize("name", NEVER)
def test_but_not_on_what_cannot_be_sent(name: str) -> None:
    with pytest.raises(InvalidRequestError):
        check_volume_name(name, strict=False)


def test_pools_have_shorter_names_than_volumes() -> None:
    check_volume_name("n" * VOLUME_NAME_BYTES)
    check_pool_name("n" * POOL_NAME_BYTES)
    for check, most in ((check_volume_name, VOLUME_NAME_BYTES), (check_pool_name, POOL_NAME_BYTES)):
        with pytest.raises(InvalidRequestError, match=f"at most {most}"):
            check("n" * (most + 1))


@pytest.mark.parametrize(
    "name", ["a", "a b", ".hidden", "日本", "👩\u200d👧", "e\u0301", "%s", "$(id)", "*", "a" * 247]
)
def test_what_is_taken(name: str) -> None:
    check_volume_name(name)
    check_pool_name(name)


def test_one_that_looks_like_an_option_is_warned_of() -> None:
    with pytest.warns(UserWarning, match="begins with '-'"):
        check_volume_name("-rf")


@given(st.text())
@pytest.mark.filterwarnings("ignore:.*begins with:UserWarning")
def test_whatever_is_taken_is_a_file_name_that_reads_as_it_is(name: str) -> None:
    try:
        check_volume_name(name)
    except InvalidRequestError:
        return
    assert name.strip() == name != ""
    assert len(name.encode()) <= VOLUME_NAME_BYTES
    assert not set(name) & set("/\0\n\r")


@pytest.mark.parametrize("wrong", [None, 7, b"bytes"])
def test_a_name_is_text(wrong: object) -> None:
    for check in (check_volume_name, check_name):
        with pytest.raises(InvalidRequestError, match="must be a string"):
            check(wrong)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_name_to_look_up_may_be_nearly_anything() -> None:
    for name in ("", "a/b", "..", "a\nb", "\udcff"):
        assert check_name(name) == name
    with pytest.raises(InvalidRequestError, match="NUL"):
        check_name("a\0")


def test_uuids() -> None:
    text = "c7a5fdbd-edaf-9455-926a-d65c16db1809"
    assert check_uuid(text.upper()) == check_uuid(text.replace("-", "")) == text
    for wrong in ("", "c7a5", None, 7):
        with pytest.raises(InvalidRequestError, match="not a uuid"):
            check_uuid(wrong)
