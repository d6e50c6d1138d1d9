"""Trials and what they showed."""

import asyncio

from gql_nda import tables as t
from gql_nda.context import Context
from gql_nda.query import Relation, Row

CONDITIONS = {
    "stimulus.Clip": Relation(t.clip, ("condition_hash",)),
    "stimulus.Monet2": Relation(t.monet2, ("condition_hash",)),
    "stimulus.Trippy": Relation(t.trippy, ("condition_hash",)),
}
"""The table of a condition, by the trial's type."""


async def condition(condition_hash: str, context: Context) -> Row | None:
    """The condition of a hash, whatever its kind."""
    loaders = [context.loaders.row(relation) for relation in CONDITIONS.values()]
    found = await asyncio.gather(*(loader.load((condition_hash,)) for loader in loaders))
    return next((row for row in found if row is not None), None)
