"""The vocabularies of libvirt's storage and secret documents."""

from __future__ import annotations

from libstorage.enums.abilities import Ability, is_able
from libstorage.enums.base import Words


class PoolType(Words):
    """The type of a pool: ``/pool/@type``."""

    DIR = "dir", "A directory."
    FS = "fs", "A file system on a block device, mounted by libvirt."
    NETFS = "netfs", "A network file system, mounted by libvirt."
    LOGICAL = "logical", "An LVM volume group."
    DISK = "disk", "A disk with a partition table; its volumes are partitions."
    ISCSI = "iscsi", "An iSCSI target, to which the host's kernel logs in."
    ISCSI_DIRECT = "iscsi-direct", "An iSCSI target, read by libvirt itself through libiscsi."
    SCSI = "scsi", "A SCSI or Fibre Channel host adapter."
    MPATH = "mpath", "All multipath devices of the host."
    RBD = "rbd", "A Ceph RADOS block device pool."
    SHEEPDOG = "sheepdog", "A Sheepdog cluster; libvirt 8.8 removed the driver."
    GLUSTER = "gluster", "A Gluster volume, read by libvirt itself through libgfapi."
    ZFS = "zfs", "A ZFS pool."
    VSTORAGE = "vstorage", "A Virtuozzo Storage cluster."

    def supports(self, ability: Ability | str, *, version: int | None = None) -> bool:
        """Return ``False`` if pools of this type certainly lack the ability, else ``True``: the daemon decides.

        Args:
            ability: The ability.
            version: libvirt version of the daemon: 9000000 is 9.0.0. ``None`` is the newest one.

        Raises:
            ValueError: If ``ability`` is not the name of an ability.
        """
        return is_able(self, Ability(ability), version)


class VolumeFormat(Words):
    """Format of a volume or of its backing store: ``/volume/target/format/@type``.

    One of three lists applies: files (``RAW`` to ``VMDK``), file systems on a block device (``NONE`` to ``VMFS``), or
    partitions of a disk pool (``NONE``, ``LINUX`` to ``EXTENDED``).
    """

    UNKNOWN = "unknown", "libvirt did not recognize the content of the file."
    RAW = "raw", "Plain bytes."
    DIR = "dir", "A directory."
    BOCHS = "bochs", "Bochs disk image."
    CLOOP = "cloop", "Compressed loop image."
    DMG = "dmg", "Mac disk image."
    ISO = "iso", "CD or DVD image."
    VPC = "vpc", "Virtual PC disk image."
    VDI = "vdi", "VirtualBox disk image."
    FAT = "fat", "A directory shown as a FAT file system."
    VHD = "vhd", "Virtual hard disk image."
    PLOOP = "ploop", "OpenVZ and Virtuozzo container disk."
    LUKS = "luks", "Encrypted with LUKS."
    COW = "cow", "User Mode Linux copy-on-write image."
    QCOW = "qcow", "QEMU copy-on-write image, version 1."
    QCOW2 = "qcow2", "QEMU copy-on-write image, versions 2 and 3."
    QED = "qed", "QEMU enhanced disk."
    VMDK = "vmdk", "VMware disk image."

    NONE = "none", "No content."
    AUTO = "auto", "Detected by the host."
    EXT2 = "ext2", "Linux ext2 file system."
    EXT3 = "ext3", "Linux ext3 file system."
    EXT4 = "ext4", "Linux ext4 file system."
    UFS = "ufs", "Unix file system."
    ISO9660 = "iso9660", "CD file system."
    UDF = "udf", "DVD file system."
    GFS = "gfs", "Global File System."
    GFS2 = "gfs2", "Global File System 2."
    VFAT = "vfat", "FAT with long names."
    HFS_PLUS = "hfs+", "Mac OS Extended."
    XFS = "xfs", "XFS."
    OCFS2 = "ocfs2", "Oracle Cluster File System 2."
    VMFS = "vmfs", "VMware file system."

    LINUX = "linux", "Linux partition."
    FAT16 = "fat16", "FAT16 partition."
    FAT32 = "fat32", "FAT32 partition."
    LINUX_SWAP = "linux-swap", "Linux swap partition."
    LINUX_LVM = "linux-lvm", "LVM partition."
    LINUX_RAID = "linux-raid", "Linux software RAID partition."
    EXTENDED = "extended", "Extended partition, which holds logical partitions."


class FsFormat(Words):
    """File system of an ``fs`` pool: ``/pool[@type='fs']/source/format/@type``."""

    AUTO = "auto", "Detected by the host's mount."
    EXT2 = "ext2", "Linux ext2."
    EXT3 = "ext3", "Linux ext3."
    EXT4 = "ext4", "Linux ext4."
    UFS = "ufs", "Unix file system."
    ISO9660 = "iso9660", "CD file system."
    UDF = "udf", "DVD file system."
    GFS = "gfs", "Global File System."
    GFS2 = "gfs2", "Global File System 2."
    VFAT = "vfat", "FAT with long names."
    HFS_PLUS = "hfs+", "Mac OS Extended."
    XFS = "xfs", "XFS."
    OCFS2 = "ocfs2", "Oracle Cluster File System 2."
    VMFS = "vmfs", "VMware file system."


class NetfsFormat(Words):
    """Protocol of a ``netfs`` pool: ``/pool[@type='netfs']/source/format/@type``."""

    AUTO = "auto", "Detected by the host's mount."
    NFS = "nfs", "Network File System."
    CIFS = "cifs", "Windows shares (SMB)."
    GLUSTERFS = "glusterfs", "Gluster through FUSE."


class DiskFormat(Words):
    """Partition table of a ``disk`` pool: ``/pool[@type='disk']/source/format/@type``."""

    UNKNOWN = "unknown", "libvirt chooses: dos."
    DOS = "dos", "PC partition table (MBR)."
    DVH = "dvh", "SGI disks."
    GPT = "gpt", "GUID partition table."
    MAC = "mac", "Apple partition map."
    BSD = "bsd", "BSD disk label."
    PC98 = "pc98", "NEC PC-98 disks."
    SUN = "sun", "Sun disk label."
    LVM2 = "lvm2", "An LVM physical volume, which no disk pool can use."


class LogicalFormat(Words):
    """Metadata of a ``logical`` pool: ``/pool[@type='logical']/source/format/@type``."""

    UNKNOWN = "unknown", "libvirt chooses: lvm2."
    LVM2 = "lvm2", "LVM version 2."


class AdapterType(Words):
    """How a ``scsi`` pool identifies its adapter: ``/pool[@type='scsi']/source/adapter/@type``."""

    SCSI_HOST = "scsi_host", "By name, or by the PCI address of its parent."
    FC_HOST = "fc_host", "By the world wide names of a Fibre Channel (virtual) port."


class AuthType(Words):
    """How the host authenticates to the storage: ``/pool/source/auth/@type``."""

    CHAP = "chap", "iSCSI: a user name and a password."
    CEPH = "ceph", "RBD: a user name and a key (cephx)."


class EncryptionFormat(Words):
    """How a volume is encrypted: ``/volume/target/encryption/@format``."""

    DEFAULT = "default", "libvirt chooses."
    QCOW = "qcow", "The broken AES of old qcow2 images, which only old QEMU reads."
    LUKS = "luks", "LUKS version 1."
    LUKS2 = "luks2", "LUKS version 2, on RBD only."
    LUKS_ANY = "luks-any", "LUKS version 1 or 2, as the image says; on RBD only, since libvirt 9.3.0."


class EncryptionEngine(Words):
    """The software that encrypts: ``/volume/target/encryption/@engine``."""

    QEMU = "qemu", "QEMU."
    LIBRBD = "librbd", "The RBD library."


class RefreshAllocation(Words):
    """How a refresh determines a volume's allocation: ``/pool/refresh/volume/@allocation``."""

    DEFAULT = "default", "Ask the storage, which can take a long time."
    CAPACITY = "capacity", "Use the capacity as the allocation, which takes no time."


class SecretUsage(Words):
    """The purpose of a secret: ``/secret/usage/@type``."""

    VOLUME = "volume", "Passphrase of an encrypted volume."
    CEPH = "ceph", "Key of a Ceph user."
    ISCSI = "iscsi", "CHAP password of an iSCSI target."
    TLS = "tls", "Password of a TLS private key."
    VTPM = "vtpm", "Passphrase of an emulated TPM's state."
