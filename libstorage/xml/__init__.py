"""The mapping engine: one declaration per field gives reader, writer and description. The engine knows no model."""
