"""One case a file: a function from a run to the lines of its table."""

from collections.abc import Callable, Iterator

from benchmarks.bench import Bench
from benchmarks.cases.aggregates import aggregates
from benchmarks.cases.arrays import arrays
from benchmarks.cases.catalogue import catalogue
from benchmarks.cases.fairness import fairness
from benchmarks.cases.growth import growth
from benchmarks.cases.memory import memory
from benchmarks.cases.oracle import oracle
from benchmarks.cases.positions import positions
from benchmarks.cases.query_u import query_u
from benchmarks.cases.tuning import tuning
from benchmarks.cases.unit import unit
from benchmarks.table import Line

Case = Callable[[Bench], Iterator[Line]]

CASES: dict[str, Case] = {
    "query-u": query_u,
    "unit": unit,
    "arrays": arrays,
    "catalogue": catalogue,
    "aggregates": aggregates,
    "positions": positions,
    "tuning": tuning,
    "oracle": oracle,
    "fairness": fairness,
    "growth": growth,
    "memory": memory,
}
"""By the name that ``make bench BENCH=...`` takes."""
