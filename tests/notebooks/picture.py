"""The pictures of the README: what a notebook shows of a host, in light and dark.

    python -m tests.notebooks.picture

writes docs/pictures/host-light.png and host-dark.png with what `make notebooks` has installed. The host is made up, so the
pictures change only with the display.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libstorage as ls
from tests.notebooks.browser import Theme, chromium
from tests.notebooks.conftest import THEMES
from tests.support import CHECKOUT

FOLDER = CHECKOUT / "docs" / "pictures"
_SOURCES = {
    "dir": "",
    "netfs": "<source><host name='nas'/><dir path='/export'/></source>",
    "rbd": "<source><host name='ceph'/><name>rbd</name></source>",
}
_PAPER = {"light": ("#ffffff", "#1f2328"), "dark": ("#0d1117", "#e6edf3")}  # those of GitHub


def host() -> ls.Inventory:
    """Return a host with pools that are half full, almost full, over-committed and stopped."""
    pools = (
        _pool("images", 1800, 2000, 24, 80, autostart=True),
        _pool("backup", 3100, 8000, 12, 500, form="netfs", autostart=True),
        _pool("ceph", 9200, 24000, 90, 180, form="rbd", autostart=True),
        _pool("scratch", 240, 500, 6, 160),
    )
    return ls.Inventory(uri="qemu:///system", pools=(*pools, _stopped("archive")))


def _pool(
    name: str, used: int, size: int, volumes: int, each: int, *, form: str = "dir", autostart: bool = False
) -> ls.PoolEntry:
    """Return a running pool; sizes are in GiB."""
    text = (
        f"<pool type='{form}'><name>{name}</name>{_SOURCES[form]}<capacity unit='GiB'>{size}</capacity>"
        f"<allocation unit='GiB'>{used}</allocation><available unit='GiB'>{size - used}</available></pool>"
    )
    spec = ls.PoolSpec.from_libvirt(text)
    return ls.PoolEntry(
        name=name,
        uuid=name,
        active=True,
        autostart=autostart,
        spec=spec,
        volumes=tuple(_volumes(volumes, each)),
    )


def _volumes(number: int, size: int) -> Iterator[ls.VolumeEntry]:
    for place in range(number):
        spec = ls.VolumeSpec.qcow2(f"{place}.qcow2", f"{size} GiB")
        yield ls.VolumeEntry(name=spec.name, spec=spec)


def _stopped(name: str) -> ls.PoolEntry:
    return ls.PoolEntry(name=name, uuid=name, active=False, spec=ls.PoolSpec.dir(name, f"/srv/{name}"))


def draw(browser: Any, theme: Theme, path: Path) -> None:
    """Write the picture of the host in a theme, twice as fine as it is shown."""
    paper, ink = _PAPER[theme]
    style = f"padding:12px 16px;background:{paper};color:{ink};font-family:sans-serif;width:max-content"
    page = browser.new_page(device_scale_factor=2, viewport={"width": 900, "height": 600})
    page.set_content(f"<!doctype html><title>host</title><main style='{style}'>{host()._repr_html_()}</main>")
    page.locator("main").screenshot(path=path)
    page.close()


def main() -> None:
    """Write both pictures."""
    FOLDER.mkdir(exist_ok=True)
    with chromium() as browser:
        for theme in THEMES:
            draw(browser, theme, FOLDER / f"host-{theme}.png")


if __name__ == "__main__":
    main()
