"""The bytes of volumes, in and out."""
