"""Strawberry at its fastest without a plan: plain attributes from one JOIN, its own caches, orjson."""

from typing import Any

import strawberry
from strawberry.extensions import ParserCache, ValidationCache

from benchmarks.peers.joined import fetch
from benchmarks.peers.strawberry_shared import App, BrainArea, Oracle, StackUnit


@strawberry.type
class Unit:
    """A unit."""

    unit_id: int
    um_x: int
    um_y: int
    um_z: int
    px_x: int
    px_y: int
    ms_delay: int
    stack_unit: StackUnit | None
    oracle: Oracle | None
    brain_area: BrainArea | None


def _unit(row: tuple[Any, ...]) -> Unit:
    unit, ux, uy, uz, px, py, delay, sx, sy, sz, pearson, trials, area = row
    return Unit(
        unit_id=unit,
        um_x=ux,
        um_y=uy,
        um_z=uz,
        px_x=px,
        px_y=py,
        ms_delay=delay,
        stack_unit=None if sx is None else StackUnit(stack_x=sx, stack_y=sy, stack_z=sz),
        oracle=None if trials is None else Oracle(pearson=pearson, trials=trials),
        brain_area=None if area is None else BrainArea(area),
    )


@strawberry.type
class Units:
    """A page of units."""

    nodes: list[Unit]


@strawberry.type
class Scan:
    """A scan."""

    session: int
    scan_idx: int

    @strawberry.field
    async def units(self, first: int, after: str | None = None) -> Units:
        """Its units."""
        rows = await fetch(self.session, self.scan_idx, int(after or 0), first)
        return Units(nodes=[_unit(row) for row in rows])


@strawberry.type
class Query:
    """The root."""

    @strawberry.field
    def scan(self, session: int, scan_idx: int) -> Scan | None:
        """A scan by key."""
        return Scan(session=session, scan_idx=scan_idx)


parsed, valid = ParserCache(), ValidationCache()
app = App(strawberry.Schema(Query, extensions=[lambda: parsed, lambda: valid]))
