"""Direction tuning of a scan's units in one call, against users' way: a fetch and a loop for each unit."""

from collections.abc import Iterator

from benchmarks.bench import Bench
from benchmarks.peer import InProcess
from benchmarks.peers.ours import Ours
from benchmarks.table import Line
from benchmarks.versus import versus
from benchmarks.workload import SCANS, Question

USERS = InProcess("DataJoint, unit by unit, in process", "benchmarks.peers.tuning_datajoint")
OURS = Ours(options=("--derived-bytes", "0"), note="nothing remembered")

UNITS = 30
_TUNING = """query ($session: Int!, $scanIdx: Int!, $first: Int!) { scan(session: $session, scanIdx: $scanIdx) {
  units(first: $first) { nodes { unitId directionTuning { responses gOSI gDSI } } } } }"""
QUESTIONS = [Question(_TUNING, {"session": s, "scanIdx": i, "first": UNITS}) for s, i in SCANS]


def tuning(bench: Bench) -> Iterator[Line]:
    """One line: traces are read and averaged anew each time."""
    yield versus(bench, f"tuning of {UNITS} units: {OURS.name}", OURS, USERS, QUESTIONS, bench.databases.traced)
