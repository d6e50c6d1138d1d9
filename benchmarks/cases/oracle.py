"""Oracle scores and rasters of many units in one call, against users' way: a fetch and ``interp1d`` for each unit."""

from collections.abc import Iterator
from itertools import cycle

from benchmarks.bench import Bench, expect_equal
from benchmarks.measure import Candidate, compare
from benchmarks.peer import InProcess, Running
from benchmarks.peers.ours import Ours
from benchmarks.table import Line, shown
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
    traced = bench.databases.traced
    servers: dict[str, Running] = {"ours": bench.start(OURS, traced), USERS.name: bench.start(USERS, traced)}
    for what, query in WORK.items():
        questions = [Question(query, {"session": s, "first": UNITS, "what": what}) for s in _SESSIONS]
        expect_equal(servers, questions[::3], USERS.name)
        costs = compare({name: Candidate(running, cycle(questions)) for name, running in servers.items()}, bench.effort)
        ours, theirs = costs["ours"], costs[USERS.name]
        figure = theirs.wall.over(ours.wall, more_is_better=True)
        yield Line(
            f"oracle {what} of {UNITS} units: {OURS.name}", shown(ours), USERS.name, shown(theirs), figure, "x faster"
        )
