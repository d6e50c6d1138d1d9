"""The answers to queries from a snapshot's data: what a store promises, without a database."""

from collections.abc import Sequence
from functools import lru_cache, partial

import polars as pl
from sqlalchemy import Table

from gql_nda.frames import held, own
from gql_nda.query import Key, Order, Predicate, Query, Ref, Relation, Row
from gql_nda.stores.snapshot.data import Data
from gql_nda.stores.snapshot.selection import Selection, in_order, matched, page
from gql_nda.tables import key_names

HANDFUL = 32
"""Rows that are quicker read one by one than as columns."""

LARGE = 20_000
"""Rows of a table through which a filter or an order takes long enough for others to wait."""

FILTERS = 8
"""Filters and orders of whole tables whose rows are remembered: a page is mostly asked for with its count, and then
the next, which begins where its cursor's row stands among all that are sorted."""


class Answers:
    """Answers from one snapshot."""

    def __init__(self, data: Data) -> None:
        self._data = data
        self._of_table = lru_cache(FILTERS)(lambda table, where: matched(data, Query(table, where=where)))
        self._in_order = lru_cache(FILTERS)(self._whole)

    def slow(self, query: Query) -> bool:
        """Whether the query is better answered in a thread."""
        worked = query.where is not None or query.after is not None or bool(query.order)
        many = not query.on or len(query.keys) > HANDFUL
        return worked and many and self._data.height(query.table) > LARGE

    def row(self, relation: Relation, key: Key, refs: Sequence[Ref]) -> Row | None:
        """Some columns of the first row of a relation's key, by primary key, and of what stands beside it."""
        return self._data.row(relation, key, refs)

    def rows(self, query: Query, refs: Sequence[Ref] = ()) -> dict[Key, list[Row]]:
        """The rows of each key."""
        if _lookup(query):
            columns = own(query, refs)
            found = {key: self.row(query.relation, key, columns) for key in query.keys}
            return {key: [row] for key, row in found.items() if row is not None}
        chosen = self._page(query)
        columns = own(query, refs)
        labels = [ref.label for ref in columns]
        records = self._frame(query, columns, chosen).iter_rows()
        rows = [Row(query.table, dict(zip(labels, record, strict=True))) for record in records]
        return _split(query, rows, chosen)

    def columns(self, query: Query, refs: Sequence[Ref]) -> pl.DataFrame:
        """The rows of all keys, as a frame."""
        return self._frame(query, held(query, refs), self._page(query))

    def counts(self, query: Query) -> dict[Key, int]:
        """Number of rows of each key."""
        sizes = self._matched(query).sizes.tolist()
        return {key: size for key, size in zip(dict.fromkeys(query.keys), sizes, strict=True) if size}

    def largest(self, relation: Relation) -> int:
        """Number of rows of the relation's largest group."""
        return self._data.index(relation).largest if relation.on else self._data.height(relation.table)

    def _matched(self, query: Query) -> Selection:
        remembered = query.keys == ((),) and query.where is not None
        return self._of_table(query.table, query.where) if remembered else matched(self._data, query)

    def _whole(self, table: Table, where: Predicate | None, order: tuple[Order, ...]) -> Selection:
        query = Query(table, where=where, order=order)
        return in_order(self._data, query, self._matched(query))

    def _page(self, query: Query) -> Selection:
        remembered = query.keys == ((),) and query.order
        ordered = partial(self._in_order, query.table, query.where, query.order) if remembered else None
        return page(self._data, query, self._matched(query), ordered)

    def _frame(self, query: Query, refs: Sequence[Ref], chosen: Selection) -> pl.DataFrame:
        return pl.DataFrame([self._data.column(query.table, ref, chosen.rows) for ref in refs])


def _lookup(query: Query) -> bool:
    """Whether the query names a few rows by primary key, and nothing else."""
    named = query.on == key_names(query.table) and len(query.keys) <= HANDFUL
    return named and query.where is None and query.after is None and not query.order and query.limit != 0


def _split(query: Query, rows: list[Row], chosen: Selection) -> dict[Key, list[Row]]:
    """The rows key by key; a key without rows is absent."""
    groups: dict[Key, list[Row]] = {}
    start = 0
    for key, size in zip(dict.fromkeys(query.keys), chosen.sizes.tolist(), strict=True):
        if size:
            groups[key] = rows[start : start + size]
        start += size
    return groups
