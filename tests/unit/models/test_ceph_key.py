"""Keys of Ceph in the forms in which people have them."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libstorage import Auth, DocumentError, InvalidRequestError, SecretValue
from libstorage.models.ceph_key import ceph_key, is_key_text

KEYS = st.binary(min_size=26, max_size=60).map(lambda rest: b"\x01\x00" + rest)


@given(KEYS, st.sampled_from(["", "\n", " \r\n"]))
def test_every_form_is_the_same_key(key: bytes, end: str) -> None:
    text = base64.b64encode(key).decode() + end
    for form in (key, text, text.encode(), SecretValue(key), SecretValue(text)):
        assert ceph_key(form).reveal() == key
    assert is_key_text(SecretValue(text))
    assert not is_key_text(SecretValue(key))


@given(st.one_of(st.binary(max_size=27), st.text(max_size=20)))
def test_anything_else_is_none(value: str | bytes) -> None:
    with pytest.raises(InvalidRequestError, match="not a key of Ceph") as refused:
        ceph_key(value)
    assert refused.value.outcome == "not_started"


def test_a_user_with_the_prefix_that_ceph_prints() -> None:
    with pytest.raises(DocumentError, match="write 'web'"):
        Auth.ceph("client.web", usage="key")
    assert Auth.ceph("web", usage="key").username == "web"
