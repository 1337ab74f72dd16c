"""A method that must be called is a plain method to every tool, and cannot become text."""

from __future__ import annotations

import inspect
import os
import pickle
import pydoc
from collections.abc import Callable, Iterator

import pytest

from libstorage import Pool, Volume, VolumeSpec, VolumeType, connect

METHODS = (Volume.key, Volume.path, Volume.type, Pool.type)


@pytest.fixture
def volume() -> Iterator[Volume]:
    with connect("test:///default") as host:
        volume = host.pools["default-pool"].volumes.create(VolumeSpec.raw("called.img", "1 MiB"))
        yield volume
        volume.delete()


TEXTS: dict[str, Callable[[object], object]] = {
    "str": str,
    "format": lambda method: f"{method}",
    "percent": lambda method: "%s" % method,  # noqa: UP031 -- as people write it
    "path": os.fspath,  # type: ignore[dict-item]
    "open": open,  # type: ignore[dict-item]
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_it_cannot_become_text(volume: Volume, text: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match=r"volume\.path is a method: call it, volume\.path\(\)"):
        text(volume.path)


def test_it_can_be_called_and_shown(volume: Volume) -> None:
    assert volume.path() == "/default-pool/called.img"
    assert volume.type() is VolumeType.FILE
    assert volume.pool.type() == "dir"
    assert repr(volume.path).startswith("<bound method Volume.path of <Volume 'called.img'")
    assert volume.path == volume.path
    assert hash(volume.path) == hash(volume.path)
    assert volume.path != volume.key


def test_tools_see_a_plain_method(volume: Volume) -> None:
    assert str(inspect.signature(volume.path)) == "() -> 'str'"
    assert inspect.getdoc(volume.path) == inspect.getdoc(Volume.path)
    assert "Return the path of the volume" in pydoc.render_doc(volume.path)
    assert "path() -> " in pydoc.plain(pydoc.render_doc(volume.path))
    assert inspect.isroutine(volume.path)
    assert volume.path.__name__ == "path"
    for method in METHODS:
        assert inspect.isfunction(method)


def test_it_pickles_as_a_method(volume: Volume) -> None:
    read = pickle.loads(pickle.dumps(volume.path))
    assert (read.__self__, read.__func__) == (volume, Volume.path)
