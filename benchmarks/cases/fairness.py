"""How long a tiny query waits while another client loops query U."""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice

from benchmarks.bench import Bench
from benchmarks.candidates import LOADERS
from benchmarks.http import Connection
from benchmarks.measure import Effort, Series
from benchmarks.peer import OverHttp
from benchmarks.table import Line, at_most, number
from benchmarks.workload import Asked, pages, tiny

LARGE = 40
"""Different questions that the other client goes round."""


def fairness(bench: Bench) -> Iterator[Line]:
    """The 99th percentile, ours and Strawberry's."""
    ours = bench.ours()
    theirs = bench.start(LOADERS)
    questions = list(islice(pages(bench.units), LARGE))
    peer = _waits(bench, theirs, list(questions))
    for name, server in ours.items():
        figure = _waits(bench, server.running, [server.understood(question) for question in questions])
        yield Line(
            f"tiny query beside query U, p99: {name}",
            _shown(figure),
            LOADERS.name,
            _shown(peer),
            figure,
            "ms",
            at_most(15),
        )


def _shown(series: Series) -> str:
    return f"{number(series.median)} ({number(series.worst)}) ms"


def _waits(bench: Bench, server: OverHttp, large: list[Asked]) -> Series:
    """Each run's 99th percentile in milliseconds; the slowest where a run has fewer than 100 requests."""
    with _looping(server.server.address, large):
        return Series(tuple(_percentile(_times(bench, server, bench.effort)) for _ in range(bench.effort.runs)))


def _times(bench: Bench, server: OverHttp, effort: Effort) -> list[float]:
    end, times = time.monotonic() + effort.seconds, list[float]()
    for question in tiny(bench.units):
        if len(times) >= effort.least and time.monotonic() > end:
            break
        times.append(server.ask(question)[1])
    return times


def _percentile(times: list[float]) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * 0.99))] * 1e3


@contextmanager
def _looping(address: str, questions: list[Asked]) -> Iterator[None]:
    """Another client, in a process of its own."""
    process = multiprocessing.get_context("spawn").Process(target=_loop, args=(address, questions), daemon=True)
    process.start()
    try:
        time.sleep(1)
        yield
    finally:
        process.kill()
        process.join()


def _loop(address: str, questions: list[Asked]) -> None:
    with closing(Connection(address)) as connection:
        while True:
            for question in questions:
                question.send(connection)
