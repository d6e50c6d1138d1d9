"""A real server in a process of its own: Granian on a free port, as ``gql-nda serve`` starts it."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.ports import free_port


@contextmanager
def granian(database: str, log: Path, seconds: float = 60, flags: Sequence[str] = ()) -> Iterator[str]:
    """Serve a database; the server's address. What it prints goes to a log, and snapshots beside it."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [str(Path(sys.executable).with_name("gql-nda")), "serve", "--database", database, "--port", str(port)]
    command += ["--snapshot-folder", str(log.with_name("snapshots")), *flags]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=_environment())
    try:
        _wait(process, f"{address}/healthz", log, seconds)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("GQL_NDA_")}


def _wait(process: "subprocess.Popen[bytes]", address: str, log: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the server doesn't answer:\n{log.read_text()}") from None
            time.sleep(0.1)
        else:
            return
