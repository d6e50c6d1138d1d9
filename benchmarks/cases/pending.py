"""Promises whose features aren't there yet: they keep their rows."""

from collections.abc import Iterator

from benchmarks.bench import Bench
from benchmarks.table import Line, at_least


def positions(_bench: Bench) -> Iterator[Line]:
    """Positions of units in the EM volume."""
    yield Line(
        "EM position of 10,000 units",
        against="broadcasting in NumPy",
        unit="x faster",
        promise=at_least(4),
        note="pending: issue 4",
    )
