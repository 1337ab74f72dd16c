"""Faults in clones, copies and imports."""

from __future__ import annotations

from typing import Final

from tests.mutants.fault import Fault

FAULTS: Final[tuple[Fault, ...]] = (
    Fault(
        "drop-a-full-volume",
        "provision/fill.py",
        "if not capacity_of(channel, volume):",
        "if capacity_of(channel, volume):",
        "tests/live/test_import.py::TestNothingIsLeft::test_ctrl_c_while_the_volume_is_made",
        "Ctrl-C during an import deletes a volume of that name that was there before",
    ),
    Fault(
        "drop-any-volume",
        "provision/fill.py",
        "    if not capacity_of(channel, volume):\n        change_volume",
        "    if volume:\n        change_volume",
        "tests/live/test_import.py::TestNothingIsLeft::test_ctrl_c_while_the_volume_is_made",
        "Ctrl-C during an import deletes a volume of that name that was there before",
    ),
    Fault(
        "keep-what-ctrl-c-made",
        "provision/fill.py",
        "            _drop_empty(channel, VolumeId(pool, start.name))",
        "            VolumeId(pool, start.name)",
        "tests/live/test_import.py::TestNothingIsLeft::test_ctrl_c_while_the_volume_is_made",
        "Ctrl-C during an import leaves an empty volume",
    ),
    Fault(
        "clone-source-not-fresh",
        "provision/clone.py",
        "source = raw_volume(lane, volume, fresh=True)",
        "source = raw_volume(lane, volume)",
        "tests/live/test_volumes.py::TestFinding",
        "a clone gets the content of the volume of another pool",
    ),
    Fault(
        "clone-within-a-stale-pool",
        "provision/clone.py",
        "raw = lane.pool(pool, fresh=pool != volume.pool)",
        "raw = _",
        "tests/live/test_volumes.py::TestFinding::test_a_pool_that_was_renamed_is_still_the_same",
        "a clone within a pool that was renamed makes libvirtd hang",
    ),
    Fault(
        "clone-into-a-stale-pool",
        "provision/clone.py",
        "fresh=pool != volume.pool",
        "fresh=False",
        "tests/live/test_volumes.py::TestFinding::test_a_pool_that_was_renamed_is_still_the_same",
        "a clone into a pool that was renamed gets the content of another volume",
    ),
    Fault(
        "backing-path-may-climb",
        "provision/checks.py",
        ' or ".." in path.split("/")',
        "",
        "tests/unit/provision/test_checks.py",
        "a linked clone refers to any file of the host",
    ),
    Fault(
        "backing-path-may-be-relative",
        "provision/checks.py",
        'not path.startswith("/") or ',
        "",
        "tests/unit/provision/test_checks.py",
        "a linked clone refers to a file that depends on who opens it",
    ),
    Fault(
        "dots-are-refused",
        "provision/checks.py",
        '".." in path.split("/")',
        '".." in path',
        "tests/unit/provision/test_checks.py",
        "a sound volume cannot be linked to",
    ),
    Fault(
        "backing-without-format",
        "provision/checks.py",
        "format=form if form in IMAGES else VolumeFormat.RAW",
        "format=form if form in IMAGES else None",
        "tests/unit/provision/test_checks.py",
        "a guest chooses the format of a backing store, and opens any file of the host",
    ),
    Fault(
        "backing-format-as-it-is",
        "provision/checks.py",
        "format=form if form in IMAGES else VolumeFormat.RAW",
        "format=form",
        "tests/unit/provision/test_checks.py",
        "a linked clone of an ISO file cannot be made",
    ),
    Fault(
        "backing-encrypted",
        "provision/checks.py",
        "    if source.target.encryption is not None:\n",
        "    if source.target.encryption is not None and source.type is None:\n",
        "tests/unit/provision/test_checks.py",
        "a linked clone of an encrypted volume cannot be read",
    ),
    Fault(
        "backing-store-needs-no-format",
        "provision/checks.py",
        "if spec.backing_store is not None and spec.backing_store.format is None:",
        "if spec.backing_store is None and spec is None:",
        "tests/live/test_volumes.py::TestCreate",
        "a guest chooses the format of a backing store, and opens any file of the host",
    ),
)
