"""Source text of compiled functions, which the fast reader and the writer consist of."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar, cast

T = TypeVar("T")


def once_per_class(make: Callable[[type], T]) -> Callable[[type], T]:
    """Return ``make``, cached per class (``functools.cache``, with types that checkers accept for classes)."""
    return cast("Callable[[type], T]", cache(make))


class Source:
    """The source text of one function, with the names that the function uses.

    Args:
        signature: Name and parameters of the function: ``"read(text)"``.
        names: Values that the function can refer to, by name.
    """

    def __init__(self, signature: str, **names: Any) -> None:
        self._signature = signature
        self._lines: list[str] = []
        self._indent = "    "
        self.names = names

    def name(self, prefix: str, value: Any) -> str:
        """Return a new name that the function can use for ``value``."""
        name = f"{prefix}_{len(self.names)}"
        self.names[name] = value
        return name

    def add(self, line: str) -> None:
        """Add a line to the body of the function."""
        self._lines.append(self._indent + line)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Indent the added lines under ``head``, a line that ends in a colon."""
        self.add(head)
        outer, self._indent = self._indent, self._indent + "    "
        yield
        self._indent = outer

    def load(self, title: str, *, first: str = "") -> Callable[..., Any]:
        """Compile the text and return its function. Debuggers find the text through ``linecache``.

        Args:
            title: Description of the function, for tracebacks.
            first: A line to put before all others.
        """
        filename = f"<libstorage {title}>"
        code = "\n".join([f"def {self._signature}:", *(["    " + first] if first else []), *self._lines, ""])
        linecache.cache[filename] = (len(code), None, code.splitlines(keepends=True), filename)
        exec(compile(code, filename, "exec"), self.names)  # noqa: S102 (text that this package wrote)
        made: Callable[..., Any] = self.names[self._signature.partition("(")[0]]
        return made
