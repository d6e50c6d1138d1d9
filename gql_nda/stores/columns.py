"""Frames from a database of which every statement costs.

A few rows come with all that stands beside them in one statement of joins. Of many, the query's own
table is read first, then each table beside it by ranges of its key, in parallel, and Polars joins them:
one statement with all the joins would cost the database more, and lists of thousands of keys as well.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import polars as pl
from sqlalchemy import Integer, Table

from gql_nda.apart import apart
from gql_nda.frames import arranged, dtype, frame, held, once, own_refs
from gql_nda.query import And, Compare, Or, Predicate, Query, Ref, Relation
from gql_nda.stores.statements import LARGEST_LIST
from gql_nda.tables import key_names

HANDFUL = 16
"""Rows that are better read with joins."""

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
        own = [ref for ref in wanted if ref not in beside]
        rows = await self._read(query, own, beside, {}, lambda rows: arranged(rows, query))
        return rows.select([ref.label for ref in wanted])

    async def _read(
        self,
        query: Query,
        own: Sequence[Ref],
        beside: Sequence[Ref],
        known: Mapping[str, Any],
        arrange: Callable[[pl.DataFrame], pl.DataFrame],
    ) -> pl.DataFrame:
        """The rows with columns of theirs and of those beside them; columns that are ``known`` aren't read."""
        known = {**known, **_known(query)}
        links = [Ref(query.table.c[name]) for ref in beside for name in ref.path[0].on]
        asked = once([*own, *links])
        read = [ref for ref in asked if ref.label not in known] or asked[:1]  # something tells the rows' number
        records = await self._ask(query, read)
        same = [_constant(ref, known[ref.label]) for ref in asked if ref not in read]
        rows = await apart(len(records), lambda: arrange(frame(read, records).with_columns(same)))
        return await self._beside(rows, beside)

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
        key = key_names(step.table)
        alone = set(key) <= set(step.on)

        def first(there: pl.DataFrame) -> pl.DataFrame:
            return there if alone else there.sort(key).unique(step.on, keep="first", maintain_order=True)

        own = [ref for ref in farther.values() if not ref.path]
        own += own_refs(step.table, step.on if alone else dict.fromkeys((*step.on, *key)))
        query, known = covering(rows, step)
        there = await self._read(query, own, [ref for ref in farther.values() if ref.path], known, first)
        return there.select([*step.on, *(pl.col(ref.label).alias(label) for label, ref in farther.items())])


def handful(query: Query) -> bool:
    """Whether the query can have few rows only."""
    if query.limit is not None:
        return query.limit * len(query.keys) <= HANDFUL
    return set(query.on) >= set(key_names(query.table)) and len(query.keys) <= HANDFUL


def covering(rows: pl.DataFrame, step: Relation) -> tuple[Query, dict[str, Any]]:
    """A query for at least the rows that a step leads to, and what they have in common.

    Their keys are covered by ranges, unless they are texts or lie too far apart: then they are listed.
    """
    *same, last = step.on
    if rows.height and isinstance(step.table.c[last].type, Integer):
        ends = {"low": pl.col(last).min(), "high": pl.col(last).max()}
        ranges = rows.group_by(same).agg(**ends) if same else rows.select(**ends)
        spanned = int((ranges["high"].cast(pl.Int64) - ranges["low"] + 1).sum())
        if spanned <= SCATTERED * rows.height or rows.height > LARGEST_LIST:
            where = Or(tuple(_range(step.table, step.on, record) for record in ranges.rows()))
            return Query(step.table, where=where), _common(ranges.select(same))
    return Query(step.table, step.on, tuple(rows.select(step.on).unique().rows())), {}


def _common(rows: pl.DataFrame) -> dict[str, Any]:
    """The columns that have one value in all rows, and it."""
    return {column.name: column[0] for column in rows if column.n_unique() == 1}


def _known(query: Query) -> dict[str, Any]:
    """The columns whose values a query of one key tells; not texts, which its table may write otherwise."""
    if len(query.keys) != 1:
        return {}
    return {name: value for name, value in zip(query.on, query.keys[0], strict=True) if isinstance(value, int)}


def _constant(ref: Ref, value: int) -> pl.Expr:
    """A column that tells nothing new; of no rows, where its type can't hold the value."""
    return pl.lit(value).cast(dtype(ref.column), strict=False).alias(ref.label)


def _range(table: Table, on: Sequence[str], record: Sequence[Any]) -> Predicate:
    *same, low, high = record
    last = Ref(table.c[on[-1]])
    equal = (Compare(Ref(table.c[name]), "eq", value) for name, value in zip(on, same, strict=False))
    return And((*equal, Compare(last, "gte", low), Compare(last, "lte", high)))
