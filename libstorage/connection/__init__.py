"""How we talk to a daemon: lanes, deadlines, and libvirt's errors turned into ours."""
