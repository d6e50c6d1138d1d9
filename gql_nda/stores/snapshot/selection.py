"""Which rows a query means, as numbers of rows: found by key, filtered, sorted, cut."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gql_nda.query import Order, Predicate, Query, by_key, refs_of
from gql_nda.stores.predicates import beyond, expression
from gql_nda.stores.snapshot.data import Data
from gql_nda.stores.snapshot.index import Numbers, Rows

Floats = NDArray[np.float64]
"""What rows are sorted by, the smallest first: NaN stands for null, and comes last."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Rows of a query's keys, one key's after the other's; ``sizes`` is how many each key has."""

    rows: Rows
    sizes: Numbers

    def __len__(self) -> int:
        return int(self.sizes.sum())

    @property
    def groups(self) -> Numbers:
        """Of each row the position of its key."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    def where(self, kept: NDArray[np.bool_]) -> "Selection":
        """Some of the rows, in their places."""
        rows = numbers(self.rows).filter(pl.Series(kept))
        return Selection(rows, self._sizes(kept) if len(self.sizes) != 1 else np.array([len(rows)]))

    def at(self, positions: NDArray[np.intp]) -> "Selection":
        """Some of the rows, each key's still together."""
        return Selection(numbers(self.rows).gather(pl.Series(positions.astype(np.uint32))), self._sizes(positions))

    def _sizes(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Numbers:
        return np.bincount(self.groups[chosen], minlength=len(self.sizes))

    def head(self, limit: int) -> "Selection":
        """The first rows of each key."""
        if isinstance(self.rows, slice):  # one key's
            stop = min(self.rows.stop, self.rows.start + limit)
            return Selection(slice(self.rows.start, stop), np.minimum(self.sizes, limit))
        within = np.arange(len(self)) - np.repeat(np.cumsum(self.sizes) - self.sizes, self.sizes)
        return self.where(within < limit)


def numbers(rows: Rows) -> pl.Series:
    """The numbers of rows, one by one."""
    return pl.int_range(rows.start, rows.stop, dtype=pl.UInt32, eager=True) if isinstance(rows, slice) else rows


def page(data: Data, query: Query, matching: Selection, ordered: Callable[[], Selection] | None = None) -> Selection:
    """Of the rows that match the query's filter the page of each key; ``ordered`` has them all in its order."""
    if query.after is not None and len(query.keys) == 1:
        known = ordered() if ordered else None if query.order else matching
        if known is not None and (rest := _rest(data, query, known)) is not None:
            return rest if query.limit is None else rest.head(query.limit)
    behind = matching if query.after is None else _kept(data, query, matching, beyond(query))
    chosen = in_order(data, query, behind)
    return chosen if query.limit is None else chosen.head(query.limit)


def _rest(data: Data, query: Query, ordered: Selection) -> Selection | None:
    """The rows behind the cursor's, where its row is among them as it was: no more is compared than numbers of rows."""
    at = _row_of_cursor(data, query)
    if at is None:
        return None
    if isinstance(ordered.rows, slice):
        here = ordered.rows.start <= at < ordered.rows.stop
        return Selection(slice(at + 1, ordered.rows.stop), np.array([ordered.rows.stop - at - 1])) if here else None
    place = np.flatnonzero(ordered.rows.to_numpy() == at)
    rest = ordered.rows[int(place[0]) + 1 :] if len(place) else None
    return None if rest is None else Selection(rest, np.array([len(rest)]))


def _row_of_cursor(data: Data, query: Query) -> int | None:
    """The row that a cursor was made of, if it still has those values."""
    labels = [order.ref.label for order in query.ordering]
    known = {**dict(zip(query.on, query.keys[0], strict=True)), **dict(zip(labels, query.after or (), strict=True))}
    relation = by_key(query.table)
    key = tuple(known[name] for name in relation.on)
    row = data.row(relation, key, [order.ref for order in query.ordering])
    return data.index(relation).find(key) if row is not None and row.at(labels) == query.after else None


def matched(data: Data, query: Query) -> Selection:
    """The rows of each of the query's distinct keys that match its filter, by primary key."""
    found = candidates(data, query)
    return found if query.where is None else _kept(data, query, found, query.where)


def _kept(data: Data, query: Query, found: Selection, predicate: Predicate) -> Selection:
    columns = {ref.label: data.column(query.table, ref, found.rows) for ref in refs_of(predicate)}
    kept = pl.DataFrame(columns).select(expression(predicate)).to_series().fill_null(False).to_numpy()
    return found.where(np.broadcast_to(kept, len(found)))  # a predicate that compares no column is one value


def candidates(data: Data, query: Query) -> Selection:
    """All rows of each of the query's distinct keys, by primary key."""
    keys = list(dict.fromkeys(query.keys))
    if not query.on:
        height = data.height(query.table) if keys else 0
        return Selection(slice(0, height), np.full(len(keys), height))
    if not keys:
        return Selection(slice(0, 0), np.zeros(0, np.int64))
    index = data.index(query.relation)
    starts, stops = index.spans(keys)
    return Selection(index.rows(starts, stops), stops - starts)


# --- order ----------------------------------------------------------------------------------------


def in_order(data: Data, query: Query, found: Selection) -> Selection:
    """The rows in the query's order, at least as many as its page has: rows stand by primary key before."""
    asked = query.ordering[: len({order.ref.label for order in query.order})]
    if not asked:
        return found
    if query.limit is not None and len(found.sizes) == 1:
        columns = [partial(_sortable, data, query, order, found.rows) for order in asked]
        found = found.at(np.sort(smallest(columns, np.arange(len(found)), query.limit)))
    by = [_sortable(data, query, order, found.rows) for order in asked]
    return found.at(np.lexsort([*reversed(by), found.groups]))


def _sortable(data: Data, query: Query, order: Order, rows: Rows) -> Floats:
    column = data.sortable(query.table, order.ref, rows).cast(pl.Float64).to_numpy()
    return -column if order.descending else column


def smallest(columns: Sequence[Callable[[], Floats]], at: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """The positions, in no order, of those that come first by some columns, then by position.

    Linear: all before the last of them by the first column, and as many of its ties as are wanted.
    """
    if len(at) <= count or not columns or not count:
        return at[:count]
    values = columns[0]()[at]
    last = np.partition(values, count - 1)[count - 1]
    before, ties = (~np.isnan(values), np.isnan(values)) if np.isnan(last) else (values < last, values == last)
    return np.concatenate([at[before], smallest(columns[1:], at[ties], count - int(before.sum()))])
