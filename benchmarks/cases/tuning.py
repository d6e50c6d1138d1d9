"""Direction tuning of a scan's units in one call, against users' way: a fetch and a loop for each unit."""

from collections.abc import Iterator
from itertools import cycle

from benchmarks.bench import Bench, expect_equal
from benchmarks.measure import Candidate, compare
from benchmarks.peer import InProcess, Running
from benchmarks.peers.ours import Ours
from benchmarks.table import Line, shown
from benchmarks.workload import SCANS, Question

USERS = InProcess("DataJoint, unit by unit, in process", "benchmarks.peers.tuning_datajoint")
OURS = Ours(options=("--derived-bytes", "0"), note="nothing remembered")

UNITS = 30
_TUNING = """query ($session: Int!, $scanIdx: Int!, $first: Int!) { scan(session: $session, scanIdx: $scanIdx) {
  units(first: $first) { nodes { unitId directionTuning { responses gOSI gDSI } } } } }"""
QUESTIONS = [Question(_TUNING, {"session": s, "scanIdx": i, "first": UNITS}) for s, i in SCANS]


def tuning(bench: Bench) -> Iterator[Line]:
    """One line: traces are read and averaged anew each time."""
    traced = bench.databases.traced
    servers: dict[str, Running] = {"ours": bench.start(OURS, traced), USERS.name: bench.start(USERS, traced)}
    expect_equal(servers, QUESTIONS[::6], USERS.name)
    costs = compare({name: Candidate(running, cycle(QUESTIONS)) for name, running in servers.items()}, bench.effort)
    ours, theirs = costs["ours"], costs[USERS.name]
    figure = theirs.wall.over(ours.wall, more_is_better=True)
    yield Line(f"tuning of {UNITS} units: {OURS.name}", shown(ours), USERS.name, shown(theirs), figure, "x faster")
