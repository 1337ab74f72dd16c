"""Who may use a pool's directory or a volume: ``<permissions>``."""

from __future__ import annotations

from attrs import field, frozen

from libstorage.models.convert import to_mode
from libstorage.xml.document import Element
from libstorage.xml.fields import text
from libstorage.xml.kinds import MODE, OWNER


@frozen(kw_only=True, eq=False, repr=False, weakref_slot=False)
class Permissions(Element):
    """Mode, owner, group and label: what ``<permissions>`` says.

    libvirt gives files and directories that it makes this mode, owner and group; it reports what they have.
    """

    mode: int | None = field(
        default=None,
        converter=to_mode,
        metadata=text("mode", MODE, doc="Permission bits, such as 0o600; text is read as octal."),
    )
    owner: int | None = field(
        default=None, metadata=text("owner", OWNER, doc="Numeric user id; -1 leaves it to libvirt.")
    )
    group: int | None = field(
        default=None, metadata=text("group", OWNER, doc="Numeric group id; -1 leaves it to libvirt.")
    )
    label: str | None = field(default=None, metadata=text("label", doc="Security label, such as SELinux's."))
