"""Time by number of rows: within a page, and page by page through all units, with the memory that takes."""

import time
from collections.abc import Iterator

from benchmarks.bench import Bench
from benchmarks.measure import Candidate, Series, compare
from benchmarks.peers.ours import OurServer
from benchmarks.table import Line, at_most, number
from benchmarks.workload import FULL, Question, selection

PAGES = (100, 300, 1000, 3000, 10_000)
SCAN = (7, 4)
"""The one scan with more than 10,000 units, at full size."""

LINEAR, FLAT = at_most(1.2), at_most(1.1)
"""What we take as linear: a row of the largest page against one of a tenth of it. And as flat: memory."""

_SCAN = "query ($first: Int!) {{ scan(session: {}, scanIdx: {}) {{ units(first: $first) {{ nodes {{ {} }} }} }} }}"
_WALK = """query ($first: Int!, $after: String) {{
  units(first: $first, after: $after) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {} }} }}
}}"""


def growth(bench: Bench) -> Iterator[Line]:
    """Two lines for each way of ours."""
    for name, server in bench.ours().items():
        yield _within(bench, name, server)
        yield _through(bench, name, server)


def _within(bench: Bench, name: str, server: OurServer) -> Line:
    sizes = [max(1, size * bench.units // FULL) for size in PAGES]
    candidates = {size: Candidate(server.running, _questions(size)) for size in sizes}
    costs = compare({str(size): candidate for size, candidate in candidates.items()}, bench.effort)
    row = {size: Series(tuple(ms / size for ms in costs[str(size)].wall.values)) for size in sizes}
    told = ", ".join(f"{size:,}: {number(series.median * 1e3)}" for size, series in row.items())
    ratio = row[sizes[-1]].over(row[sizes[2]])
    return Line(
        f"microseconds a row by rows of a page: {name}", told, f"a row of {sizes[2]:,}", "", ratio, "x its time", LINEAR
    )


def _questions(first: int) -> Iterator[Question]:
    turn = 0
    while True:
        yield Question(_SCAN.format(*SCAN, selection(turn)), {"first": first})
        turn += 1


def _through(bench: Bench, name: str, server: OurServer) -> Line:
    """All units in pages of 10,000: time, and memory after the last page over that after the second."""
    ratios, seconds = [], 0.0
    for run in range(min(3, bench.effort.runs)):
        begun = time.monotonic()
        memory = list(_walk(server, max(1, PAGES[-1] * bench.units // FULL), run))
        seconds = time.monotonic() - begun
        ratios.append(max(memory[1:]) / memory[1])
    told = f"{number(seconds)} s, {number(memory[-1] / 1e6)} MB resident"
    return Line(
        f"all {bench.units:,} units page by page: {name}",
        told,
        "memory after 2 pages",
        "",
        Series(tuple(ratios)),
        "x",
        FLAT,
    )


def _walk(server: OurServer, first: int, turn: int) -> Iterator[int]:
    """Bytes resident after each page."""
    after = None
    while True:
        found = server.data(_WALK.format(selection(turn)), first=first, after=after)["units"]["pageInfo"]
        yield server.running.server.memory()["rss"]
        if not found["hasNextPage"]:
            return
        after = found["endCursor"]
