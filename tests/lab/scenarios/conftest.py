"""The fixture with the place where a scenario is played."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from libstorage import Pool
from tests.lab.guest.machine import Machine
from tests.lab.scenarios.scene import (
    Scene,
    clean,
    clean_guest,
    dir_scene,
    disk_scene,
    fs_scene,
    logical_scene,
    own_guest,
)

_HERE = {"dir": dir_scene, "fs": fs_scene}
_IN_THE_GUEST = {"logical": logical_scene, "disk": disk_scene}


@pytest.fixture(scope="session")
def machine() -> Iterator[Machine]:
    """The guest that the scenarios share."""
    with own_guest() as machine:
        yield machine


@pytest.fixture(params=[*_HERE, *_IN_THE_GUEST])
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    """Each of the places; ``pytest.mark.parametrize("scene", [...], indirect=True)`` names some of them."""
    if request.param in _HERE:
        with _HERE[request.param]() as scene:
            yield scene
            clean(scene)
        return
    machine: Machine = request.getfixturevalue("machine")
    with _IN_THE_GUEST[request.param](machine) as scene:
        try:
            yield scene
            clean(scene)
        finally:
            clean_guest(machine)


@pytest.fixture
def pool(scene: Scene) -> Pool:
    """The scene's pool, built and running."""
    return scene.host.pools.define(scene.spec).build(overwrite=_overwrite(scene)).start()


def _overwrite(scene: Scene) -> bool | None:
    return True if scene.spec.type == "fs" else None
