"""Every statement that the stores send is looked at: what MySQL 5.7 takes, bounded, and few."""

import re
from collections.abc import AsyncIterator
from math import ceil

import pytest
from hypothesis import given, settings
from sqlalchemy import Table, create_engine

from gql_nda import tables as t
from gql_nda.query import Compare, Key, Order, Query, Ref, up
from gql_nda.stores.sql import SqlStore
from gql_nda.stores.statements import padded
from gql_nda.tables import TABLES, is_blob, key_names
from tests.stores.conftest import FOREIGN, fill
from tests.stores.dataset import Rows
from tests.stores.reference import REFERENCE
from tests.stores.strategies import queries, thorough
from tests.support.client import Statements
from tests.support.mariadb import ADMIN, MariaDb


def code(statement: str) -> str:
    """A statement on one line, without the names it quotes."""
    return " ".join(re.sub(r"`[^`]*`|\"[^\"]*\"", "name", statement).split())


@pytest.fixture(scope="session")
def sent(sqlite_store: SqlStore, mariadb_store: SqlStore) -> dict[str, Statements]:
    """The statements of each store, by its dialect."""
    return {store.engine.dialect.name: Statements(store) for store in (sqlite_store, mariadb_store)}


# --- any query ------------------------------------------------------------------------------------


@settings(thorough, max_examples=300)
@given(query=queries())
async def test_statements_of_any_query(
    query: Query, sqlite_store: SqlStore, mariadb_store: SqlStore, sent: dict[str, Statements]
) -> None:
    for store in (sqlite_store, mariadb_store):
        statements = sent[store.engine.dialect.name]
        statements.clear()
        await store.rows(query)
        assert len(statements) == (1 if query.keys else 0)  # the keys of these queries fit one statement
        rows = code(statements[0])
        statements.clear()
        await store.counts(query)
        assert len(statements) == 1
        for statement in (rows, code(statements[0])):
            assert statement.startswith("SELECT ")
            assert not FOREIGN.search(statement), statement
            assert not [c.name for c in query.table.c if is_blob(c) and f".{c.name}" in statement], statement
        if query.limit is not None and (query.relation.indexed or len(set(query.keys)) == 1):
            assert rows.count("LIMIT") == width(query)


def width(query: Query) -> int:
    """Number of pages in the statement: those of the keys, filled up to a power of two."""
    return len(next(iter(padded(list(dict.fromkeys(query.keys))))))


# --- many keys ------------------------------------------------------------------------------------

MANY: list[Key] = [(4, 7, number) for number in range(3000)]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 160, 1000, 1024, 1025, 3000])
async def test_keys_come_in_few_lists_of_few_lengths(store: SqlStore, statements: Statements, count: int) -> None:
    keys = tuple(MANY[:count])
    await store.rows(Query(t.scan_unit, key_names(t.scan_unit), keys))
    await store.counts(Query(t.oracle, key_names(t.oracle), keys))
    await store.heads(t.activity.c.trace, keys)
    await store.blobs(t.activity.c.trace, keys)
    assert len(statements) == 4 * ceil(count / 1024)
    for statement in map(code, statements):
        number = max(1, statement.count("(?, ?, ?)") + statement.count("(%s, %s, %s)"))
        assert number & (number - 1) == 0, f"{number} keys in one list"
        assert number <= 1024


def test_lists_are_padded_with_a_key_that_is_in_them() -> None:
    for count in (1, 2, 3, 7, 1000, 1024, 1025, 2500):
        pieces = list(padded(list(range(count))))
        assert {len(piece) for piece in pieces} <= {2**n for n in range(11)}
        assert sorted({item for piece in pieces for item in piece}) == list(range(count))


@pytest.mark.parametrize("count", [2, 3, 160, 1000])
async def test_pages_of_many_parents_come_in_few_statements(
    store: SqlStore, statements: Statements, count: int
) -> None:
    keys = tuple((4, 7, number) for number in range(count))
    order = (Order(Ref(t.oracle.c.pearson, (up(t.scan_unit, t.oracle),)), descending=True),)
    await store.rows(Query(t.scan_unit, ("session", "scan_idx", "field"), keys, order=order, limit=6))
    assert len(statements) == ceil(count / store.dialect.unions)
    limits = [statement.count("LIMIT") for statement in statements]
    assert all(number & (number - 1) == 0 for number in limits)
    assert sum(limits) < 2 * count + 1


@pytest.mark.parametrize("listed", [1, 100, 1000])
async def test_a_long_list_in_where_leaves_room_for_many_parents(
    store: SqlStore, statements: Statements, listed: int
) -> None:
    """Each page of a union repeats the filter; a server takes 65,535 parameters, SQLite 32,766."""
    keys = tuple({(row["session"], row["scan_idx"], row["field"]) for row in REFERENCE.all(t.field)})
    keys += tuple((1, 1, number) for number in range(284))
    where = Compare(Ref(t.scan_unit.c.unit_id), "in", tuple(range(0, listed * 2, 2)))
    query = Query(t.scan_unit, ("session", "scan_idx", "field"), keys, where, limit=3)
    assert await store.rows(query) == REFERENCE.rows(query)
    assert max(statement.count("?") + statement.count("%s") for statement in statements) <= store.dialect.parameters
    fitting = store.dialect.parameters // (4 * listed + 20)  # far from one parent a statement
    assert len(statements) <= ceil(2 * len(keys) / min(fitting, store.dialect.unions))


async def test_a_filter_may_have_more_values_than_a_statement_parameters(store: SqlStore) -> None:
    """MySQL prepares no statement of more than 65,535; the driver then sends it as text."""
    where = Compare(Ref(t.scan_unit.c.unit_id), "in", tuple(range(0, 140_000, 2)))
    query = Query(t.scan_unit, where=where, order=(Order(Ref(t.oracle.c.pearson, (up(t.scan_unit, t.oracle),))),))
    assert await store.rows(query) == REFERENCE.rows(query)


# --- blobs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [t.activity, t.trial, t.clip, t.registration], ids=lambda table: table.name)
async def test_a_blob_never_comes_first(store: SqlStore, statements: Statements, table: Table) -> None:
    """Or asyncmy's text protocol loses rows whose first column is of 16 MiB or more."""
    (column, *_) = [c for c in table.c if is_blob(c)]
    key = REFERENCE.all(table)[0]
    keys = [tuple(key[name] for name in key_names(table))]
    await store.heads(column, keys)
    await store.blobs(column, keys)
    _ = [piece async for piece in store.chunks(column, keys[0], 100)]
    for statement in statements:
        selected = statement.partition("FROM")[0].replace("SELECT ", "", 1).split(", ")
        assert [name.split(".")[-1].strip() for name in selected[: len(keys[0])]] == list(key_names(table))


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
async def test_rows_leave_blobs_where_they_are(store: SqlStore, statements: Statements, table: Table) -> None:
    await store.rows(Query(table))
    assert not [c.name for c in table.c if is_blob(c) and f".{c.name}" in statements[0]]


# --- rows read ------------------------------------------------------------------------------------

PARENTS, CHILDREN, PAGE = 1000, 60, 6


@pytest.fixture(scope="module")
def wide(mariadb: MariaDb) -> str:
    """URL of a database of a thousand scans with sixty fields each."""
    name = mariadb.create("wide")
    sizes = {"px_width": 1, "px_height": 1, "um_width": 1, "um_height": 1, "field_x": 1, "field_y": 1}
    fields = [
        {"session": session, "scan_idx": 1, "field": field, **sizes, "field_z": field % 7}
        for session in range(PARENTS)
        for field in range(CHILDREN)
    ]
    scans = [{"session": session, "scan_idx": 1, "nframes": 1, "nfields": 1, "fps": 1} for session in range(PARENTS)]
    rows: Rows = {"scan": scans, "field": fields}
    fill(create_engine(mariadb.url(name, user=ADMIN, driver="mysql+pymysql")), rows)
    return mariadb.url(name)


def rows_read(mariadb: MariaDb) -> int:
    """Rows that the server has read since it began."""
    return sum(int(value) for _, value in mariadb.execute("SHOW GLOBAL STATUS LIKE 'Handler_read%'"))


@pytest.fixture
async def wide_store(wide: str) -> AsyncIterator[SqlStore]:
    store = SqlStore(wide)
    await store.rows(Query(t.scan, limit=1))  # connects
    yield store
    await store.close()


async def test_rows_read_stay_near_rows_returned(mariadb: MariaDb, wide_store: SqlStore) -> None:
    keys = tuple((session, 1) for session in range(PARENTS))
    before = rows_read(mariadb)
    pages = await wide_store.rows(Query(t.field, ("session", "scan_idx"), keys, limit=PAGE))
    read = rows_read(mariadb) - before
    assert {key: [row["field"] for row in rows] for key, rows in pages.items()} == {
        key: list(range(PAGE)) for key in keys
    }
    returned = PARENTS * PAGE
    assert returned <= read <= 5 * returned < PARENTS * CHILDREN


async def test_rows_by_key_read_little_else(mariadb: MariaDb, wide_store: SqlStore) -> None:
    keys = tuple((session, 1, 7) for session in range(PARENTS))
    before = rows_read(mariadb)
    found = await wide_store.rows(Query(t.field, key_names(t.field), keys))
    read = rows_read(mariadb) - before
    assert set(found) == set(keys)
    assert PARENTS <= read <= 5 * PARENTS < PARENTS * CHILDREN
