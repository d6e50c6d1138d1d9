"""Which units lie near a point of any frame."""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy import Table

from gql_nda import tables as t
from gql_nda.context import Context
from gql_nda.errors import BadUserInput
from gql_nda.query import Key, Query, Ref, by_key, up
from gql_nda.resolvers.connections import page_size
from gql_nda.resolvers.transforms import Placed, Point, placed, stack
from gql_nda.science.neighbours import Near, Neighbours
from gql_nda.science.transform import Moved, voxels_to_nm
from gql_nda.stores.transforms import STACK

Floats = NDArray[np.float64]

UNIT = by_key(t.scan_unit)


def _columns(table: Table, *names: str) -> list[Ref]:
    """Columns of what stands beside a unit."""
    return [Ref(table.c[name], (up(t.scan_unit, table),)) for name in names]


def _same(um: Floats) -> Floats:
    return um


def _from_voxels(voxels: Floats) -> Floats:
    return voxels_to_nm(voxels) / 1000


class Frame(NamedTuple):
    """Where units stand in a frame, what makes um of its coordinates, and why a unit may have none."""

    columns: list[Ref]
    um: Callable[[Floats], Floats]
    reason: Sequence[Ref] = ()


FRAMES = {
    "MOTOR": Frame(_columns(t.stack_unit, "motor_x", "motor_y", "motor_z"), _same),
    "STACK": Frame(_columns(t.stack_unit, "stack_x", "stack_y", "stack_z"), _same),
    "EM": Frame(_columns(t.em_position, "em_x", "em_y", "em_z"), _from_voxels, _columns(t.em_position, "em_reason")),
}


@dataclass(frozen=True)
class Places:
    """Where the units of a stack stand in a frame: their keys (n, 3), in order, and points (n, 3)."""

    keys: NDArray[np.int64]
    points: Floats
    tree: Neighbours


class NearbyUnit(NamedTuple):
    """A unit, and where it stands."""

    key: Key
    distance_um: float
    position: Placed


async def units_near(
    context: Context,
    *,
    point: Point,
    frame: str,
    radius: float,
    first: int | None = None,
    session: int | None = None,
    scan_idx: int | None = None,
) -> list[NearbyUnit]:
    """The units within a radius (um) of a point, the nearest first; of those equally far the lower key."""
    limits, within = context.limits, FRAMES[frame]
    first = page_size(first, limits, limits.page_default)
    if not 0 < radius < math.inf:
        raise BadUserInput(f"radius: {radius} is no distance above 0", argument="radius")
    places = await context.cache.one(("places", frame), partial(_places, within, context))
    centre = within.um(np.array([point.x, point.y, point.z], float))
    rows, distances = await asyncio.to_thread(_near, places, centre, radius, first, (session, scan_idx))
    positions = placed(Moved(places.points[rows], None))
    keys = map(tuple, places.keys[rows].tolist())
    return [NearbyUnit(*each) for each in zip(keys, distances.tolist(), positions, strict=True)]


async def _places(frame: Frame, context: Context) -> Places:
    """Where all units stand that have a place in the first stack."""
    of = await stack(context)
    keys = [Ref(t.scan_unit.c[name]) for name in UNIT.on]
    stacks = _columns(t.stack_unit, *STACK)
    asked = [*keys, *stacks, *frame.columns, *frame.reason]
    rows = await context.loaders.ask(context.store.columns, Query(t.scan_unit), asked)
    mine = [pl.col(ref.label) == value for ref, value in zip(stacks, of.stack.key, strict=True)] if of else [False]
    there = rows.filter(*mine)
    for reason in frame.reason:
        if there.height and there[reason.label].null_count() == 0:
            raise BadUserInput(f"frame: no unit has a place in it: {there[reason.label][0]}", argument="frame")
    return await asyncio.to_thread(_planted, there, keys, frame)


def _planted(rows: pl.DataFrame, keys: list[Ref], frame: Frame) -> Places:
    # float32 in its shortest decimal, as clients are shown it
    at = rows.select(pl.col(ref.label).cast(pl.String).cast(pl.Float64) for ref in frame.columns).to_numpy()
    named = rows.select(pl.col(ref.label).cast(pl.Int64) for ref in keys).to_numpy()
    return Places(named, at, Neighbours(frame.um(at)))


def _near(places: Places, centre: Floats, radius: float, first: int, scan: tuple[int | None, int | None]) -> Near:
    """The rows of the first units within a radius, of a session and a scan if these are given."""
    filters = [(column, value) for column, value in enumerate(scan) if value is not None]
    try:
        rows, distances = places.tree.near(centre, radius, None if filters else max(first, 1))
    except ValueError as error:
        raise BadUserInput(f"point: {error}", argument="point") from None
    for column, value in filters:
        mine = places.keys[rows, column] == value
        rows, distances = rows[mine], distances[mine]
    return Near(rows[:first], distances[:first])
