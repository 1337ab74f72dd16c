"""The fast reader: one compiled function per class, for documents that look as libvirt prints them.

Tried in a prototype that checked less, over libvirt's own test documents, against lxml's bare parse: a loop over the
children, 2.7 to 3.1 times; children in the order of declaration, 2.4; and the object made as its mutable twin, which is then
given its class, 2.1.  This one, with all checks, takes 2.6 (``benchmarks/codec.py``).
A document that differs in any way (other order, unknown parts, stray text, bad values) is :class:`Unusual` and goes to
the careful reader; so both give the same object, or this one gives none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from libstorage.units import Size
from libstorage.xml.code import Source, once_per_class
from libstorage.xml.fields import REPEATED, Field, Shape, Variants
from libstorage.xml.kinds import whole_number
from libstorage.xml.mapping import Mapped, Mapping, mapping_of

Read = Callable[..., Any]
_SAFE = 2**63
_TAG = "None if c is None else c.tag"


class Unusual(Exception):
    """The document does not look as libvirt prints it."""


@once_per_class
def fast_reader(model: type) -> Read:
    """``read(root)`` for a document class; raises :data:`NOT_FAST` for whatever it does not recognise."""
    return _compile(mapping_of(model), document=True)


@once_per_class
def _reader(model: type) -> Read:
    """``read(element, accounted)`` for an element; ``accounted`` of its attributes are the caller's."""
    return _compile(mapping_of(model), document=False)


#: What a fast reader raises: its own word, or what a conversion raises.
NOT_FAST = (Unusual, ValueError, KeyError, TypeError, AttributeError)


def _twin(model: type) -> type:
    """A class of the same layout whose instances can be filled by plain assignment."""
    slots = tuple(mapped.name for mapped in mapping_of(model).fields)
    return type(f"_{model.__name__}", model.__bases__, {"__slots__": slots})


def _size(element: Any) -> Size:
    unit, number = element.get("unit"), whole_number(element.text)
    if len(element.attrib) != (unit is not None):
        raise Unusual
    if unit in ("bytes", "B") and number < _SAFE:
        return int.__new__(Size, number)
    return Size(number, unit)


def _variant_readers(variants: Variants) -> dict[str | None, Read]:
    readers: dict[str | None, Read] = {str(m.type): _reader(m) for m in variants.models}  # type: ignore[attr-defined]
    if variants.absent:
        readers[None] = readers[variants.absent]
    return readers


def _compile(mapping: Mapping, *, document: bool) -> Read:
    source = Source(Unusual=Unusual, read_size=_size, Model=mapping.model, Twin=_twin(mapping.model))
    source.lines.append("def read(e, accounted=0):")
    if document:
        source.add(f"if e.tag != {mapping.model.ROOT!r}: raise Unusual")  # type: ignore[attr-defined]
    source.add("o = Twin()")
    _attributes(source, mapping)
    _elements(source, mapping)
    if mapping.unknown:
        source.add("o.unknown = ()")
    source.add("o.__class__ = Model", "return o")
    return source.load("read", f"reader of {mapping.model.__name__}")


def _attributes(source: Source, mapping: Mapping) -> None:
    if outside := mapping.outside:
        assert outside.place.variants
        source.add("accounted += 1", f"word = e.get({outside.place.variants.attribute!r})")
    for mapped in mapping.attributes:
        source.add(f"v = e.get({mapped.place.tag!r})", "if v is None:")
        source.add(f"    {_missing(source, mapped)}", "else:", "    accounted += 1")
        source.add(f"    o.{mapped.name} = {_converted(source, mapped.place, 'v')}")
    if mapping.attributes or mapping.outside:
        source.add("if len(e.keys()) != accounted: raise Unusual")
    else:
        source.add("if len(e.attrib) != accounted: raise Unusual")


def _elements(source: Source, mapping: Mapping) -> None:
    source.add("text = e.text", "if text and text.strip(' \\t\\r\\n'): raise Unusual")
    if not mapping.elements:
        source.add("if len(e): raise Unusual")
        return
    source.add("c = e[0] if len(e) else None", f"tag = {_TAG}")
    for mapped in mapping.elements:
        for line in _element(source, mapped):
            source.add(line)
    source.add("if tag is not None: raise Unusual")


def _element(source: Source, mapped: Mapped) -> Iterator[str]:
    place, target = mapped.place, f"o.{mapped.name}"
    one = [
        "if c.tail: raise Unusual",
        *_READERS[place.shape](source, place, target),
        "c = c.getnext()",
        f"tag = {_TAG}",
    ]
    yield f"if tag == {place.qname!r}:"
    if place.shape in REPEATED:
        yield "    found = []"
        yield f"    while tag == {place.qname!r}:"
        yield from (f"        {line}" for line in one)
        yield f"    {target} = tuple(found)"
        yield f"else: {target} = ()"
    else:
        yield from (f"    {line}" for line in one)
        yield f"else: {_missing(source, mapped)}"


def _missing(source: Source, mapped: Mapped) -> str:
    """The statement for a field that the document does not have."""
    if mapped.required:
        return "raise Unusual"
    if mapped.factory:
        return f"o.{mapped.name} = {source.name('default', mapped.missing())}"
    plain = mapped.default is None or mapped.default in ((), False, True)
    return f"o.{mapped.name} = {mapped.default if plain else source.name('default', mapped.default)}"


def _converted(source: Source, place: Field, text: str) -> str:
    kind = place.kind
    convert = kind.fast or kind.read
    return text if convert is str else f"{source.name('convert', convert)}({text})"


def _text(source: Source, place: Field, target: str) -> Iterator[str]:
    yield "if len(c) or c.attrib: raise Unusual"
    yield f"{target} = " + _converted(source, place, "c.text or ''" if place.kind.read is str else "c.text")


def _size_of(source: Source, place: Field, target: str) -> Iterator[str]:
    yield "if len(c): raise Unusual"
    yield f"{target} = read_size(c)"


def _value(source: Source, place: Field, target: str) -> Iterator[str]:
    yield "if len(c.attrib) != 1 or len(c) or c.text: raise Unusual"
    yield f"v = c.get({place.attribute!r})"
    yield "if v is None: raise Unusual"
    yield f"{target} = {_converted(source, place, 'v')}"


def _flag(source: Source, place: Field, target: str) -> Iterator[str]:
    yield "if len(c) or c.attrib or c.text: raise Unusual"
    yield f"{target} = True"


def _child(source: Source, place: Field, target: str) -> Iterator[str]:
    assert place.model
    yield f"{target} = {source.name('read', _reader(place.model))}(c)"


def _children(source: Source, place: Field, target: str) -> Iterator[str]:
    assert place.model
    for name, word in place.fixed:
        yield f"if c.get({name!r}) != {word!r}: raise Unusual"
    yield f"found.append({source.name('read', _reader(place.model))}(c, {len(place.fixed)}))"


def _texts(source: Source, place: Field, target: str) -> Iterator[str]:
    yield "if len(c) or c.attrib: raise Unusual"
    yield f"found.append({_converted(source, place, 'c.text or str()' if place.kind.read is str else 'c.text')})"


def _values(source: Source, place: Field, target: str) -> Iterator[str]:
    yield "if c.attrib or c.text: raise Unusual"
    yield "found = []"
    yield "for i in c:"
    yield (
        f"    if i.tag != {place.qualified(place.item)!r} or i.tail or i.text or len(i) or len(i.attrib) != 1: raise Unusual"
    )
    yield f"    v = i.get({place.attribute!r})"
    yield "    if v is None: raise Unusual"
    yield f"    found.append({_converted(source, place, 'v')})"
    yield f"{target} = tuple(found)"


def _wrapped(source: Source, place: Field, target: str) -> Iterator[str]:
    assert place.model
    read = source.name("read", _reader(place.model))
    yield "if c.attrib or c.text: raise Unusual"
    yield "found = []"
    yield "for i in c:"
    yield f"    if i.tag != {place.qualified(place.item)!r} or i.tail: raise Unusual"
    yield f"    found.append({read}(i))"
    yield f"{target} = tuple(found)"


def _variant(source: Source, place: Field, target: str) -> Iterator[str]:
    assert place.variants
    readers = source.name("variants", _variant_readers(place.variants))
    if place.variants.outside:
        yield f"{target} = {readers}[word](c)"
    else:
        yield f"word = c.get({place.variants.attribute!r})"
        yield f"{target} = {readers}[word](c, word is not None)"


_READERS: dict[Shape, Callable[[Source, Field, str], Iterator[str]]] = {
    Shape.TEXT: _text,
    Shape.SIZE: _size_of,
    Shape.VALUE: _value,
    Shape.FLAG: _flag,
    Shape.CHILD: _child,
    Shape.CHILDREN: _children,
    Shape.TEXTS: _texts,
    Shape.VALUES: _values,
    Shape.WRAPPED: _wrapped,
    Shape.VARIANT: _variant,
}
