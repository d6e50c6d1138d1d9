"""Transforms: their stages, told without their many numbers."""

from collections.abc import Mapping, Sequence, Sized
from typing import Any, NamedTuple

from sqlalchemy import Column

from gql_nda import tables as t
from gql_nda.codec import unpack
from gql_nda.context import Context
from gql_nda.errors import BlobCorrupt
from gql_nda.loaders import Reduction
from gql_nda.query import Row


class Stage(NamedTuple):
    """What one stage is, less its parameters."""

    name: str
    order: int | None
    axis: int | None
    nchunks: int | None
    control_points: int | None


class Transform(NamedTuple):
    """The stages of a transform, in order."""

    name: str | None
    stages: list[Stage]


async def arguments(coregistrations: Sequence[Row], context: Context) -> Sequence[Transform | BaseException | None]:
    """The settings each transform was fitted with."""
    return await _transforms(t.coregistration.c.transform_args, coregistrations, context)


async def solutions(coregistrations: Sequence[Row], context: Context) -> Sequence[Transform | BaseException | None]:
    """Each transform as it was fitted."""
    return await _transforms(t.coregistration.c.transform_solution, coregistrations, context)


async def _transforms(
    column: Column[Any], rows: Sequence[Row], context: Context
) -> Sequence[Transform | BaseException | None]:
    loader = context.loaders.reduced(column)
    return await loader.load_each([Reduction(row.key, unpack, _stages) for row in rows])


def _stages(value: Any) -> Transform:
    """The stages of a packed TransformList; fitting settings hold theirs under ``transform``."""
    if isinstance(value, Mapping) and isinstance(value.get("transform"), Mapping):
        value = value["transform"]
    stages = value.get("transforms") if isinstance(value, Mapping) else None
    if not isinstance(stages, list) or not all(isinstance(stage, Mapping) for stage in stages):
        raise BlobCorrupt("holds no list of transforms")
    return Transform(_text(value.get("name")), [_stage(stage) for stage in stages])


def _stage(stage: Mapping[str, Any]) -> Stage:
    points = stage.get("control_pts")
    return Stage(
        name=str(stage.get("name")),
        order=_whole(stage.get("order")),
        axis=_whole(stage.get("axis")),
        nchunks=_whole(stage.get("nchunks")),
        control_points=len(points) if isinstance(points, Sized) else None,
    )


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31 else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
