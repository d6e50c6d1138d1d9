"""The stacks of a store with their transforms."""

import asyncio
from collections.abc import Container, Sequence
from typing import NamedTuple

from gql_nda import tables as t
from gql_nda.coregistration import Coregistered, read
from gql_nda.errors import BlobCorrupt
from gql_nda.query import Key, Query, Row
from gql_nda.stores import Store, located
from gql_nda.tables import key_names, shortest

STACK = key_names(t.stack)
SOLUTION = t.coregistration.c.transform_solution


class Stacked(NamedTuple):
    """A stack, its transforms, and those of them that have a solution."""

    stack: Row
    transforms: Sequence[Row]
    solved: Sequence[Row]


async def stacks(store: Store) -> list[Stacked]:
    """All stacks, by their keys."""
    found = (await store.rows(Query(t.stack))).get((), [])
    transforms = (await store.rows(Query(t.coregistration))).get((), [])
    heads = await store.heads(SOLUTION, [row.key for row in transforms])
    return [_stacked(stack, [row for row in transforms if row.at(STACK) == stack.key], heads) for stack in found]


def _stacked(stack: Row, transforms: Sequence[Row], solutions: Container[Key]) -> Stacked:
    return Stacked(stack, transforms, [row for row in transforms if row.key in solutions])


async def ready(store: Store, stack: Row, row: Row) -> Coregistered:
    """A stack's transform, read and parsed: that takes 40 ms and more. BLOB_CORRUPT says where it lies."""
    blobs = await store.blobs(SOLUTION, [row.key])
    try:
        return await asyncio.to_thread(read, row, shortest(stack["um_height"]), blobs[row.key])
    except BlobCorrupt as error:
        raise located(error, SOLUTION, row.key) from None
