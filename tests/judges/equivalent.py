"""Faults that change no verdict, each with the reason why."""

from __future__ import annotations

from collections.abc import Mapping

_BASE_DECIDES = "the base type or the assertion refuses what the looser pattern lets pass: it is not a number"
_OTHER_MEMBER = "the other member of the union accepts what this one no longer does"
_CHOSEN_BY_TYPE = "the alternative that chose this type has read the attribute: it is there"

_POOLS = (
    *("Dir", "Fs", "Netfs", "Logical", "Disk", "Iscsi", "IscsiDirect"),
    *("Scsi", "Mpath", "Rbd", "Sheepdog", "Gluster", "Zfs", "Vstorage"),
)

_REASONS: Mapping[str, tuple[str, ...]] = {
    _BASE_DECIDES: (
        r'Integer: or none (1): <xs:pattern value="[+\-]?[0-9]+"/>',
        r'PciDomain: or none (1): <xs:pattern value="[+\-]?[0-9]+"/>',
        'UnsignedInt: or none (1): <xs:pattern value="[0-9]+"/>',
        'UnsignedLong: or none (1): <xs:pattern value="[0-9]+"/>',
        'Mode: or none (1): <xs:pattern value="[0-7]+"/>',
    ),
    _OTHER_MEMBER: (
        'UnsignedInt: a character less (1): <xs:pattern value="0*[0-9]{1,9}"/>',
        'UnsignedLong: a character less (1): <xs:pattern value="0*[0-9]{1,19}"/>',
    ),
    _CHOSEN_BY_TYPE: (
        *(
            f'{pool}Pool: no longer required: <xs:attribute name="type" type="PoolType" use="required"/>'
            for pool in _POOLS
        ),
        (
            "FcHostAdapter: no longer required: "
            '<xs:attribute name="type"              type="AdapterType" use="required"/>'
        ),
        'NamedAdapter: no longer required: <xs:attribute name="name" type="xs:string" use="required"/>',
    ),
}

EQUIVALENT: Mapping[str, str] = {key: reason for reason, keys in _REASONS.items() for key in keys}
