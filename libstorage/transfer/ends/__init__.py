"""The end of a transfer that is not a volume: files, file objects, URLs."""
