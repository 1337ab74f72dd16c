"""Attributes that completion can evaluate: IPython does not run a ``property``, because it may run any code."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from builtins import property as attribute
else:
    from functools import cached_property

    class attribute(cached_property):  # noqa: N801 -- used as property is
        """A read-only attribute that makes no call. Nothing is cached: the base class is what documentation tools know."""

        def __get__(self, thing, owner=None):
            return self if thing is None else self.func(thing)

        def __set__(self, thing, value):
            raise AttributeError(
                f"{self.attrname} of {type(thing).__name__} is read-only", name=self.attrname
            )


__all__ = ["attribute"]
