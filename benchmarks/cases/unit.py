"""One unit by key with its satellites: requests that a worker's core answers in a second."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

from benchmarks.bench import Bench, expect_equal
from benchmarks.candidates import LOADERS
from benchmarks.http import Connection
from benchmarks.measure import Series
from benchmarks.peer import OverHttp
from benchmarks.peers.ours import LIVE, SNAPSHOT
from benchmarks.table import Line, Promise, at_least, number
from benchmarks.workload import single_units

CLIENTS = 4
"""Connections that ask at once: enough to keep one worker busy."""

CORE, MORE = "req/s of a core", "x as many"
PROMISES: dict[str, tuple[Promise, Promise]] = {
    LIVE.name: (at_least(1000), at_least(3)),
    SNAPSHOT.name: (at_least(5000), at_least(10)),
}
"""Requests a second of a core, and times as many as Strawberry."""


def unit(bench: Bench) -> Iterator[Line]:
    """Two lines for each way of ours."""
    ours = bench.ours()
    theirs = bench.start(LOADERS)
    expect_equal({LOADERS.name: theirs, **ours}, list(islice(single_units(bench.units), 5)), LOADERS.name)
    servers = {name: server.running for name, server in ours.items()} | {LOADERS.name: theirs}
    rates = _rates(servers, bench)
    for name, (absolute, relative) in PROMISES.items():
        work = f"one unit by key: {name}"
        figure, peer = rates[name], rates[LOADERS.name]
        yield Line(work, figure.shown(), "", "", figure.core, CORE, absolute)
        more = figure.core.over(peer.core, more_is_better=True)
        yield Line(work, figure.shown(), f"{LOADERS.name}, defaults", peer.shown(), more, MORE, relative)


@dataclass(frozen=True)
class Rate:
    """Requests answered in a second: of processor time, and by the clock."""

    core: Series
    wall: Series

    def shown(self) -> str:
        """In a cell."""
        core = f"{number(self.core.median)} ({number(self.core.worst)}) req/s of a core"
        return f"{core}, {number(self.wall.median)} by the clock"


def _rates(servers: dict[str, OverHttp], bench: Bench) -> dict[str, Rate]:
    """The servers in turn, run by run; the first run warms up."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in servers}
    for _ in range(bench.effort.runs + 1):
        for name, server in servers.items():
            found[name].append(_load(server, bench))
    return {
        name: Rate(*(Series(column, more_is_better=True) for column in zip(*runs[1:], strict=True)))
        for name, runs in found.items()
    }


def _load(server: OverHttp, bench: Bench) -> tuple[float, float]:
    """Requests a second of processor time, and by the clock."""
    answered = [0] * CLIENTS
    end = time.monotonic() + bench.effort.seconds

    def client(i: int) -> None:
        with closing(Connection(server.server.address)) as connection:
            questions = single_units(bench.units, i * 1000)
            while time.monotonic() < end or answered[i] < bench.effort.least:
                next(questions).send(connection)
                answered[i] += 1

    before, begun = server.cpu(), time.monotonic()
    threads = [threading.Thread(target=client, args=(i,)) for i in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(answered) / max(server.cpu() - before, 0.01), sum(answered) / (time.monotonic() - begun)
