"""Frames from a database of which every statement costs.

A few rows come with all that stands beside them in one statement of joins. Of many, the query's own
table is read first, then each table beside it by ranges of its key, in parallel, and Polars joins them:
one statement with all the joins would cost the database more, and lists of thousands of keys as well.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import polars as pl
from sqlalchemy import Integer, Table

from gql_nda.frames import arranged, frame, held, once, own_refs
from gql_nda.query import And, Compare, Or, Predicate, Query, Ref, Relation
from gql_nda.stores.statements import LARGEST_LIST
from gql_nda.tables import key_names

HANDFUL = 16
"""Rows that are better read with joins."""

LISTED = 64
"""Keys that are better listed than covered by ranges."""

SCATTERED = 4
"""Rows that a range may hold for each that is wanted of it."""

Ask = Callable[[Query, Sequence[Ref]], Awaitable[list[tuple[Any, ...]]]]


class Columns:
    """The frames of one query; ``ask`` reads columns of a query's rows, in any order."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def of(self, query: Query, refs: Iterable[Ref]) -> pl.DataFrame:
        """The query's rows, with the columns asked for."""
        wanted = held(query, refs)
        at_hand = {order.ref.label for order in query.ordering}
        beside = [] if handful(query) else [r for r in wanted if r.path and r.label not in at_hand]
        links = [Ref(query.table.c[name]) for ref in beside for name in ref.path[0].on]
        own = once([*(ref for ref in wanted if ref not in beside), *links])
        records = await self._ask(query, own)
        rows = await asyncio.to_thread(lambda: arranged(frame(own, records), query))
        return (await self._beside(rows, beside)).select([ref.label for ref in wanted])

    async def _beside(self, rows: pl.DataFrame, refs: Sequence[Ref]) -> pl.DataFrame:
        """The rows, with columns of the rows that stand beside them."""
        steps: dict[Relation, list[Ref]] = {}
        for ref in refs:
            steps.setdefault(ref.path[0], []).append(ref)
        found = await asyncio.gather(*(self._step(rows, step, asked) for step, asked in steps.items()))
        for step, there in zip(steps, found, strict=True):
            rows = rows.join(there, list(step.on), "left")
        return rows

    async def _step(self, rows: pl.DataFrame, step: Relation, refs: Sequence[Ref]) -> pl.DataFrame:
        """The rows that one step leads to: the first by key where there are several."""
        farther = {ref.label: Ref(ref.column, ref.path[1:]) for ref in refs}
        there = await self.of(covering(rows, step), [*farther.values(), *own_refs(step.table, step.on)])
        there = there.unique(step.on, keep="first", maintain_order=True)
        return there.select([*step.on, *(pl.col(ref.label).alias(label) for label, ref in farther.items())])


def handful(query: Query) -> bool:
    """Whether the query can have few rows only."""
    if query.limit is not None:
        return query.limit * len(query.keys) <= HANDFUL
    return set(query.on) >= set(key_names(query.table)) and len(query.keys) <= HANDFUL


def covering(rows: pl.DataFrame, step: Relation) -> Query:
    """A query for at least the rows that a step leads to: their keys listed, or covered by ranges."""
    keys = rows.select(step.on).unique()
    *same, last = step.on
    if keys.height <= LISTED or not isinstance(step.table.c[last].type, Integer):
        return Query(step.table, step.on, tuple(keys.rows()))
    ranges = keys.group_by(same).agg(low=pl.col(last).min(), high=pl.col(last).max())
    spanned = ranges.select((pl.col("high").cast(pl.Int64) - pl.col("low") + 1).sum()).item()
    if keys.height <= LARGEST_LIST and spanned > SCATTERED * keys.height:
        return Query(step.table, step.on, tuple(keys.rows()))
    return Query(step.table, where=Or(tuple(_range(step.table, step.on, record) for record in ranges.rows())))


def _range(table: Table, on: Sequence[str], record: Sequence[Any]) -> Predicate:
    *same, low, high = record
    last = Ref(table.c[on[-1]])
    equal = (Compare(Ref(table.c[name]), "eq", value) for name, value in zip(on, same, strict=False))
    return And((*equal, Compare(last, "gte", low), Compare(last, "lte", high)))
