"""What is said of all units at once: a histogram, and counts by group."""

from collections.abc import Iterator, Sequence

from benchmarks.bench import Bench
from benchmarks.peer import InProcess, Running
from benchmarks.peers.ours import SNAPSHOT
from benchmarks.table import Line, at_most, shown
from benchmarks.versus import compared
from benchmarks.workload import Question

SQL = InProcess("MariaDB's GROUP BY, in process", "benchmarks.peers.aggregates_sql")

_HISTOGRAM = "query ($bins: Int!) { units { histogram(of: PEARSON, bins: $bins, min: 0, max: 1) { counts } } }"
_GROUPS = "query ($by: [UnitGroupField!]!) { units { groups(by: $by) { count } } }"

WORK = {
    "histogram of all units": [Question(_HISTOGRAM, {"bins": bins}) for bins in (8, 16, 32, 64)],  # bounds are exact
    "group count of all units": [Question(_GROUPS, {"by": [field]}) for field in ("BRAIN_AREA", "SESSION", "UM_Z")],
}


def aggregates(bench: Bench) -> Iterator[Line]:
    """A line for each, live and from the snapshot."""
    sql = bench.start(SQL)
    for work, questions in WORK.items():
        for name, server in bench.ours().items():
            yield _line(bench, f"{work}: {name}", server.running, sql, questions, promised=name == SNAPSHOT.name)


def _line(
    bench: Bench, work: str, ours: Running, sql: Running, questions: Sequence[Question], *, promised: bool
) -> Line:
    costs = compared(bench, {"ours": ours, SQL.name: sql}, questions, SQL.name)
    figure = costs["ours"].wall
    promise = at_most(10) if promised else None
    return Line(work, shown(costs["ours"]), SQL.name, shown(costs[SQL.name]), figure, "ms", promise)
