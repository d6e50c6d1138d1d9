"""A page of all units, filtered, sorted and counted: the first page and the last."""

from collections.abc import Iterator
from typing import Any

from benchmarks.bench import Bench
from benchmarks.measure import Cost
from benchmarks.peer import InProcess
from benchmarks.peers.ours import SNAPSHOT, OurServer
from benchmarks.table import Line, at_most, shown
from benchmarks.versus import compared
from benchmarks.workload import Question

SQL = InProcess("MariaDB by hand, in process", "benchmarks.peers.catalogue_sql")
FIRST = 100
MOST = 10_000
"""Most rows of a page."""

PROMISED = SNAPSHOT.name
FLAT = at_most(1.5)
"""How much longer the last page may take where the time is to be flat."""

_ARGUMENTS = """where: {pearson: {gte: $pearson}, brainArea: {in: $areas}},
  orderBy: [{field: PEARSON, direction: DESC}], first: $first, after: $after"""
_HEAD = "($pearson: Float!, $areas: [BrainArea!]!, $first: Int!, $after: String)"
QUERY = f"""query {_HEAD} {{ units({_ARGUMENTS}) {{
  totalCount nodes {{ session scanIdx unitId umZ brainArea oracle {{ pearson }} }} }} }}"""
WALK = f"query {_HEAD} {{ units({_ARGUMENTS}) {{ totalCount pageInfo {{ endCursor }} }} }}"

FILTERS = tuple(
    {"pearson": round(0.15 + i / 100, 2), "areas": areas}
    for i, areas in enumerate((["V1", "RL"], ["V1", "LM"], ["V1", "AL"], ["LM", "RL"], ["V1", "RL"]))
)


def catalogue(bench: Bench) -> Iterator[Line]:
    """Two lines for each way of ours, and how flat they are."""
    sql = bench.start(SQL)
    for name, server in bench.ours().items():
        costs = {}
        for which, pages in (("page 1", _first()), ("last page", _last(server))):
            costs[which] = compared(bench, {"ours": server.running, SQL.name: sql}, pages, SQL.name)
            yield _line(name, which, costs[which])
        yield _flat(name, costs["page 1"]["ours"], costs["last page"]["ours"])


def _line(name: str, which: str, costs: dict[str, Cost]) -> Line:
    ours = costs["ours"]
    promise = at_most(10) if name == PROMISED else None
    return Line(f"{_WORK}, {which}: {name}", shown(ours), SQL.name, shown(costs[SQL.name]), ours.wall, "ms", promise)


def _flat(name: str, first: Cost, last: Cost) -> Line:
    promise = FLAT if name == PROMISED else None
    return Line(
        f"{_WORK}: {name}", shown(last), "its page 1", shown(first), last.wall.over(first.wall), "x its time", promise
    )


_WORK = "filter, order, count over all units"


def _first() -> list[Question]:
    return [_page(filters, None, 0) for filters in FILTERS]


def _last(server: OurServer) -> list[Question]:
    return [_page(filters, *_before_last(server, filters)) for filters in FILTERS]


def _page(filters: dict[str, Any], after: str | None, skip: int) -> Question:
    """A page behind a cursor; SQL has an offset in its place."""
    return Question(QUERY, {**filters, "after": after, "first": FIRST, "skip": skip})


def _before_last(server: OurServer, filters: dict[str, Any]) -> tuple[str | None, int]:
    """The cursor behind which the last page starts, and the rows before it."""
    after, skip = None, 0
    total = server.data(WALK, **filters, first=1, after=None)["units"]["totalCount"]
    while (left := total - FIRST - skip) > 0:
        step = min(left, MOST)
        after = server.data(WALK, **filters, first=step, after=after)["units"]["pageInfo"]["endCursor"]
        skip += step
    return after, skip
