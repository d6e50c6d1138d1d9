"""Kinds of peers: behind Granian, behind Node.js, or in a process that only answers."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, TypeVar

import psutil

from benchmarks.http import Connection
from benchmarks.servers import ROOT, Server, serving
from benchmarks.workload import Asked
from tests.support.ports import free_port
from tools import npm

APART = ROOT / ".cache" / "bench" / "python" / "bin" / "python"
"""The Python of peers that want other versions than ours: ``benchmarks/requirements.txt``."""

NODE = ROOT / "benchmarks" / "node"


class Running(Protocol):
    """A peer that has been started."""

    def ask(self, question: Asked) -> tuple[bytes, float]:
        """The answer's bytes, and the seconds it took."""

    def cpu(self) -> float:
        """Seconds of processor time used so far."""


R = TypeVar("R", bound=Running, covariant=True)


class Peer(Protocol[R]):
    """Somebody who answers the same questions."""

    @property
    def name(self) -> str:
        """As the table calls it."""
        ...

    def start(self, database: str) -> AbstractContextManager[R]:
        """Start it over a database, until the block ends."""


@dataclass(frozen=True)
class OverHttp:
    """A server that is asked over one connection."""

    server: Server
    connection: Connection

    def ask(self, question: Asked) -> tuple[bytes, float]:
        """Send the question."""
        begun = time.perf_counter()
        body = question.send(self.connection)
        return body, time.perf_counter() - begun

    def cpu(self) -> float:
        """Of all the server's processes."""
        return self.server.cpu()


@contextmanager
def over_http(command: Sequence[str], port: int, environment: Mapping[str, str], ready: str) -> Iterator[OverHttp]:
    """A server and a connection to it."""
    with serving(command, port, ready, environment) as server, closing(Connection(server.address)) as connection:
        yield OverHttp(server, connection)


@dataclass(frozen=True)
class Asgi:
    """A module's ``app``, served by Granian as ours is: one worker."""

    name: str
    module: str
    apart: bool = False

    def start(self, database: str) -> AbstractContextManager[OverHttp]:
        """Serve it."""
        port = free_port()
        options = ["--interface", "asgi", "--no-ws", "--workers", "1", "--host", "127.0.0.1", "--port", str(port)]
        command = [_python(self.apart), "-m", "granian", *options, f"{self.module}:app"]
        return over_http(command, port, {"BENCH_DATABASE": database}, "/")


@dataclass(frozen=True)
class Node:
    """A script of ``benchmarks/node``."""

    name: str
    script: str
    options: tuple[str, ...] = ()

    def start(self, database: str) -> AbstractContextManager[Running]:
        """Serve it."""
        port = free_port()
        environment = {"BENCH_DATABASE": database, "PORT": str(port), "NODE_ENV": "production"}
        command = [str(npm.node()), str(NODE / self.script), *self.options]
        return over_http(command, port, environment, "/graphql?query=%7B__typename%7D")


@dataclass(frozen=True)
class InProcess:
    """A module's ``answer``, timed where it runs: no server at all."""

    name: str
    module: str
    apart: bool = False

    @contextmanager
    def start(self, database: str) -> Iterator[Running]:
        """Run it in a process of its own."""
        command = [_python(self.apart), "-m", "benchmarks.worker", self.module]
        environment = {"PYTHONPATH": str(ROOT), "BENCH_DATABASE": database}
        pipe = subprocess.PIPE
        with (
            tempfile.TemporaryFile() as log,
            subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, env=environment) as process,
        ):
            try:
                yield Worker(process, log)
            finally:
                process.kill()


@dataclass(frozen=True)
class Worker:
    """A process that answers over its pipes, and says how long it took."""

    process: "subprocess.Popen[bytes]"
    log: IO[bytes]

    def ask(self, question: Asked) -> tuple[bytes, float]:
        """Ask it, and wait."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(dict(question.variables)).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            self.log.seek(0)
            raise RuntimeError(f"the process has ended:\n{self.log.read().decode()[-3000:]}")
        size, seconds = json.loads(line)
        return self.process.stdout.read(size), seconds

    def cpu(self) -> float:
        """Of the process, its pipes included."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)


def _python(apart: bool) -> str:
    return str(APART if apart else Path(sys.executable))
