"""Strawberry, SQLAlchemy Core and aiodataloader as their documentation has them: a loader for each satellite."""

import os
from collections.abc import Sequence
from functools import partial
from typing import Any, TypeAlias

import strawberry
from aiodataloader import DataLoader
from sqlalchemy import Row, Table, select, tuple_
from sqlalchemy.ext.asyncio import create_async_engine
from strawberry.asgi import GraphQL
from strawberry.types import Info

from benchmarks.peers.strawberry_shared import BrainArea, Oracle, StackUnit
from gql_nda import tables

engine = create_async_engine(os.environ["BENCH_DATABASE"].replace("mysql://", "mysql+asyncmy://"))

Key: TypeAlias = tuple[int, int, int]
Loader: TypeAlias = DataLoader[Key, Row[Any] | None]


async def _by_key(table: Table, keys: Sequence[Key]) -> list[Row[Any] | None]:
    columns = (table.c.session, table.c.scan_idx, table.c.unit_id)
    async with engine.connect() as connection:
        rows = await connection.execute(select(table).where(tuple_(*columns).in_(keys)))
    found = {(row.session, row.scan_idx, row.unit_id): row for row in rows}
    return [found.get(key) for key in keys]


def _loader(info: Info, table: Table) -> Loader:
    """The request's loader of a table's rows by unit."""
    loader: Loader = info.context["loaders"][table.name]
    return loader


@strawberry.type
class Unit:
    """A unit."""

    session: strawberry.Private[int]
    scan_idx: strawberry.Private[int]
    unit_id: int
    um_x: int
    um_y: int
    um_z: int
    px_x: int
    px_y: int
    ms_delay: int

    @strawberry.field
    async def stack_unit(self, info: Info) -> StackUnit | None:
        """Where it is in the stack."""
        row = await _loader(info, tables.stack_unit).load((self.session, self.scan_idx, self.unit_id))
        return row and StackUnit(stack_x=row.stack_x, stack_y=row.stack_y, stack_z=row.stack_z)

    @strawberry.field
    async def oracle(self, info: Info) -> Oracle | None:
        """How reliable it is."""
        row = await _loader(info, tables.oracle).load((self.session, self.scan_idx, self.unit_id))
        return row and Oracle(pearson=row.pearson, trials=row.trials)

    @strawberry.field
    async def brain_area(self, info: Info) -> BrainArea | None:
        """The area it lies in."""
        row = await _loader(info, tables.area_membership).load((self.session, self.scan_idx, self.unit_id))
        return row and BrainArea(row.brain_area)


_UNIT = tables.scan_unit
_COLUMNS = ("session", "scan_idx", "unit_id", "um_x", "um_y", "um_z", "px_x", "px_y", "ms_delay")


async def _units(*conditions: Any, first: int) -> list[Unit]:
    query = select(*(_UNIT.c[name] for name in _COLUMNS)).where(*conditions).order_by(_UNIT.c.unit_id).limit(first)
    async with engine.connect() as connection:
        return [Unit(**row) for row in (await connection.execute(query)).mappings()]


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
        of_scan = (_UNIT.c.session == self.session, _UNIT.c.scan_idx == self.scan_idx)
        return Units(nodes=await _units(*of_scan, _UNIT.c.unit_id > int(after or 0), first=first))


@strawberry.type
class Query:
    """The root."""

    @strawberry.field
    def scan(self, session: int, scan_idx: int) -> Scan | None:
        """A scan by key."""
        return Scan(session=session, scan_idx=scan_idx)

    @strawberry.field
    async def unit(self, session: int, scan_idx: int, unit_id: int) -> Unit | None:
        """A unit by key."""
        key = (_UNIT.c.session == session, _UNIT.c.scan_idx == scan_idx, _UNIT.c.unit_id == unit_id)
        return next(iter(await _units(*key, first=1)), None)


class App(GraphQL[dict[str, Any], None]):
    """Strawberry's own view; each request has its loaders."""

    async def get_context(self, request: Any, response: Any) -> dict[str, Any]:  # noqa: ARG002
        """New loaders."""
        satellites = (tables.stack_unit, tables.oracle, tables.area_membership)
        return {"loaders": {table.name: DataLoader(partial(_by_key, table)) for table in satellites}}


app = App(strawberry.Schema(Query))
