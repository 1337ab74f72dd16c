"""The address of a host: parsed as libvirt parses it, checked, and written again."""
