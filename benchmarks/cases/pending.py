"""Promises whose features aren't there yet: they keep their rows."""

from collections.abc import Iterator

from benchmarks.bench import Bench
from benchmarks.table import Line, at_least, at_most


def groups(_bench: Bench) -> Iterator[Line]:
    """Histogram and group count."""
    yield Line("histogram of all units", unit="ms", promise=at_most(10), note="pending: no such field yet")
    yield Line("group count of all units", unit="ms", promise=at_most(10), note="pending: no such field yet")


def positions(_bench: Bench) -> Iterator[Line]:
    """Positions of units in the EM volume."""
    yield Line(
        "EM position of 10,000 units",
        against="broadcasting in NumPy",
        unit="x faster",
        promise=at_least(4),
        note="pending: issue 4",
    )
