"""The meaning of libvirt's errors: reads their codes, judges them, and translates them into libstorage's errors."""
