"""Servers in processes of their own, and what they cost: processor time, memory."""

import os
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError

import psutil

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Server:
    """A running server."""

    address: str
    process: psutil.Process

    def cpu(self) -> float:
        """Seconds of processor time it has used so far, in all of its processes."""
        return float(sum(times.user + times.system for times in (p.cpu_times() for p in self._all())))

    def memory(self) -> dict[str, int]:
        """Bytes of its worker: resident, its own, and with its share of what's shared."""
        full = max((process.memory_full_info() for process in self._all()), key=lambda info: info.rss)
        return {"rss": full.rss, "uss": full.uss, "pss": full.pss}

    def files(self) -> int:
        """Open file descriptors."""
        return sum(process.num_fds() for process in self._all())

    def _all(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


@contextmanager
def serving(
    command: Sequence[str], port: int, ready: str, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run a server until the block ends; it's there once ``ready`` answers at all."""
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=_environment(environment or {}), cwd=ROOT)
        try:
            if not _answers(process, address + ready):
                log.seek(0)
                raise RuntimeError(f"{' '.join(command)}: doesn't answer:\n{log.read().decode()[-3000:]}")
            yield Server(address, psutil.Process(process.pid))
        finally:
            process.terminate()
            process.wait(30)


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GQL_NDA_")}
    return {**inherited, "PYTHONPATH": str(ROOT), **more}


def _answers(process: "subprocess.Popen[bytes]", address: str, seconds: float = 120) -> bool:
    """Wait until it does: with anything but 503, which says that it isn't ready."""
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(address, timeout=60).close()  # noqa: S310  # this machine's own
        except HTTPError as error:
            error.close()
            if error.code != 503:
                return True
        except OSError:
            time.sleep(0.1)
        else:
            return True
    return False
