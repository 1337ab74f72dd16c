from __future__ import annotations

import copy
import errno
import pickle
import re
import traceback
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import pytest

from libstorage import errors
from libstorage.display.shown import Html
from libstorage.errors import (
    AccessDeniedError,
    DeadlineError,
    DocumentError,
    ErrorFields,
    ExistsError,
    InvalidRequestError,
    LibvirtError,
    NoSpaceError,
    PoolExistsError,
    PoolNotFoundError,
    Problem,
    StorageError,
    StorageIOError,
    UnsupportedError,
)
from tests.unit.display.pages import checked, twin


def _family(cls: type[StorageError]) -> Iterator[type[StorageError]]:
    yield cls
    for child in cls.__subclasses__():
        yield from _family(child)


ALL = [cls for cls in _family(StorageError) if cls.__module__ == errors.__name__]
BARE: dict[str, Any] = dict.fromkeys(ErrorFields.__annotations__)
FULL: dict[str, Any] = {
    "operation": "volume.resize",
    "target": "volume 'web.qcow2' in pool 'images'",
    "uri": "qemu:///system",
    "hint": "Free some space.",
    "outcome": "not_started",
    "retry": "backoff",
    "code": 38,
    "domain": 18,
    "level": 2,
    "errno": 28,
    "detail": "HUNTER2",
    "program": "qemu-img",
    "exit_status": 1,
    "stderr": "No space left on device",
}
EXTRA: dict[type[StorageError], dict[str, Any]] = {
    PoolExistsError: {"differences": ("target.path",)},
}
PROBLEMS = (Problem("/pool/name", "is missing"), Problem("/pool/@type", "is not a pool type", found="dri"))


def make(cls: type[StorageError], **fields: Any) -> StorageError:
    first: Any = PROBLEMS if issubclass(cls, DocumentError) else "no such luck"
    return cls(first, **fields)


def fields_of(error: StorageError) -> dict[str, Any]:
    names = ["message", "args", *ErrorFields.__annotations__, *EXTRA.get(type(error), ())]
    if isinstance(error, DocumentError):
        names.append("problems")
    return {name: getattr(error, name) for name in names}


REFUSED = {"outcome": "not_started", "retry": "no"}


@pytest.mark.parametrize("cls", ALL)
class TestEveryError:
    def test_has_every_field(self, cls: type[StorageError]) -> None:
        given = {**FULL, **EXTRA.get(cls, {})}
        error = make(cls, **given)
        assert {name: getattr(error, name) for name in given} == given

    def test_has_every_field_when_none_is_given(self, cls: type[StorageError]) -> None:
        error = make(cls)
        assert {name: getattr(error, name) for name in BARE} == BARE | {
            "errno": cls._usual_errno,
            **(REFUSED if cls in {InvalidRequestError, UnsupportedError} else {}),
        }

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_pickles_all_but_the_detail(self, cls: type[StorageError], protocol: int) -> None:
        error = make(cls, **FULL, **EXTRA.get(cls, {}))
        error.add_note("while testing")
        pickled = pickle.dumps(error, protocol)
        assert b"HUNTER2" not in pickled
        back = pickle.loads(pickled)
        assert type(back) is cls
        assert fields_of(back) == fields_of(error) | {"detail": None}
        assert back.__notes__ == ["while testing"]
        assert (str(back), repr(back)) == (str(error), repr(error))

    @pytest.mark.parametrize("how", [copy.copy, copy.deepcopy])
    def test_copies_all_but_the_detail(self, cls: type[StorageError], how: Any) -> None:
        error = make(cls, **FULL, **EXTRA.get(cls, {}))
        assert fields_of(how(error)) == fields_of(error) | {"detail": None}

    def test_never_shows_the_detail(self, cls: type[StorageError]) -> None:
        error = make(cls, **FULL)
        try:
            raise error
        except StorageError:
            shown = traceback.format_exc()
        assert "HUNTER2" not in shown + str(error) + repr(error) + f"{error}" + repr(error.args)

    def test_says_message_and_hint(self, cls: type[StorageError]) -> None:
        error = make(cls, hint="Try again.")
        assert str(error) == f"{error.message}\nTry again."
        assert str(make(cls)) == make(cls).message

    def test_repr_names_what_is_known(self, cls: type[StorageError]) -> None:
        error = make(cls, operation="pool.start", code=55, errno=5)
        assert repr(error) == f"{cls.__name__}({error.message!r}, operation='pool.start', code=55, errno=5)"

    def test_says_what_it_means(self, cls: type[StorageError]) -> None:
        assert (cls.__doc__ or "").strip()


def test_the_tree_is_drawn_in_the_docstring() -> None:
    drawn = re.findall(r"^([│├└ ]*)(\w+Error)(?:\((\w+)\))?$", errors.__doc__ or "", re.MULTILINE)
    path: list[str] = []
    seen = {}
    for indent, name, builtin in drawn:
        del path[len(indent) // 2 :]
        seen[name] = (path[-1] if path else "Exception", builtin or None)
        path.append(name)
    assert seen == {cls.__name__: _bases(cls) for cls in ALL}


def _bases(cls: type[StorageError]) -> tuple[str, str | None]:
    first, *rest = (base.__name__ for base in cls.__bases__ if base is not Html)
    assert len(rest) < 2
    return first, rest[0] if rest else None


def test_fields_are_those_of_the_constructor() -> None:
    hints = get_type_hints(StorageError.__init__)
    assert {
        name: hint for name, hint in hints.items() if name not in {"message", "return"}
    } == get_type_hints(ErrorFields)


def test_outcome_and_retry_are_closed() -> None:
    assert get_args(errors.Outcome) == ("not_started", "done", "unknown")
    assert get_args(errors.Retry) == ("no", "now", "backoff", "after_reconcile")


@pytest.mark.parametrize(
    ("cls", "builtin"),
    [
        (PoolNotFoundError, LookupError),
        (PoolExistsError, FileExistsError),
        (DocumentError, ValueError),
        (errors.UnsupportedError, NotImplementedError),
        (errors.AuthenticationError, PermissionError),
        (NoSpaceError, OSError),
        (errors.ConnectionFailedError, ConnectionError),
        (errors.ConnectionLostError, ConnectionError),
        (DeadlineError, TimeoutError),
    ],
)
def test_is_caught_as_the_builtin(cls: type[StorageError], builtin: type[Exception]) -> None:
    with pytest.raises(builtin):
        raise make(cls)


@pytest.mark.parametrize(
    ("cls", "number"),
    [
        (ExistsError, errno.EEXIST),
        (AccessDeniedError, errno.EACCES),
        (NoSpaceError, errno.ENOSPC),
        (DeadlineError, errno.ETIMEDOUT),
        (StorageIOError, None),
        (StorageError, None),
    ],
)
def test_errno_is_what_the_class_says_unless_given(cls: type[StorageError], number: int | None) -> None:
    assert make(cls).errno == number
    assert make(cls, errno=errno.EDQUOT).errno == errno.EDQUOT


class TestProblem:
    def test_says_where_what_and_what_instead(self) -> None:
        problem = Problem("/volume/capacity", "is not a size", line=3, found="ten", expected="a whole number")
        assert str(problem) == "/volume/capacity (line 3): 'ten' is not a size; expected a whole number"

    def test_says_what_it_knows(self) -> None:
        assert str(Problem("/pool/name", "is missing")) == "/pool/name: is missing"

    def test_shortens_a_long_find(self) -> None:
        text = str(Problem("/pool/name", "is too long", found="x" * 1_000_000))
        assert text == f"/pool/name: '{'x' * 79}…' is too long"

    def test_is_a_value(self) -> None:
        problem = Problem("/pool", "is odd", line=1)
        assert problem == Problem("/pool", "is odd", line=1)
        assert hash(problem) == hash(Problem("/pool", "is odd", line=1))
        with pytest.raises(AttributeError):
            problem.path = "/volume"  # type: ignore[misc]


class TestDocumentError:
    def test_one_problem_is_the_message(self) -> None:
        assert str(DocumentError([PROBLEMS[0]])) == "/pool/name: is missing"

    def test_some_problems_are_all_shown(self) -> None:
        error = DocumentError(iter(PROBLEMS))
        assert str(error) == "2 problems:\n  /pool/name: is missing\n  /pool/@type: 'dri' is not a pool type"
        assert error.problems == PROBLEMS

    def test_of_many_problems_the_first_are_shown(self) -> None:
        five = str(DocumentError([Problem(f"/pool/{number}", "is odd") for number in range(5)]))
        assert five.splitlines() == ["5 problems:", *(f"  /pool/{number}: is odd" for number in range(5))]
        six = str(DocumentError([Problem(f"/pool/{number}", "is odd") for number in range(6)]))
        assert six.endswith("/pool/4: is odd\n  … and 1 more, in .problems")
        problems = [Problem(f"/pool/{number}", "is odd") for number in range(7)]
        error = DocumentError(problems)
        assert "/pool/4" in str(error)
        assert "/pool/5" not in str(error)
        assert str(error).endswith("… and 2 more, in .problems")
        assert error.problems == tuple(problems)

    def test_a_message_can_be_given(self) -> None:
        assert str(DocumentError(PROBLEMS, "not a pool document")) == "not a pool document"


def test_a_refusal_before_any_call_says_so() -> None:
    for kind in (InvalidRequestError, UnsupportedError):
        assert (kind("no").outcome, kind("no").retry) == ("not_started", "no")
        assert (kind("no", retry="now").outcome, kind("no", retry="now").retry) == ("not_started", "now")
        assert (kind("no", code=1).outcome, kind("no", code=1).retry) == (None, None)
        assert (kind("no", outcome="unknown").outcome, kind("no", outcome="unknown").retry) == (
            "unknown",
            None,
        )


def test_a_hint_grows_by_lines() -> None:
    error = make(LibvirtError)
    error.add_hint("")
    assert error.hint is None
    error.add_hint("one")
    error.add_hint("two")
    assert str(error).splitlines()[-2:] == ["one", "two"]


# ---- in a notebook --------------------------------------------------------------------------------------------------


def test_an_error_shows_what_where_and_what_to_do() -> None:
    error = errors.PoolBusyError(
        "the pool has 2 volumes in the making\nand one more",
        operation="pool.refresh",
        target="pool 'images'",
        uri="qemu:///system",
        hint="Try again.\nOr wait.",
        outcome="not_started",
        retry="backoff",
    )
    html = checked(error._repr_html_())
    assert [line.split("  ")[0] for line in twin(html).splitlines()] == [
        *("✗ PoolBusyError", "what", "what", "hint", "hint", "where", "on", "operation", "outcome", "retry"),
    ]
    assert str(error) == "the pool has 2 volumes in the making\nand one more\nTry again.\nOr wait."


def test_an_error_never_shows_what_libvirt_said() -> None:
    assert "HUNTER2" not in StorageError("it failed", detail="<secret>HUNTER2</secret>")._repr_html_()


def test_an_error_with_problems_or_differences_shows_them_as_a_table() -> None:
    problem = Problem("/pool/name", "is not a name", line=3, found="a/b", expected="a name")
    html = checked(DocumentError([problem, problem])._repr_html_())
    assert html.xpath("//tbody//td/text()")[1:] == ["3", "a/b", "is not a name", "a name"] * 2
    assert "2 problems" in twin(html)
    assert "is not a name" in twin(checked(problem._repr_html_()))
    differs = errors.PoolExistsError("it differs:\n  a is 1, not 2", differences=["a is 1, not 2"])
    assert twin(checked(differs._repr_html_())).count("a is 1, not 2") == 1
    assert "difference" not in twin(checked(errors.PoolExistsError("it exists")._repr_html_()))
    assert "path" not in twin(checked(DocumentError([], "nothing to read")._repr_html_()))
