"""libvirt's acceptance scenarios of storage, played on four sorts of it."""
