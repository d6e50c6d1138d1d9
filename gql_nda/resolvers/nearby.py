"""Which units lie near a point of any frame."""

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gql_nda import tables as t
from gql_nda.context import Context
from gql_nda.errors import BadUserInput
from gql_nda.query import Key, Query, Ref, by_key, up
from gql_nda.resolvers.connections import page_size
from gql_nda.resolvers.transforms import Placed, Point, chosen, placed, stack, stacks
from gql_nda.science.neighbours import FAR, Near, Neighbours
from gql_nda.science.transform import Moved, voxels_to_nm
from gql_nda.stores import positions
from gql_nda.stores.transforms import STACK, Stacked

Floats = NDArray[np.float64]

UNIT = by_key(t.scan_unit)


def _same(um: Floats) -> Floats:
    return um


def _from_voxels(voxels: Floats) -> Floats:
    return voxels_to_nm(voxels) / 1000


class Frame(NamedTuple):
    """Where units stand in a frame, by columns' names, what makes um of its coordinates, and what else is told."""

    columns: tuple[str, str, str]
    um: Callable[[Floats], Floats]
    extrapolated: str | None = None


EM = "EM"
FRAMES = {
    "MOTOR": Frame(("motor_x", "motor_y", "motor_z"), _same),
    "STACK": Frame(("stack_x", "stack_y", "stack_z"), _same),
    EM: Frame(("em_x", "em_y", "em_z"), _from_voxels, "em_extrapolated"),
}


@dataclass(frozen=True)
class Places:
    """Where the units of a stack stand in a frame: their keys (n, 3), in order, and points (n, 3).

    Which of them are ``extrapolated`` (n,) is True, False, or None where nothing tells.
    """

    keys: NDArray[np.int64]
    points: Floats
    extrapolated: NDArray[np.object_]
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
    stack_session: int | None = None,
    stack_idx: int | None = None,
) -> list[NearbyUnit]:
    """The units of a stack within a radius (um) of a point, the nearest first; of those equally far the lower key."""
    limits, within = context.limits, FRAMES[frame]
    first = page_size(first, limits, limits.page_default)
    if not 0 < radius < math.inf:
        raise BadUserInput(f"radius: {radius} is no distance above 0", argument="radius")
    of = await stack(context, stack_session, stack_idx)
    if of is None:
        return []
    places = await context.cache.one(("places", frame, of.stack.key), partial(_places, frame, of, context))
    centre = within.um(np.array([point.x, point.y, point.z], float))
    if not (np.abs(centre) < FAR).all():
        told = f"a place is three finite numbers, nearer than {FAR:g} um, not ({point.x:g}, {point.y:g}, {point.z:g})"
        raise BadUserInput(f"point: {told}", argument="point")
    rows, distances = await asyncio.to_thread(_near, places, centre, radius, first, (session, scan_idx))
    positions = placed(Moved(places.points[rows], places.extrapolated[rows]))
    keys = map(tuple, places.keys[rows].tolist())
    return [NearbyUnit(*each) for each in zip(keys, distances.tolist(), positions, strict=True)]


async def _places(frame: str, of: Stacked, context: Context) -> Places:
    """Where all units stand that have a place in a stack."""
    if frame != EM:
        rows = await _standing(of, context)
    elif of.stack.key == (await stacks(context))[0].stack.key:
        rows = await _positioned(of, context)
    else:
        rows = await _moved(of, context)
    if frame == EM and rows.height and rows["em_reason"].null_count() == 0:
        raise BadUserInput(f"frame: no unit has a place in it: {rows['em_reason'][0]}", argument="frame")
    return await asyncio.to_thread(_planted, rows, FRAMES[frame])


async def _standing(of: Stacked, context: Context) -> pl.DataFrame:
    """The places that a stack has for units, each unit's first, in order of their keys."""
    places = Query(t.stack_unit, STACK, (of.stack.key,))
    names = (*UNIT.on, *STACK, *FRAMES["MOTOR"].columns, *FRAMES["STACK"].columns)
    rows = await _asked(places, {name: Ref(t.stack_unit.c[name]) for name in names}, context)
    return rows.unique(UNIT.on, keep="first", maintain_order=True).sort(UNIT.on)


_POSITION = (*FRAMES[EM].columns, "em_extrapolated", "em_reason")


async def _positioned(of: Stacked, context: Context) -> pl.DataFrame:
    """The positions in EM of units that stand in the first stack: they are known."""
    names = {name: Ref(t.scan_unit.c[name]) for name in UNIT.on}
    for table, beside in ((t.stack_unit, STACK), (t.em_position, _POSITION)):
        names |= {name: Ref(table.c[name], (up(t.scan_unit, table),)) for name in beside}
    rows = await _asked(Query(t.scan_unit), names, context)
    return rows.filter(pl.col(name) == value for name, value in zip(STACK, of.stack.key, strict=True))


async def _moved(of: Stacked, context: Context) -> pl.DataFrame:
    """The positions in EM of units that stand in another stack, by its best transform."""
    move, rows = await chosen(of, context), await _standing(of, context)
    moved = await asyncio.to_thread(positions.placed, rows, {of.stack.key: move} if move else {})
    return rows.hstack(moved)


async def _asked(query: Query, names: Mapping[str, Ref], context: Context) -> pl.DataFrame:
    """Columns of all rows, under these names."""
    rows = await context.loaders.ask(context.store.columns, query, list(names.values()))
    return rows.select(pl.col(ref.label).alias(name) for name, ref in names.items())


def _planted(rows: pl.DataFrame, frame: Frame) -> Places:
    # float32 in its shortest decimal, as clients are shown it
    at = rows.select(pl.col(*frame.columns).cast(pl.String).cast(pl.Float64)).to_numpy()
    keys = rows.select(pl.col(*UNIT.on).cast(pl.Int64)).to_numpy()
    flags = [None] * rows.height if frame.extrapolated is None else rows[frame.extrapolated].to_list()
    return Places(keys, at, np.array(flags, object), Neighbours(frame.um(at)))


def _near(places: Places, centre: Floats, radius: float, first: int, scan: tuple[int | None, int | None]) -> Near:
    """The rows of the first units within a radius, of a session and a scan if these are given."""
    filters = [(column, value) for column, value in enumerate(scan) if value is not None]
    rows, distances = places.tree.near(centre, radius, None if filters else max(first, 1))
    for column, value in filters:
        mine = places.keys[rows, column] == value
        rows, distances = rows[mine], distances[mine]
    return Near(rows[:first], distances[:first])
