"""Access permissions of a pool's directory or of a volume: ``<permissions>``."""

from __future__ import annotations

from typing import ClassVar

from attrs import field, frozen

from libstorage.models.convert import to_mode
from libstorage.xml.document import Element
from libstorage.xml.fields import text
from libstorage.xml.kinds import MODE, OWNER


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class Permissions(Element):
    """Mode, owner, group and label: the ``<permissions>`` element.

    libvirt sets this mode, owner and group on the files and directories that it creates. In a document that libvirt
    reports they are the actual values.
    """

    TAG: ClassVar[str] = "permissions"

    mode: int | None = field(
        default=None,
        converter=to_mode,
        metadata=text("mode", MODE, doc="Permission bits, such as 0o600; text is parsed as octal."),
    )
    owner: int | None = field(
        default=None, metadata=text("owner", OWNER, doc="Numeric user id; -1 leaves it to libvirt.")
    )
    group: int | None = field(
        default=None, metadata=text("group", OWNER, doc="Numeric group id; -1 leaves it to libvirt.")
    )
    label: str | None = field(default=None, metadata=text("label", doc="Security label, such as SELinux's."))
