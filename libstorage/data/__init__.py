"""Functions over documents and listings: plain data, files, JSON Schema, rows and frames."""
