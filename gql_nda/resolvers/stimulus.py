"""Trials and what they showed."""

import asyncio
from collections.abc import Sequence

from gql_nda import tables as t
from gql_nda.context import Context
from gql_nda.query import Relation, Row

CONDITIONS = {
    "stimulus.Clip": Relation(t.clip, ("condition_hash",)),
    "stimulus.Monet2": Relation(t.monet2, ("condition_hash",)),
    "stimulus.Trippy": Relation(t.trippy, ("condition_hash",)),
}
"""The table of a condition, by the trial's type."""


async def conditions(trials: Sequence[Row], context: Context) -> list[Row | BaseException | None]:
    """The condition of each trial: a row of the table that the trial's type names."""
    return await asyncio.gather(*(_condition(trial, context) for trial in trials), return_exceptions=True)


async def _condition(trial: Row, context: Context) -> Row | None:
    relation = CONDITIONS.get(trial["type"])
    return None if relation is None else await context.loaders.row(relation).load((trial["condition_hash"],))


async def condition(condition_hash: str, context: Context) -> Row | None:
    """The condition of a hash, whatever its kind."""
    loaders = [context.loaders.row(relation) for relation in CONDITIONS.values()]
    found = await asyncio.gather(*(loader.load((condition_hash,)) for loader in loaders))
    return next((row for row in found if row is not None), None)
