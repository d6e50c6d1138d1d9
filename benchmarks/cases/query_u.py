"""Query U over HTTP, from the live database and from the snapshot, against everybody."""

from collections.abc import Iterator
from itertools import islice

from benchmarks.bench import Bench, expect_equal
from benchmarks.candidates import FLOOR, JIT, LOADERS, NOT_RUN, PAGES
from benchmarks.measure import Candidate, Cost, compare
from benchmarks.peer import Running
from benchmarks.peers.ours import LIVE, SNAPSHOT
from benchmarks.table import Line, Promise, at_least, at_most, shown
from benchmarks.workload import pages

PROMISES: dict[str, dict[str, Promise]] = {
    LIVE.name: {FLOOR.name: at_most(0.8), LOADERS.name: at_least(30), JIT.name: at_least(1)},
    SNAPSHOT.name: {FLOOR.name: at_most(0.15), LOADERS.name: at_least(150), JIT.name: at_least(10)},
}
"""By what is served and whom it is compared with: a ratio to the floor's time, or times faster than a peer."""


def query_u(bench: Bench) -> Iterator[Line]:
    """A line for each peer."""
    servers: dict[str, Running] = {peer.name: bench.start(peer) for peer in PAGES} | bench.ours()
    expect_equal(servers, list(islice(pages(bench.units), 3)), FLOOR.name)
    costs = compare({name: Candidate(running, pages(bench.units)) for name, running in servers.items()}, bench.effort)
    for ours, promises in PROMISES.items():
        yield from (_line(ours, costs[ours], peer.name, costs[peer.name], promises) for peer in PAGES)
    yield from (Line("query U", against=name, note=why) for name, why in NOT_RUN.items())


def _line(ours: str, cost: Cost, name: str, theirs: Cost, promises: dict[str, Promise]) -> Line:
    floor = "floor" in name
    figure = cost.wall.over(theirs.wall) if floor else theirs.wall.over(cost.wall, more_is_better=True)
    unit = "x its time" if floor else "x faster"
    return Line(f"query U: {ours}", shown(cost), name, shown(theirs), figure, unit, promises.get(name))
