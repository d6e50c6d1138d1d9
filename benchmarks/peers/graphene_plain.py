"""Graphene: plain attributes from one JOIN, default resolvers, orjson; a bare ASGI app around ``execute_async``."""

from typing import Any

import graphene
import orjson

from benchmarks.peers.bare import bare
from benchmarks.peers.joined import fetch


class BrainArea(graphene.Enum):
    """A visual area."""

    V1 = "V1"
    LM = "LM"
    AL = "AL"
    RL = "RL"


class StackUnit(graphene.ObjectType):
    """A unit's place in the stack."""

    stack_x = graphene.Float(required=True)
    stack_y = graphene.Float(required=True)
    stack_z = graphene.Float(required=True)


class Oracle(graphene.ObjectType):
    """A unit's reliability."""

    pearson = graphene.Float(required=True)
    trials = graphene.Int(required=True)


class Unit(graphene.ObjectType):
    """A unit."""

    unit_id = graphene.Int(required=True)
    um_x = graphene.Int(required=True)
    um_y = graphene.Int(required=True)
    um_z = graphene.Int(required=True)
    px_x = graphene.Int(required=True)
    px_y = graphene.Int(required=True)
    ms_delay = graphene.Int(required=True)
    stack_unit = graphene.Field(StackUnit)
    oracle = graphene.Field(Oracle)
    brain_area = graphene.Field(BrainArea)


def _unit(row: tuple[Any, ...]) -> Unit:
    *own, sx, sy, sz, pearson, trials, area = row
    return Unit(
        *own,
        stack_unit=None if sx is None else StackUnit(sx, sy, sz),
        oracle=None if trials is None else Oracle(pearson, trials),
        brain_area=area,
    )


class Units(graphene.ObjectType):
    """A page of units."""

    nodes = graphene.List(graphene.NonNull(Unit), required=True)


class Scan(graphene.ObjectType):
    """A scan."""

    session = graphene.Int(required=True)
    scan_idx = graphene.Int(required=True)
    units = graphene.Field(Units, first=graphene.Int(required=True), after=graphene.String())

    @staticmethod
    async def resolve_units(scan: Any, _info: Any, first: int, after: str | None = None) -> Units:
        """Its units."""
        rows = await fetch(scan.session, scan.scan_idx, int(after or 0), first)
        return Units(nodes=[_unit(row) for row in rows])


class Query(graphene.ObjectType):
    """The root."""

    scan = graphene.Field(Scan, session=graphene.Int(required=True), scan_idx=graphene.Int(required=True))

    @staticmethod
    def resolve_scan(_root: Any, _info: Any, session: int, scan_idx: int) -> Scan:
        """A scan by key."""
        return Scan(session=session, scan_idx=scan_idx)


schema = graphene.Schema(Query)


async def _answer(operation: dict[str, Any]) -> bytes:
    result = await schema.execute_async(operation["query"], variable_values=operation["variables"])
    return orjson.dumps(result.formatted)


app = bare(_answer)
