"""Ours against one peer, at the same questions."""

from collections.abc import Sequence
from itertools import cycle
from typing import Any

from benchmarks.bench import Bench, expect_equal
from benchmarks.measure import Candidate, compare
from benchmarks.peer import Peer, Running
from benchmarks.table import Line, Promise, faster
from benchmarks.workload import Asked

COMPARED = 3
"""Questions whose answers are compared, at least: all over the list."""


def versus(
    bench: Bench,
    work: str,
    ours: Peer[Any],
    theirs: Peer[Any],
    questions: Sequence[Asked],
    database: str | None = None,
    promise: Promise | None = None,
) -> Line:
    """How many times faster ours answers the questions, one after the other; both must answer a few of them alike."""
    servers: dict[str, Running] = {peer.name: bench.start(peer, database) for peer in (ours, theirs)}
    expect_equal(servers, questions[:: max(len(questions) // COMPARED, 1)], theirs.name)
    costs = compare({name: Candidate(running, cycle(questions)) for name, running in servers.items()}, bench.effort)
    return faster(work, costs[ours.name], theirs.name, costs[theirs.name], promise)
