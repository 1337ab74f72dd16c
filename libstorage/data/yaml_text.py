"""YAML text to plain data and back, with the line of every value.

A plain word is what a person sees: ``on``, ``no``, ``1:30``, ``1.1``, ``2026-01-01`` and ``0640`` are text, although YAML
1.1 makes truth values, numbers and dates of them. Only ``true``, ``false``, ``null`` and whole numbers are not text. Tags
are refused, and so are keys that are given twice.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Protocol

from libstorage.data.extras import extra
from libstorage.data.places import Place, Places, step
from libstorage.errors import DocumentError, Problem, shortened

_MOST_NODES = 200_000
"""Maximum number of values of a text, so that aliases of aliases cannot fill the memory."""

_TAG = "tag:yaml.org,2002:"
_NO_TAG = ""
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,99})|0o[0-7]{1,100}|0x[0-9a-fA-F]{1,100}")
_OTHER_BREAKS = re.compile("[\r\x85\u2028\u2029]")
_BASES = {"0o": 8, "0x": 16}
_PLAIN_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def _yaml() -> Any:
    return extra("yaml", "PyYAML", "yaml", "YAML cannot be read or written")


def read_yaml(text: str, name: str, *, many: bool) -> tuple[Any, Places]:
    """Return the data of a text, and their places.

    Args:
        text: The text.
        name: Name of the document in paths.
        many: Return a list: that of the text, or its documents between lines of ``---``.

    Raises:
        DocumentError: If the text is not YAML, or has tags, keys that are given twice, or too many values.
        UnsupportedError: If PyYAML is not installed.
    """
    yaml = _yaml()
    reader = _Reader(name)
    try:
        roots = list(yaml.compose_all(text, Loader=_loader()))
        data = _read_roots(reader, roots, name, many=many)
    except yaml.YAMLError as error:
        raise _not_yaml(error, name) from None
    except RecursionError:
        raise DocumentError([Problem(name, "is nested too deeply")]) from None
    if reader.problems:
        raise DocumentError(reader.problems)
    return data, Places(reader.places)


def _read_roots(reader: _Reader, roots: list[_Node], name: str, *, many: bool) -> Any:
    if many:
        if len(roots) == 1 and roots[0].id == "sequence":
            return reader.read(roots[0], name)
        return [reader.read(root, f"{name}[{place}]") for place, root in enumerate(roots)]
    if len(roots) > 1:
        line = roots[1].start_mark.line + 1
        reader.problems.append(
            Problem(name, "is followed by another document: many=True reads all", line=line)
        )
    return reader.read(roots[0], name) if roots else None


def write_yaml(data: Any) -> str:
    """Return data as YAML, with the keys in their order.

    Raises:
        UnsupportedError: If PyYAML is not installed.
    """
    written = _yaml().dump(data, Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=10_000)
    return str(written)


class _Mark(Protocol):
    line: int


class _Node(Protocol):
    """A node of PyYAML: ``id`` is scalar, sequence or mapping."""

    id: str
    tag: str
    value: Any
    style: str | None
    start_mark: _Mark


class _Reader:
    """Makes plain data of the nodes of a text, and collects the problems of all of them."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._count = 0
        self.places: dict[str, Place] = {}
        self.problems: list[Problem] = []

    def read(self, node: _Node, path: str, line: int | None = None) -> Any:
        """Return the value of a node; ``line`` is that of its key."""
        self._count += 1
        if self._count > _MOST_NODES:
            raise DocumentError([Problem(self._name, f"has more than {_MOST_NODES:,} values")])
        if node.tag != _NO_TAG:
            self._problem(path, f"has the tag {shortened(node.tag)!r}, and tags are not read", node)
        plain = node.id == "scalar" and not node.style
        self.places[path] = Place(line or _line(node), node.value if plain else None)
        if node.id == "mapping":
            return self._mapping(node.value, path)
        if node.id == "sequence":
            return [self.read(item, f"{path}[{place}]") for place, item in enumerate(node.value)]
        return _plain(node.value) if plain else node.value

    def _mapping(self, pairs: list[tuple[_Node, _Node]], path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key.id != "scalar":
                self._problem(path, "has a key that is not text", key)
            elif key.value in found:
                self._problem(step(path, key.value), "is given more than once", key)
            else:
                found[key.value] = self.read(value, step(path, key.value), _line(key))
        return found

    def _problem(self, path: str, reason: str, node: _Node) -> None:
        self.problems.append(Problem(path, reason, line=_line(node)))


def _line(node: _Node) -> int:
    return node.start_mark.line + 1


def _plain(text: str) -> Any:
    """Return the value of a word without quotes."""
    if text in _PLAIN_WORDS:
        return _PLAIN_WORDS[text]
    if _INT.fullmatch(text):
        return int(text[2:], _BASES[text[:2]]) if text[:2] in _BASES else int(text)
    return text


def _not_yaml(error: Any, name: str) -> DocumentError:
    """Return the error for a text that PyYAML cannot parse; its own message would quote the text."""
    mark = getattr(error, "problem_mark", None)
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be parsed"
    return DocumentError([Problem(name, f"is not YAML: {reason}", line=mark.line + 1 if mark else None)])


@cache
def _loader() -> Any:
    """Return a loader that only parses: no word has a type, and every tag that is not written is ``_NO_TAG``."""
    yaml = _yaml()
    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    untagged = dict.fromkeys(("DEFAULT_SCALAR_TAG", "DEFAULT_SEQUENCE_TAG", "DEFAULT_MAPPING_TAG"), _NO_TAG)
    return type("Loader", (base,), {"yaml_implicit_resolvers": {}, **untagged})


@cache
def _dumper() -> Any:
    """Return a dumper that puts every text in quotes that this module, YAML 1.1 or YAML 1.2 reads as something else."""
    yaml = _yaml()
    dumper: Any = type("Dumper", (yaml.SafeDumper,), {"ignore_aliases": lambda _self, _data: True})
    dumper.add_representer(str, _text)
    dumper.add_implicit_resolver(f"{_TAG}int", re.compile("0o[0-7]+$"), ["0"])
    dumper.add_implicit_resolver(
        f"{_TAG}float", re.compile(r"[-+]?[0-9.]+([eE][-+]?[0-9]+)?$"), list("-+.0123456789")
    )
    return dumper


def _text(dumper: Any, text: str) -> Any:
    """Return the node of a text. PyYAML loses line breaks other than the usual one unless it has to escape them."""
    style = '"' if _OTHER_BREAKS.search(text) else None
    return dumper.represent_scalar(f"{_TAG}str", text, style=style)
