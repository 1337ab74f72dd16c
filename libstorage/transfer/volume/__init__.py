"""The end of a transfer that is a volume: libvirt's streams."""
