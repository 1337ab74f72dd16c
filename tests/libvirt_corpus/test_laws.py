"""The laws that hold for our documents hold for libvirt's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest

from libstorage.errors import DocumentError
from libstorage.models.pool import PoolSpec
from libstorage.models.volume import VolumeSpec
from libstorage.xml.schema import validate
from tests.corpus import agreement, laws, messages, readers
from tests.corpus.documents import LIBVIRTS, each, libvirts, ours, read, texts

WRITTEN_BY_LIBVIRT = libvirts("pool-out", "volume-out", "capabilities")
READABLE = [*WRITTEN_BY_LIBVIRT, *libvirts("pool-in", "volume-in")]

readable = each(READABLE)
written_by_libvirt = each(WRITTEN_BY_LIBVIRT)


# ---- reading and writing --------------------------------------------------------------------------------------------


@readable
def test_nothing_is_unknown(path: Path) -> None:
    document: Any = read(path)
    assert document.unknown == ()


@readable
def test_written_and_read_again_it_is_the_same(path: Path) -> None:
    laws.written_and_read_again_it_is_the_same(path)


@readable
def test_the_order_of_elements_says_nothing(path: Path) -> None:
    laws.the_order_of_elements_says_nothing(path)


@written_by_libvirt
def test_it_is_written_as_libvirt_does(path: Path) -> None:
    laws.written_as_libvirt_does(path.read_text(encoding="utf-8"))


# ---- both readers ---------------------------------------------------------------------------------------------------


@written_by_libvirt
def test_the_fast_reader_answers_for_what_libvirt_writes(path: Path) -> None:
    readers.it_answers(path.read_text(encoding="utf-8"))


@readable
def test_both_readers_agree(path: Path) -> None:
    readers.both_readers_agree(path)


@written_by_libvirt
def test_no_element_is_overlooked(path: Path) -> None:
    readers.no_element_is_overlooked(path)


@written_by_libvirt
def test_no_character_is_overlooked(path: Path) -> None:
    readers.no_character_is_overlooked(path)


# ---- the judges -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("against", ["xsd", "rng"])
@each(libvirts())
def test_valid_is_what_libvirt_says_is_valid(path: Path, against: Literal["xsd", "rng"]) -> None:
    if "invalid" not in path.stem:
        validate(path.read_bytes(), against)
        return
    with pytest.raises(DocumentError) as caught:
        validate(path.read_bytes(), against)
    assert str(caught.value) == "/pool/target (line 5): <path> is missing"


def test_the_judges_agree_on_changed_documents() -> None:
    documents = [text for root in agreement.SCHEMA for text in texts([*libvirts(), *ours()], root)]
    agreement.the_judges_agree(documents)


@pytest.mark.parametrize("root", agreement.SCHEMA)
def test_what_is_valid_is_readable(root: str) -> None:
    agreement.what_is_valid_is_readable(root, texts([*libvirts(), *ours()], root))


@pytest.mark.parametrize("root", agreement.SCHEMA)
def test_the_fast_reader_is_careful(root: str) -> None:
    agreement.the_fast_reader_is_careful(root, texts([*libvirts(), *ours()], root))


# ---- messages -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def said() -> messages.Said:
    return messages.refused(texts([*libvirts(), *ours()]))


def test_each_message_has_its_place(said: messages.Said) -> None:
    messages.each_has_its_place(said)


def test_each_message_is_said_in_words_of_people(said: messages.Said) -> None:
    messages.each_is_said_in_words_of_people(said)


def test_the_same_mistake_is_told_in_the_same_words(said: messages.Said) -> None:
    messages.the_same_mistake_is_told_in_the_same_words(said)


# ---- single documents -----------------------------------------------------------------------------------------------


def test_a_volume_without_source_is_read() -> None:
    """What the schema accepts besides: no source, no backing store."""
    assert isinstance(read(LIBVIRTS / "schema-cases/qcow2-no-source.xml"), VolumeSpec)


def test_what_the_schema_refuses_is_readable_and_not_sound() -> None:
    found = read(LIBVIRTS / "schema-cases/dir-missing-target-path-invalid.xml")
    assert isinstance(found, PoolSpec)
    with pytest.raises(DocumentError, match=r"PoolSpec\.target\.path: "):
        found.check()
