"""The writer: one compiled function per document class, printing like libvirt (two-blank indentation, single quotes).

Measured with libvirt's own test documents, relative to lxml's bare parse: a function for each element's class, with tag
and indentation as arguments, takes 0.55 times as long; one function with the inner elements inlined and the indentation
as constants takes 0.4 (``benchmarks/codec.py``). Sizes are printed by ``int.__repr__``, because a format would call
``Size.__format__``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

from libstorage.xml.code import Source
from libstorage.xml.fields import MANY, Field, Shape
from libstorage.xml.kinds import Kind, UnknownWord, string_problem
from libstorage.xml.mapping import Mapped, Mapping, mapping_of

Write = Callable[[Any], str]

_special = re.compile("[&<>'\"\r\n\t\x00-\x1f\ud800-\udfff\ufffe\uffff]").search
_ESCAPES = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        "'": "&apos;",
        '"': "&quot;",
        "\r": "&#13;",
        "\n": "&#10;",
        "\t": "&#9;",
    }
)


def write_document(document: Any, *, reported: bool) -> str:
    """Return ``document`` as XML, without an XML declaration.

    Raises:
        ValueError: If a string contains a character that XML cannot represent (control characters).
    """
    model: Any = type(document)
    written = _writer(model, document.ROOT, "", 0, reported)(document)
    if not document.unknown:
        return written
    from libstorage.xml.restore import restored  # loads lxml, which other documents do not need

    return restored(written, document.unknown)


def write_fragment(element: Any, *, reported: bool) -> str:
    """Return one element as XML, as it stands in a document.

    Raises:
        ValueError: If a string contains a character that XML cannot represent (control characters).
    """
    model: Any = type(element)
    space, tag = model.NAMESPACE, model.TAG
    head = "" if space is None else f" xmlns:{space.prefix}='{space.uri}'"
    if model.IS_TYPED:
        head += (
            " type='{escape(o.type)}'" if isinstance(element.type, UnknownWord) else f" type='{element.type}'"
        )
    printed = tag if space is None else f"{space.prefix}:{tag}"
    return _writer(model, printed, head, 0, reported)(element)


def escape(text: str) -> str:
    """Return ``text``, escaped for use between tags or in an attribute."""
    if wrong := string_problem(text):
        raise ValueError(str(wrong))
    return text.translate(_ESCAPES)


@cache
def _writer(model: Any, tag: str, head: str, depth: int, reported: bool) -> Write:
    """Return ``write(object)`` for elements at ``depth`` levels; ``head`` is the text after the tag."""
    plan = _Plan(reported)
    written = plan.element(model, "o", tag, head, depth)
    return plan.load(written, f"writer of {model.__name__}" + ", reported too" * reported)


class _Plan:
    """The statements that print an element and its inner elements, with constant indentation."""

    def __init__(self, reported: bool) -> None:
        self._source = Source("write(o)", special=_special, escape=escape)
        self._reported = reported
        self._elements = 0

    def load(self, written: str, title: str) -> Write:
        """Return the function that returns ``written`` for an object ``o``."""
        self._source.add(f"return {written}")
        return self._source.load(title)

    def element(self, model: type, it: str, tag: str, head: str, depth: int) -> str:
        """Print the object in the variable ``it``, and return the expression that holds the text."""
        mapping, indent = mapping_of(model), "  " * depth
        self._elements += 1
        inner = f"s{self._elements}"
        head = self._head(mapping, it, head)
        elements = [mapped for mapped in mapping.elements if self._reported or not mapped.place.reported]
        if not elements:
            return f'f"{indent}<{tag}{head}/>\\n"'
        begin, end = f"{indent}<{tag}{head}>\\n", f"{indent}</{tag}>\\n"
        never_empty = any(m.required and m.place.shape not in MANY for m in elements)
        self._source.add(f'{inner} = f"{begin if never_empty else ""}"')
        for mapped in elements:
            _SHAPES[mapped.place.shape](self, mapped, f"{it}.{mapped.name}", inner, depth + 1)
        if never_empty:
            return f'{inner} + "{end}"'
        return f'f"{begin}{{{inner}}}{end}" if {inner} else f"{indent}<{tag}{head}/>\\n"'

    def _head(self, mapping: Mapping, it: str, head: str) -> str:
        """Return the text after the tag: a template, or a variable for it if the text depends on the object."""
        attributes = [mapped for mapped in mapping.attributes if self._reported or not mapped.place.reported]
        spaces = [mapped for mapped in mapping.elements if mapped.place.namespace]
        if outside := mapping.outside:
            assert outside.place.variants
            known = {model: model.type for model in outside.place.variants.models}  # type: ignore[attr-defined]
            words, part = self._source.name("words", known), f"{it}.{outside.name}"
            head += f" {outside.place.variants.attribute}='{{{words}.get({part}.__class__) or escape({part}.type)}}'"
        if not attributes and not spaces:
            return head
        variable = f"h{self._elements}"
        self._source.add(f'{variable} = f"{head}"')
        for mapped in spaces:
            assert mapped.place.namespace
            declaration = f" xmlns:{mapped.place.namespace.prefix}='{mapped.place.namespace.uri}'"
            self._source.add(f'if {it}.{mapped.name}: {variable} += "{declaration}"')
        for mapped in attributes:
            self._print(mapped, f"{it}.{mapped.name}", variable, f" {mapped.place.tag}='", "'")
        return f"{{{variable}}}"

    # ---- statements -------------------------------------------------------------------------------------------------

    def _print(self, mapped: Mapped, value: str, to: str, before: str, after: str) -> None:
        """Append one value between two texts, unless it is ``None``."""
        self._source.add(f"v = {value}")
        condition = "" if mapped.required else "if v is not None: "
        self._source.add(f'{condition}{to} += f"{before}{self._text_of(mapped.place.kind)}{after}"')

    def _text_of(self, kind: Kind) -> str:
        """Return the replacement field of an f-string that prints ``v``."""
        if kind.vocabulary:
            enum, words = (
                self._source.name("Enum", kind.vocabulary[0]),
                self._source.name("words", kind.vocabulary[1]),
            )
            return f"{{{words}[v._value_] if v.__class__ is {enum} else escape(v)}}"
        if kind.write:
            return f"{{{self._source.name('print', kind.write)}(v)}}"
        if kind.escaped:
            return "{v if special(v) is None else escape(v)}"
        return kind.template

    # ---- shapes -----------------------------------------------------------------------------------------------------

    def _text(self, mapped: Mapped, value: str, to: str, depth: int) -> None:
        tag = mapped.place.printed
        unit = f" unit='{mapped.place.unit}'" if mapped.place.shape is Shape.SIZE else ""
        self._print(mapped, value, to, f"{'  ' * depth}<{tag}{unit}>", f"</{tag}>\\n")

    def _value(self, mapped: Mapped, value: str, to: str, depth: int) -> None:
        place = mapped.place
        self._print(mapped, value, to, f"{'  ' * depth}<{place.printed} {place.attribute}='", "'/>\\n")

    def _flag(self, mapped: Mapped, value: str, to: str, depth: int) -> None:
        self._source.add(f'if {value}: {to} += "{"  " * depth}<{mapped.place.printed}/>\\n"')

    def _child(self, mapped: Mapped, value: str, to: str, depth: int) -> None:
        assert mapped.place.model
        child = f"o{self._elements}"
        self._source.add(f"{child} = {value}")
        with self._source.block(f"if {child} is not None:"):
            self._source.add(
                f"{to} += {self.element(mapped.place.model, child, mapped.place.printed, '', depth)}"
            )

    def _variant(self, mapped: Mapped, value: str, to: str, depth: int) -> None:
        writer_of = cache(partial(_variant_writer, mapped.place, depth, self._reported))
        writer = self._source.name("writer_of", writer_of)
        self._source.add(f"v = {value}")
        self._source.add(f"if v is not None: {to} += {writer}(v.__class__)(v)")

    def _children(self, mapped: Mapped, value: str, to: str, depth: int) -> None:
        head = "".join(f" {name}='{escape(word)}'" for name, word in mapped.place.fixed)
        self._row(mapped.place, mapped.place.printed, head, value, to, depth)

    def _wrapped(self, mapped: Mapped, value: str, to: str, depth: int) -> None:
        with self._around(mapped.place, value, to, depth):
            self._row(mapped.place, mapped.place.prefixed(mapped.place.item), "", value, to, depth + 1)

    def _row(self, place: Field, tag: str, head: str, value: str, to: str, depth: int) -> None:
        assert place.model
        write = self._source.name("write", _writer(place.model, tag, head, depth, self._reported))
        self._source.add(f"for v in {value}: {to} += {write}(v)")

    def _texts(self, mapped: Mapped, value: str, to: str, depth: int) -> None:
        tag = mapped.place.printed
        text = f"{'  ' * depth}<{tag}>{self._text_of(mapped.place.kind)}</{tag}>\\n"
        self._source.add(f'for v in {value}: {to} += f"{text}"')

    def _values(self, mapped: Mapped, value: str, to: str, depth: int) -> None:
        head = f"{mapped.place.prefixed(mapped.place.item)} {mapped.place.attribute}"
        with self._around(mapped.place, value, to, depth):
            text = f"{'  ' * (depth + 1)}<{head}='{self._text_of(mapped.place.kind)}'/>\\n"
            self._source.add(f'for v in {value}: {to} += f"{text}"')

    @contextmanager
    def _around(self, place: Field, value: str, to: str, depth: int) -> Iterator[None]:
        with self._source.block(f"if {value}:"):
            self._source.add(f'{to} += "{"  " * depth}<{place.printed}>\\n"')
            yield
            self._source.add(f'{to} += "{"  " * depth}</{place.printed}>\\n"')


def _variant_writer(place: Field, depth: int, reported: bool, model: Any) -> Write:
    assert place.variants
    attribute, head = place.variants.attribute, ""
    if not place.variants.outside:
        word = "{escape(o.type)}" if model is place.variants.fallback else escape(model.type)
        head = f" {attribute}='{word}'"
    return _writer(model, place.printed, head, depth, reported)


_SHAPES: dict[Shape, Callable[[_Plan, Mapped, str, str, int], None]] = {
    Shape.TEXT: _Plan._text,
    Shape.SIZE: _Plan._text,
    Shape.VALUE: _Plan._value,
    Shape.FLAG: _Plan._flag,
    Shape.CHILD: _Plan._child,
    Shape.CHILDREN: _Plan._children,
    Shape.TEXTS: _Plan._texts,
    Shape.VALUES: _Plan._values,
    Shape.WRAPPED: _Plan._wrapped,
    Shape.VARIANT: _Plan._variant,
}
