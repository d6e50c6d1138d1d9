"""Generated queries: both stores answer as the plain-Python reference, to the byte."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gql_nda.query import Key, Query
from gql_nda.stores.sql import SqlStore
from tests.stores import strategies
from tests.stores.dataset import rows
from tests.stores.reference import Reference

REFERENCE = Reference(rows())

thorough = settings(
    deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def dumped(answer: Mapping[Key, Any]) -> bytes:
    """An answer as bytes; the order of its keys means nothing, that of rows and columns does."""
    return orjson.dumps(sorted((orjson.dumps(key).decode(), plain(value)) for key, value in answer.items()))


def plain(value: Any) -> Any:
    """Rows as dicts whose names are no subclass of str."""
    return [{f"{name}": v for name, v in row.items()} for row in value] if isinstance(value, list) else value


@thorough
@given(query=strategies.queries(REFERENCE))
async def test_both_stores_answer_as_the_reference(
    query: Query, sqlite_store: SqlStore, mariadb_store: SqlStore
) -> None:
    expected = dumped(REFERENCE.rows(query))
    assert dumped(await sqlite_store.rows(query)) == expected
    assert dumped(await mariadb_store.rows(query)) == expected


@settings(thorough, max_examples=300)
@given(query=strategies.queries(REFERENCE))
async def test_both_stores_count_as_the_reference(
    query: Query, sqlite_store: SqlStore, mariadb_store: SqlStore
) -> None:
    expected = dumped(REFERENCE.counts(query))
    assert dumped(await sqlite_store.counts(query)) == expected
    assert dumped(await mariadb_store.counts(query)) == expected


@settings(thorough, max_examples=300)
@given(query=strategies.queries(REFERENCE), data=st.data())
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
