"""What of fsspec is used here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

try:
    import fsspec
    from fsspec.callbacks import DEFAULT_CALLBACK, Callback
    from fsspec.utils import isfilelike
except ImportError:
    raise ImportError("libstorage.fsspec needs fsspec: pip install 'libstorage[url]'") from None

if TYPE_CHECKING:

    class Base:
        """The interface of fsspec's class for type checkers, since fsspec has no types."""

        def __init__(self, **storage_options: Any) -> None: ...
        @classmethod
        def _strip_protocol(cls, path: Any) -> Any: ...
        def __getattr__(self, name: str) -> Any: ...

else:
    Base = fsspec.AbstractFileSystem

__all__ = ["DEFAULT_CALLBACK", "Base", "Callback", "fsspec", "isfilelike"]
