"""A module of libstorage 0.1, which its pickles name: loading one of them says so."""

from libstorage.errors import UnsupportedError

raise UnsupportedError(
    "this pickle was made by libstorage 0.1, whose classes stood in other modules (__main__ is no more)",
    hint="Make it again: pickles are for processes of the same version.",
)
