"""The address of a host: read as libvirt reads it, checked, and written again."""
