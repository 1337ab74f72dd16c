"""Volumes for whatever reads through fsspec: ``libvirt://pool/volume``.

    with fsspec.open("libvirt://images/web.img", uri="qemu:///system") as file:
        header = file.read(512)

A pool is a folder, and a volume is a file in it: there are no folders in folders. Needs ``libstorage[url]``.
"""

from libstorage.fsspec.filesystem import LibvirtFileSystem

__all__ = ["LibvirtFileSystem"]
