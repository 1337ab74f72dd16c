"""Validation of documents against libstorage's XSD 1.1 schemas or the RELAX NG schemas that libvirt installs.

Both give the same verdict in the same words. Beyond the schemas, this module levels three differences:

* XSD allows ``xsi:type`` and similar attributes anywhere, and the library acts on them; RELAX NG does not know them.
* The XSD library treats a no-break space and similar characters as blanks.
* libxml2 does not always follow a RELAX NG schema: it refuses some orders of a pool's children, and it accepts some
  IPv6 addresses that have five digits in a group. The schema's own rules decide.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Protocol, cast, runtime_checkable

import attrs
from lxml import etree

from libstorage.errors import (
    DocumentError,
    InvalidRequestError,
    Problem,
    StorageError,
    UnsupportedError,
    without_frames,
)
from libstorage.xml.explain import MOST_PROBLEMS, Component, explain
from libstorage.xml.newer import NEWER, problems_of
from libstorage.xml.parse import parse
from libstorage.xml.tree import Tree
from libstorage.xml.wording import Wrong, no_attribute, problem_at, unexpected, wrong_root


@runtime_checkable
class Printable(Protocol):
    """An object that can be written as XML, such as every document of libstorage."""

    def to_xml(self, *, reported: bool = False) -> str:
        """Return the XML text."""
        ...


@attrs.frozen
class _Schemas:
    xsd: str
    rng: str | None


_SCHEMAS: Mapping[str, _Schemas] = MappingProxyType(
    {
        "pool": _Schemas("pool.xsd", "storagepool.rng"),
        "volume": _Schemas("volume.xsd", "storagevol.rng"),
        "storagepoolCapabilities": _Schemas("capabilities.xsd", "storagepoolcaps.rng"),
        "sources": _Schemas("sources.xsd", None),
        "source": _Schemas("sources.xsd", None),
        "secret": _Schemas("secret.xsd", "secret.rng"),
    }
)


def validate(document: str | bytes | Tree | Printable, against: Literal["xsd", "rng"] = "xsd") -> None:
    """Raise an error if a document is not valid.

    The name of the root element selects the schema: a pool, a volume, a secret, the capabilities of pools, or a query
    or answer of source discovery.

    Args:
        document: The text, a parsed element, or a document of libstorage (with its reported fields).
        against: ``"xsd"`` for the schemas that come with libstorage, ``"rng"`` for the schemas that libvirt installed
            on this machine. libvirt has no schema for source discovery.

    Raises:
        DocumentError: If the document is not valid. The error has every problem, each with its path and, if
            ``document`` is a text or an element read from one, its line.
        UnsupportedError: If libvirt has no schema for this document, or the schema is not installed on this machine.
        InvalidRequestError: If ``against`` is neither ``"xsd"`` nor ``"rng"``.
    """
    judge = _judge(against)
    try:
        problems = _problems(document, judge)
    except StorageError as error:
        refused = without_frames(error)
    except Exception as error:  # noqa: BLE001 -- see Document.from_xml
        refused = unexpected(error, "judged")
    else:
        if not problems:
            return
        refused = DocumentError(problems)
    del document  # a traceback may show this frame
    raise refused


def _problems(document: str | bytes | Tree | Printable, judge: _Judge) -> list[Problem]:
    root = _root_of(document)
    problems = judge.problems(root, _schemas_for(root))
    if isinstance(document, Printable):
        return [attrs.evolve(problem, line=None) for problem in problems]
    return problems


def is_valid(document: str | bytes | Tree | Printable, against: Literal["xsd", "rng"] = "xsd") -> bool:
    """Return whether ``validate`` would accept a document. This is faster than finding its problems.

    Raises:
        UnsupportedError: If libvirt has no schema for this document, or the schema is not installed on this machine.
        InvalidRequestError: If ``against`` is neither ``"xsd"`` nor ``"rng"``.
    """
    judge = _judge(against)
    try:
        root = _root_of(document)
        return judge.accepts(root, _schemas_for(root))
    except DocumentError:
        return False


MOST_JUDGED = 4_000
"""Most elements and attributes of a document that is validated: both libraries need a second for about 8,000."""

_is_too_large = etree.XPath(f"count(//*) + count(//@*) > {MOST_JUDGED}")


def _root_of(document: str | bytes | Tree | Printable) -> Tree:
    root = _tree_of(document)
    if _is_too_large(root):
        reason = f"schemas validate documents of at most {MOST_JUDGED:,} elements and attributes"
        raise DocumentError([problem_at(root, Wrong(reason))])
    return root


def _tree_of(document: str | bytes | Tree | Printable) -> Tree:
    if isinstance(document, Tree):
        return _alone(document)
    return parse(document.to_xml(reported=True) if isinstance(document, Printable) else document)


def _alone(element: Tree) -> Tree:
    """Return ``element`` as a separate root, without the comments and instructions that would split its text."""
    hidden = etree.Comment, etree.ProcessingInstruction
    if element.getparent() is None and next(element.iter(*hidden), None) is None:
        return element
    alone = deepcopy(element)
    alone.tail = None
    etree.strip_elements(alone, *hidden, with_tail=False)
    return alone


def _schemas_for(root: Tree) -> _Schemas:
    if schemas := _SCHEMAS.get(root.tag):
        return schemas
    raise DocumentError([problem_at(root, wrong_root(root, _SCHEMAS))])


# ---- XSD ------------------------------------------------------------------------------------------------------------


def _xsd_accepts(root: Tree, schemas: _Schemas) -> bool:
    return is_fit_for_xsd(root) and bool(_xsd(schemas.xsd).is_valid(without_unicode_blanks(root)))


def _xsd_problems(root: Tree, schemas: _Schemas) -> list[Problem]:
    from xmlschema import XMLSchemaValidationError

    if outside := _outside_xsd(root):
        return outside
    schema = _xsd(schemas.xsd)
    judged = without_unicode_blanks(root)
    declared: dict[Tree, Component] = {}
    try:
        schema.validate(judged, validation_hook=declared.__setitem__)
    except XMLSchemaValidationError as refusal:
        return [*map(_with_unicode_blanks, explain(schema, judged, refusal, declared))]
    return []


@cache
def _xsd(name: str) -> Component:
    with as_file(files("libstorage") / "schemas") as folder:
        return load_xsd(folder / name)


def load_xsd(path: Path) -> Component:
    """Load the schema in a file."""
    from xmlschema import XMLSchema11

    schema = XMLSchema11(str(path))
    for element in schema.elements.values():
        if len(element.alternatives) > 2:
            _choose_by_table(element)
    return schema


def _choose_by_table(element: Component) -> None:
    """Make an element look up its type by ``@type``.

    The library tries the alternatives in turn, at 30 µs each. The last one takes twice the time of all the rest.
    """
    *tested, otherwise = element.alternatives
    types = {alternative.path.split("'")[1]: alternative.type for alternative in tested}
    element.get_alternative_type = lambda found, _inherited=None: types.get(
        " ".join(found.get("type", "").split()), otherwise.type
    )


_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_OUTSIDE = (
    ("//*[@*[51]]", Wrong("an element can have at most 50 attributes")),
    ("/*" * 16, Wrong("elements can be nested at most 15 deep")),
)


def is_fit_for_xsd(root: Tree) -> bool:
    """Return whether the XSD library may validate a document."""
    return not _outside_xsd(root)


def _outside_xsd(root: Tree) -> list[Problem]:
    """Return the problems that must not reach the XSD library: it would act on them, or take minutes."""
    found = cast(list[Tree], root.xpath("//*[@x:*]", namespaces={"x": _XSI}))[:MOST_PROBLEMS]
    instance = [
        problem_at(
            element, no_attribute(element, str(name), "no attributes of XMLSchema-instance"), str(name)
        )
        for element in found
        for name in element.keys()  # noqa: SIM118
        if str(name).startswith(f"{{{_XSI}}}")
    ]
    return [
        *instance,
        *(
            problem_at(element, wrong)
            for path, wrong in _OUTSIDE
            for element in cast(list[Tree], root.xpath(path))[:MOST_PROBLEMS]
        ),
    ]


_BLANKS = "\x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
_STAND_INS = "".join(map(chr, range(0xE000, 0xE000 + len(_BLANKS))))
_HIDE, _SHOW = str.maketrans(_BLANKS, _STAND_INS), str.maketrans(_STAND_INS, _BLANKS)


def without_unicode_blanks(root: Tree) -> Tree:
    """Return a tree without the characters that the XSD library treats as blanks and XML does not.

    The library uses ``str.strip``. The characters are replaced by stand-ins.
    """
    if etree.tostring(root, encoding="unicode").isascii():
        return root
    hidden = deepcopy(root)
    for element in hidden.iter():
        element.text = element.text and element.text.translate(_HIDE)
        element.tail = element.tail and element.tail.translate(_HIDE)
        for name, value in element.items():
            element.set(name, str(value).translate(_HIDE))
    return hidden


def _with_unicode_blanks(problem: Problem) -> Problem:
    return attrs.evolve(problem, found=problem.found and problem.found.translate(_SHOW))


# ---- RELAX NG -------------------------------------------------------------------------------------------------------


def _rng_problems(root: Tree, schemas: _Schemas) -> list[Problem]:
    if _rng_accepts(root, schemas):
        return []
    path = _rng_of(root, schemas)
    return _xsd_problems(root, schemas) or _newer_problems(path, root) or _complaints(path, root)


def _newer_problems(path: Path, root: Tree) -> list[Problem]:
    """Return what a document has from a newer libvirt than the one whose schema refuses it."""
    found = [(row, problem) for row in NEWER for problem in problems_of(row, root)]
    return [problem for row, problem in found if not _rng(path)(parse(row.document))]


def _rng_accepts(root: Tree, schemas: _Schemas) -> bool:
    valid = _rng(_rng_of(root, schemas))
    return (valid(root) or (root.tag == "pool" and valid(_in_order(root)))) and _hosts_are_valid(root)


def _rng_of(root: Tree, schemas: _Schemas) -> Path:
    if schemas.rng is None:
        raise UnsupportedError(
            f"libvirt has no schema for <{root.tag}>", hint="Validate the document against 'xsd'."
        )
    return _rng_path(schemas.rng, os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share")


@cache
def _rng_path(name: str, folders: str) -> Path:
    for folder in folders.split(":"):
        path = Path(folder, "libvirt", "schemas", name)
        if path.is_file():
            return path
    raise UnsupportedError(
        f"libvirt's schema {name} is not installed on this machine",
        hint="Install libvirt0 (Debian), libvirt-libs (Fedora) or libvirt (others), or validate against 'xsd'. "
        "libstorage searches libvirt/schemas in each folder of XDG_DATA_DIRS.",
    )


@cache
def _rng(path: Path) -> etree.RelaxNG:
    return etree.RelaxNG(file=str(path))


_FIRST = ("name", "uuid", "capacity", "allocation", "available")


def _in_order(pool: Tree) -> Tree:
    """Return a pool with name, uuid and sizes first, which does not change its validity.

    Elements of other namespaces keep their places, because in ``fs`` pools these places matter.
    """
    ordered = deepcopy(pool)
    plain = [child for child in ordered if not etree.QName(child).namespace]
    rank = {tag: position for position, tag in enumerate(_FIRST)}
    in_order = iter(sorted(plain, key=lambda child: rank.get(child.tag, len(rank))))
    ordered[:] = [child if etree.QName(child).namespace else next(in_order) for child in ordered]
    return ordered


def _hosts_are_valid(root: Tree) -> bool:
    """Return whether the addresses of hosts match the intent of the schema."""
    addresses = [name for host in root.iter("host") if ":" in (name := host.get("name", ""))]
    return not addresses or all(map(_xsd("pool.xsd").types["HostName"].is_valid, addresses))


def _complaints(path: Path, root: Tree) -> list[Problem]:
    """Return libxml2's own messages, for a document that libvirt's schema refuses and libstorage's schema accepts.

    Some messages of libxml2 have no place; these get that of the root.
    """
    schema = etree.RelaxNG(
        file=str(path)
    )  # not shared: the log of a shared schema also holds the errors of other threads
    schema.validate(root)
    return [
        Problem(
            (entry.path if entry.line else None) or f"/{root.tag}",
            _unquoted(" ".join(entry.message.split())),
            line=entry.line or cast("int | None", root.sourceline),
        )
        for entry in schema.error_log
    ]


def _unquoted(said: str) -> str:
    """Return libxml2's message without the value that it quotes, wherever in the message that is."""
    return re.sub(r"value '.*'", "the value", said)


# ---- both -----------------------------------------------------------------------------------------------------------


@attrs.frozen
class _Judge:
    accepts: Callable[[Tree, _Schemas], bool]
    problems: Callable[[Tree, _Schemas], list[Problem]]


_JUDGES: Mapping[str, _Judge] = MappingProxyType(
    {"xsd": _Judge(_xsd_accepts, _xsd_problems), "rng": _Judge(_rng_accepts, _rng_problems)}
)


def _judge(against: str) -> _Judge:
    if against not in _JUDGES:
        raise InvalidRequestError(f"against must be 'xsd' or 'rng', not {against!r}")
    return _JUDGES[against]
