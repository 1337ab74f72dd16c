"""Connections to daemons: lanes, deadlines, and the translation of libvirt's errors."""
