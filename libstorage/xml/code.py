"""Source text of compiled functions: what the fast reader and the writer are made of."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

T = TypeVar("T")


def once_per_class(make: Callable[[type], T]) -> Callable[[type], T]:
    """Work ``make(cls)`` out once for each class (``functools.cache``, in types that checkers accept for classes)."""
    return cast("Callable[[type], T]", cache(make))


class Source:
    """The source text of one function, with the names it uses."""

    def __init__(self, **names: Any) -> None:
        self.lines: list[str] = []
        self.names = names

    def name(self, prefix: str, value: Any) -> str:
        """A name by which the function knows ``value``."""
        name = f"{prefix}_{len(self.names)}"
        self.names[name] = value
        return name

    def add(self, *lines: str) -> None:
        """Lines of the function's body."""
        self.lines.extend(f"    {line}" for line in lines)

    def load(self, function: str, title: str) -> Callable[..., Any]:
        """Compile the text and answer its function; debuggers find the text through ``linecache``."""
        filename = f"<libstorage {title}>"
        code = "\n".join(self.lines) + "\n"
        linecache.cache[filename] = (len(code), None, code.splitlines(keepends=True), filename)
        exec(compile(code, filename, "exec"), self.names)  # noqa: S102 (text that this package wrote)
        made: Callable[..., Any] = self.names[function]
        return made
