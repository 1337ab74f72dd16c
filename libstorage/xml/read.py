"""The careful reader: accepts any order, collects every problem with its path and line, keeps unknown parts.

``libstorage.xml.fast`` reads documents that look as libvirt prints them. Any document that it does not recognize is
read here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from typing import Any, ClassVar, cast

from lxml import etree

from libstorage.errors import DocumentError, Problem
from libstorage.units import Size, counted
from libstorage.xml.fields import REPEATED, Field, Shape, Unknown, Variants
from libstorage.xml.kinds import Kind, ReportedWord, UnknownWord
from libstorage.xml.mapping import Mapped, Mapping, construct, mapping_of
from libstorage.xml.tree import Tree
from libstorage.xml.wording import (
    BLANK,
    SIZE_NUMBER,
    SIZE_UNIT,
    Wrong,
    element_in_value,
    given_again,
    missing_attribute,
    missing_element,
    not_valid,
    one_of,
    problem_at,
    stray_texts,
    tag_of,
    too_large,
    wrong_root,
)

_MOST_PROBLEMS = 100
_MOST_UNKNOWN = 1000
MOST_ELEMENTS = 25_000
"""Maximum number of elements of a document to make objects of, which takes ten times as long as parsing."""

_count = etree.XPath("count(//*)")


def read_carefully(model: type, root: Tree, *, reported: bool = False) -> Any:
    """Return the document under ``root`` as a ``model``.

    Args:
        model: The class of the document.
        root: The root element.
        reported: Whether libvirt wrote the document, so that its unknown parts may be sent back.

    Raises:
        DocumentError: If the document has a problem. The error has the problems of the document.
    """
    if cast(float, _count(root)) > MOST_ELEMENTS:
        reason = f"the document has more than {MOST_ELEMENTS:,} elements"
        raise DocumentError([problem_at(root, Wrong(reason))])
    reader = _Reader(reported)
    found = reader.document(model, root)
    if reader.problems:
        raise DocumentError(tuple(reader.problems))
    return found


def read_fragment(model: Any, root: Tree) -> Any:
    """Return one element as a ``model``.

    Raises:
        DocumentError: If the element has a problem, or parts that libstorage does not know: nothing could keep them.
    """
    wanted = model.TAG if model.NAMESPACE is None else f"{{{model.NAMESPACE.uri}}}{model.TAG}"
    if root.tag != wanted:
        raise DocumentError([problem_at(root, wrong_root(root, [model.TAG]))])
    reader = _Reader(reported=False)
    found = reader.fragment(model, root)
    for part in reader.unknown:
        reader.problems.append(Problem(part.path, f"{part} is not known to libstorage", line=part.line))
    if reader.problems:
        raise DocumentError(tuple(reader.problems))
    return found


class _Reader:
    """Reader of one document."""

    def __init__(self, reported: bool) -> None:
        self._reported = reported
        self.problems: list[Problem] = []
        self.unknown: list[Unknown] = []

    def document(self, model: Any, root: Tree) -> Any:
        if root.tag != model.ROOT:
            self._problem(root, wrong_root(root, [model.ROOT]))
            return None
        values = self._values(model, root, f"/{model.ROOT}", accounted=())
        model.fill_in(values)
        self._defaults(model, root, values)
        holder = mapping_of(model).unknown
        assert holder
        values[holder.name] = tuple(self.unknown)
        return None if self.problems else construct(model, values)

    def fragment(self, model: Any, root: Tree) -> Any:
        values: dict[str, Any] = {}
        accounted = ["type"] if model.IS_TYPED else self._fixed(model.FIXED, root)
        if model.IS_TYPED:
            word = " ".join(root.get("type", "").split())
            if not isinstance(model.__dict__.get("type"), str):
                values["type"] = UnknownWord(word)
            elif word != model.type:
                self._problem(root, not_valid(word, str(model.type)), "type")
        values |= self._values(model, root, f"/{model.TAG}", accounted)
        self._defaults(model, root, values)
        return construct(model, values)

    # ---- elements ---------------------------------------------------------------------------------------------------

    def _element(self, model: type, element: Tree, path: str, accounted: Sequence[str] = ()) -> Any:
        """Return ``element`` as a ``model``; ``accounted`` are attributes that the caller has already read."""
        values = self._values(model, element, path, accounted)
        self._defaults(model, element, values)
        return construct(model, values)

    def _values(self, model: type, element: Tree, path: str, accounted: Sequence[str]) -> dict[str, Any]:
        mapping = mapping_of(model)
        values: dict[str, Any] = {}
        known = list(accounted)
        for mapped in mapping.attributes:
            known.append(mapped.place.tag)
            if (text := element.get(mapped.place.tag)) is not None:
                values[mapped.name] = self._attribute(element, mapped.place.tag, text, mapped.place.kind)
        if outside := mapping.outside:
            assert outside.place.variants
            known.append(outside.place.variants.attribute)
        self._keep_attributes(element, path, known)
        for mapped, found in self._children(mapping, element, path):
            self._field(mapped, found, element, path, values)
        return values

    def _field(
        self, mapped: Mapped, found: list[tuple[Tree, str]], parent: Tree, path: str, values: dict[str, Any]
    ) -> None:
        """Read one field from its elements."""
        place = mapped.place
        if place.shape in REPEATED:
            one = self._child if place.shape is Shape.CHILDREN else self._text
            values[mapped.name] = tuple(one(place, item, where) for item, where in found)
            return
        if len(found) > 1:
            self._again(place, found[1:])
        if place.shape is Shape.VARIANT:
            self._variant(mapped, found, parent, path, values)
        else:
            values[mapped.name] = self._READERS[place.shape](self, place, *found[0])

    def _again(self, place: Field, more: list[tuple[Tree, str]]) -> None:
        for element, path in more:
            if place.repeats or self._reported:  # what a host has is readable
                self._keep(element, path)
            else:
                self._problem(element, given_again(element))

    def _defaults(self, model: type, element: Tree, values: dict[str, Any]) -> None:
        for mapped in mapping_of(model).fields:
            if mapped.name in values:
                continue
            if not mapped.required:
                values[mapped.name] = mapped.missing()
            elif self._reported and mapped.place.shape is Shape.CHILD:
                values[mapped.name] = None  # libvirt keeps a source without its device
            elif mapped.place.shape is Shape.ATTRIBUTE:
                self._problem(element, missing_attribute(mapped.place.tag, mapped.place.kind.in_xml()))
            else:
                self._problem(element, missing_element(mapped.place.printed))

    # ---- shapes -----------------------------------------------------------------------------------------------------

    def _text(self, place: Field, element: Tree, path: str) -> Any:
        if not self._leaf(element, path, ()):
            return None
        text = element.text or ""
        try:
            return self._known(place.kind.read(text))
        except ValueError:
            self._bad_text(element, text, place.kind.in_xml(text))
            return None

    def _size(self, place: Field, element: Tree, path: str) -> Any:
        if not self._leaf(element, path, ("unit",)):
            return None
        text, unit = element.text or "", element.get("unit")
        number = text.strip(BLANK)
        before = len(self.problems)
        if unit is not None and not _is_unit(unit):
            self._problem(element, not_valid(unit, SIZE_UNIT), "unit")
        if not (number.isascii() and number.isdigit()):
            self._bad_text(element, text, SIZE_NUMBER)
        if len(self.problems) == before:
            try:
                if place.reported and unit == "bytes":
                    return counted(int(number))
                return Size.parse(number, unit)
            except ValueError:
                if self._reported:  # the header of an image can name any number
                    self._keep(element, path)
                else:
                    self._problem(element, too_large(number, unit))
        return None

    def _value(self, place: Field, element: Tree, path: str) -> Any:
        self._bare(element, path, (place.attribute,))
        if (text := element.get(place.attribute)) is None:
            self._problem(element, missing_attribute(place.attribute, place.kind.in_xml()))
            return None
        return self._attribute(element, place.attribute, text, place.kind)

    def _flag(self, place: Field, element: Tree, path: str) -> bool:
        self._bare(element, path, ())
        return True

    def _child(self, place: Field, element: Tree, path: str) -> Any:
        assert place.model
        return self._element(place.model, element, path, self._fixed(place.fixed, element))

    def _fixed(self, fixed: Sequence[tuple[str, str]], element: Tree) -> list[str]:
        """Return the names of attributes that have one value; another value is a problem."""
        for name, word in fixed:
            if (text := element.get(name)) is not None and text.strip(BLANK) != word:
                self._problem(element, not_valid(text, word), name)
        return [name for name, _ in fixed]

    def _values_of(self, place: Field, element: Tree, path: str) -> tuple[Any, ...]:
        return tuple(self._value(place, item, where) for item, where in self._items(place, element, path))

    def _wrapped(self, place: Field, element: Tree, path: str) -> tuple[Any, ...]:
        return tuple(self._child(place, item, where) for item, where in self._items(place, element, path))

    def _items(self, place: Field, element: Tree, path: str) -> list[tuple[Tree, str]]:
        wanted = place.qualified(place.item)
        if element.find(wanted) is None and (len(element) or element.keys()):
            self._keep(element, path)  # as a whole, because the writer makes no element around nothing
            return []
        self._keep_attributes(element, path, ())
        self._no_text(element)
        found = []
        for item, where in _with_paths(element, path, {wanted: place.prefixed(place.item)}):
            if item.tag == wanted:
                found.append((item, where))
            else:
                self._keep(item, where)
        return found

    def _variant(
        self, mapped: Mapped, found: list[tuple[Tree, str]], parent: Tree, path: str, values: dict[str, Any]
    ) -> None:
        place = mapped.place
        assert place.variants
        variants = place.variants
        element, where = found[0] if found else (None, path)
        holder = parent if variants.outside else element
        if holder is None:
            return
        text = holder.get(variants.attribute, variants.absent)
        if not (word := " ".join((text or "").split())):
            choices = [model.type for model in variants.models]  # type: ignore[attr-defined]
            if text is None:
                self._problem(holder, missing_attribute(variants.attribute, one_of(choices)))
            else:
                self._problem(holder, not_valid(text, one_of(choices)), variants.attribute)
            values[mapped.name] = None
            return
        model = _chosen(variants, word)
        inner: dict[str, Any] = {"type": self._known(UnknownWord(word))} if model is variants.fallback else {}
        if element is None:
            if any(m.required and m.name not in inner for m in mapping_of(model).fields):
                return
        else:
            accounted = () if variants.outside else (variants.attribute,)
            inner |= self._values(model, element, where, accounted)
        self._defaults(model, parent if element is None else element, inner)
        values[mapped.name] = construct(model, inner)

    _READERS: ClassVar[dict[Shape, Callable[[_Reader, Field, Tree, str], Any]]] = {
        Shape.TEXT: _text,
        Shape.SIZE: _size,
        Shape.VALUE: _value,
        Shape.FLAG: _flag,
        Shape.CHILD: _child,
        Shape.VALUES: _values_of,
        Shape.WRAPPED: _wrapped,
    }

    # ---- parts ------------------------------------------------------------------------------------------------------

    def _children(
        self, mapping: Mapping, parent: Tree, path: str
    ) -> Iterator[tuple[Mapped, list[tuple[Tree, str]]]]:
        """Yield every field that has elements, with these elements; keep the unknown elements."""
        self._no_text(parent)
        found: dict[str, list[tuple[Tree, str]]] = {}
        for element, where in _with_paths(parent, path, mapping.printed):
            if element.tag in mapping.printed:
                found.setdefault(element.tag, []).append((element, where))
            else:
                self._keep(element, where)
        for mapped in mapping.elements:
            if mapped.place.qname in found or mapped.place.variants:
                yield mapped, found.get(mapped.place.qname, [])

    def _bare(self, element: Tree, path: str, attributes: Sequence[str]) -> None:
        """Keep the unknown content of an element for which only ``attributes`` are known."""
        self._no_text(element)
        self._keep_inside(element, path, attributes)

    def _leaf(self, element: Tree, path: str, attributes: Sequence[str]) -> bool:
        """Return whether an element holds text that can be read.

        The other attributes are kept; so are children, if the element has no text beside them.
        """
        if len(element) and stray_texts(element):
            self._elements_in(element)
            return False
        self._keep_inside(element, path, attributes)
        return True

    def _keep_inside(self, element: Tree, path: str, attributes: Sequence[str]) -> None:
        self._keep_attributes(element, path, attributes)
        if len(element):
            for inner, where in _with_paths(element, path, {}):
                self._keep(inner, where)

    def _bad_text(self, element: Tree, text: str, expected: str) -> None:
        if len(element):
            self._elements_in(element)
        else:
            self._problem(element, not_valid(text, expected))

    def _elements_in(self, element: Tree) -> None:
        for inner in element:
            self._problem(inner, element_in_value(inner))

    def _no_text(self, element: Tree) -> None:
        for wrong in stray_texts(element):
            self._problem(element, wrong)

    def _attribute(self, element: Tree, name: str, text: str, kind: Kind) -> Any:
        try:
            return self._known(kind.read(text))
        except ValueError:
            self._problem(element, not_valid(text, kind.in_xml(text)), name)
            return None

    def _known(self, value: Any) -> Any:
        """Return a value; if it is an unknown word that libvirt wrote, say so."""
        return ReportedWord(value) if self._reported and isinstance(value, UnknownWord) else value

    def _keep(self, element: Tree, path: str) -> None:
        self._unknown(element, path, _xml_of(element))

    def _keep_attributes(self, element: Tree, path: str, known: Sequence[str]) -> None:
        for name in element.keys():  # noqa: SIM118 (items() looks up every value: minutes for 100,000 of them)
            if name not in known:
                printed, xml = _attribute_xml(str(name), element.get(name, ""))
                self._unknown(element, f"{path}/@{printed}", xml)

    def _unknown(self, element: Tree, path: str, xml: str) -> None:
        self.unknown.append(Unknown(path, xml, cast("int | None", element.sourceline), self._reported))
        if len(self.unknown) > _MOST_UNKNOWN:
            self._problem(element, Wrong(f"more than {_MOST_UNKNOWN} parts of the document are unknown"))
            raise DocumentError(tuple(self.problems))

    def _problem(self, element: Tree, wrong: Wrong, attribute: str | None = None) -> None:
        self.problems.append(problem_at(element, wrong, attribute))
        if len(self.problems) >= _MOST_PROBLEMS:
            raise DocumentError(tuple(self.problems))


def _chosen(variants: Variants, word: str) -> type:
    """Return the class that ``word`` selects."""
    chosen = (model for model in variants.models if model.type == word)  # type: ignore[attr-defined]
    return next(chosen, variants.fallback)


def _is_unit(text: str) -> bool:
    try:
        Size(0, text)
    except ValueError:
        return False
    return True


def _with_paths(parent: Tree, path: str, printed: dict[str, str]) -> Iterator[tuple[Tree, str]]:
    """Yield every child with its path; a number distinguishes children with the same tag."""
    tags = [str(element.tag) for element in parent]
    total = Counter(tags) if len(set(tags)) < len(tags) else {}
    seen: Counter[str] = Counter()
    for element, tag in zip(parent, tags, strict=True):
        number = ""
        if total.get(tag, 1) > 1:
            seen[tag] += 1
            number = f"[{seen[tag]}]"
        yield element, f"{path}/{printed.get(tag) or tag_of(element)}{number}"


def _attribute_xml(name: str, text: str) -> tuple[str, str]:
    """Return an attribute's name and its whole text. The prefix of a namespace is always ns0 here."""
    holder = etree.Element("a")
    holder.set(name, text)
    xml = _xml_of(holder)[3:].removesuffix("></a>").removesuffix("/>")
    return xml.rpartition('="')[0].rpartition(" ")[2], xml


def _xml_of(element: Tree) -> str:
    """Return an element as self-contained text."""
    try:
        return etree.tostring(element, method="c14n", exclusive=True).decode()
    except etree.C14NError:
        # A namespace that is a relative URI has no canonical form.
        alone = deepcopy(element)
        alone.tail = None
        etree.cleanup_namespaces(alone)
        return etree.tostring(alone, encoding="unicode")
