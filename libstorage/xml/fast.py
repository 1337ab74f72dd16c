"""The fast reader: one compiled pattern per class, for documents exactly as libvirt prints them.

Measured with libvirt's own test documents, relative to lxml's bare parse: making objects from the elements of a tree,
in the order of declaration, takes 2.5 times as long; making them from the groups of one pattern, without a tree, takes
0.9 to 1.1 (``benchmarks/codec.py``). Both make an object as a mutable twin and then assign its class: attrs' own
constructor would add half a parse.

A pattern matches a document only if the pattern accounts for every character. A pattern never backtracks, so its time
is linear. Any other document (another order, other quotes, comments, unknown parts, bad values) raises ``Unusual`` and
goes to the careful reader. So both readers give the same object, or this one gives none.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from libstorage.units import Size
from libstorage.xml.code import Source, once_per_class
from libstorage.xml.fields import Field, Shape
from libstorage.xml.mapping import Mapped, mapping_of

Read = Callable[[str], Any]

_LARGEST = 64 * 1024
_NOT_XML = "\ud800-\udfff\ufffe\uffff"
_TEXT = rf"[^<>\x00-\x08\x0b-\x1f{_NOT_XML}]*+"
_VALUE = rf"[^<>'\x00-\x1f{_NOT_XML}]*+"
_DIGITS = "[0-9]{1,18}+"  # any number of 18 digits is below 2**63
_BLANK = r"[ \n]*+"
_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&apos;": "'", "&quot;": '"'}
_entity = re.compile("&[^;]*;?")


class Unusual(Exception):
    """The document does not look as libvirt prints it."""


#: Exceptions of a fast reader: ``Unusual``, or the errors of a conversion.
NOT_FAST = (Unusual, ValueError, KeyError, TypeError)


@once_per_class
def fast_reader(model: type) -> Read:
    """Return ``read(text)`` for a document class. It raises one of ``NOT_FAST`` for an unrecognized text."""
    outside = mapping_of(model).outside
    return _reader(model) if outside is None else _reader_by_word(model, outside)


def _reader_by_word(model: Any, outside: Mapped) -> Read:
    """Return the reader of documents in which an attribute of the root selects the class of a part.

    Each class has its own pattern.
    """
    assert outside.place.variants
    models = {str(variant.type): variant for variant in outside.place.variants.models}  # type: ignore[attr-defined]
    word = re.compile(rf"<{model.ROOT} {outside.place.variants.attribute}='([^'<]*+)'").match

    def read(text: str) -> Any:
        if found := word(text):
            return _reader(model, models[found[1]])(text)
        raise Unusual

    return read


@cache
def _reader(model: Any, variant: type | None = None) -> Read:
    """Return the reader of a document class.

    ``variant`` is the class of the part whose class is selected by an attribute of the root.
    """
    plan = _Plan(variant)
    pattern, made = plan.element(f"<{model.ROOT}", model.ROOT, model)
    match, make = re.compile(pattern + _BLANK).fullmatch, plan.load(made, f"reader of {model.__name__}")

    def read(text: str) -> Any:
        if len(text) <= _LARGEST and (found := match(text)):
            return make(found)
        raise Unusual

    return read


@cache
def _row_reader(model: type, tag: str, head: str) -> Read:
    """Return the reader of a row of elements that a pattern has already matched."""
    plan = _Plan()
    pattern, made = plan.element(head, tag, model)
    each, make = re.compile(pattern).finditer, plan.load(made, f"reader of {model.__name__} in a row")
    return lambda text: tuple(map(make, each(text)))


@once_per_class
def _twin(model: type) -> type:
    """Return a class of the same layout whose instances can be filled by plain assignment."""
    slots = tuple(mapped.name for mapped in mapping_of(model).fields)
    return type(f"_{model.__name__}", model.__bases__, {"__slots__": slots})


def _unescaped(text: str | None) -> str | None:
    return text and _entity.sub(lambda entity: _ENTITIES[entity[0]], text)


class _Plan:
    """The pattern of an element, and the statements that make an object from its groups.

    Every part adds to both at once, because groups are numbered in the order of the pattern.
    """

    def __init__(self, variant: type | None = None) -> None:
        names = {"Unusual": Unusual, "unescaped": _unescaped, "Size": Size, "new": int.__new__}
        self._source = Source("make(found)", **names)
        self._source.add("escaped = '&' in found.string")
        self._variant = variant
        self._groups = 0
        self._objects = 0

    def load(self, made: str, title: str) -> Callable[[re.Match[str]], Any]:
        """Return the function that returns ``made`` for a match."""
        groups = ", ".join(f"g{number}" for number in range(1, self._groups + 1))
        self._source.add(f"return {made}")
        return self._source.load(title, first=f"[{groups}] = found.groups()")

    def element(self, head: str, tag: str, model: type) -> tuple[str, str]:
        """Return the pattern of an element that begins with ``head``, and the variable of its object."""
        mapping = mapping_of(model)
        self._objects += 1
        made = f"o{self._objects}"
        self._source.add(f"{made} = {self._source.name('Twin', _twin(model))}()")
        if mapping.unknown:
            self._source.add(f"{made}.unknown = ()")
        if mapping.outside:
            head += _word(mapping.outside.place, self._variant)
        spaces = {m.name: m.place.namespace for m in mapping.elements if m.place.namespace}
        declared = [(name, self._group()) for name in spaces]
        head += "".join(
            f"(?: xmlns:{space.prefix}='({re.escape(space.uri)})')?+" for space in spaces.values()
        )
        head += "".join(self._attribute(mapped, made) for mapped in mapping.attributes)
        inner = "".join(_SHAPES[mapped.place.shape](self, mapped, made) for mapped in mapping.elements)
        for name, group in declared:
            self._source.add(f"if ({group} is None) == bool({made}.{name}): raise Unusual")
        self._source.add(f"{made}.__class__ = {self._source.name('Model', model)}")
        long = f">{_BLANK}{inner}</{tag}>"
        return head + (long if any(m.required for m in mapping.elements) else f"(?:/>|{long})"), made

    # ---- statements -------------------------------------------------------------------------------------------------

    def _group(self) -> str:
        """Return the variable of the next group."""
        self._groups += 1
        return f"g{self._groups}"

    def _store(self, mapped: Mapped, made: str, value: str, *, unless: str | None = None) -> None:
        """Store a value. If the group ``unless`` matched nothing, store the field's value for a missing part."""
        if unless and not mapped.required:
            missing = mapped.missing()
            value = f"{self._source.name('missing', missing) if missing else missing} if {unless} is None else {value}"
        self._source.add(f"{made}.{mapped.name} = {value}")

    def _converted(self, mapped: Mapped, made: str) -> None:
        group = self._group()
        text = f"(unescaped({group}) if escaped else {group})"
        convert = mapped.place.kind.fast or mapped.place.kind.read
        if convert is str and mapped.default is None:
            self._store(mapped, made, text)
        else:
            self._store(mapped, made, f"{self._source.name('convert', convert)}{text}", unless=group)

    # ---- shapes: each returns its pattern ----------------------------------------------------------------------------

    def _attribute(self, mapped: Mapped, made: str) -> str:
        self._converted(mapped, made)
        return _optional(mapped, f" {mapped.place.tag}='({_VALUE})'")

    def _text(self, mapped: Mapped, made: str) -> str:
        self._converted(mapped, made)
        return _optional(mapped, f"{_leaf(mapped.place, f'({_TEXT})')}{_BLANK}")

    def _value(self, mapped: Mapped, made: str) -> str:
        self._converted(mapped, made)
        return _optional(mapped, f"<{mapped.place.printed} {mapped.place.attribute}='({_VALUE})'/>{_BLANK}")

    def _size(self, mapped: Mapped, made: str) -> str:
        group = self._group()
        self._store(mapped, made, f"new(Size, {group})", unless=group)
        tag = mapped.place.printed
        return _optional(mapped, f"<{tag} unit='{mapped.place.unit}'>({_DIGITS})</{tag}>{_BLANK}")

    def _flag(self, mapped: Mapped, made: str) -> str:
        self._store(mapped, made, f"{self._group()} is not None")
        return f"(?:(<{mapped.place.printed}/>){_BLANK})?+"

    def _child(self, mapped: Mapped, made: str) -> str:
        model = mapped.place.model or self._variant
        assert model
        group, tag = self._group(), mapped.place.printed
        if not mapped.required:
            self._store(mapped, made, "None", unless=group)
        with self._source.block(f"if {group} is not None:"):
            pattern, child = self.element(f"(<{tag})", tag, model)
            self._store(mapped, made, child)
        return _optional(mapped, pattern + _BLANK)

    def _variant_of(self, mapped: Mapped, made: str) -> str:
        place = mapped.place
        assert place.variants
        if place.variants.outside:
            return self._child(mapped, made)
        patterns = []
        for model in place.variants.models:
            with self._source.block(f"if {self._group()} is not None:"):
                pattern, child = self.element(
                    f"(<{place.printed}{_word(place, model)})", place.printed, model
                )
                self._store(mapped, made, child)
            patterns.append(pattern)
        return f"(?:{'|'.join(patterns)}){_BLANK}"

    def _children(self, mapped: Mapped, made: str) -> str:
        place = mapped.place
        head = "".join(f" {name}='{word}'" for name, word in place.fixed)
        return self._row(mapped, made, f"<{place.printed}{head}", place.printed)

    def _wrapped(self, mapped: Mapped, made: str) -> str:
        item = mapped.place.prefixed(mapped.place.item)
        return _around(mapped.place, self._row(mapped, made, f"<{item}", item))

    def _row(self, mapped: Mapped, made: str, head: str, tag: str) -> str:
        assert mapped.place.model
        read = self._source.name("read", _row_reader(mapped.place.model, tag, head))
        group = self._group()
        self._store(mapped, made, f"{read}({group}) if {group} else ()")
        pattern, _ = _Plan().element(head, tag, mapped.place.model)
        return _repeated(mapped, pattern)

    def _texts(self, mapped: Mapped, made: str) -> str:
        return self._row_of_values(mapped, made, _leaf(mapped.place, f"({_TEXT})"))

    def _values(self, mapped: Mapped, made: str) -> str:
        item = f"<{mapped.place.prefixed(mapped.place.item)} {mapped.place.attribute}='({_VALUE})'/>"
        return _around(mapped.place, self._row_of_values(mapped, made, item))

    def _row_of_values(self, mapped: Mapped, made: str, pattern: str) -> str:
        each = self._source.name("each", re.compile(pattern).findall)
        group = self._group()
        convert = mapped.place.kind.fast or mapped.place.kind.read
        value = f"{self._source.name('convert', convert)}(unescaped(v))"
        self._store(mapped, made, f"tuple([{value} for v in {each}({group})]) if {group} else ()")
        return _repeated(mapped, pattern)


def _optional(mapped: Mapped, pattern: str) -> str:
    return pattern if mapped.required else f"(?:{pattern})?+"


def _repeated(mapped: Mapped, pattern: str) -> str:
    """Return the pattern of any number of elements as one group.

    The groups inside capture nothing; the elements are separated afterward.
    """
    inner = re.sub(r"\((?!\?)", "(?:", pattern)
    return f"((?:{inner}{_BLANK}){'++' if mapped.required else '*+'})"


def _leaf(place: Field, text: str) -> str:
    return f"<{place.printed}>{text}</{place.printed}>"


def _around(place: Field, pattern: str) -> str:
    return f"(?:<{place.printed}>{_BLANK}{pattern}</{place.printed}>{_BLANK})?+"


def _word(place: Field, model: Any) -> str:
    """Return the pattern of the attribute that selects a class."""
    assert place.variants
    pattern = f" {place.variants.attribute}='{model.type}'"
    return f"(?:{pattern})?+" if model.type == place.variants.absent else pattern


_SHAPES: dict[Shape, Callable[[_Plan, Mapped, str], str]] = {
    Shape.TEXT: _Plan._text,
    Shape.SIZE: _Plan._size,
    Shape.VALUE: _Plan._value,
    Shape.FLAG: _Plan._flag,
    Shape.CHILD: _Plan._child,
    Shape.CHILDREN: _Plan._children,
    Shape.TEXTS: _Plan._texts,
    Shape.VALUES: _Plan._values,
    Shape.WRAPPED: _Plan._wrapped,
    Shape.VARIANT: _Plan._variant_of,
}
