"""Where a secret could come to light: everything that shows a value or an error."""

from __future__ import annotations

import base64
import copy
import io
import json
import logging
import pickle
import pprint
import traceback
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from operator import mod
from pathlib import Path
from typing import Any

import attrs

from tests.support import CHECKOUT

CANARY = "HUNTER2-\u00e4-correct-horse"


def spellings(canary: str = CANARY) -> tuple[str, ...]:
    """Every form in which it would be found: as text, in base64, hexadecimal, UTF-16, and escaped."""
    data = canary.encode()
    return (
        canary,
        canary[:7],
        canary[-13:],
        base64.b64encode(data).decode()[:-4],
        base64.b64encode(data)[:-4].hex(),
        data.hex(),
        repr(canary.encode("utf-16-le"))[2:30],
        repr(canary.encode("utf-16-be"))[2:30],
    )


def hits(shown: str | bytes) -> list[str]:
    """The forms of the canary in what was shown."""
    text = shown.decode("latin-1") + repr(shown) if isinstance(shown, bytes) else shown + ascii(shown)
    return [form for form in spellings() if form in text]


@attrs.frozen
class _Current:
    inner: object


def shown_values(value: object) -> Iterator[tuple[str, str | bytes]]:
    """Everything that shows a value."""
    for spec in ("", ">80", ".3", "s", "x", "!r", "%"):
        yield f"format {spec!r}", _try(partial(format, value, spec))
    yield "repr", repr(value)
    yield "str", str(value)
    yield "f-string", f"{value} {value!r} {value!s} {value!a}"
    for form in ("%s", "%r", "%a", "%d", "%x", "%20s", "%.2s", "%b"):
        yield form, _try(partial(mod, form, (value,)))
    for make in (list, tuple, set):
        yield make.__name__, _try(partial(_inside, make, value))
    yield "dict", repr({"a": value})
    yield "attrs", repr(_Current(value)) + repr(attrs.asdict(_Current(value), recurse=False))
    yield "pprint", pprint.pformat({"a": [value]})
    yield "json", _try(lambda: json.dumps({"a": value}))
    yield "html", _try(lambda: _html(value))
    yield "attributes", _attributes(value)
    yield "log", _logged(lambda logger: logger.warning("%s %r", value, value))
    yield "warnings", _warned(value)
    yield "exception", repr(ValueError(value)) + str(KeyError(value))
    yield "copies", repr(copy.copy(value)) + repr(copy.deepcopy(value))


def shown_errors(error: BaseException, *, of: str = "libstorage") -> Iterator[tuple[str, str | bytes]]:
    """Everything that shows an error; of its frames those whose file's name holds ``of``."""
    seen: list[BaseException] = []
    here: BaseException | None = error
    while here is not None and here not in seen:
        seen.append(here)
        here = here.__cause__ or here.__context__
    for one in seen:
        yield "repr", repr(one)
        yield "str", str(one)
        yield "args", repr(one.args) + repr(vars(one))
        yield "notes", repr(getattr(one, "__notes__", ()))
        yield "pickle", pickle.dumps(one)
        yield "pickle as text", pickle.dumps(one, 0)
        yield "locals", _locals(one, of)
    yield "traceback", "".join(traceback.format_exception(error))
    yield "log", _logged(lambda logger: logger.error("failed", exc_info=error))


def _locals(error: BaseException, of: str) -> str:
    """What a reporter with local variables, their attributes and what they hold shows of our frames."""
    shown = []
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if of in _place(frame.f_code.co_filename):
            shown += [f"{name}={value!r} {_attributes(value)}" for name, value in frame.f_locals.items()]
    return "\n".join(shown)


def _place(file: str) -> tuple[str, ...]:
    """The parts of a file's name, below the checkout, which may lie in a folder of any name."""
    path = Path(file)
    return (path.relative_to(CHECKOUT) if path.is_relative_to(CHECKOUT) else path).parts


def _attributes(value: object) -> str:
    names = {*getattr(value, "__dict__", ())}
    for base in type(value).__mro__:
        slots = base.__dict__.get("__slots__", ())
        names.update([slots] if isinstance(slots, str) else slots)
    found = {name: getattr(value, name, None) for name in names - {"xml"}}
    return repr(found)


def _inside(make: Callable[[list[object]], object], value: object) -> str:
    return repr(make([value]))


def _html(value: Any) -> str:
    return str(value._repr_html_())


def _try(show: Callable[[], object]) -> str:
    try:
        return str(show())
    except Exception as error:  # noqa: BLE001 -- that an error shows nothing is what matters
        return f"{error!r} {''.join(traceback.format_exception(error))}"


def _logged(log: Callable[[logging.Logger], None]) -> str:
    stream = io.StringIO()
    logger = logging.Logger("sinks", logging.DEBUG)  # noqa: LOG001 -- of its own, for nobody else to see
    logger.addHandler(logging.StreamHandler(stream))
    log(logger)
    return stream.getvalue()


def _warned(value: object) -> str:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn(f"{value}", stacklevel=1)
    return "".join(map(str, caught))
