"""What libvirt's errors mean: read by their codes, judged, and translated into the library's errors."""
