"""The first session on the page of each pool type does what it says, on real storage."""

from __future__ import annotations

import pytest

import libstorage
from tests.lab.case import Case, Place
from tests.lab.conftest import cases
from tests.live.pages import page_blocks
from tests.support import CHECKOUT

PAGES = sorted((CHECKOUT / "docs" / "pool-types").glob("*.md"))
SESSIONS = {page.stem: block for page in PAGES for block in page_blocks(page) if block.title == "session"}


def first_cases() -> list[Case]:
    """The first case of each type that has a session."""
    found: dict[str, Case] = {}
    for case in cases():
        found.setdefault(case.type, case)
    return [case for kind, case in found.items() if kind in SESSIONS]


@pytest.mark.parametrize("first", first_cases(), ids=lambda case: case.name)
def test_a_first_session(first: Case, capsys: pytest.CaptureFixture[str]) -> None:
    with first.start() as place:
        text = _meant(SESSIONS[first.type].text, place)
        exec(text, {"ls": libstorage, "spec": place.spec})
    assert capsys.readouterr().out.strip()


def _meant(text: str, place: Place) -> str:
    text = text.replace("qemu:///system", place.uri)
    return text.replace("sdb1", place.volume("volume", 0).name) if place.volume else text
