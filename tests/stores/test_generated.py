"""Generated queries: both stores answer as the plain-Python reference, to the byte."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from gql_nda.frames import held, schema
from gql_nda.query import Query
from gql_nda.stores.sql import SqlStore
from tests.stores.reference import REFERENCE, dumped
from tests.stores.strategies import queries, refs, thorough


@thorough
@given(query=queries())
async def test_both_stores_answer_as_the_reference(
    query: Query, sqlite_store: SqlStore, mariadb_store: SqlStore
) -> None:
    expected = dumped(REFERENCE.rows(query))
    assert dumped(await sqlite_store.rows(query)) == expected
    assert dumped(await mariadb_store.rows(query)) == expected


@settings(thorough, max_examples=300)
@given(query=queries())
async def test_both_stores_count_as_the_reference(
    query: Query, sqlite_store: SqlStore, mariadb_store: SqlStore
) -> None:
    expected = dumped(REFERENCE.counts(query))
    assert dumped(await sqlite_store.counts(query)) == expected
    assert dumped(await mariadb_store.counts(query)) == expected


@settings(thorough, max_examples=300)
@given(query=queries(), data=st.data())
async def test_both_stores_go_on_behind_a_row_as_the_reference(
    query: Query, data: st.DataObject, sqlite_store: SqlStore, mariadb_store: SqlStore
) -> None:
    pages = REFERENCE.rows(replace(query, limit=None))
    positions = [tuple(row[o.ref.label] for o in query.ordering) for rows in pages.values() for row in rows]
    if not positions:
        return
    query = replace(query, after=data.draw(st.sampled_from(positions)))
    expected = dumped(REFERENCE.rows(query))
    assert dumped(await sqlite_store.rows(query)) == expected
    assert dumped(await mariadb_store.rows(query)) == expected


@settings(thorough, max_examples=200)
@given(query=queries())
async def test_the_text_protocol_makes_no_difference(query: Query, text_store: SqlStore) -> None:
    assert dumped(await text_store.rows(query)) == dumped(REFERENCE.rows(query))
    assert dumped(await text_store.counts(query)) == dumped(REFERENCE.counts(query))


@settings(thorough, max_examples=300)
@given(query=queries(), data=st.data())
async def test_columns_are_those_of_the_rows(
    query: Query, data: st.DataObject, sqlite_store: SqlStore, mariadb_store: SqlStore
) -> None:
    asked = data.draw(st.lists(refs(query.table), max_size=4))
    expected = [[row[ref.label] for ref in held(query, asked)] for row in REFERENCE.beside(query, asked)]
    for store in (sqlite_store, mariadb_store):
        frame = await store.columns(query, asked)
        assert frame.schema == schema(held(query, asked))
        assert list(map(list, frame.rows())) == expected


@settings(thorough, max_examples=200)
@given(query=queries(), data=st.data())
async def test_rows_hold_what_stands_beside_them(
    query: Query, data: st.DataObject, sqlite_store: SqlStore, mariadb_store: SqlStore
) -> None:
    asked = data.draw(st.lists(refs(query.table), max_size=4))
    expected = [{ref.label: row[ref.label] for ref in asked} for row in REFERENCE.beside(query, asked)]
    for store in (sqlite_store, mariadb_store):
        found = await store.rows(query, asked)
        rows = [row for key in dict.fromkeys(query.keys) for row in found.get(key, [])]
        assert [{ref.label: row[ref.label] for ref in asked} for row in rows] == expected
