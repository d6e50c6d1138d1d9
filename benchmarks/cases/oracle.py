"""Oracle scores and rasters of many units in one call, against users' way: a fetch and ``interp1d`` for each unit."""

from collections.abc import Iterator

from benchmarks.bench import Bench
from benchmarks.peer import InProcess
from benchmarks.peers.ours import Ours
from benchmarks.table import Line
from benchmarks.versus import versus
from benchmarks.workload import SCANS, Question

USERS = InProcess("DataJoint and interp1d, unit by unit, in process", "benchmarks.peers.oracle_datajoint")
OURS = Ours(options=("--derived-bytes", "0"), note="nothing remembered")

UNITS = 100
_HEAD = "query ($session: Int!, $first: Int!) { units(where: {session: {eq: $session}}, first: $first)"
WORK = {
    "score": f"{_HEAD} {{ nodes {{ unitId oracleComputed {{ pearson }} }} }} }}",
    "raster": f"{_HEAD} {{ nodes {{ unitId oracleRaster {{ values normalized }} }} }} }}",
}
_SESSIONS = sorted({session for session, _ in SCANS})


def oracle(bench: Bench) -> Iterator[Line]:
    """A line for each: traces are read and sampled anew each time."""
    for what, query in WORK.items():
        questions = [Question(query, {"session": s, "first": UNITS, "what": what}) for s in _SESSIONS]
        work = f"oracle {what} of {UNITS} units: {OURS.name}"
        yield versus(bench, work, OURS, USERS, questions, bench.databases.traced)
