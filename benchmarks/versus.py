"""Who answers the same questions, one after the other, and how much faster ours does."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

from benchmarks.bench import Bench, expect_equal
from benchmarks.measure import Candidate, Cost, compare
from benchmarks.peer import Peer, Running
from benchmarks.table import Line, Promise, faster
from benchmarks.workload import Asked

CHECKED = 3
"""Questions of a peer's whose answers are compared, at least: they take long."""


def compared(
    bench: Bench, servers: Mapping[str, Running], questions: Sequence[Asked], reference: str, every: int = 1
) -> dict[str, Cost]:
    """What a question costs each; all must answer every so many of them as the reference does."""
    expect_equal(servers, questions[::every], reference)
    return compare({name: Candidate(running, cycle(questions)) for name, running in servers.items()}, bench.effort)


def versus(
    bench: Bench,
    work: str,
    ours: Peer[Any],
    theirs: Peer[Any],
    questions: Sequence[Asked],
    database: str | None = None,
    promise: Promise | None = None,
) -> Line:
    """How many times faster ours answers the questions than a peer."""
    servers: dict[str, Running] = {peer.name: bench.start(peer, database) for peer in (ours, theirs)}
    costs = compared(bench, servers, questions, theirs.name, every=max(len(questions) // CHECKED, 1))
    return faster(work, costs[ours.name], theirs.name, costs[theirs.name], promise)
