"""Positions of units in the EM volume: points through a transform as large as nda's, and as columns."""

from collections.abc import Iterator
from itertools import cycle

from benchmarks.bench import Bench
from benchmarks.measure import Candidate, compare
from benchmarks.peer import InProcess, Running
from benchmarks.peers.ours import SNAPSHOT
from benchmarks.table import Line, at_least, at_most, shown
from benchmarks.versus import versus
from benchmarks.workload import SCANS, Question, page_size

OURS = InProcess("ours, in process", "benchmarks.peers.transform_ours")
NUMPY = InProcess("broadcasting in NumPy", "benchmarks.peers.transform_numpy")
MOST = 10_000


_PAGE = """query ($session: Int!, $scanIdx: Int!, $first: Int!) { scan(session: $session, scanIdx: $scanIdx) {
  units(first: $first) { nodes { unitId %s } } } }"""
STORED, DERIVED = "stackUnit { stackX stackY stackZ }", "emPosition { x y z }"


def positions(bench: Bench) -> Iterator[Line]:
    """A line for the transform, and one for the columns of each server."""
    yield _moved(bench)
    yield from (_shown(bench, name, server.running) for name, server in bench.ours().items())


def _moved(bench: Bench) -> Line:
    """Other points each time."""
    count = min(MOST, bench.units)
    questions = [Question("", {"seed": seed, "points": count}) for seed in range(8)]
    return versus(bench, f"EM position of {count:,} units", OURS, NUMPY, questions, promise=at_least(4))


def _shown(bench: Bench, name: str, ours: Running) -> Line:
    """Positions of a page, to places in the stack, which the database holds: another scan each time."""
    size = page_size(bench.units)
    asked = {fields: Candidate(ours, cycle(_pages(fields, size))) for fields in (DERIVED, STORED)}
    costs = compare(asked, bench.effort)
    derived, stored = costs[DERIVED], costs[STORED]
    figure, promise = derived.wall.over(stored.wall), at_most(2) if name == SNAPSHOT.name else None
    work = f"emPosition of {size:,} units: {name}"
    return Line(work, shown(derived), "their stackUnit", shown(stored), figure, "x its time", promise)


def _pages(fields: str, size: int) -> list[Question]:
    keys = [{"session": session, "scanIdx": scan_idx, "first": size} for session, scan_idx in SCANS]
    return [Question(_PAGE % fields, key) for key in keys]
