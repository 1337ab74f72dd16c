"""Declarations of the place of a model's field in XML.

The functions here return the ``metadata=`` of an ``attrs.field``. This metadata is the only declaration of a field:
reader, writer, description, comparison and documentation all follow from it.

==========  ==========================================  =======================================
shape       in XML                                      in Python
==========  ==========================================  =======================================
attribute   ``<host name='a'/>``                        ``name: str``
text        ``<name>a</name>``                          ``name: str``
size        ``<capacity unit='bytes'>1</capacity>``     ``capacity: Size``
value       ``<format type='raw'/>``                    ``format: VolumeFormat``
flag        ``<nocow/>``                                ``nocow: bool``
child       ``<target>…</target>``                      ``target: VolumeTarget``
children    ``<host/><host/>``                          ``hosts: tuple[SourceHost, ...]``
texts       ``<value>a</value><value>b</value>``        ``values: tuple[str, ...]``
values      ``<mount_opts><option name='a'/>…``         ``mount_options: tuple[str, ...]``
wrapped     ``<config_opts><option …/>…``               ``config_options: tuple[ConfigOption, ...]``
variant     a child whose class a ``type`` chooses      ``source: DirSource | FsSource | …``
unknown     whatever libstorage does not know           ``unknown: tuple[Unknown, ...]``
==========  ==========================================  =======================================
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Any

from attrs import evolve, field, frozen

from libstorage.errors import shortened
from libstorage.xml.kinds import SIZE, TEXT, WORD, Kind

KEY = "xml"


class Shape(StrEnum):
    """Place of a field's value in its element."""

    ATTRIBUTE = "attribute"
    TEXT = "text"
    SIZE = "size"
    VALUE = "value"
    FLAG = "flag"
    CHILD = "child"
    CHILDREN = "children"
    TEXTS = "texts"
    VALUES = "values"
    WRAPPED = "wrapped"
    VARIANT = "variant"
    WORD = "word"
    UNKNOWN = "unknown"


REPEATED = frozenset({Shape.CHILDREN, Shape.TEXTS})
MANY = REPEATED | {Shape.VALUES, Shape.WRAPPED, Shape.UNKNOWN}


@frozen(kw_only=True)
class Namespace:
    """An XML namespace that libvirt puts some elements in."""

    prefix: str
    uri: str


@frozen(kw_only=True)
class Variants:
    """Classes from which a word selects one.

    The word is the value of ``attribute``: of the element itself, or, if ``outside`` is set, of its parent. ``absent``
    is the word that a missing attribute means. ``fallback`` is the class for words without a class of their own, so that
    documents of a newer libvirt can be read.
    """

    models: tuple[type, ...]
    fallback: type
    attribute: str = "type"
    outside: bool = False
    absent: str | None = None


@frozen(kw_only=True)
class Field:
    """One field's place in XML."""

    shape: Shape
    tag: str
    doc: str = ""
    kind: Kind = TEXT
    attribute: str = ""
    model: type | None = None
    variants: Variants | None = None
    namespace: Namespace | None = None
    item: str = ""
    fixed: tuple[tuple[str, str], ...] = ()
    reported: bool = False
    write_only: bool = False
    unit: str = "bytes"
    repeats: bool = False

    @cached_property
    def qname(self) -> str:
        """The tag as lxml spells it."""
        return f"{{{self.namespace.uri}}}{self.tag}" if self.namespace else self.tag

    @cached_property
    def printed(self) -> str:
        """The tag as a document spells it."""
        return f"{self.namespace.prefix}:{self.tag}" if self.namespace else self.tag

    def qualified(self, tag: str) -> str:
        """Return ``tag`` in this field's namespace, as lxml spells it."""
        return f"{{{self.namespace.uri}}}{tag}" if self.namespace else tag

    def prefixed(self, tag: str) -> str:
        """Return ``tag`` in this field's namespace, as a document spells it."""
        return f"{self.namespace.prefix}:{tag}" if self.namespace else tag


Metadata = Mapping[str, Any]


def _declare(**about: Any) -> Metadata:
    return {KEY: Field(**about)}


def attribute(name: str, kind: Kind = TEXT, *, doc: str, reported: bool = False) -> Metadata:
    """Declare an attribute of the element itself."""
    return _declare(shape=Shape.ATTRIBUTE, tag=name, kind=kind, doc=doc, reported=reported)


def text(
    name: str, kind: Kind = TEXT, *, doc: str, reported: bool = False, repeats: bool = False
) -> Metadata:
    """Declare a child element whose text is the value. If ``repeats``, the first of several counts, as in libvirt."""
    return _declare(shape=Shape.TEXT, tag=name, kind=kind, doc=doc, reported=reported, repeats=repeats)


def size(name: str, *, doc: str, reported: bool = False, unit: str = "bytes") -> Metadata:
    """Declare a child element whose text is a number, scaled by its ``unit`` attribute."""
    return _declare(shape=Shape.SIZE, tag=name, kind=SIZE, doc=doc, reported=reported, unit=unit)


def value(name: str, attribute: str, kind: Kind = TEXT, *, doc: str) -> Metadata:
    """Declare a child element with one attribute, which is the value."""
    return _declare(shape=Shape.VALUE, tag=name, attribute=attribute, kind=kind, doc=doc)


def flag(name: str, *, doc: str, write_only: bool = False) -> Metadata:
    """Declare a child element whose presence means yes. If ``write_only``, libvirt never prints the element."""
    return _declare(shape=Shape.FLAG, tag=name, doc=doc, write_only=write_only)


def child(name: str, model: type, *, doc: str, reported: bool = False) -> Metadata:
    """Declare a child element with a class of its own."""
    return _declare(shape=Shape.CHILD, tag=name, model=model, doc=doc, reported=reported)


def children(
    name: str, model: type, *, doc: str, reported: bool = False, fixed: tuple[tuple[str, str], ...] = ()
) -> Metadata:
    """Declare any number of child elements of one class. ``fixed`` are attributes that always have one value."""
    return _declare(shape=Shape.CHILDREN, tag=name, model=model, doc=doc, reported=reported, fixed=fixed)


def texts(name: str, kind: Kind = TEXT, *, doc: str) -> Metadata:
    """Declare any number of child elements whose texts are the values."""
    return _declare(shape=Shape.TEXTS, tag=name, kind=kind, doc=doc)


def values(name: str, item: str, attribute: str, *, doc: str, namespace: Namespace | None = None) -> Metadata:
    """Declare a child element around ``item`` elements with one attribute each."""
    return _declare(
        shape=Shape.VALUES, tag=name, item=item, attribute=attribute, doc=doc, namespace=namespace
    )


def wrapped(name: str, item: str, model: type, *, doc: str, namespace: Namespace | None = None) -> Metadata:
    """Declare a child element around ``item`` elements of one class."""
    return _declare(shape=Shape.WRAPPED, tag=name, item=item, model=model, doc=doc, namespace=namespace)


def variant(name: str, variants: Variants, *, doc: str) -> Metadata:
    """Declare a child element whose class is selected by a word."""
    return _declare(shape=Shape.VARIANT, tag=name, variants=variants, doc=doc)


def word(*, doc: str) -> Metadata:
    """Declare, on a variant's fallback class, the word that selected the class."""
    return _declare(shape=Shape.WORD, tag="", kind=WORD, doc=doc)


@frozen
class Unknown:
    """A part of a document that libstorage does not know, kept unchanged and written back to its place.

    ``path`` ends in a tag, or in ``@name`` for an attribute (then ``xml`` is ``name="value"``).

    The part may hold a password: ``repr`` and ``str`` show only its name or path and its length; ``xml`` is all of it.
    ``line`` is its line in the document. ``reported`` says that libvirt itself wrote the part, so that it may be sent
    back. Neither counts in a comparison.
    """

    path: str
    xml: str
    line: int | None = field(default=None, eq=False)
    reported: bool = field(default=False, eq=False)

    def __repr__(self) -> str:
        return f"Unknown({self.path!r}, {len(self.xml)} characters)"

    def __str__(self) -> str:
        """Return name and length: ``<password> (23 characters)``."""
        name = shortened(self.path.rpartition("/")[2].partition("[")[0])
        shown = f"attribute {name[1:]!r}" if name.startswith("@") else f"<{name}>"
        return f"{shown} ({len(self.xml)} characters)"


def unknown() -> Any:
    """Return the field of a document for the parts that libstorage does not know."""
    return field(
        default=(),
        metadata=_declare(
            shape=Shape.UNKNOWN, tag="", doc="Parts of the document that libstorage does not know."
        ),
    )


def declared(attribute: Any) -> Field:
    """Return the declaration in the metadata of an attrs attribute.

    Raises:
        TypeError: If the metadata has no declaration.
    """
    found = attribute.metadata.get(KEY)
    if not isinstance(found, Field):
        raise TypeError(f"field {attribute.name!r} does not declare its place in XML")
    return found


def reported(metadata: Metadata) -> Metadata:
    """Return the same place in XML, as a field that only libvirt fills in."""
    return {KEY: evolve(metadata[KEY], reported=True)}
