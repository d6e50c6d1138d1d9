"""A deterministic, faithful nda of any size: for tests, for benchmarks, and to try the server."""

from gql_nda.demo.dataset import rows
from gql_nda.demo.sqlite import build, current, write

__all__ = ["build", "current", "rows", "write"]
