"""The progress of a transfer, and its deadline."""

from __future__ import annotations

from time import sleep

import pytest

from libstorage import DeadlineError, InvalidRequestError, TransferProgress
from libstorage.connection.clock import NEVER
from libstorage.transfer.progress import Watch
from tests.unit.display.pages import checked, twin


def test_the_deadline_ends_a_phase() -> None:
    watch = Watch("x", None, 0.001)
    meter = watch.phase("upload", 10)
    sleep(0.05)
    with pytest.raises(DeadlineError, match="the deadline passed after 3 bytes of the upload"):
        meter.add(3)
    assert (meter.done, meter.left) == (3, 7)


def test_without_one_nothing_ends_it() -> None:
    watch = Watch("x", None, None)
    meter = watch.phase("verify", None)
    meter.add(3)
    assert (meter.done, meter.left, watch.latest, meter.latest) == (3, None, NEVER, NEVER)
    Watch("x", None, 1000).phase("upload", 1).add(1)


def test_a_deadline_is_a_number_of_seconds() -> None:
    for wrong in (0, -1, float("nan"), True):
        with pytest.raises(InvalidRequestError, match="deadline"):
            Watch("x", None, wrong)


def test_each_transfer_has_a_number_and_its_phases_share_it() -> None:
    told: list[TransferProgress] = []
    for name in ("one", "two"):
        watch = Watch(name, told.append, None)
        watch.phase("compare", 5).add(5)
        watch.rename("other")
        watch.phase("upload", None).add(7)
    assert [(at.name, at.phase, at.done, at.total) for at in told[:4]] == [
        ("one", "compare", 0, 5),
        ("one", "compare", 5, 5),
        ("other", "upload", 0, None),
        ("other", "upload", 7, None),
    ]
    assert len({at.transfer for at in told}) == 2


@pytest.mark.parametrize(
    ("done", "total", "seconds", "shown"),
    [
        (0, None, 0.0, "0 bytes"),
        (300 << 20, 600 << 20, 2.5, "██████░░░░░░  50% 300 MiB of 600 MiB · 120 MiB/s · 2 s left"),
        (1 << 20, None, 1.0, "1 MiB · 1 MiB/s"),
    ],
)
def test_a_progress_is_a_bar(done: int, total: int | None, seconds: float, shown: str) -> None:
    progress = TransferProgress(
        name="a.img", transfer=1, phase="upload", done=done, total=total, seconds=seconds
    )
    assert str(progress).splitlines() == ["a.img upload", shown]
    assert twin(checked(progress._repr_html_())) == str(progress)
