"""There is one way to a daemon, and one way to change a thing: ``Channel.call`` and ``session/calls.py``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from libstorage import operations
from libstorage.operations import Effect, Operation
from tests.support import CHECKOUT

LIBRARY = CHECKOUT / "libstorage"
ROWS = {name: row for name, row in vars(operations).items() if isinstance(row, Operation)}
CHANGES = {name for name, row in ROWS.items() if row.effect is not Effect.READ}

CHANGERS = {
    "change_pool", "change_volume", "change_secret", "make_pool", "make_volume", "make_secret", "_change"
}  # fmt: skip
"""The functions of session/calls.py that ask the guards, and the handles' own short names for them."""

RAW_CHANGES = {
    "build", "create", "createXML", "createXMLFrom", "delete", "destroy", "refresh", "resize", "secretDefineXML",
    "setAutostart", "setValue", "storagePoolCreateXML", "storagePoolDefineXML", "undefine", "upload", "wipePattern",
}  # fmt: skip
"""The methods of libvirt's binding that change something."""

IN_TWO_STEPS = {
    ("provision/clone.py", "copy"): "handed to make_volume",
    ("provision/clone.py", "make"): "handed to make_volume",
    ("transfer/volume/streams.py", "sending"): "on the lane that an upload holds, inside changing_volume",
    ("transfer/volume/streams.py", "_send_again"): "on the same lane",
    ("transfer/upload.py", "_send"): "the lane that an upload holds, inside changing_volume",
}


def side_ways(path: Path, name: str) -> Iterator[str]:
    """The places in a module that reach a daemon, or change a thing, in another way than the one."""
    tree = ast.parse(path.read_text("utf-8"))
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not name.startswith("connection/"):
            yield from _wrong_calls(node, name, parents)


def _wrong_calls(node: ast.Call, name: str, parents: dict[ast.AST, ast.AST]) -> Iterator[str]:
    function = node.func
    called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    owner = ast.unparse(function.value) if isinstance(function, ast.Attribute) else ""
    above = list(_ancestors(node, parents))
    if any((name, each) in IN_TWO_STEPS for each in above):
        return
    if called in {"call", "lane"} and owner.endswith("connection") and name != "session/channel.py":
        yield f"line {node.lineno}: the connection itself is called"
    given = {argument.id for argument in node.args if isinstance(argument, ast.Name)}
    if (called in {"call", "_call", "lane", "_ask"} or called.startswith("ask_")) and given & CHANGES:
        yield f"line {node.lineno}: {', '.join(given & CHANGES)} asks no guard"
    is_raw = owner == "raw" or owner.startswith(("raw.", "lane."))
    if called in RAW_CHANGES and is_raw and not {*above} & CHANGERS:
        yield f"line {node.lineno}: {owner}.{called} asks no guard"


def _ancestors(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> Iterator[str]:
    """The names of the functions that a node is in, and of those that it is an argument of."""
    while (node := parents.get(node, node)) in parents:
        if isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.Call):
            yield node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


MODULES = {str(path.relative_to(LIBRARY)): path for path in sorted(LIBRARY.rglob("*.py"))}


@pytest.mark.parametrize("name", MODULES)
def test_there_is_no_other_way(name: str) -> None:
    assert not list(side_ways(MODULES[name], name))


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("client/pool.py", "def planted(channel, pool): channel.call(POOL_DELETE, pool, lambda lane: 0)"),
        ("client/pool.py", "def planted(channel, pool): ask_pool(channel, POOL_STOP, pool, print)"),
        ("client/volume.py", "def planted(channel, lane): channel.lane(VOLUME_WIPE, 0)"),
        ("provision/undo.py", "def planted(channel, v): ask_volume(channel, VOLUME_INFO, v, lambda raw: raw.delete(0))"),
        ("transfer/settle.py", "def planted(lane, pool): lane.pool(pool).refresh(0)"),
        ("listing/crew.py", "def planted(session): session.connection.call(0, 0, print)"),
        ("client/secrets.py", "def planted(channel): channel.session().connection.lane(0, 0)"),
    ],
)  # fmt: skip
def test_a_planted_way_is_found(tmp_path: Path, name: str, line: str) -> None:
    path = tmp_path / "module.py"
    path.write_text(f"{MODULES[name].read_text('utf-8')}\n{line}\n", "utf-8")
    assert list(side_ways(path, name))


def test_every_row_is_called() -> None:
    """The table of operations is the table of what is called: a row that nothing uses is not an operation."""
    used = {
        node.id if isinstance(node, ast.Name) else node.attr
        for name, path in MODULES.items()
        if name != "operations.py" and not name.startswith("connection/failures/")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Name | ast.Attribute)
    }
    assert not set(ROWS) - used
