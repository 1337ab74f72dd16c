"""The live side: hosts, and the pools, volumes and secrets on them."""
