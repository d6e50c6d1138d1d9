"""The transforms of stacks, and points taken through them.

What is known of the stacks is read once, and so is each transform.
"""

import asyncio
from collections.abc import Sequence
from math import isfinite
from typing import Any, NamedTuple, Protocol

from gql_nda.arrays.numbers import as_list
from gql_nda.context import Context
from gql_nda.coregistration import TO_EM, Coregistered, choose
from gql_nda.errors import BadUserInput
from gql_nda.query import Row
from gql_nda.resolvers.records import Records
from gql_nda.science.transform import Moved
from gql_nda.stores import transforms
from gql_nda.stores.transforms import Stacked


async def stacks(context: Context) -> Sequence[Stacked]:
    """All stacks, by their keys."""
    return await context.cache.one("stacks", lambda: context.loaders.ask(transforms.stacks, context.store))


async def stack(context: Context, stack_session: int | None = None, stack_idx: int | None = None) -> Stacked | None:
    """The stack of a key, the first of those that agree with a part of one; None if there are no stacks at all."""
    known = await stacks(context)
    asked = {"stack_session": stack_session, "stack_idx": stack_idx}
    named = {name: value for name, value in asked.items() if value is not None}
    found = [one for one in known if all(one.stack[name] == value for name, value in named.items())]
    if known and not found:
        there = "; ".join(f"{session} {idx}" for session, idx in (one.stack.key for one in known[:20]))
        names = {"stack_session": "stackSession", "stack_idx": "stackIdx"}
        what = ", ".join(f"{names[name]} {value}" for name, value in named.items())
        raise BadUserInput(f"no stack of {what}; there are {there}", argument=names[next(iter(named))])
    return found[0] if found else None


async def chosen(
    of: Stacked,
    context: Context,
    *,
    direction: str | None = None,
    transform_id: int | None = None,
    version: str | None = None,
    kind: str | None = None,
) -> Coregistered | None:
    """The transform that is meant, as ``coregistration.choose`` has it; to EM, unless a direction or an id is given."""
    if direction is None and transform_id is None:
        direction = TO_EM
    row = choose(of.solved, direction, transform_id=transform_id, version=version, kind=kind)
    if row is None:
        return None
    ask, ready = context.loaders.ask, transforms.ready
    return await context.cache.one(("transform", row.key), lambda: ask(ready, context.store, of.stack, row))


# --- points ----------------------------------------------------------------------------------------


class Point(Protocol):
    """A point as a client gives it."""

    x: float
    y: float
    z: float


class Placed(NamedTuple):
    """A point in a frame; None where a transform can't tell."""

    x: float | None
    y: float | None
    z: float | None
    extrapolated: bool | None = None


def placed(moved: Moved) -> Records[Placed]:
    """Points (n, 3) one by one."""
    flags = [None] * len(moved.points) if moved.extrapolated is None else moved.extrapolated.tolist()
    return Records(Placed(x, y, z, flag) for (x, y, z), flag in zip(as_list(moved.points), flags, strict=True))


async def transformed(
    context: Context,
    *,
    points: Sequence[Point],
    direction: str | None = None,
    stack_session: int | None = None,
    stack_idx: int | None = None,
    **wanted: Any,
) -> Records[Placed] | None:
    """Points moved by a transform, in their order; None where there is no transform at all."""
    context.spend_points(len(points), "ask in several operations")
    if not all(isfinite(at.x) and isfinite(at.y) and isfinite(at.z) for at in points):
        raise BadUserInput("points: a coordinate is no finite number", argument="points")
    of = await stack(context, stack_session, stack_idx)
    move = of and await chosen(of, context, direction=direction, **wanted)
    if not move:
        return None
    return await asyncio.to_thread(lambda: placed(move([(at.x, at.y, at.z) for at in points])))


async def listed(
    context: Context,
    *,
    version: str | None = None,
    direction: str | None = None,
    kind: str | None = None,
    stack_session: int | None = None,
    stack_idx: int | None = None,
) -> Sequence[Row] | None:
    """The transforms of a stack that are of a version, a direction and a kind, by their numbers."""
    of = await stack(context, stack_session, stack_idx)
    asked = {"version": version, "direction": direction, "transform_type": kind}
    given = {name: value for name, value in asked.items() if value is not None}
    return of and [row for row in of.transforms if all(row[name] == value for name, value in given.items())]
