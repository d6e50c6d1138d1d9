"""``make soak``: mixed operations for minutes, then clients that leave; what the server holds before and after.

Figures of RELIABILITY, tests 8 and 3. Every answer is checked: its status, and where clients leave, its bytes.
"""

import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, cycle, islice, product

from benchmarks import table
from benchmarks.__main__ import KEPT
from benchmarks.database import TRACED, Databases, databases
from benchmarks.http import Connection
from benchmarks.measure import Series
from benchmarks.peers.ours import MODES, OurServer
from benchmarks.table import Line, at_most
from benchmarks.workload import Asked, Download, Question, pages, single_units, tiny
from tests.support.mariadb import READER

UNITS = 20_000
CLIENTS = 4
REQUESTS = 2000
"""Requests of the test in which every other client is to leave."""

POOL = 12
"""Connections to the database: the pool's, the watchdog's, and the one that stops statements."""

PATIENCE = 0.005
"""Most seconds that one who leaves waits."""

IDLE = 1.0
"""Seconds after which nothing may be left of what clients wanted."""


def run(found: Databases, seconds: float, requests: int = REQUESTS) -> Iterator[Line]:
    """Each way of serving each database gets its share of the time."""
    cases = list(product(MODES, (found.whole, found.traced)))
    for mode, database in cases:
        with mode.start(database) as server:
            work = f"{mode.name}, {database.rpartition('/')[2]} demo"
            yield from soak(work, server, found, seconds / len(cases))
            yield from leaving(work, server, found, requests // len(cases))


# --- mixed operations --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Held:
    """What the server holds."""

    rss: int
    files: int
    connections: int


def soak(work: str, server: OurServer, found: Databases, seconds: float) -> Iterator[Line]:
    """Memory, files and connections, after a fifth of the time and at the end."""
    warm, _ = _load(server, seconds / 5)
    before = _held(server, found)
    done, most = _load(server, seconds * 4 / 5, lambda: _held(server, found).connections)
    after = _held(server, found)
    told = f"{warm + done:,} operations, {table.number(after.rss / 1e6)} MB"
    yield Line(f"soak: {work}", told, figure=_one(after.rss / before.rss), unit="x memory", promise=at_most(1.05))
    grown = _one(abs(after.files - before.files))
    yield Line(f"soak: {work}", f"{after.files} open files", figure=grown, unit="more or fewer", promise=at_most(2))
    yield Line(f"soak: {work}", figure=_one(most), unit="connections at most", promise=at_most(POOL))


def _load(server: OurServer, seconds: float, watch: Callable[[], int] = lambda: 0) -> tuple[int, int]:
    """Several clients at once; the operations they have done, and the largest that a look each second found."""
    end, done, most = time.monotonic() + seconds, [0] * CLIENTS, 0
    threads = [threading.Thread(target=_client, args=(server, end, done, i)) for i in range(CLIENTS)]
    for thread in threads:
        thread.start()
    while time.monotonic() < end:
        most = max(most, watch())
        time.sleep(min(1.0, seconds / 5))
    for thread in threads:
        thread.join()
    if 0 in done:
        raise RuntimeError("a client got no answer, or a wrong status")
    return sum(done), most


def _client(server: OurServer, end: float, done: list[int], seed: int) -> None:
    with closing(Connection(server.running.server.address)) as connection:
        for question in islice(mixed(), seed * 100, None):
            if time.monotonic() > end and done[seed]:
                return
            question.send(connection)
            done[seed] += 1


def mixed() -> Iterator[Asked]:
    """Pages, single units, previews and downloads in turn."""
    kinds = (_firsts(), single_units(TRACED), tiny(TRACED), _previews(), _downloads())
    return chain.from_iterable(zip(*kinds, strict=False))


def _firsts() -> Iterator[Question]:
    """Pages from the beginning of a scan: they need no cursor."""
    return (Question(page.query, {**page.variables, "after": None}) for page in pages(UNITS))


_PREVIEW = """query ($unitId: Int!) { unit(session: 4, scanIdx: 7, unitId: $unitId) {
  activity { trace { max preview(points: 200) { x min max } } } } }"""
_SOME = range(1, 20)


def _previews() -> Iterator[Question]:
    return (Question(_PREVIEW, {"unitId": unit}) for unit in cycle(_SOME))


def _downloads() -> Iterator[Download]:
    return (Download(f"/arrays/activity/4.7.{unit}/trace") for unit in cycle(_SOME))


def _held(server: OurServer, found: Databases) -> Held:
    served = server.running.server
    return Held(served.memory()["rss"], served.files(), len(_commands(found)))


def _commands(found: Databases) -> list[str]:
    """What each of the server's connections does."""
    rows = found.server.execute("SELECT user, command FROM information_schema.processlist")
    return [str(command) for user, command in rows if user == READER]


# --- clients that leave ------------------------------------------------------------------------------


def leaving(work: str, server: OurServer, found: Databases, requests: int) -> Iterator[Line]:
    """Every other client leaves unless its answer comes at once; the others' answers must be right."""
    wrong, left = _leave(server, requests)
    time.sleep(IDLE)
    running = [command for command in _commands(found) if command != "Sleep"]
    told = f"{requests:,} requests, {left:,} of them left"
    yield Line(f"leaving: {work}", told, figure=_one(wrong), unit="wrong answers", promise=at_most(0))
    yield Line(f"leaving: {work}", told, figure=_one(len(running)), unit="statements left", promise=at_most(0))


def _leave(server: OurServer, requests: int) -> tuple[int, int]:
    """The number of wrong answers, and of clients that left."""
    chance, address = random.Random(3), server.running.server.address  # noqa: S311  # no secret
    questions = list(islice(mixed(), 50))
    with closing(Connection(address)) as connection:
        expected = [question.send(connection) for question in questions]
        wrong = left = 0
        for i in range(requests):
            question = questions[i % len(questions)]
            if chance.random() < 0.5:
                left += _gone(address, question, chance.random() * PATIENCE)
            else:
                wrong += question.send(connection) != expected[i % len(questions)]
    return wrong, left


def _gone(address: str, question: Asked, patience: float) -> bool:
    """Send a request, and leave after some seconds unless it's answered."""
    with closing(Connection(address)) as connection:
        connection.wait_at_most(patience)
        try:
            question.send(connection)
        except TimeoutError:
            return True
    return False


def _one(value: float) -> Series:
    return Series((float(value),))


if __name__ == "__main__":
    with databases(KEPT.with_name(f"mariadb-{UNITS}"), UNITS) as kept:
        print(table.text(table.telling(run(kept, float(sys.argv[1]) * 60))))
