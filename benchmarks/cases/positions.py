"""Positions of units in the EM volume: points through a transform as large as nda's."""

from collections.abc import Iterator
from itertools import cycle

from benchmarks.bench import Bench, expect_equal
from benchmarks.measure import Candidate, compare
from benchmarks.peer import InProcess
from benchmarks.table import Line, at_least, shown
from benchmarks.workload import Question

OURS = InProcess("ours, in process", "benchmarks.peers.transform_ours")
NUMPY = InProcess("broadcasting in NumPy", "benchmarks.peers.transform_numpy")
MOST = 10_000


def positions(bench: Bench) -> Iterator[Line]:
    """One line: other points each time."""
    count = min(MOST, bench.units)
    questions = [Question("", {"seed": seed, "points": count}) for seed in range(8)]
    peers = {peer.name: bench.start(peer) for peer in (OURS, NUMPY)}
    expect_equal(peers, questions[:2], NUMPY.name)
    costs = compare({name: Candidate(running, cycle(questions)) for name, running in peers.items()}, bench.effort)
    ours, theirs = costs[OURS.name], costs[NUMPY.name]
    yield Line(
        f"EM position of {count:,} units",
        shown(ours),
        NUMPY.name,
        shown(theirs),
        theirs.wall.over(ours.wall, more_is_better=True),
        "x faster",
        at_least(4),
    )
