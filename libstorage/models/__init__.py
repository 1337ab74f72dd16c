"""The documents: immutable models of what libvirt's storage XML says.  They know no connection."""
