"""Laws of readers: whatever they are given, they give a document or our error, and nothing of a document is beyond use."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from libstorage import (
    DocumentError,
    PoolCapabilities,
    PoolSources,
    PoolSpec,
    SecretSpec,
    SourceQuery,
    StorageError,
    VolumeSpec,
    validate,
)
from libstorage.xml import document as documents
from libstorage.xml.document import Document
from libstorage.xml.schema import is_valid
from tests.support import CHECKOUT

MODELS: tuple[type[Document], ...] = (
    PoolSpec,
    VolumeSpec,
    SecretSpec,
    PoolCapabilities,
    PoolSources,
    SourceQuery,
)
OURS = [path.read_text("utf-8") for path in sorted(Path(CHECKOUT, "tests/corpus/ours").glob("*.xml"))]

ODD = (
    *("<x xmlns='0x10'/>", "<y:y xmlns:y='rel'/>", "<y:y xmlns:y='a b'/>", " xmlns:q='0x1' q:a='1'", " xmlns='rel'"),
    *("<fs:x/>", "<q:a/>", " a:b:c='1'", "<a xmlns=''/>", "<a xmlns:b=''/>", " xmlns:xml='a'", " xml:id='a b'"),
    *(" xml:base='://'", " xsi:type='a' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'"),
    *("\0", "\1", "\ud800", "\ufffe", "\ufeff", "\u2028", "\x85", "\r", "\t", "é", "𝔸"),
    *("&#0;", "&#xD800;", "&#xFFFE;", "&#x110000;", "&amp;", "&nbsp;", "&", "<", ">", "'", '"', "]]>", "<![CDATA[x]]>"),
    *("<!--", "-->", "<?", "?>", "<!DOCTYPE a>", "<?xml version='1.0' encoding='UTF-16'?>", "<!ENTITY a 'b'>"),
    *("9" * 30, "9" * 5_000, "7" * 5_000, "f" * 5_000, "0x" + "f" * 5_000, "0." + "9" * 5_000, "-" + "9" * 5_000),
    *("-", "+", "0x", "1e5", "NaN", "_", " ٣", " ", "\n", "-1", "18446744073709551616", "{", "}", "{a}", "%s", "$"),
    *("<a>" * 200, "<a>" * 300 + "</a>" * 300, f"<{'n' * 5_000}/>", f"<a b='{'x' * 10_000}'/>", "<name/>" * 300),
)  # fmt: skip


def mutant(text: str, chance: random.Random) -> str:
    """A document after a few changes, most of them where its markup begins or ends."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        marks = [place for place, letter in enumerate(text) if letter in "<>'\""] or [0]
        at = chance.choice(marks) + chance.randrange(2)
        end = min(len(text), at + chance.randrange(1, 40))
        odd = chance.choice(ODD)
        text = chance.choice(
            (
                text[:at] + odd + text[at:],
                text[:at] + odd + text[at:],
                text[:at] + odd + text[end:],
                text[:at] + text[end:],
                text[:at] + text[at:end] * 3 + text[end:],
            )
        )
    return text


def uses(model: type[Document], xml: Any) -> tuple[Callable[[], object], ...]:
    return (
        lambda: model.from_xml(xml),
        lambda: model.from_xml(xml, strict=True),
        lambda: validate(xml),
        lambda: validate(xml, "rng"),
        lambda: is_valid(xml, "rng"),
        lambda: model.from_xml(xml).check(),
    )


def refusals(model: type[Document], xml: Any) -> list[str]:
    """What is said of it; anything but one of our errors passes, and so does what is our mistake."""
    said = []
    for use in uses(model, xml):
        try:
            use()
        except StorageError as error:
            said.append(str(error))
            origins = (error.__context__, error.__cause__)
        else:
            origins = (None, None)
        assert origins == (None, None)
    assert not [one for one in said if "bug in libstorage" in one]
    return said


def use(model: type[Document], xml: Any) -> None:
    """Everything that is done with a document which was read."""
    document, said = None, ""
    try:
        document = model.from_xml(xml)
    except DocumentError as error:
        said = str(error)
    assert "bug in libstorage" not in said
    if document is None:
        return
    assert repr(document)
    assert document._repr_html_()
    assert pickle.loads(pickle.dumps(document)) == document
    assert model.from_xml(document.to_xml(reported=True)) == document
    assert hash(document) == hash(model.from_xml(xml))


@given(
    st.randoms(use_true_random=False), st.sampled_from(OURS), st.sampled_from(["utf-8", "utf-16", "latin-1"])
)
def test_mutants_are_read_or_refused(chance: random.Random, text: str, encoding: str) -> None:
    text = mutant(text, chance)
    for model in MODELS:
        if f"<{model.ROOT}" in text:
            refusals(model, text)
            use(model, text)
            refusals(
                model,
                text.encode(encoding, "xmlcharrefreplace" if encoding == "latin-1" else "surrogatepass"),
            )


@given(st.one_of(st.text(), st.binary()), st.sampled_from(MODELS))
@example(b"\xff\xfe<\0a\0/\0>\0", PoolSpec)
@example("", PoolSpec)
def test_anything_is_read_or_refused(xml: str | bytes, model: type[Document]) -> None:
    assert refusals(model, xml)


class Odd:
    def __len__(self) -> int:
        raise ZeroDivisionError


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "xml",
    [
        None,
        5,
        True,
        1.5,
        bytearray(b"<pool/>"),
        memoryview(b"<pool/>"),
        ["<pool/>"],
        {},
        object(),
        Odd(),
        PoolSpec,
    ],
    ids=lambda xml: type(xml).__name__,
)
def test_any_other_type_is_refused(model: type[Document], xml: Any) -> None:
    for strict in (False, True):
        with pytest.raises(DocumentError):
            model.from_xml(xml, strict=strict)


@pytest.mark.parametrize("odd", [part for part in ODD if part.strip()], ids=lambda part: ascii(part)[:20])
def test_every_odd_part_in_every_place_of_a_volume(odd: str) -> None:
    text = (
        "<volume type='file'><name>a</name><capacity unit='bytes'>1</capacity><physical unit='bytes'>2</physical>"
        "<target><path>/a</path><permissions><mode>0600</mode><owner>1</owner></permissions>"
        "<timestamps><mtime>1.5</mtime></timestamps><features><lazy_refcounts/></features></target></volume>"
    )
    for at in range(len(text)):
        if text[at] in "<>'" or text[at - 1] in ">'":
            use(VolumeSpec, text[:at] + odd + text[at:])


@pytest.mark.parametrize(
    "error", [ZeroDivisionError, RecursionError, MemoryError, OverflowError, UnicodeError]
)
def test_a_mistake_of_ours_says_where_and_not_what(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error("HUNTER2")

    monkeypatch.setattr(documents, "_read", fail)
    with pytest.raises(
        DocumentError, match=rf"^/: cannot be read: {error.__name__} in test_reading.py:\d+\n.*Report it"
    ) as caught:
        PoolSpec.from_xml("<pool>HUNTER2</pool>")
    assert "HUNTER2" not in repr(caught.value) + repr(pickle.dumps(caught.value))
    assert caught.value.__context__ is None


def test_ctrl_c_is_not_a_wrong_document(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(documents, "_read", interrupt)
    with pytest.raises(KeyboardInterrupt):
        PoolSpec.from_xml("<pool/>")


def test_a_part_in_a_namespace_without_a_canonical_form_is_kept() -> None:
    text = "<pool type='dir' xmlns:x='0x10'><name>a</name><x:y x:a='1'/><target x:b='2'><path>/x</path></target></pool>"
    spec = PoolSpec.from_xml(text)
    assert [part.path for part in spec.unknown] == ["/pool/target/@ns0:b", "/pool/x:y"] or len(
        spec.unknown
    ) == 2
    assert PoolSpec.from_xml(spec.to_xml()) == spec
    assert 'xmlns:x="0x10"' in spec.to_xml()
