"""What one worker holds while nobody asks."""

import time
from collections.abc import Iterator

from benchmarks.bench import Bench
from benchmarks.measure import Series
from benchmarks.peers.ours import MODES, SNAPSHOT, Ours
from benchmarks.table import Line, at_most, number
from benchmarks.workload import tiny

IDLE = 1.0
"""Seconds between the first answer and the look at memory."""


def memory(bench: Bench) -> Iterator[Line]:
    """Resident memory of a server that has just started, and answered once."""
    for mode in MODES:
        found = [_held(bench, mode) for _ in range(bench.effort.runs)]
        figure = Series(tuple(one["rss"] / 1e6 for one in found))
        told = ", ".join(f"{name.upper()} {number(found[-1][name] / 1e6)} MB" for name in ("rss", "pss", "uss"))
        promise = at_most(250) if mode == SNAPSHOT else None
        yield Line(f"memory of an idle worker: {mode.name}", told, figure=figure, unit="MB", promise=promise)


def _held(bench: Bench, mode: Ours) -> dict[str, int]:
    """Bytes of a new server."""
    with mode.start(bench.databases.whole) as server:
        server.ask(next(tiny(bench.units)))
        time.sleep(IDLE)
        return server.running.server.memory()
