"""The mapping engine: from one declaration per field to reader, writer and description.  It knows no model."""
