"""Backing chains: which volumes are based on which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import attrs

from libstorage.display.inline import Run, Span
from libstorage.display.page import Page
from libstorage.display.shown import MOST, Shown
from libstorage.display.table import soft
from libstorage.display.text import counted, joined
from libstorage.display.tree import Tree
from libstorage.models.entries import VolumeEntry
from libstorage.models.volume import VolumeSpec
from libstorage.xml import human

if TYPE_CHECKING:
    from libstorage.display.charts import Chart


@attrs.frozen
class Link:
    """One volume of a chain.

    Attributes:
        level: 0 for a volume at the root of a chain, 1 for one that is based on it, and so on.
        path: Path of the volume.
        name: Name of the volume; ``None`` if the inventory does not contain it.
        spec: Its document; ``None`` if the inventory does not contain it.
        overlays: The number of volumes that are based directly on it.
    """

    level: int
    path: str
    name: str | None
    spec: VolumeSpec | None
    overlays: int

    @property
    def note(self) -> str:
        """What is said of the volume beside its name."""
        if self.spec is None:
            return "not in this inventory"
        size, held = self.spec.capacity, self.spec.allocation
        return joined(
            [
                "" if size is None else human.rounded(size),
                "" if held is None else f"holds {human.rounded(held)}",
                f"{self.overlays} based on it" if self.overlays else "",
            ]
        )


@attrs.frozen(repr=False)
class Chains(Shown):
    """The backing chains of volumes, from each root to what is based on it, in the order of a tree.

    Volumes without a backing volume and without overlays are left out. Volumes are linked by path.
    """

    links: tuple[Link, ...]

    def chart(self) -> Chart:
        """Return the chains as a picture: boxes, linked from the root on the left to what is based on it."""
        from libstorage.display.charts import Box, Chart, Graph

        shown = self.links[: 2 * MOST]
        boxes = [Box(link.level, link.name or link.path, link.note) for link in shown]
        about = "Each line leads from a volume to one that is based on it."
        graph = Graph(boxes, "Backing chains", about, len(self.links) - len(shown))
        return Chart(graph, "Backing chains", about)

    def _page(self, most: int | None) -> Page:
        shown = self.links if most is None else self.links[: 2 * most]
        lines = [(link.level, _line(link)) for link in shown]
        roots = sum(link.level == 0 for link in self.links)
        about = soft(f"{counted(len(self.links), 'volume')} on {counted(roots, 'root')}")
        return Page(
            title="Backing chains", about=(about,), blocks=(Tree(lines, len(self.links) - len(shown)),)
        )

    def __repr__(self) -> str:
        return f"<Chains of {counted(len(self.links), 'volume')}>"


def _line(link: Link) -> Run:
    form = link.spec.target.format if link.spec else None
    return Run(
        (
            Span(link.name or link.path, "strong" if link.name else ""),
            Span(str(form), "tag") if form else Span(""),
            soft(link.note),
        )
    )


def chains_of(volumes: Iterable[VolumeEntry]) -> Chains:
    """Return the backing chains among volumes."""
    entries: dict[str, VolumeEntry] = {}
    for entry in volumes:
        if entry.spec and entry.spec.target.path:
            entries.setdefault(entry.spec.target.path, entry)
    above: dict[str, list[str]] = {}
    for path, entry in entries.items():
        if entry.spec and entry.spec.backing_store:
            above.setdefault(entry.spec.backing_store.path, []).append(path)
    based = {path for paths in above.values() for path in paths}
    roots = sorted(path for path in above if path not in based)
    seen: set[str] = set()
    links = [*_links(roots, above, entries, seen)]
    for path in sorted(based):  # a circle of volumes has no root
        if path not in seen:
            links.extend(_links([path], above, entries, seen))
    return Chains(tuple(links))


def _links(
    roots: list[str], above: dict[str, list[str]], entries: dict[str, VolumeEntry], seen: set[str]
) -> Iterator[Link]:
    """Yield the volumes of a tree, depth first; a stack holds what is left, since chains may be deep."""
    left = [(0, path) for path in reversed(roots)]
    while left:
        level, path = left.pop()
        if path in seen:
            continue
        seen.add(path)
        entry, overlays = entries.get(path), sorted(above.get(path, ()))
        name, spec = (entry.name, entry.spec) if entry else (None, None)
        yield Link(level, path, name, spec, len(overlays))
        left.extend((level + 1, overlay) for overlay in reversed(overlays))
