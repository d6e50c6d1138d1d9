"""Generated queries: both stores answer as the plain-Python reference, to the byte."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from gql_nda.query import Query
from gql_nda.stores.sql import SqlStore
from tests.stores.reference import REFERENCE, dumped
from tests.stores.strategies import queries, thorough


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
