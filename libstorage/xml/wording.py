"""Wording of all problems of a document, shared by the schemas, the readers and the constructors.

Nothing here decides whether a document is valid. The code that decides calls the function for the kind of mistake, and
adds the location with ``Wrong.at`` or ``problem_at``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from attrs import frozen

from libstorage.errors import DocumentError, Problem, shortened

if TYPE_CHECKING:
    from libstorage.xml.tree import Tree

Prefixes: TypeAlias = Iterable[tuple[str | None, str]]

BLANK = " \t\r\n"
"""Characters that XML treats as blanks."""

SECRETIVE = frozenset({"auth", "encryption", "secret"})
"""Elements in which a text may be a misplaced secret; old forms of these elements held passwords."""

_FREE = frozenset({"uuid", "usage", "username"})
_LIKE_UUID = re.compile("[0-9A-Fa-f{} -]*").fullmatch

SIZE_NUMBER = "a whole number from 0 to 2^63 - 1, with its unit, if any, in the attribute 'unit'"
SIZE_UNIT = "bytes, or K, M, G, T, P or E: alone or as KiB for powers of 1024, as KB for powers of 1000"

SIZE_LIMIT = f"at most {2**63 - 1} bytes (8 EiB less 1), the largest size that libvirt supports"


@frozen
class Wrong:
    """A problem without its location: the fields of ``Problem``.

    ``unquoted`` is the reason without text from the document, for places that may hold a secret.
    """

    reason: str
    found: str | None = None
    expected: str | None = None
    unquoted: str | None = None

    def at(self, path: str, *, line: int | None = None) -> Problem:
        """Return the problem with the location ``path``."""
        return Problem(path, self.reason, line=line, found=self.found, expected=self.expected)

    def without_quotes(self) -> Wrong:
        """Return the same without text from the document; names of elements and attributes stay."""
        return self if self.unquoted is None else Wrong(self.unquoted, None, self.expected)

    def about(self, name: str, *, text: bool = False) -> Wrong:
        """Return what may be shown of an attribute or ``text`` element ``name`` that may hold a misplaced secret.

        Words of a list and numbers of attributes are quoted, and so is a text that is almost a UUID.
        """
        hidden = not _LIKE_UUID(self.found or "") if name in _FREE else text
        return self.without_quotes() if hidden else self

    def __str__(self) -> str:
        return str(self.at("")).removeprefix(": ")


# ---- values ---------------------------------------------------------------------------------------------------------


def not_valid(found: str, expected: str | None) -> Wrong:
    """Describe a text that is not allowed in its place."""
    return Wrong("is not valid", found, expected, f"{_amount(found)} is not valid")


def value_not_valid(shown: str, expected: str | None) -> Wrong:
    """Describe an invalid Python value that is not a text; ``shown`` is the value as a person writes it."""
    return Wrong(f"{shortened(shown)} is not valid", shown, expected)


def too_large(number: str, unit: str | None) -> Wrong:
    """Describe a size above libvirt's limit."""
    return Wrong("is too large", f"{number} {unit}" if unit else number, SIZE_LIMIT)


def not_of_type(value: object, expected: str) -> Wrong:
    """Describe a Python value of the wrong type."""
    unquoted = f"the value is {article(value)}"
    if isinstance(value, str):
        return Wrong(f"is {article(value)}", value, expected, unquoted)
    shown = shortened(repr(value))
    return Wrong(f"{shown} is {article(value)}", shown, expected, unquoted)


def _amount(text: str) -> str:
    """Describe a text by its length."""
    return f"a text of {len(text)} character{'s' * (len(text) != 1)}"


def article(value: object) -> str:
    """Return the name of the type of ``value``, with its article."""
    name = type(value).__name__
    return f"an {name}" if name[0] in "aeiouAEIOU" else f"a {name}"


def one_of(choices: Iterable[str], found: str = "", shown: Callable[[str], str] = str) -> str:
    """List the choices, and the one that ``found`` probably means: ``"one of yes, no (did you mean 'no'?)"``."""
    choices = list(choices)
    if len(choices) == 1:
        return shown(choices[0])
    listed = f"one of {', '.join(map(shown, choices))}"
    return listed + _meant(choices, found, repr if shown is str else shown) if found else listed


def _meant(choices: Iterable[str], found: str, shown: Callable[[str], str]) -> str:
    near = nearest(choices, found)
    return "" if near is None else f" (did you mean {shown(near)}?)"


def nearest(choices: Iterable[str], found: str) -> str | None:
    """Return the choice that ``found`` probably means; ``None`` if none is similar."""
    from difflib import get_close_matches  # lazily: few programs need it

    plain = {choice.lower(): choice for choice in choices}
    near = get_close_matches(shortened(found).lower(), plain, n=1)
    return plain[near[0]] if near else None


# ---- elements and attributes ----------------------------------------------------------------------------------------


def angled(tag: str) -> str:
    """Return a tag in angle brackets."""
    return f"<{shortened(tag)}>"


def wrong_root(root: Tree, choices: Iterable[str]) -> Wrong:
    """Describe a root element that is not among ``choices``."""
    shown, choices = angled(tag_of(root)), list(choices)
    namespace, name = _parted(root.tag)
    if name in choices:
        return _foreign(shown, namespace, "", angled(name))
    return Wrong(f"{shown} cannot be the root element", shown, one_of(choices, tag_of(root), angled))


def not_allowed(element: Tree, choices: Mapping[str, str]) -> Wrong:
    """Describe a child that is not allowed; ``choices`` maps the names of allowed children to their printed form."""
    shown, (namespace, name) = angled(tag_of(element)), _parted(element.tag)
    inside = f" inside {angled(tag_of(cast('Tree', element.getparent())))}"
    for wanted, printed in choices.items():
        meant_namespace, meant = _parted(wanted)
        if meant == name:
            return _foreign(shown, namespace, inside, angled(printed), meant_namespace)
    expected = one_of(choices.values(), tag_of(element), angled) if choices else "no elements"
    return Wrong(f"{shown} is not allowed{inside}", shown, expected)


def _foreign(
    shown: str, namespace: str | None, inside: str, meant: str, meant_namespace: str | None = None
) -> Wrong:
    """Describe an element that has the right name in the wrong namespace."""
    where, wanted = (
        f"in the namespace {shortened(uri)!r}" if uri else "without a namespace"
        for uri in (namespace, meant_namespace)
    )
    return Wrong(f"{shown} {where} is not allowed{inside}", shown, f"{meant} {wanted}")


def no_attribute(element: Tree, name: str, expected: str) -> Wrong:
    """Describe an attribute that its element does not allow."""
    found = shortened(printed_name(name, element.nsmap.items()))
    return Wrong(f"{angled(tag_of(element))} has no attribute {found!r}", found, expected)


def missing_element(printed: str) -> Wrong:
    """Describe a missing element."""
    return Wrong(f"{angled(printed)} is missing", None, angled(printed))


def missing_attribute(name: str, expected: str | None) -> Wrong:
    """Describe a missing attribute; ``expected`` is the value that it should have."""
    return Wrong(f"attribute {name!r} is missing", None, expected or f"attribute {name!r}")


def given_again(element: Tree) -> Wrong:
    """Describe an element that exceeds the allowed number."""
    shown = angled(tag_of(element))
    return Wrong(f"{shown} is given more than once", shown, "once")


def element_in_value(element: Tree) -> Wrong:
    """Describe a child of an element that holds only text."""
    shown, parent = angled(tag_of(element)), cast("Tree", element.getparent())
    return Wrong(
        f"{shown} stands inside {angled(tag_of(parent))}, which holds a value and no elements",
        shown,
        "no elements",
    )


def stray_texts(element: Tree) -> list[Wrong]:
    """Describe every text that is not blank in ``element``, which allows only elements."""
    texts = [text.strip(BLANK) for text in (element.text, *(child.tail for child in element)) if text]
    if not any(texts):
        return []
    where = f"stands in {angled(tag_of(element))}, which takes no text"
    return [Wrong(where, text, "no text", f"{_amount(text)} {where}") for text in texts if text]


# ---- none of the above ----------------------------------------------------------------------------------------------


def unexpected(error: Exception, tried: str) -> DocumentError:
    """Return an error for an exception that no document should cause.

    The error names the class and the place of the exception, because its text may quote the document.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "" if trace is None else f" in {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
    reason = f"cannot be {tried}: {type(error).__name__}{place}"
    hint = "This is a bug in libstorage. Report it, with the document if possible."
    return DocumentError([Problem("/", reason)], hint=hint)


# ---- places ---------------------------------------------------------------------------------------------------------


def problem_at(element: Tree, wrong: Wrong, attribute: str | None = None) -> Problem:
    """Return a problem of an element, or of one of its attributes, with its path and line."""
    if wrong.unquoted is not None and _may_hold_a_secret(element):
        wrong = wrong.about(attribute or str(element.tag), text=attribute is None)
    return wrong.at(path_of(element, attribute), line=cast("int | None", element.sourceline))


def path_of(element: Tree, attribute: str | None = None) -> str:
    """Return the path of an element, or of one of its attributes: ``/pool/source/host[2]/@port``."""
    steps = [] if attribute is None else [f"@{printed_name(attribute, element.nsmap.items())}"]
    here: Tree | None = element
    while here is not None:
        steps.append(tag_of(here) + _position(here))
        here = here.getparent()
    return "/" + "/".join(map(shortened, reversed(steps)))


def _may_hold_a_secret(element: Tree) -> bool:
    """Return whether ``element`` is one of ``SECRETIVE`` or inside one of them."""
    here: Tree | None = element
    while here is not None:
        if here.tag in SECRETIVE:
            return True
        here = here.getparent()
    return False


def _position(element: Tree) -> str:
    before = sum(1 for _ in element.itersiblings(element.tag, preceding=True))
    alone = before == 0 and next(element.itersiblings(element.tag), None) is None
    return "" if alone else f"[{before + 1}]"


def tag_of(element: Tree) -> str:
    """Return the tag of ``element`` as its document spells it."""
    _, local = _parted(element.tag)
    return f"{element.prefix}:{local}" if element.prefix else local


def printed_name(name: Any, prefixes: Prefixes) -> str:
    """Return an lxml name as a document spells it: ``{http://…}option`` is ``fs:option``."""
    namespace, local = _parted(name)
    prefix = next((prefix for prefix, uri in prefixes if uri == namespace), None)
    return f"{prefix}:{local}" if prefix else local


def _parted(name: Any) -> tuple[str | None, str]:
    """Return the namespace and the local part of an lxml name."""
    namespace, _, local = str(name).rpartition("}")
    return namespace[1:] or None, local
