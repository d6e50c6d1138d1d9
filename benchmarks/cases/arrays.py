"""One trace as a file against a static file of the same bytes, and as numbers against ``[Float!]!``."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.bench import Bench
from benchmarks.http import data
from benchmarks.measure import Candidate, Cost, compare, same
from benchmarks.peer import Asgi, OverHttp
from benchmarks.peers.ours import LIVE
from benchmarks.table import Line, at_least, faster
from benchmarks.workload import Download, Question
from gql_nda.codec import unpack

FLOATS = Asgi("[Float!]! of Strawberry", "benchmarks.peers.strawberry_floats")
STATIC = "static file, same server"
AT_ONCE = 10_000
"""Most numbers of one ``values``."""

Unit = tuple[int, int, int]


def arrays(bench: Bench) -> Iterator[Line]:
    """A line for each way in which traces are stored, and one for numbers."""
    ours = bench.start(LIVE, bench.databases.traced)
    traces = _traces(bench)
    with _static(bench, traces) as static:
        for stored, even in (("zlib blob", False), ("raw blob", True)):
            some = [key for key in traces if (key[2] % 2 == 0) == even]
            costs = _files(bench, ours.running, static, some)
            work, promise, unit = f"one trace as .npy, {stored}", at_least(0.8), "x the throughput"
            yield faster(work, costs["ours"], STATIC, costs[STATIC], promise, unit)
    costs = _numbers(bench, ours.running, traces)
    yield faster("one trace as JSON numbers", costs["ours"], FLOATS.name, costs[FLOATS.name], at_least(100))


def _traces(bench: Bench) -> dict[Unit, bytes]:
    """Traces as .npy, by unit."""
    rows = bench.databases.server.execute("SELECT session, scan_idx, unit_id, trace FROM activity", "traced")
    return {(session, scan, unit): _npy(np.asarray(unpack(blob))) for session, scan, unit, blob in rows}


def _npy(trace: NDArray[Any]) -> bytes:
    written = io.BytesIO()
    np.save(written, trace)
    return written.getvalue()


@contextmanager
def _static(bench: Bench, traces: dict[Unit, bytes]) -> Iterator[OverHttp]:
    """The traces as files, served: the folder stands for the database."""
    with TemporaryDirectory() as folder:
        for key, npy in traces.items():
            (Path(folder) / _name(key)).write_bytes(npy)
        yield bench.start(Asgi(STATIC, "benchmarks.peers.files"), folder)


def _files(bench: Bench, ours: OverHttp, static: OverHttp, keys: list[Unit]) -> dict[str, Cost]:
    own = [Download(f"/arrays/activity/{'.'.join(map(str, key))}/trace") for key in keys]
    plain = [Download(f"/{_name(key)}") for key in keys]
    for mine, other in zip(own[:5], plain[:5], strict=True):
        found, expected = (np.load(io.BytesIO(s.ask(q)[0])) for s, q in ((ours, mine), (static, other)))
        if found.dtype != expected.dtype or not np.array_equal(found, expected):
            raise RuntimeError(f"{mine.path} isn't the array that was stored")
    return compare({"ours": Candidate(ours, cycle(own)), STATIC: Candidate(static, cycle(plain))}, bench.effort)


def _name(key: Unit) -> str:
    return f"{'_'.join(map(str, key))}.npy"


# --- numbers -----------------------------------------------------------------------------------------


def _numbers(bench: Bench, ours: OverHttp, traces: dict[Unit, bytes]) -> dict[str, Cost]:
    theirs = bench.start(FLOATS, bench.databases.traced)
    _expect_numbers(ours, theirs, traces)
    candidates = {"ours": Candidate(ours, _ours(traces)), FLOATS.name: Candidate(theirs, _theirs(traces))}
    return compare(candidates, bench.effort)


def _ours(traces: dict[Unit, bytes]) -> Iterator[Question]:
    """All numbers of a trace: as many ``values`` as it takes."""
    size = max(np.load(io.BytesIO(npy)).size for npy in traces.values())
    parts = (f"p{start}: values(start: {start}, stop: {start + AT_ONCE})" for start in range(0, size, AT_ONCE))
    fields = f"activity {{ trace {{ {' '.join(parts)} }} }}"
    return _cycle(f"query {_UNIT_KEY} {{ unit({_BY_KEY}) {{ {fields} }} }}", traces)


def _theirs(traces: dict[Unit, bytes]) -> Iterator[Question]:
    return _cycle(f"query {_UNIT_KEY} {{ trace({_BY_KEY}) }}", traces)


_UNIT_KEY = "($session: Int!, $scanIdx: Int!, $unitId: Int!)"
_BY_KEY = "session: $session, scanIdx: $scanIdx, unitId: $unitId"


def _cycle(query: str, traces: dict[Unit, bytes]) -> Iterator[Question]:
    names = ("session", "scanIdx", "unitId")
    return cycle([Question(query, dict(zip(names, key, strict=True))) for key in traces])


def _expect_numbers(ours: OverHttp, theirs: OverHttp, traces: dict[Unit, bytes]) -> None:
    """RuntimeError unless both give the same numbers."""
    for mine, other in islice(zip(_ours(traces), _theirs(traces), strict=True), 3):
        parts = data(ours.ask(mine)[0])["unit"]["activity"]["trace"]
        found = [number for part in parts.values() for number in part]
        if not same(found, data(theirs.ask(other)[0])["trace"]):
            raise RuntimeError(f"other numbers than were stored: {mine.variables}")
