"""The documents: immutable models of libvirt's storage XML. They do not depend on a connection."""
