"""What is plainly no disk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libstorage.transfer.pieces.plain import text_of

KINDS = {
    b"": "nothing",
    b"<!DOCTYPE html><html>": "HTML",
    b"\xef\xbb\xbf\r\n <HTML>": "HTML",
    b"<html><title>Seite nicht verf\xfcgbar</title>": "HTML",
    b'<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>': "XML",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n": "Git LFS pointer",
    b'{"message": "Not Found"}': "JSON",
    b"{ this is not JSON": "text",
    b"Not Found\n": "text",
    "Größe".encode(): "text",
    "Not Found".encode("utf-16"): "text",
    b"\xff\xfe\0\0": None,
    b"\xff\xfe\0\xd8": None,
    b"\0": None,
    b"MZ\x90\0": None,
    b"\xe9a": None,
    b"a" * 600 + b"\0": None,
}


@pytest.mark.parametrize("data", KINDS)
def test_kinds(data: bytes) -> None:
    assert text_of(data, whole=True) == KINDS[data]


def test_a_letter_may_be_cut_off_where_the_text_goes_on() -> None:
    data = "a€".encode()[:-1]
    assert text_of(data, whole=False) == "text"
    assert text_of(data, whole=True) is None


@given(st.binary(), st.booleans())
def test_any_bytes_have_an_answer(data: bytes, whole: bool) -> None:
    assert text_of(data, whole=whole) in {*KINDS.values()}
