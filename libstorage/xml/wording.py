"""What can be wrong with a document, in words: the same from the schemas, the readers and the constructors.

Nothing here judges.  Who judges calls the function for the kind of mistake, and gives it a place with
:meth:`Wrong.at` or :func:`problem_at`.
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
"""What XML takes for blank."""

SECRETIVE = frozenset({"auth", "encryption", "secret"})
"""Elements in which a text may be a secret that does not belong there; old forms of them held passwords."""

_FREE = frozenset({"uuid", "usage", "username"})
_LIKE_UUID = re.compile("[0-9A-Fa-f{} -]*").fullmatch

SIZE_NUMBER = "a whole number from 0 to 2^63 - 1, with its unit, if any, in the attribute 'unit'"
SIZE_UNIT = "bytes, or K, M, G, T, P or E: alone or as KiB for powers of 1024, as KB for powers of 1000"

SIZE_LIMIT = f"at most {2**63 - 1} bytes (8 EiB less 1), the largest size that libvirt supports"


@frozen
class Wrong:
    """What is wrong, without its place: the fields of :class:`~libstorage.errors.Problem`.

    ``unquoted`` is the reason without what the document says, for places that may hold a secret.
    """

    reason: str
    found: str | None = None
    expected: str | None = None
    unquoted: str | None = None

    def at(self, path: str, *, line: int | None = None) -> Problem:
        """The problem at ``path``."""
        return Problem(path, self.reason, line=line, found=self.found, expected=self.expected)

    def without_quotes(self) -> Wrong:
        """The same without what the document says; names of elements and attributes stay."""
        return self if self.unquoted is None else Wrong(self.unquoted, None, self.expected)

    def about(self, name: str, *, text: bool = False) -> Wrong:
        """What is told of an attribute or a ``text`` element of this name where a secret may stand by mistake.

        Words of a list and numbers of attributes are quoted, and so is a UUID that is nearly one.
        """
        hidden = not _LIKE_UUID(self.found or "") if name in _FREE else text
        return self.without_quotes() if hidden else self

    def __str__(self) -> str:
        return str(self.at("")).removeprefix(": ")


# ---- values ---------------------------------------------------------------------------------------------------------


def not_valid(found: str, expected: str | None) -> Wrong:
    """A text that may not stand where it does."""
    return Wrong("is not valid", found, expected, f"{_amount(found)} is not valid")


def value_not_valid(shown: str, expected: str | None) -> Wrong:
    """A value of Python that is no text; ``shown`` is how a person writes it."""
    return Wrong(f"{shortened(shown)} is not valid", shown, expected)


def too_large(number: str, unit: str | None) -> Wrong:
    """A size beyond what libvirt counts to."""
    return Wrong("is too large", f"{number} {unit}" if unit else number, SIZE_LIMIT)


def not_of_type(value: object, expected: str) -> Wrong:
    """A value of Python of the wrong type."""
    unquoted = f"the value is {article(value)}"
    if isinstance(value, str):
        return Wrong(f"is {article(value)}", value, expected, unquoted)
    shown = shortened(repr(value))
    return Wrong(f"{shown} is {article(value)}", shown, expected, unquoted)


def _amount(text: str) -> str:
    """A text by its length."""
    return f"a text of {len(text)} character{'s' * (len(text) != 1)}"


def article(value: object) -> str:
    """The type of ``value``, with its article."""
    name = type(value).__name__
    return f"an {name}" if name[0] in "aeiouAEIOU" else f"a {name}"


def one_of(choices: Iterable[str], found: str = "", shown: Callable[[str], str] = str) -> str:
    """The choices, and which of them ``found`` may have been meant to be: ``"one of yes, no (did you mean 'no'?)"``."""
    choices = list(choices)
    if len(choices) == 1:
        return shown(choices[0])
    listed = f"one of {', '.join(map(shown, choices))}"
    return listed + _meant(choices, found, repr if shown is str else shown) if found else listed


def _meant(choices: Iterable[str], found: str, shown: Callable[[str], str]) -> str:
    from difflib import get_close_matches  # which few programs need

    plain = {choice.lower(): choice for choice in choices}
    near = get_close_matches(shortened(found).lower(), plain, n=1)
    return f" (did you mean {shown(plain[near[0]])}?)" if near else ""


# ---- elements and attributes ----------------------------------------------------------------------------------------


def angled(tag: str) -> str:
    """A tag as people write of it."""
    return f"<{shortened(tag)}>"


def wrong_root(root: Tree, choices: Iterable[str]) -> Wrong:
    """A root element that is not among ``choices``."""
    shown, choices = angled(tag_of(root)), list(choices)
    namespace, name = _parted(root.tag)
    if name in choices:
        return _foreign(shown, namespace, "", angled(name))
    return Wrong(f"{shown} cannot be the root element", shown, one_of(choices, tag_of(root), angled))


def not_allowed(element: Tree, choices: Mapping[str, str]) -> Wrong:
    """A child that does not belong there; ``choices`` are the names of those that do, and how they are printed."""
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
    """An element that has the right name in the wrong namespace."""
    where, wanted = (
        f"in the namespace {shortened(uri)!r}" if uri else "without a namespace"
        for uri in (namespace, meant_namespace)
    )
    return Wrong(f"{shown} {where} is not allowed{inside}", shown, f"{meant} {wanted}")


def no_attribute(element: Tree, name: str, expected: str) -> Wrong:
    """An attribute that its element does not have."""
    found = shortened(printed_name(name, element.nsmap.items()))
    return Wrong(f"{angled(tag_of(element))} has no attribute {found!r}", found, expected)


def missing_element(printed: str) -> Wrong:
    """An element that is not there."""
    return Wrong(f"{angled(printed)} is missing", None, angled(printed))


def missing_attribute(name: str, expected: str | None) -> Wrong:
    """An attribute that is not there; ``expected`` is what it should say."""
    return Wrong(f"attribute {name!r} is missing", None, expected or f"attribute {name!r}")


def given_again(element: Tree) -> Wrong:
    """An element beyond the number of those that may stand there."""
    shown = angled(tag_of(element))
    return Wrong(f"{shown} is given more than once", shown, "once")


def element_in_value(element: Tree) -> Wrong:
    """A child of an element that holds text alone."""
    shown, parent = angled(tag_of(element)), cast("Tree", element.getparent())
    return Wrong(
        f"{shown} stands inside {angled(tag_of(parent))}, which holds a value and no elements",
        shown,
        "no elements",
    )


def stray_texts(element: Tree) -> list[Wrong]:
    """Every text in ``element`` that is not blank, where only elements may stand."""
    texts = [text.strip(BLANK) for text in (element.text, *(child.tail for child in element)) if text]
    if not any(texts):
        return []
    where = f"stands in {angled(tag_of(element))}, which takes no text"
    return [Wrong(where, text, "no text", f"{_amount(text)} {where}") for text in texts if text]


# ---- none of the above ----------------------------------------------------------------------------------------------


def unexpected(error: Exception, tried: str) -> DocumentError:
    """An error that no document should be able to cause: its class and its place, for its text may quote the document."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "" if trace is None else f" in {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
    reason = f"cannot be {tried}: {type(error).__name__}{place}"
    hint = "This is a bug in libstorage. Report it, with the document if possible."
    return DocumentError([Problem("/", reason)], hint=hint)


# ---- places ---------------------------------------------------------------------------------------------------------


def problem_at(element: Tree, wrong: Wrong, attribute: str | None = None) -> Problem:
    """A problem of an element, or of one of its attributes, with its path and line."""
    if wrong.unquoted is not None and _may_hold_a_secret(element):
        wrong = wrong.about(attribute or str(element.tag), text=attribute is None)
    return wrong.at(path_of(element, attribute), line=cast("int | None", element.sourceline))


def path_of(element: Tree, attribute: str | None = None) -> str:
    """Where an element, or one of its attributes, stands: ``/pool/source/host[2]/@port``."""
    steps = [] if attribute is None else [f"@{printed_name(attribute, element.nsmap.items())}"]
    here: Tree | None = element
    while here is not None:
        steps.append(tag_of(here) + _position(here))
        here = here.getparent()
    return "/" + "/".join(map(shortened, reversed(steps)))


def _may_hold_a_secret(element: Tree) -> bool:
    """Whether it is or stands in one of :data:`SECRETIVE`."""
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
    """The tag of ``element`` as its document spells it."""
    _, local = _parted(element.tag)
    return f"{element.prefix}:{local}" if element.prefix else local


def printed_name(name: Any, prefixes: Prefixes) -> str:
    """A name of lxml's as it stands in a document: ``{http://…}option`` is ``fs:option``."""
    namespace, local = _parted(name)
    prefix = next((prefix for prefix, uri in prefixes if uri == namespace), None)
    return f"{prefix}:{local}" if prefix else local


def _parted(name: Any) -> tuple[str | None, str]:
    """The namespace and the local part of a name of lxml's."""
    namespace, _, local = str(name).rpartition("}")
    return namespace[1:] or None, local
