"""Batch functions over rows: they know rows, loaders and queries, never types."""
