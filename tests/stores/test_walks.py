"""Walks over cursors: whatever the filter and the order, each row comes once and in its place."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gql_nda import tables as t
from gql_nda.loaders import Loaders
from gql_nda.query import Key, Order, Planned, Query, Ref, Row, decode_cursor, up
from gql_nda.stores.sql import SqlStore
from gql_nda.tables import key_names
from tests.stores import strategies
from tests.stores.dataset import rows
from tests.stores.reference import REFERENCE, dumped
from tests.stores.strategies import thorough

SIZES = (1, 7, 100)


async def walk(store: SqlStore, planned: Planned) -> list[Row]:
    """The rows of all pages, each page asked for behind the last cursor, as a client does."""
    loaders, found = Loaders(store), list[Row]()
    at = planned
    while True:
        page = await loaders.page(at)
        found += page.rows
        assert len(page.rows) <= planned.first
        if not page.more:
            return found
        after = decode_cursor(planned.cursor(page.rows[-1].at(planned.labels)), planned)
        at = replace(planned, query=replace(planned.query, after=after))
        assert len(found) < 10_000, "the walk doesn't end"


@st.composite
def plans(draw: st.DrawFn) -> Planned:
    """A connection of one parent or of a whole table."""
    query = draw(strategies.queries())
    return Planned(replace(query, keys=query.keys[:1], limit=None), draw(st.sampled_from(SIZES)))


@settings(thorough, max_examples=150)
@given(planned=plans())
async def test_a_walk_meets_each_row_once(planned: Planned, sqlite_store: SqlStore, mariadb_store: SqlStore) -> None:
    expected = dumped(REFERENCE.rows(planned.query))
    for store in (sqlite_store, mariadb_store):
        found = await walk(store, planned)
        assert dumped({planned.query.keys[0]: found} if found else {}) == expected


UNIT_KEYS: list[Key] = [tuple(row[name] for name in key_names(t.scan_unit)) for row in rows()["scan_unit"]]


@st.composite
def lists(draw: st.DrawFn) -> Planned:
    """A connection of listed units, some of them twice, some that there are not."""
    keys = draw(st.lists(st.sampled_from([*UNIT_KEYS, (4, 7, 99_999)]), min_size=1, max_size=40))
    where = draw(st.none() | strategies.predicates(t.scan_unit))
    order = draw(strategies.orders(t.scan_unit))
    query = Query(t.scan_unit, key_names(t.scan_unit), tuple(keys), where, order)
    return Planned(query, draw(st.sampled_from(SIZES)), listed=True)


@settings(thorough, max_examples=150)
@given(planned=lists())
async def test_a_walk_over_listed_keys_meets_each_row_once(
    planned: Planned, sqlite_store: SqlStore, mariadb_store: SqlStore
) -> None:
    expected = listed(planned.query)
    assert [row.key for row in await walk(sqlite_store, planned)] == expected
    assert [row.key for row in await walk(mariadb_store, planned)] == expected


def listed(query: Query) -> list[Key]:
    """The keys in their own order; else in that asked for, in which the primary key breaks ties."""
    names = key_names(query.table)
    whole = REFERENCE.rows(Query(query.table, (), ((),), query.where, query.order)).get((), [])
    sorted_keys = [key for row in whole if (key := tuple(row[n] for n in names)) in query.keys]
    return sorted_keys if query.order else [key for key in dict.fromkeys(query.keys) if key in sorted_keys]


async def test_ties_over_listed_keys_are_walked_through(store: SqlStore) -> None:
    """All units of one field tie; none of them has a cursor that is another's."""
    field = Ref(t.field.c.px_width, (up(t.scan_unit, t.field),))
    query = Query(t.scan_unit, key_names(t.scan_unit), tuple(reversed(UNIT_KEYS)), None, (Order(field),))
    planned = Planned(query, 2, listed=True)
    found: Any = [row.key for row in await walk(store, planned)]
    assert len(found) == len(set(found)) == len(UNIT_KEYS)
