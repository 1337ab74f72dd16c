"""A module that pickles of libstorage 0.1 name. Loading such a pickle raises a clear error."""

from libstorage.errors import UnsupportedError

raise UnsupportedError(
    "this pickle was made by libstorage 0.1, whose classes were in other modules",
    hint="Make the pickle again: a pickle is for processes that run the same version.",
)
