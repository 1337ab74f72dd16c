"""Base classes of all models (immutable elements) and of all documents (elements that stand alone as XML)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, Self

import attrs

from libstorage.display.shown import Shown
from libstorage.errors import DocumentError, Problem, StorageError, UnsupportedError, without_frames
from libstorage.xml.code import once_per_class
from libstorage.xml.fast import NOT_FAST, fast_reader
from libstorage.xml.fields import Namespace, Shape, Unknown
from libstorage.xml.kinds import MODE, YES_NO, ReportedWord, UnknownWord
from libstorage.xml.mapping import Mapped, check_declarations, construct, mapping_of, refuse_change
from libstorage.xml.wording import Wrong, not_of_type, not_valid, one_of, unexpected
from libstorage.xml.write import write_document, write_fragment

if TYPE_CHECKING:
    from libstorage.display.page import Page

_LINE = 100


class Element(Shown):
    """An immutable element of a document.

    The constructor rejects a wrong type, a value outside its limits, and a combination that libvirt is known to refuse.
    ``attrs.evolve`` makes changed copies.
    """

    __slots__ = ()

    SECRETIVE: ClassVar[bool] = False
    """Whether a text in the element may be a misplaced secret."""

    TAG: ClassVar[str] = ""
    """The element's tag; empty if the element has several."""

    NAMESPACE: ClassVar[Namespace | None] = None
    """The namespace of the tag."""

    IS_TYPED: ClassVar[bool] = False
    """Whether the attribute ``type`` of the element itself selects the class."""

    FIXED: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Attributes that some of the element's places require, with the one value that each has there."""

    @classmethod
    def from_xml(cls, xml: str | bytes) -> Self:
        """Read this element alone, as it stands in a document.

        Args:
            xml: The text; bytes are UTF-8.

        Raises:
            DocumentError: If the element cannot be read, or has parts that libstorage does not know.
            UnsupportedError: If the element has no tag of its own.
        """
        from libstorage.xml.parse import parse
        from libstorage.xml.read import read_fragment

        cls._check_tag()
        try:
            return read_fragment(cls, parse(xml))  # type: ignore[no-any-return]
        except Exception as error:  # noqa: BLE001 -- a caller that reads untrusted text expects one class of errors
            refused = _refusal(error)
        del xml  # a traceback may show this frame
        raise refused

    def to_xml(self, *, reported: bool = False) -> str:
        """Return this element as XML, as it stands in a document.

        Args:
            reported: Also write the fields that only libvirt fills in.

        Raises:
            ValueError: If a string contains a character that XML cannot represent.
            UnsupportedError: If the element has no tag of its own.
        """
        self._check_tag()
        return write_fragment(self, reported=reported)

    @classmethod
    def _check_tag(cls) -> None:
        if not cls.TAG:
            raise UnsupportedError(f"{cls.__name__} has another tag in each place, so it cannot stand alone")

    @classmethod
    def __attrs_init_subclass__(cls) -> None:
        check_declarations(cls)
        type.__setattr__(cls, "__setattr__", refuse_change)

    def __attrs_post_init__(self) -> None:
        if problems := tuple(self._own_problems()):
            raise DocumentError(problems)

    def _own_problems(self) -> Iterator[Problem]:
        """Yield the problems of this element itself: types and limits first; if these are right, combinations."""
        model = type(self)
        problems = [
            _placed(found, model, mapped)
            for mapped in mapping_of(model).fields
            if (found := _value_problem(mapped, getattr(self, mapped.name)))
        ]
        yield from problems or self._rules()

    def _rules(self) -> Iterator[Problem]:
        """Yield the combinations that libvirt refuses. Subclasses define them."""
        return iter(())

    def _broken(self, field: str, wrong: str | Wrong, *, expected: str | None = None) -> Problem:
        """Return the problem of a broken rule about ``field``."""
        wrong = Wrong(wrong, None, expected) if isinstance(wrong, str) else wrong
        return wrong.at(f"{type(self).__name__}.{field}")

    def _all_problems(self, path: str) -> Iterator[Problem]:
        for problem in self._own_problems():
            yield attrs.evolve(problem, path=path + problem.path.removeprefix(type(self).__name__))
        for name, inner in _inner_elements(self):
            yield from inner._all_problems(f"{path}.{name}")

    def __eq__(self, other: object) -> bool:
        """Return whether ``other`` has the same class and the same values, including reported and unknown ones."""
        if type(other) is not type(self):
            return NotImplemented
        values = _values_of(type(self))
        return bool(values(self) == values(other))

    def __hash__(self) -> int:
        return hash((type(self), _values_of(type(self))(self)))

    def __repr__(self) -> str:
        """Return the fields that are set, on one line, without reported fields and without what does not fit."""
        whole = self._shown(deep=True)
        line = whole if len(whole) <= _LINE else self._shown(deep=False)
        return line if len(line) <= _LINE else f"{line[: _LINE - 2]}…)"

    def _page(self, most: int | None) -> Page:
        from libstorage.xml.shown import element_page

        return element_page(self, most)

    def _shown(self, *, deep: bool) -> str:
        shown = []
        for mapped in mapping_of(type(self)).fields:
            value = getattr(self, mapped.name)
            if mapped.place.reported or (not mapped.required and value == mapped.missing()):
                continue
            text = f"{value:#o}" if mapped.place.kind is MODE else _shown(value, deep=deep)
            shown.append(f"{mapped.name}={text}")
        return f"{type(self).__name__}({', '.join(shown)})"


class Document(Element):
    """An element that stands alone as XML."""

    __slots__ = ()
    ROOT: ClassVar[str]

    @classmethod
    def from_xml(cls, xml: str | bytes, *, strict: bool = False) -> Self:
        """Read a document.

        Elements may be in any order. Parts that libstorage does not know are kept in ``unknown`` and written back.

        Args:
            xml: The text, at most 4 MiB; bytes are UTF-8.
            strict: Also reject whatever libvirt's schema refuses, such as unknown elements.

        Raises:
            DocumentError: If the document cannot be read. The error has every problem, each with its path and line.
        """
        try:
            if not strict:
                try:
                    return fast_reader(cls)(xml.decode() if isinstance(xml, bytes) else xml)  # type: ignore[no-any-return]
                except NOT_FAST:
                    pass
            return _read(cls, xml, strict=strict)  # type: ignore[no-any-return]
        except Exception as error:  # noqa: BLE001 -- a caller that reads untrusted documents expects one class of errors
            refused = _refusal(error)
        del xml  # a traceback may show this frame
        raise refused

    @classmethod
    def from_libvirt(cls, xml: str | bytes) -> Self:
        """Read a document that libvirt wrote, as ``virsh dumpxml`` prints it.

        Parts that libstorage does not know are sent back unchanged if the document, or a changed copy of it, is sent.
        The same parts in a document that a person wrote (``from_xml``) are refused.

        Args:
            xml: The text, at most 4 MiB; bytes are UTF-8.

        Raises:
            DocumentError: If the document cannot be read. The error has every problem, each with its path and line.
        """
        try:
            try:
                return fast_reader(cls)(xml.decode() if isinstance(xml, bytes) else xml)  # type: ignore[no-any-return]
            except NOT_FAST:
                pass
            return _read(cls, xml, reported=True)  # type: ignore[no-any-return]
        except Exception as error:  # noqa: BLE001 -- as for from_xml
            refused = _refusal(error)
        del xml
        raise refused

    @classmethod
    def fill_in(cls, values: dict[str, Any]) -> None:
        """Add to ``values``, read from a document, the values that libvirt takes from other places in the document."""

    def to_xml(self, *, reported: bool = False) -> str:
        """Return this document as XML, without an XML declaration, with libvirt's indentation.

        Args:
            reported: Also write the fields that only libvirt fills in.

        Raises:
            ValueError: If a string contains a character that XML cannot represent.
        """
        return write_document(self, reported=reported)

    def check(self) -> Self:
        """Return this document if it is valid, fully known to libstorage, and free of what libvirt is known to refuse.

        Use this method for documents that were read: constructors already check the values that a person gives.

        Raises:
            DocumentError: If the document has a problem. The error has every problem.
        """
        name = type(self).__name__
        if problems := [*self._all_problems(name), *self._not_known(name)]:
            raise DocumentError(problems)
        return self

    def check_request(self, *, rules: bool = True) -> None:
        """Check that this document may be sent: it is valid, and has unknown parts only where libvirt wrote them.

        Args:
            rules: Whether values and combinations are checked, too.

        Raises:
            DocumentError: If the document has a problem. The error has every problem.
        """
        name = type(self).__name__
        values = self._all_problems(name) if rules else ()
        if problems := [*values, *self._not_known(name, reported=False)]:
            raise DocumentError(problems)

    def with_unknown_allowed(self) -> Self:
        """Return this document with its unknown parts marked as if libvirt had written them, so that they are sent."""
        changed: Self = _allowed(self)
        return changed

    def _not_known(self, name: str, *, reported: bool = True) -> Iterator[Problem]:
        """Yield a problem for everything that reading kept without understanding.

        Unknown words are described by the check of their field. Unknown parts are described by the schema, if it says
        more.

        Args:
            name: Name of the document, for the paths of words.
            reported: Whether to yield also what libvirt wrote.
        """
        yield from _unknown_words(self, name, reported=reported)
        parts = [part for part in getattr(self, "unknown", ()) if reported or not part.reported]
        told = _told_by_the_schema(self) if parts else {}
        for part in parts:
            fallback = Problem(part.path, f"{part} is not known to libstorage", found=str(part))
            for problem in told.get(part.path, (fallback,)):
                yield attrs.evolve(problem, line=part.line)


def _refusal(error: Exception) -> StorageError:
    """Return the error for a document that could not be read, without the frames in which it was read."""
    return without_frames(error) if isinstance(error, StorageError) else unexpected(error, "read")


def _read(model: Any, xml: str | bytes, *, strict: bool = False, reported: bool = False) -> Any:
    """Read a document that the fast reader does not accept. The fast reader works without lxml."""
    from libstorage.xml.parse import parse
    from libstorage.xml.read import read_carefully

    root = parse(xml)
    if strict:
        from libstorage.xml.schema import validate

        validate(root, against="xsd")
    return read_carefully(model, root, reported=reported)


@once_per_class
def _values_of(model: type) -> Callable[[Any], Any]:
    """Return a getter of all values of an instance.

    Methods compiled by attrs would cost a third of the time of importing a model.
    """
    names = [mapped.name for mapped in mapping_of(model).fields]
    return attrgetter(*names) if names else lambda _: ()


def _inner_elements(element: Element) -> Iterator[tuple[str, Element]]:
    for mapped in mapping_of(type(element)).fields:
        yield from _inner_of(mapped, getattr(element, mapped.name))


def _inner_of(mapped: Mapped, value: Any) -> Iterator[tuple[str, Element]]:
    if isinstance(value, Element):
        yield mapped.name, value
    elif isinstance(value, tuple):
        for place, item in enumerate(value):
            if isinstance(item, Element):
                yield f"{mapped.name}[{place}]", item


def _shown(value: Any, *, deep: bool) -> str:
    if isinstance(value, Element):
        return value._shown(deep=True) if deep else f"{type(value).__name__}(…)"
    if isinstance(value, tuple):
        return f"({', '.join(_shown(item, deep=deep) for item in value)}{',' * (len(value) == 1)})"
    return repr(str(value)[: _LINE + 1]) if isinstance(value, str) else repr(value)


# ---- judging a value ------------------------------------------------------------------------------------------------


def value_problem(model: type[Element], mapped: Mapped, value: Any) -> Problem | None:
    """Return why a field of ``model`` does not allow ``value``, or ``None`` if it does; rules are not asked."""
    found = _value_problem(mapped, value)
    return None if found is None else _placed(found, model, mapped)


def _placed(found: Wrong, model: type[Element], mapped: Mapped) -> Problem:
    shown = found.about(mapped.name) if model.SECRETIVE else found
    return shown.at(f"{model.__name__}.{mapped.name}")


def _value_problem(mapped: Mapped, value: Any) -> Wrong | None:
    """Return why this field does not allow ``value``, or ``None`` if it does."""
    place = mapped.place
    if value is None:
        return None if not mapped.required and mapped.factory is None else Wrong("is required, not None")
    match place.shape:
        case Shape.FLAG:
            return YES_NO.check(value)
        case Shape.CHILD | Shape.VARIANT:
            return _class_problem(mapped, value)
        case Shape.CHILDREN | Shape.WRAPPED:
            return _tuple_problem(value) or _first(_class_problem(mapped, item) for item in value)
        case Shape.VALUES | Shape.TEXTS:
            return _tuple_problem(value) or _first(place.kind.check(item) for item in value)
        case Shape.UNKNOWN:
            return _tuple_problem(value) or _first(_instance_problem(item, Unknown) for item in value)
        case _:
            return place.kind.check(value)


def _first(problems: Iterator[Wrong | None]) -> Wrong | None:
    return next((problem for problem in problems if problem), None)


def _tuple_problem(value: Any) -> Wrong | None:
    return None if isinstance(value, tuple) else not_of_type(value, "a tuple")


def _classes(mapped: Mapped) -> tuple[type, ...]:
    variants = mapped.place.variants
    if variants:
        return (*variants.models, variants.fallback)
    return (mapped.place.model,) if mapped.place.model else ()


def _class_problem(mapped: Mapped, value: Any) -> Wrong | None:
    return _instance_problem(value, *_classes(mapped))


def _instance_problem(value: Any, *classes: type) -> Wrong | None:
    if isinstance(value, classes):
        return None
    return not_of_type(value, one_of(model.__name__ for model in classes))


# ---- what reading kept ----------------------------------------------------------------------------------------------


def _unknown_words(
    element: Element, path: str, choices: tuple[str, ...] = (), *, reported: bool
) -> Iterator[Problem]:
    """Yield a problem for every word that is not on its list; ``choices`` are the words of a variant's class."""
    for mapped in mapping_of(type(element)).fields:
        value = getattr(element, mapped.name)
        if isinstance(value, UnknownWord) and (reported or not isinstance(value, ReportedWord)):
            known = mapped.place.kind.choices or choices
            yield not_valid(str(value), one_of(known, value)).at(f"{path}.{mapped.name}")
    for mapped in mapping_of(type(element)).fields:
        variants = mapped.place.variants
        words = tuple(str(model.type) for model in variants.models) if variants else ()  # type: ignore[attr-defined]
        for name, inner in _inner_of(mapped, getattr(element, mapped.name)):
            yield from _unknown_words(inner, f"{path}.{name}", words, reported=reported)


def _allowed(value: Any) -> Any:
    """Return a value in which every unknown part and word counts as libvirt's own."""
    if isinstance(value, UnknownWord):
        return ReportedWord(value)
    if isinstance(value, Unknown):
        return attrs.evolve(value, reported=True)
    if isinstance(value, tuple):
        return tuple(map(_allowed, value))
    if not isinstance(value, Element):
        return value
    fields = mapping_of(type(value)).fields
    return construct(type(value), {mapped.name: _allowed(getattr(value, mapped.name)) for mapped in fields})


def _told_by_the_schema(document: Document) -> dict[str, list[Problem]]:
    """Return the problems that libstorage's own schema finds in a document, by path."""
    from libstorage.xml.schema import validate

    told: dict[str, list[Problem]] = {}
    try:
        validate(document)
    except DocumentError as error:
        for problem in error.problems:
            told.setdefault(problem.path, []).append(problem)
    return told
