"""``make bench``: run the benchmarks, print the table, write ``docs/benchmarks.md``.

The arguments are names of cases; none means all. BENCH_UNITS is the size of the demo.
"""

import os
import shutil
import sys
from collections.abc import Iterable, Sequence

from benchmarks import machine, page, table
from benchmarks.bench import Bench, benching
from benchmarks.cases import CASES
from benchmarks.database import databases
from benchmarks.measure import Effort
from benchmarks.peers.ours import SNAPSHOTS
from benchmarks.servers import ROOT
from benchmarks.workload import FULL

KEPT = ROOT / ".cache" / "bench" / "mariadb"


def main(names: Sequence[str]) -> int:
    """Run some cases, or all."""
    unknown = set(names) - set(CASES)
    if unknown:
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are: {', '.join(CASES)}", file=sys.stderr)
        return 2
    units = int(os.environ.get("BENCH_UNITS", FULL))
    before = machine.load()
    shutil.rmtree(SNAPSHOTS, ignore_errors=True)  # each run's database has another port, and snapshots of its own
    with databases(KEPT.with_name(f"mariadb-{units}"), units) as found, benching(found, Effort()) as bench:
        lines = run(bench, names or CASES)
        facts = [
            *machine.described(found.release),
            f"{units:,} units",
            f"load before and after: {before}; {machine.load()}",
        ]
    print(table.text(lines), *facts, sep="\n")
    if not names and units == FULL:
        page.write(lines, facts)
    return 0


def run(bench: Bench, names: Iterable[str]) -> list[table.Line]:
    """The lines of some cases, told as they come."""
    lines: list[table.Line] = []
    for name in names:
        print(f"benchmark: {name}", flush=True)
        lines += table.telling(CASES[name](bench))
    return lines


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
