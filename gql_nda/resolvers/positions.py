"""Positions of units in the electron-microscopy volume by another transform than the best."""

import asyncio
from collections.abc import Sequence

import polars as pl

from gql_nda.context import Context
from gql_nda.coregistration import TO_EM, Coregistered
from gql_nda.errors import BlobCorrupt, PublicError
from gql_nda.frames import schema
from gql_nda.query import Key, Ref, Row, up
from gql_nda.resolvers import transforms
from gql_nda.stores.positions import INPUTS, placed, reason
from gql_nda.stores.transforms import STACK
from gql_nda.tables import em_position, scan_unit, stack_unit

_TYPES = schema(Ref(ref.column) for ref in INPUTS)


async def em_positions(
    units: Sequence[Row],
    context: Context,
    transform_id: int | None = None,
    version: str | None = None,
    type: str | None = None,  # noqa: A002
) -> Sequence[Row | BaseException]:
    """Rows of ``em_position`` of units, by the transform of an id, or the best of a version and a type."""
    beside = up(scan_unit, stack_unit)
    places = await context.loaders.row(beside).load_many([unit.at(beside.on) for unit in units])
    found: dict[Key, Coregistered | str | PublicError] = {}
    for of in await transforms.stacks(context):
        try:
            ready = await transforms.chosen(
                of, context, direction=TO_EM, transform_id=transform_id, version=version, kind=type
            )
        except BlobCorrupt as error:
            found[of.stack.key] = reason(error)
        except PublicError as error:
            found[of.stack.key] = error
        else:
            found |= {of.stack.key: ready} if ready else {}
    rows = [place.at(list(_TYPES)) if place else (None,) * len(_TYPES) for place in places]
    return await asyncio.to_thread(_rows, units, rows, found)


def _rows(
    units: Sequence[Row], places: Sequence[Key], found: dict[Key, Coregistered | str | PublicError]
) -> list[Row | BaseException]:
    known = {stack: move for stack, move in found.items() if not isinstance(move, PublicError)}
    columns = placed(pl.DataFrame(places, _TYPES, orient="row"), known).rows(named=True)
    failed = [found.get(place[: len(STACK)]) for place in places]
    return [
        error if isinstance(error, PublicError) else Row(em_position, {**_key(unit), **told})
        for unit, told, error in zip(units, columns, failed, strict=True)
    ]


def _key(unit: Row) -> dict[str, int]:
    return {column.name: unit[column.name] for column in em_position.primary_key}
