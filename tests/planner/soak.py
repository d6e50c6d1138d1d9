"""Random documents for as long as one likes: ``python -m tests.planner.soak --minutes 5``.

Half of them are asked of a demo, half of one that holds what the tables forbid, altered anew for every run.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path
from random import SystemRandom

from gql_nda import demo
from gql_nda.stores.sql import SqlStore
from tests.planner.agreement import Agreement, Disagreement
from tests.planner.anomalies import altered
from tests.planner.hunt import hunt
from tests.planner.world import World

UNITS = 160
"""Units of the demo."""
ROUND = 20
"""Documents that one store is asked in turn."""


def main() -> None:
    """Runs until the time is over; ends with 1 when documents were answered differently."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", help="of an earlier run, to see it again")
    given = parser.parse_args()
    seed = given.seed or f"{SystemRandom().getrandbits(32):08x}"
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        failed = asyncio.run(_soak(Path(folder), seed, time.monotonic() + 60 * given.minutes))
    sys.exit(min(failed, 1))


async def _soak(folder: Path, seed: str, until: float) -> int:
    print(f"seed {seed}")
    demo.build(folder / "demo.sqlite", UNITS)
    world = World(folder / "demo.sqlite")
    paths = [folder / "demo.sqlite", altered(folder / "demo.sqlite", folder / "altered.sqlite", seed)]
    stores = {path.stem: SqlStore(f"sqlite:///{path}") for path in paths}
    agreements = {name: Agreement(store) for name, store in stores.items()}
    failed = asked = 0
    while time.monotonic() < until:
        for name, agreement in agreements.items():
            failed += await _round(name, agreement, world, [f"{seed} {i}" for i in range(asked, asked + ROUND)])
        asked += ROUND
    for name, agreement in agreements.items():
        print(f"{name}: {agreement.tally.share:.1%} planned whole; {agreement.tally}")
    for store in stores.values():
        await store.close()
    print(f"{failed} answered differently")
    return failed


async def _round(name: str, agreement: Agreement, world: World, seeds: list[str]) -> int:
    failed = 0
    for seed in seeds:
        try:
            await hunt(agreement, world, [seed], ordered=name != "altered")
        except Disagreement as found:
            failed += 1
            print(f"--- {name}, document {seed}\n{found}", flush=True)
    return failed


if __name__ == "__main__":
    main()
