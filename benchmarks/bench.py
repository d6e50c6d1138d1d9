"""What the cases share: the databases, servers that are started once, how long to measure."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from benchmarks.database import Databases
from benchmarks.http import data
from benchmarks.measure import Effort, same
from benchmarks.peer import Peer, R, Running
from benchmarks.peers.ours import MODES, OurServer
from benchmarks.workload import Asked


@dataclass
class Bench:
    """One run of benchmarks."""

    databases: Databases
    effort: Effort
    stack: ExitStack
    _started: dict[tuple[str, str], Running] = field(default_factory=dict)

    @property
    def units(self) -> int:
        """Units of the large demo."""
        return self.databases.units

    def start(self, peer: Peer[R], database: str | None = None) -> R:
        """A peer, started the first time; over the large demo unless told."""
        database = database or self.databases.whole
        place = (peer.name, database)
        if place not in self._started:
            self._started[place] = self.stack.enter_context(peer.start(database))
        return self._started[place]  # type: ignore[return-value]  # what that peer starts

    def ours(self) -> dict[str, OurServer]:
        """Our servers, live and with the snapshot."""
        return {ours.name: self.start(ours) for ours in MODES}


@contextmanager
def benching(databases: Databases, effort: Effort) -> Iterator[Bench]:
    """A run; what it has started ends with it."""
    with ExitStack() as stack:
        yield Bench(databases, effort, stack)


def expect_equal(servers: Mapping[str, Running], questions: Sequence[Asked], reference: str) -> None:
    """RuntimeError unless everybody answers alike: who's wrong isn't measured."""
    for question in questions:
        expected = data(servers[reference].ask(question)[0])
        for name, running in servers.items():
            if not same(data(running.ask(question)[0]), expected):
                raise RuntimeError(f"{name} answers otherwise than {reference}: {question}")
