"""What a case of the lab is: storage of one sort, and a daemon of its own that can reach it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Literal, TypeAlias

from attrs import Factory, frozen

from libstorage import Host, PoolSpec, PoolType, VolumeSpec

Mistake: TypeAlias = Callable[[Host], object]
"""What a user gets wrong. It must raise a StorageError; pools that it leaves behind are removed afterwards."""


@frozen(kw_only=True)
class Place:
    """Storage that runs, and how to use it.

    Attributes:
        uri: The daemon.
        spec: The pool, which is not defined yet.
        volume: A volume by name (``volume``, then ``copy``, ``reflink`` and ``linked`` for its clones) and size; a type
            whose volumes have fixed names gives another one. ``None``: nothing can be created, what the pool lists is used.
        restart: Ends the daemon and starts it again.
        may_write: Which of the listed volumes may be overwritten, where nothing can be created.
        any_bytes: Whether volumes take any bytes; otherwise (LUKS) only what was read from them.
        keeps_snapshots: Whether a volume that was cloned is deleted with its snapshots only (Ceph).
        sources: What ``host.find_sources`` is given besides the type; ``None`` for types without discovery.
        mistakes: What a user gets wrong, by what it is called in the table. They are made at the end, when the pool is
            no longer defined.
        words: Text that is different in each run, and the word that stands for it in what was seen.
        versions: Of the programs that serve this storage.
        remark: What else a reader of the table must know.
    """

    uri: str
    spec: PoolSpec
    volume: Callable[[str, int], VolumeSpec] | None
    restart: Callable[[], object]
    may_write: Callable[[VolumeSpec], bool] = lambda spec: bool(spec.capacity)
    any_bytes: bool = True
    keeps_snapshots: bool = False
    sources: Mapping[str, Any] | None = None
    mistakes: Mapping[str, Mistake] = Factory(dict)
    words: Mapping[str, str] = Factory(dict)
    versions: Mapping[str, str] = Factory(dict)
    remark: str = ""


@frozen
class Case:
    """One column of the table.

    Attributes:
        name: Of its file in ``seen``, such as ``dir-ext4``.
        title: For readers, such as ``dir on ext4``.
        type: The pool type.
        where: Where its storage runs.
        start: Starts storage and daemon, and ends them.
    """

    name: str
    title: str
    type: PoolType
    where: Literal["this machine", "guest"]
    start: Callable[[], AbstractContextManager[Place]]
