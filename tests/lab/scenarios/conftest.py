"""The fixtures with the place where a scenario is played."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from libstorage import Pool
from tests.lab.guest import guest
from tests.lab.guest.machine import Machine
from tests.lab.scenarios.scene import Scene, clean, dir_scene, disk_scene, emptied, fs_scene, logical_scene

_HERE = {"dir": dir_scene, "fs": fs_scene}
_IN_THE_GUEST = {"logical": logical_scene, "disk": disk_scene}


@pytest.fixture(scope="package")
def machine() -> Iterator[Machine]:
    """The guest that the scenarios share."""
    with guest() as machine:
        yield machine


@pytest.fixture(scope="session", params=[*_HERE, *_IN_THE_GUEST])
def place(request: pytest.FixtureRequest) -> str:
    """Each of the places; ``pytest.mark.parametrize("place", [...], indirect=True)`` names some of them."""
    return str(request.param)


@pytest.fixture
def scene(place: str, request: pytest.FixtureRequest) -> Iterator[Scene]:
    """The place, without any pool.

    On this machine it is a new one. That of the guest is cleaned first, unless a running pool is wanted anyway.
    """
    if place in _HERE:
        with _HERE[place]() as scene:
            yield scene
            clean(scene)
        return
    with _IN_THE_GUEST[place](request.getfixturevalue("machine")) as scene:
        if "pool" not in request.fixturenames:
            clean(scene)
        yield scene


@pytest.fixture
def pool(scene: Scene) -> Pool:
    """The scene's pool, built, running and empty."""
    left = emptied(scene)
    if left is not None:
        return left
    clean(scene)
    overwrite = True if scene.spec.type == "fs" else None
    return scene.host.pools.define(scene.spec).build(overwrite=overwrite).start()
