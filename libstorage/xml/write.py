"""The writer: one compiled function per class, printing as libvirt does (two blanks deep, single quotes)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from lxml import etree

from libstorage.xml.code import Source, once_per_class
from libstorage.xml.fields import Field, Shape, Unknown
from libstorage.xml.kinds import Kind, string_problem
from libstorage.xml.mapping import Mapping, mapping_of

Write = Callable[..., str]

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
    """``document`` as XML, without an XML declaration.

    Raises:
        ValueError: when a string holds what XML cannot carry (control characters).
    """
    written = _writer(type(document), reported)(document, document.ROOT, "", "")
    return _restored(written, document.unknown) if document.unknown else written


def escape(text: str) -> str:
    """``text`` as it stands between tags or in an attribute."""
    if wrong := string_problem(text):
        raise ValueError(str(wrong))
    return text.translate(_ESCAPES)


def _writer(model: type, reported: bool) -> Write:
    """``write(object, tag, head, indent)``; ``head`` are attributes that the caller has written."""
    return _full_writer(model) if reported else _request_writer(model)


@once_per_class
def _full_writer(model: type) -> Write:
    return _compile(model, reported=True)


@once_per_class
def _request_writer(model: type) -> Write:
    return _compile(model, reported=False)


def _compile(model: type, *, reported: bool) -> Write:
    mapping = mapping_of(model)
    source = Source(special=_special, escape=escape)
    source.lines.append("def write(o, tag, head, i):")
    for line in _head(source, mapping, reported):
        source.add(line)
    elements = [mapped for mapped in mapping.elements if reported or not mapped.place.reported]
    if elements:
        source.add("j = i + '  '", "s = ''")
        for mapped in elements:
            source.add(f"v = o.{mapped.name}")
            for line in _WRITERS[mapped.place.shape](source, mapped.place, reported):
                source.add(line)
        source.add("if s: return f'{i}<{tag}{head}>\\n{s}{i}</{tag}>\\n'")
    source.add("return f'{i}<{tag}{head}/>\\n'")
    return source.load("write", f"writer of {model.__name__}" + ", reported too" * reported)


def _head(source: Source, mapping: Mapping, reported: bool) -> Iterator[str]:
    if outside := mapping.outside:
        assert outside.place.variants
        yield f"""head += f" {outside.place.variants.attribute}='{{escape(o.{outside.name}.type)}}'" """
    for mapped in mapping.elements:
        if space := mapped.place.namespace:
            yield f"""if o.{mapped.name}: head += " xmlns:{space.prefix}='{space.uri}'" """
    for mapped in mapping.attributes:
        if reported or not mapped.place.reported:
            yield f"v = o.{mapped.name}"
            yield f"""if v is not None: head += f" {mapped.place.tag}='{_text(source, mapped.place.kind)}'" """


def _text(source: Source, kind: Kind) -> str:
    """The replacement field of an f-string that prints ``v``."""
    if kind.vocabulary:
        enum, words = source.name("Enum", kind.vocabulary[0]), source.name("words", kind.vocabulary[1])
        return f"{{{words}[v._value_] if v.__class__ is {enum} else escape(v)}}"
    if kind.write:
        return f"{{{source.name('print', kind.write)}(v)}}"
    if kind.escaped:
        return "{v if special(v) is None else escape(v)}"
    return kind.template


def _text_element(source: Source, place: Field, reported: bool) -> Iterator[str]:
    tag = place.printed
    yield f"if v is not None: s += f'{{j}}<{tag}>{_text(source, place.kind)}</{tag}>\\n'"


def _size_element(source: Source, place: Field, reported: bool) -> Iterator[str]:
    tag, unit = place.printed, place.unit
    yield f"""if v is not None: s += f"{{j}}<{tag} unit='{unit}'>{_text(source, place.kind)}</{tag}>\\n" """


def _value_element(source: Source, place: Field, reported: bool) -> Iterator[str]:
    head = f"{place.printed} {place.attribute}"
    yield f"""if v is not None: s += f"{{j}}<{head}='{_text(source, place.kind)}'/>\\n" """


def _flag_element(source: Source, place: Field, reported: bool) -> Iterator[str]:
    yield f"if v: s += f'{{j}}<{place.printed}/>\\n'"


def _child_element(source: Source, place: Field, reported: bool) -> Iterator[str]:
    assert place.model
    yield f"if v is not None: s += {source.name('write', _writer(place.model, reported))}(v, {place.printed!r}, '', j)"


def _children_elements(source: Source, place: Field, reported: bool) -> Iterator[str]:
    assert place.model
    write = source.name("write", _writer(place.model, reported))
    head = "".join(f" {name}='{escape(word)}'" for name, word in place.fixed)
    yield f"for v in v: s += {write}(v, {place.printed!r}, {head!r}, j)"


def _texts_elements(source: Source, place: Field, reported: bool) -> Iterator[str]:
    tag = place.printed
    yield f"for v in v: s += f'{{j}}<{tag}>{_text(source, place.kind)}</{tag}>\\n'"


def _values_elements(source: Source, place: Field, reported: bool) -> Iterator[str]:
    head = f"{place.prefixed(place.item)} {place.attribute}"
    yield "if v:"
    yield f"    s += f'{{j}}<{place.printed}>\\n'"
    yield f"""    for v in v: s += f"{{j}}  <{head}='{_text(source, place.kind)}'/>\\n" """
    yield f"    s += f'{{j}}</{place.printed}>\\n'"


def _wrapped_elements(source: Source, place: Field, reported: bool) -> Iterator[str]:
    assert place.model
    write = source.name("write", _writer(place.model, reported))
    yield "if v:"
    yield f"    s += f'{{j}}<{place.printed}>\\n'"
    yield f"    for v in v: s += {write}(v, {place.prefixed(place.item)!r}, '', j + '  ')"
    yield f"    s += f'{{j}}</{place.printed}>\\n'"


def _variant_element(source: Source, place: Field, reported: bool) -> Iterator[str]:
    assert place.variants
    variants = place.variants
    models = (*variants.models, variants.fallback)
    writers = source.name("writers", {model: _writer(model, reported) for model in models})
    head = "''" if variants.outside else f"""f" {variants.attribute}='{{escape(v.type)}}'" """
    yield f"if v is not None: s += {writers}[v.__class__](v, {place.printed!r}, {head}, j)"


_WRITERS: dict[Shape, Callable[[Source, Field, bool], Iterator[str]]] = {
    Shape.TEXT: _text_element,
    Shape.SIZE: _size_element,
    Shape.VALUE: _value_element,
    Shape.FLAG: _flag_element,
    Shape.CHILD: _child_element,
    Shape.CHILDREN: _children_elements,
    Shape.TEXTS: _texts_elements,
    Shape.VALUES: _values_elements,
    Shape.WRAPPED: _wrapped_elements,
    Shape.VARIANT: _variant_element,
}


# ---- what libstorage does not know ----------------------------------------------------------------------------------


_MARK = "libstorage-part"
_marks = re.compile(rf"<\?{_MARK} ([0-9]+)\?>")


def _restored(written: str, unknown: tuple[Unknown, ...]) -> str:
    """``written`` with the unknown parts back in the elements they came from.

    The tree only learns where elements go, for in a tree they would take the prefixes of what is around them.
    """
    root = etree.fromstring(written)
    for number, part in enumerate(unknown):
        parent, _, last = part.path.rpartition("/")
        if (element := _found(root, parent)) is None:
            continue  # the element that held it was taken away, and the part with it
        if last.startswith("@"):
            element.attrib.update(etree.fromstring(f"<a {part.xml}/>").attrib)
        else:
            _append(element, etree.ProcessingInstruction(_MARK, str(number)), depth=parent.count("/"))
    text = etree.tostring(root, encoding="unicode")
    return _marks.sub(lambda mark: unknown[int(mark[1])].xml, text) + "\n"


def _found(root: etree._Element, path: str) -> etree._Element | None:
    """The element at ``path``, which only goes through elements that the writer made."""
    try:
        found = root.xpath(path, namespaces={k: v for k, v in root.nsmap.items() if k})
    except etree.XPathEvalError:
        return None  # its prefix is not even declared
    return found[0] if isinstance(found, list) and found else None  # type: ignore[return-value]


def _append(parent: etree._Element, part: etree._Element, *, depth: int) -> None:
    """``part`` on a line of its own."""
    line = "\n" + "  " * depth
    if len(parent):
        parent[-1].tail = line
    else:
        parent.text = (parent.text or "") + line
    part.tail = line[:-2]
    parent.append(part)
