"""Queries that name columns no database holds: ``em_position``, beside units.

What the database knows is asked of it, the rest is computed and joined. A filter or an order by a computed column
is worked out here, over the rows that the rest of the query leaves.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

import polars as pl

from gql_nda.apart import apart
from gql_nda.frames import arranged, held, once, own, sizes
from gql_nda.query import And, Key, Predicate, Query, Ref, Relation, Row, refs_of
from gql_nda.stores.positions import INPUTS, PLACE, Positions
from gql_nda.stores.predicates import beyond, expression
from gql_nda.tables import DERIVED, em_position, key_names, narrow, scan_unit

Ask = Callable[[Query, Sequence[Ref]], Awaitable[pl.DataFrame]]
Path = tuple[Relation, ...]


def is_derived(ref: Ref) -> bool:
    """Whether a column is computed."""
    return bool(ref.path) and ref.path[-1].table.name in DERIVED


def concerned(query: Query, refs: Iterable[Ref] = ()) -> bool:
    """Whether a query needs anything that is computed."""
    return query.table.name in DERIVED or any(map(is_derived, (*refs, *_compared(query))))


def _compared(query: Query) -> Iterable[Ref]:
    """The columns that a query filters and sorts by."""
    return (*refs_of(query.where), *(order.ref for order in query.order))


class Derived:
    """Answers such queries; ``ask`` answers those that aren't."""

    def __init__(self, positions: Positions, ask: Ask) -> None:
        self._positions, self._ask = positions, ask

    async def rows(self, query: Query, refs: Sequence[Ref]) -> dict[Key, list[Row]]:
        """The rows of each key, with columns of what stands beside them."""
        columns = own(query, refs)
        frame = await self.columns(query, columns)
        labels = [ref.label for ref in columns]
        return query.grouped(labels, frame.select(labels).iter_rows())

    async def counts(self, query: Query) -> dict[Key, int]:
        """Number of rows of each key."""
        plain = replace(query, order=(), after=None, limit=None)
        rows = await self.columns(plain, ())
        return {key: size for key, size in zip(query.keys, sizes(rows, plain), strict=True) if size}

    async def columns(self, query: Query, refs: Sequence[Ref]) -> pl.DataFrame:
        """The rows of all keys, as a frame."""
        if query.table is em_position:
            return await self._own(query, refs)
        wanted = held(query, refs)
        compared = [ref for ref in _compared(query) if is_derived(ref)]
        if not compared:
            return (await self._complete(query, wanted)).select([ref.label for ref in wanted])
        asked, left = _parted(query.where)
        base = Query(query.table, query.on, query.keys, asked if asked.parts else None)
        rows = await self._complete(base, once([*wanted, *refs_of(left)]), every=True)
        page = await apart(rows.height, _page, rows, query, left)
        return page.select([ref.label for ref in wanted])

    async def _own(self, query: Query, refs: Sequence[Ref]) -> pl.DataFrame:
        """Rows of ``em_position`` itself: units by key."""
        assert query.where is None
        assert not query.order
        units = Query(scan_unit, query.on, query.keys)
        wanted = held(query, refs)
        rows = await self._complete(units, [Ref(ref.column, (PLACE,)) for ref in wanted])
        return rows.select(pl.col(Ref(ref.column, (PLACE,)).label).alias(ref.label) for ref in wanted)

    async def _complete(self, query: Query, refs: Sequence[Ref], *, every: bool = False) -> pl.DataFrame:
        """The query's rows with these columns at least; with ``every``, of the positions of all units."""
        computed = [ref for ref in refs if is_derived(ref)]
        paths = dict.fromkeys(ref.path[:-1] for ref in computed)
        needed = [ref for path in paths for ref in (*_keys(path), *(() if every else _inputs(path)))]
        rows = await self._ask(query, once([*(ref for ref in refs if not is_derived(ref)), *needed]))
        for path in paths:
            rows = await (self._joined(rows, path) if every else self._computed(rows, path))
        return rows

    async def _computed(self, rows: pl.DataFrame, path: Path) -> pl.DataFrame:
        found = await self._positions.of(rows, [ref.label for ref in _inputs(path)])
        present = pl.col(_keys(path)[0].label).is_not_null()
        named = found.rename({name: Ref(em_position.c[name], (*path, PLACE)).label for name in found.columns})
        keys = [pl.col(ref.label).alias(_label(path, ref)) for ref in _keys(path)]
        return rows.with_columns(keys).hstack(named).with_columns(pl.when(present).then(pl.col(named.columns)))

    async def _joined(self, rows: pl.DataFrame, path: Path) -> pl.DataFrame:
        every = await self._positions.every()
        names = {column.name: Ref(column, (*path, PLACE)).label for column in narrow(em_position)}
        there = every.with_columns(pl.col(n).alias(_KEYS.format(n)) for n in PLACE.on).rename(names)
        left, right = [ref.label for ref in _keys(path)], [_KEYS.format(name) for name in PLACE.on]
        return rows.join(there, left_on=left, right_on=right, how="left", maintain_order="left")


_KEYS = "#{}"
"""Names of key columns while frames are joined."""


def _inputs(path: Path) -> list[Ref]:
    """What a position is computed of, reached over a path that leads to a unit."""
    return [Ref(ref.column, (*path, *ref.path)) for ref in INPUTS]


def _keys(path: Path) -> list[Ref]:
    """The key of the unit that a path leads to."""
    return [Ref(scan_unit.c[name], path) for name in key_names(scan_unit)]


def _label(path: Path, key: Ref) -> str:
    """The label of a position's key."""
    return Ref(em_position.c[key.column.name], (*path, PLACE)).label


def _parted(where: Predicate | None) -> tuple[And, And]:
    """What the database can filter by, and what is left."""
    parts = where.parts if isinstance(where, And) else () if where is None else (where,)
    ours = [part for part in parts if any(map(is_derived, refs_of(part)))]
    return And(tuple(part for part in parts if part not in ours)), And(tuple(ours))


def _page(rows: pl.DataFrame, query: Query, left: And) -> pl.DataFrame:
    """The page of each key, of rows in no order, of which some of the query's filters are left to be asked."""
    rows = rows.filter(expression(left)) if left.parts else rows
    rows = rows.filter(expression(beyond(query))) if query.after is not None else rows
    if len(query.keys) > 1 or query.limit is None:
        return arranged(rows, query)
    return arranged(rows, replace(query, limit=None)).head(query.limit)
