"""What libstorage knows of libvirt, as tables: its normalisations, leniencies, limits, newer parts and faults.

Code of libstorage reads these tables, tests hold each row against a real libvirt, and pages of ``docs/reference`` show them.
"""

from libstorage.known_faults import KNOWN_FAULTS, KnownFault
from libstorage.models.compare import NORMALISATIONS, Normalisation
from libstorage.models.latitude import LENIENCIES, STRICT_LIMITS, Leniency, StrictLimit
from libstorage.xml.newer import NEWER, Newer

__all__ = [
    "KNOWN_FAULTS",
    "LENIENCIES",
    "NEWER",
    "NORMALISATIONS",
    "STRICT_LIMITS",
    "KnownFault",
    "Leniency",
    "Newer",
    "Normalisation",
    "StrictLimit",
]
