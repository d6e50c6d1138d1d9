"""Our server, as ``gql-nda serve`` starts it: one worker, defaults."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from benchmarks.database import COMMAND
from benchmarks.http import data
from benchmarks.peer import OverHttp, over_http
from benchmarks.servers import ROOT
from benchmarks.workload import Asked, Question
from tests.support.ports import free_port

SNAPSHOTS = ROOT / ".cache" / "bench" / "snapshots"


@dataclass(frozen=True)
class Ours:
    """Over the live database, or from the snapshot."""

    snapshot: bool = False
    options: tuple[str, ...] = ()
    note: str = ""

    @property
    def name(self) -> str:
        """As the table calls it."""
        return ", ".join(filter(None, ("ours", "snapshot" if self.snapshot else "live", self.note)))

    @contextmanager
    def start(self, database: str) -> Iterator["OurServer"]:
        """Serve it."""
        port = free_port()
        command = [COMMAND, "serve", "--database", database, "--port", str(port), "--log-level", "warning"]
        with over_http([*command, *self._rows_from(database), *self.options], port, {}, "/readyz") as running:
            server = OurServer(running)
            server.data("{ dataset { fingerprint } }")  # known once the snapshot is
            yield server

    def _rows_from(self, database: str) -> list[str]:
        """The flags; a snapshot is built first, since memory is measured of servers that only map it."""
        if not self.snapshot:
            return ["--no-snapshot"]
        place = ["--snapshot-folder", str(SNAPSHOTS)]
        subprocess.run([COMMAND, "snapshot", "--database", database, *place], check=True, stdout=subprocess.DEVNULL)
        return place


LIVE, SNAPSHOT = Ours(), Ours(snapshot=True)
MODES = (LIVE, SNAPSHOT)
"""The ways our server can be run."""


@dataclass(frozen=True)
class OurServer:
    """The server, running. It takes opaque cursors where the question has a unit's number."""

    running: OverHttp
    _cursors: dict[tuple[int, int, str], str] = field(default_factory=dict)

    def ask(self, question: Asked) -> tuple[bytes, float]:
        """Ask the question as it understands it."""
        return self.running.ask(self.understood(question))

    def understood(self, question: Asked) -> Asked:
        """The question with a cursor for the number of a unit."""
        if not isinstance(question, Question) or not {"session", "after"} <= question.variables.keys():
            return question
        known = question.variables
        cursor = self._cursor(known["session"], known["scanIdx"], known["after"])
        return Question(question.query, {**known, "after": cursor})

    def cpu(self) -> float:
        """Of all its processes."""
        return self.running.cpu()

    def data(self, query: str, **variables: Any) -> Any:
        """The data of an answer."""
        return data(self.running.connection.post(query, variables))

    def _cursor(self, session: int, scan_idx: int, after: str) -> str | None:
        if after == "0":
            return None
        place = (session, scan_idx, after)
        if place not in self._cursors:
            found = self.data(_CURSOR, session=session, scanIdx=scan_idx, first=int(after))
            self._cursors[place] = found["scan"]["units"]["pageInfo"]["endCursor"]
        return self._cursors[place]


_CURSOR = """query ($session: Int!, $scanIdx: Int!, $first: Int!) {
  scan(session: $session, scanIdx: $scanIdx) { units(first: $first) { pageInfo { endCursor } } }
}"""
