"""A page of all units, filtered, sorted and counted: the first page and the last."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from benchmarks.bench import Bench
from benchmarks.http import data
from benchmarks.measure import Candidate, Cost, compare, same
from benchmarks.peer import InProcess, Running
from benchmarks.peers.ours import Ours, OurServer
from benchmarks.table import PENDING, Line, at_most, shown
from benchmarks.workload import Question

SQL = InProcess("MariaDB by hand, in process", "benchmarks.peers.catalogue_sql")
FIRST = 100
MOST = 10_000
"""Most rows of a page."""

PROMISED = Ours(snapshot=True).name
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


@dataclass(frozen=True)
class Pages:
    """Questions for the same page of each filter: ours, and as SQL has it."""

    ours: list[Question]
    sql: list[Question]


def catalogue(bench: Bench) -> Iterator[Line]:
    """Two lines for each way of ours, and how flat they are."""
    sql = bench.start(SQL)
    for name, server in bench.ours().items():
        costs = {}
        for which, pages in (("page 1", _first()), ("last page", _last(server))):
            costs[which] = _compared(bench, server.running, sql, pages)
            yield _line(name, which, costs[which])
        yield _flat(name, costs["page 1"]["ours"], costs["last page"]["ours"])
    if PROMISED not in bench.ours():
        yield _pending("page 1")
        yield _pending("last page")


def _line(name: str, which: str, costs: dict[str, Cost]) -> Line:
    ours = costs["ours"]
    promise = at_most(10) if name == PROMISED else None
    return Line(f"{_WORK}, {which}: {name}", shown(ours), SQL.name, shown(costs[SQL.name]), ours.wall, "ms", promise)


def _flat(name: str, first: Cost, last: Cost) -> Line:
    promise = FLAT if name == PROMISED else None
    return Line(
        f"{_WORK}: {name}", shown(last), "its page 1", shown(first), last.wall.over(first.wall), "x its time", promise
    )


def _pending(which: str) -> Line:
    return Line(f"{_WORK}, {which}: {PROMISED}", unit="ms", promise=at_most(10), note=PENDING)


_WORK = "filter, order, count over all units"


def _compared(bench: Bench, ours: Running, sql: Running, pages: Pages) -> dict[str, Cost]:
    for mine, theirs in zip(pages.ours, pages.sql, strict=True):
        if not same(data(ours.ask(mine)[0]), data(sql.ask(theirs)[0])):
            raise RuntimeError(f"ours and MariaDB's answers differ: {mine.variables}")
    candidates = {"ours": Candidate(ours, cycle(pages.ours)), SQL.name: Candidate(sql, cycle(pages.sql))}
    return compare(candidates, bench.effort)


def _first() -> Pages:
    return Pages(*([_page(filters, None, 0, FIRST) for filters in FILTERS] for _ in range(2)))


def _last(server: OurServer) -> Pages:
    places = [_before_last(server, filters) for filters in FILTERS]
    questions = [_page(filters, *place) for filters, place in zip(FILTERS, places, strict=True)]
    return Pages(questions, questions)


def _page(filters: dict[str, Any], after: str | None, skip: int, first: int) -> Question:
    return Question(QUERY, {**filters, "after": after, "first": first, "skip": skip})


def _before_last(server: OurServer, filters: dict[str, Any]) -> tuple[str | None, int, int]:
    """The cursor behind which the last page starts, the rows before it, and its rows."""
    after, skip = None, 0
    total = server.data(WALK, **filters, first=1, after=None)["units"]["totalCount"]
    while (left := total - FIRST - skip) > 0:
        step = min(left, MOST)
        after = server.data(WALK, **filters, first=step, after=after)["units"]["pageInfo"]["endCursor"]
        skip += step
    return after, skip, FIRST
