"""A secret in a document where none belongs: nothing shows it but the document's own text and its ``unknown`` parts."""

from __future__ import annotations

import html
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libstorage import DocumentError, PoolSpec, SecretSpec, VolumeSpec, validate
from libstorage.xml.document import Document
from libstorage.xml.parse import parse
from libstorage.xml.wording import tag_of
from tests.sinks import CANARY, hits, shown_errors, shown_values

WHOLE: dict[str, tuple[type[Document], str]] = {
    "pool": (
        PoolSpec,
        (
            "<pool type='rbd'><name>a</name><source><host name='h' port='6789'/><name>p</name>"
            "<auth type='ceph' username='u'><secret usage='k'/></auth></source></pool>"
        ),
    ),
    "volume": (
        VolumeSpec,
        (
            "<volume><name>a</name><capacity unit='bytes'>1</capacity><target><format type='raw'/>"
            "<encryption format='luks'><secret type='passphrase' usage='k'/>"
            "<cipher name='aes' size='256'/><ivgen name='plain64'/></encryption></target></volume>"
        ),
    ),
    "secret": (SecretSpec, "<secret ephemeral='no'><usage type='ceph'><name>k</name></usage></secret>"),
}
ESCAPED = html.escape(CANARY)


def places(text: str) -> Iterator[tuple[str, str]]:
    """The document with the canary in every element: in each unknown form, and as text where a secret may be meant."""
    for element in parse(text).iter():
        tag = tag_of(element)
        end = text.index("/>" if f"<{tag}/>" in text else ">", text.index(f"<{tag}"))
        end = end - 1 if text[end - 1] == "/" else end
        for attribute in ("passwd", "login", "x:password"):
            space = " xmlns:x='urn:x'" if ":" in attribute else ""
            yield f"@{attribute} of {tag}", f"{text[:end]}{space} {attribute}='{ESCAPED}'{text[end:]}"
        if f"</{tag}>" not in text or not len(element):
            continue
        for part in (
            f"<password>{ESCAPED}</password>",
            f"<password value='{ESCAPED}'/>",
            f"<a><b c='{ESCAPED}'>{ESCAPED}</b></a>",
            f"<x:p xmlns:x='urn:x'>{ESCAPED}</x:p>",
            f"<x:p xmlns:x='relative'>{ESCAPED}</x:p>",
            f"<password><![CDATA[{CANARY}]]></password>",
            f"<!--{ESCAPED}-->",
            f"<?password {ESCAPED}?>",
        ):
            yield f"{part[:12]} in {tag}", text.replace(f"</{tag}>", f"{part}</{tag}>", 1)
        if tag in {"auth", "encryption", "secret"}:
            yield f"text in {tag}", text.replace(f"</{tag}>", f"{ESCAPED}</{tag}>", 1)


def known_places() -> Iterator[tuple[str, type[Document], str]]:
    """Where a document names a secret, and somebody gives it instead."""
    for name, (model, text) in WHOLE.items():
        if "<secret " in text and model is not SecretSpec:
            secret = text.index("<secret ")
            end = text.index("/>", secret)
            yield f"{name} text", model, f"{text[:end]}>{ESCAPED}</secret>{text[end + 2 :]}"
            yield f"{name} uuid", model, text.replace("usage='k'", f"uuid='{ESCAPED}'")


def broken(text: str) -> Iterator[tuple[str, str]]:
    """Documents that end, or stop being XML, in the middle of a secret."""
    cut = text.rindex("</")
    for name, part in {
        "CDATA": f"<a><![CDATA[{CANARY}",
        "comment": f"<!-- {CANARY}",
        "double hyphen": f"<!-- {CANARY} -- -->",
        "instruction": f"<?a {CANARY}",
        "entity": f"<a>&{CANARY};</a>",
        "entity in the middle": f"<a>x&{CANARY};x</a>",
        "ampersand": f"<a>{CANARY}&</a>",
        "less": f"<a b='{CANARY}<'/>",
        "quote": f"<a b='{CANARY}/>",
        "no quotes": f"<a b={CANARY}/>",
        "end": f"<a>{CANARY}",
        "other end": f"<a>{CANARY}</b>",
        "control": f"<a>{CANARY}\1</a>",
        "surrogate": f"<a>{CANARY}\ud800</a>",
        "reference": f"<a>&#{CANARY};</a>",
        "DOCTYPE": "",
    }.items():
        head = f"<!DOCTYPE a [<!ENTITY a '{CANARY}'>]>" if name == "DOCTYPE" else ""
        yield name, f"{head}{text[:cut]}{part}{text[cut:]}"


CASES = [
    *(
        (f"{kind}: {where}", model, text)
        for kind, (model, whole) in WHOLE.items()
        for where, text in places(whole)
    ),
    *known_places(),
    *(
        (f"{kind}: {how}", model, text)
        for kind, (model, whole) in WHOLE.items()
        for how, text in broken(whole)
    ),
]


def uses(model: type[Document], text: str) -> dict[str, Callable[[], object]]:
    return {
        "read": lambda: model.from_xml(text),
        "strict": lambda: model.from_xml(text, strict=True),
        "check": lambda: model.from_xml(text).check(),
        "rng": lambda: validate(text, "rng"),
    }


@pytest.mark.parametrize(("where", "model", "text"), CASES, ids=[case[0] for case in CASES])
def test_nothing_shows_it(where: str, model: type[Document], text: str) -> None:
    seen: dict[str, list[str]] = {}
    for use, act in uses(model, text).items():
        try:
            act()
        except DocumentError as error:
            seen |= {f"{use} {sink}": found for sink, shown in shown_errors(error) if (found := hits(shown))}
    with suppress(DocumentError):
        document = model.from_xml(text)
        if "uuid" not in where:  # what stands in a field is shown
            seen |= {sink: found for sink, shown in shown_values(document) if (found := hits(shown))}
            with suppress(AttributeError):
                seen |= {
                    f"part {sink}": found
                    for part in document.unknown  # type: ignore[attr-defined]
                    for sink, shown in shown_values(part)
                    if (found := hits(shown))
                }
        assert document == model.from_xml(document.to_xml(reported=True))
    assert seen == {}


def test_most_of_them_are_read_and_kept() -> None:
    kept = 0
    for _, model, text in CASES:
        with suppress(DocumentError):
            kept += any(CANARY in html.unescape(part.xml) for part in model.from_xml(text).unknown)  # type: ignore[attr-defined]
    assert kept > len(CASES) // 2


def test_a_part_is_told_by_its_name_and_length() -> None:
    model, text = WHOLE["pool"]
    spec = model.from_xml(text.replace("</auth>", "<password>HUNTER2</password></auth>"))
    assert isinstance(spec, PoolSpec)
    (part,) = spec.unknown
    assert part.xml == "<password>HUNTER2</password>"
    assert str(part) == "<password> (28 characters)"
    assert repr(part) == "Unknown('/pool/source/auth/password', 28 characters)"
    with pytest.raises(DocumentError, match="<password>"):
        spec.check()
    spec = PoolSpec.from_xml(text.replace("username=", "passwd='HUNTER2' username="))
    assert str(spec.unknown[0]) == "attribute 'passwd' (16 characters)"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1))
def test_any_text_in_a_login_is_told_by_its_length(secret: str) -> None:
    text = WHOLE["pool"][1].replace("</auth>", f"{html.escape(secret)}</auth>")
    stripped = secret.strip(" \t\r\n")
    if not stripped:
        PoolSpec.from_xml(text)
        return
    with pytest.raises(DocumentError) as caught:
        PoolSpec.from_xml(text)
    amount = f"a text of {len(stripped)} character{'s' * (len(stripped) != 1)}"
    assert [str(problem) for problem in caught.value.problems] == [
        f"/pool/source/auth (line 1): {amount} stands in <auth>, which takes no text"
    ]


def test_a_refusal_has_no_frames_below_the_call() -> None:
    with pytest.raises(DocumentError) as caught:
        PoolSpec.from_xml(f"<pool>{CANARY}</pool>")
    frames = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert frames[-1] == "from_xml"
    assert len(frames) == 2
