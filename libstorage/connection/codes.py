"""libvirt's error numbers, as far as libstorage distinguishes them."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """``virErrorNumber``: each member is the constant ``VIR_ERR_`` plus its name."""

    INTERNAL_ERROR = 1
    NO_MEMORY = 2
    NO_SUPPORT = 3
    UNKNOWN_HOST = 4
    NO_CONNECT = 5
    INVALID_CONN = 6
    INVALID_ARG = 8
    OPERATION_FAILED = 9
    XML_ERROR = 27
    OPERATION_DENIED = 29
    XML_DETAIL = 35
    SYSTEM_ERROR = 38
    RPC = 39
    GNUTLS_ERROR = 40
    AUTH_FAILED = 45
    INVALID_STORAGE_POOL = 46
    INVALID_STORAGE_VOL = 47
    NO_STORAGE_POOL = 49
    NO_STORAGE_VOL = 50
    OPERATION_INVALID = 55
    INVALID_SECRET = 65
    NO_SECRET = 66
    CONFIG_UNSUPPORTED = 67
    OPERATION_TIMEOUT = 68
    INVALID_STREAM = 73
    ARGUMENT_UNSUPPORTED = 74
    STORAGE_PROBE_FAILED = 75
    STORAGE_POOL_BUILT = 76
    OPERATION_ABORTED = 78
    AUTH_CANCELLED = 79
    OVERFLOW = 82
    OPERATION_UNSUPPORTED = 84
    SSH = 85
    RESOURCE_BUSY = 87
    ACCESS_DENIED = 88
    STORAGE_VOL_EXIST = 90
    XML_INVALID_SCHEMA = 92
    AUTH_UNAVAILABLE = 94
    LIBSSH = 98
    INVALID_ENCR_KEY_SECRET = 114


class Domain(IntEnum):
    """``virErrorDomain``, the part of libvirt that raised the error: each member is ``VIR_FROM_`` plus its name."""

    NONE = 0
    RPC = 7
    TEST = 12
    REMOTE = 13
    STORAGE = 18
    SECRET = 30
    STREAMS = 38
