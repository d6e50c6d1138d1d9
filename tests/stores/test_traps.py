"""Traps of the driver and the server that were measured once: each would come back without a sound."""

import asyncio
import math
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Table, create_engine, insert, select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError

from gql_nda import tables as t
from gql_nda.errors import Timeout
from gql_nda.query import Compare, Key, Order, Query, Ref
from gql_nda.stores.dialects import SQLITE, Deadlines
from gql_nda.stores.sql import SqlStore
from gql_nda.tables import TABLES, Float32, key_names, narrow
from tests.stores.conftest import fill
from tests.stores.dataset import Rows
from tests.stores.reference import REFERENCE
from tests.support.mariadb import ADMIN, MariaDb

MB = 1 << 20


@asynccontextmanager
async def opened(url: str, deadlines: Deadlines | None = None) -> AsyncIterator[SqlStore]:
    store = SqlStore(url, deadlines=deadlines)
    await store.start()
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture(params=["prepared", "refused"])
def prepared(request: pytest.FixtureRequest, mariadb: MariaDb) -> Iterator[str]:
    """The server prepares statements, or has no room for more: the driver then takes its text protocol."""
    (most,) = mariadb.execute("SELECT @@GLOBAL.max_prepared_stmt_count")[0]
    if request.param == "refused":
        mariadb.execute("SET GLOBAL max_prepared_stmt_count = 0")
    yield str(request.param)
    mariadb.execute(f"SET GLOBAL max_prepared_stmt_count = {most}")


# --- large rows -----------------------------------------------------------------------------------

SIZES = (10, 17 * MB, 0, 20, 40 * MB, 16 * MB - 1, 16 * MB, 30)


def content(number: int) -> bytes:
    """Bytes of which no piece stands for another."""
    return np.random.default_rng(number).bytes(SIZES[number])


@pytest.fixture(scope="module")
def heavy(mariadb: MariaDb) -> str:
    """URL of a database with rows of many megabytes between small ones."""
    name = mariadb.create("heavy")
    rows = [{"session": 1, "scan_idx": 1, "unit_id": n, "trace": content(n)} for n in range(len(SIZES))]
    fill(create_engine(mariadb.url(name, user=ADMIN, driver="mysql+pymysql")), {"activity": rows})
    return mariadb.url(name)


KEYS: list[Key] = [(1, 1, number) for number in range(len(SIZES))]


async def test_rows_of_many_megabytes_come_whole_and_all(heavy: str, prepared: str) -> None:
    async with opened(heavy) as store:
        found = await store.blobs(t.activity.c.trace, KEYS)
        assert [len(found[key]) for key in KEYS] == list(SIZES)
        assert all(blob == content(key[-1]) for key, blob in found.items())
        heads = await store.heads(t.activity.c.trace, KEYS)
        assert {key: head.size for key, head in heads.items()} == {key: SIZES[key[-1]] for key in KEYS}
        assert all(head.prefix == content(key[-1])[:512] for key, head in heads.items())


@pytest.mark.parametrize("size", [5 * MB, 16 * MB, 64 * MB])
async def test_pieces_of_many_megabytes_come_whole_and_all(heavy: str, prepared: str, size: int) -> None:
    async with opened(heavy) as store:
        for key in KEYS:
            pieces = [piece async for piece in store.chunks(t.activity.c.trace, key, size)]
            assert b"".join(pieces) == content(key[-1])
            assert all(len(piece) == size for piece in pieces[:-1])


async def test_even_a_large_first_column_comes(heavy: str) -> None:
    """The binary protocol has no trap there; nothing of ours selects a blob first all the same."""
    async with opened(heavy) as store, store.engine.connect() as connection:
        blob_first = select(t.activity.c.trace, t.activity.c.unit_id).order_by(t.activity.c.unit_id)
        rows = (await connection.execute(blob_first)).all()
    assert [(len(trace), number) for trace, number in rows] == [(SIZES[n], n) for n in range(len(SIZES))]


# --- floats ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "table",
    [table for table in TABLES.values() if any(isinstance(c.type, Float32) for c in table.c)],
    ids=lambda table: table.name,
)
async def test_floats_are_those_inserted_to_the_bit(
    store: SqlStore, inserted: Rows, table: Table, prepared: str
) -> None:
    """In statements without parameters, by key, and in pages of several parents."""
    floats = [c.name for c in narrow(table) if isinstance(c.type, Float32)]
    name = table.name.lstrip("#")
    expected = {
        tuple(row[n] for n in key_names(table)): [np.float32(row[c]).tobytes() for c in floats]
        for row in inserted[name]
    }
    keys = tuple(expected)
    parent = key_names(table)[:-1]
    parents = tuple(dict.fromkeys(key[:-1] for key in keys))
    # the session's connections hold statements that were prepared before: these are others
    async with opened(store.engine.url.render_as_string(hide_password=False)) as fresh:
        for query in (Query(table), Query(table, key_names(table), keys), Query(table, parent, parents, limit=1000)):
            found = [row for rows in (await fresh.rows(query)).values() for row in rows]
            bits = {row.key: [np.float32(row[c]).tobytes() for c in floats] for row in found}
            assert bits == expected
            assert all(float(np.float32(row[c])) == row[c] for row in found for c in floats)


NEAR = st.floats(width=32, allow_nan=False).map(lambda value: math.nextafter(value, math.inf))
HALFWAY = st.floats(width=32, allow_nan=False, allow_infinity=False).map(
    lambda value: (value + float(np.nextafter(np.float32(value), np.float32(np.inf)))) / 2
)


@given(st.lists(st.floats(allow_nan=False) | st.floats(width=32, allow_nan=False) | NEAR | HALFWAY, min_size=1))
def test_sqlite_compares_floats_as_float32(values: list[float]) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.create_function("single", 1, SQLITE.functions["single"], deterministic=True)
        connection.execute("CREATE TABLE oracle (pearson FLOAT)")
        connection.executemany("INSERT INTO oracle VALUES (?)", [(value,) for value in [*values, None]])
        statement = select(SQLITE.single(t.oracle.c.pearson))  # type: ignore[misc]
        found = [value for (value,) in connection.execute(str(statement.compile(dialect=sqlite.dialect())))]
    with np.errstate(over="ignore"):
        assert found == [*np.array(values).astype(np.float32).astype(float), None]


@pytest.mark.parametrize("shown", [0.1, 0.3, float(np.float32(0.3)), 8.617541313171387, 1e-45, 16777217.0])
async def test_a_float_finds_itself(store: SqlStore, text_store: SqlStore, shown: float) -> None:
    """What a column shows, and what was meant by it, both match it."""
    alike = [row for row in REFERENCE.all(t.stack_unit) if row["motor_x"] == float(np.float32(shown))]
    assert alike
    for asked in (store, text_store):
        found = await asked.rows(Query(t.stack_unit, where=Compare(Ref(t.stack_unit.c.motor_x), "eq", shown)))
        assert found == {(): sorted(alike, key=lambda row: [row[name] for name in key_names(t.stack_unit)])}


# --- hashes ---------------------------------------------------------------------------------------

HASHES = ("KXdTNAGMo1gCWz2Ge8zr", "kxdtnagmo1gcwz2ge8zr", "KXDTNAGMO1GCWZ2GE8ZR")


def shown(inserted: Rows, *hashes: str) -> list[Key]:
    """Keys of the trials that showed one of the conditions."""
    names = key_names(t.trial)
    return sorted(tuple(row[n] for n in names) for row in inserted["trial"] if row["condition_hash"] in hashes)


@pytest.mark.parametrize("name", HASHES)
async def test_hashes_that_differ_by_case_are_told_apart(store: SqlStore, inserted: Rows, name: str) -> None:
    column = Ref(t.trial.c.condition_hash)
    expected = shown(inserted, name)
    assert 2 <= len(expected) < len(shown(inserted, *HASHES))

    where = [Compare(column, "eq", name), Compare(column, "in", (name, "other")), Compare(column, "startsWith", name)]
    for compare in where:
        rows = (await store.rows(Query(t.trial, where=compare)))[()]
        assert [row.key for row in rows] == expected
        assert await store.counts(Query(t.trial, where=compare)) == {(): len(expected)}

    alone = Query(t.trial, ("condition_hash",), ((name,),))
    first = (await store.rows(Query(t.trial, ("condition_hash",), ((name,),), limit=2)))[(name,)]
    assert [row.key for row in first] == expected[:2]
    assert [row.key for row in (await store.rows(alone))[(name,)]] == expected
    assert await store.counts(alone) == {(name,): len(expected)}


@pytest.mark.parametrize("limit", [None, 1, 100])
async def test_children_of_hashes_that_differ_by_case_are_their_own(
    store: SqlStore, inserted: Rows, limit: int | None
) -> None:
    keys = tuple((name,) for name in HASHES)
    found = await store.rows(Query(t.trial, ("condition_hash",), keys, limit=limit))
    assert {key: [row.key for row in rows] for key, rows in found.items()} == {
        (name,): shown(inserted, name)[:limit] for name in HASHES
    }
    counted = await store.counts(Query(t.trial, ("condition_hash",), keys))
    assert counted == {(name,): len(shown(inserted, name)) for name in HASHES}


async def test_a_condition_is_found_by_its_exact_hash_alone(store: SqlStore, inserted: Rows) -> None:
    (there, *_) = [row["condition_hash"] for row in inserted["clip"]]
    keys = ((there,), (there.swapcase(),), (f"{there} ",), ("é",))
    found = await store.rows(Query(t.clip, ("condition_hash",), keys))
    assert list(found) == [(there,)]
    assert list(await store.blobs(t.clip.c.clip, keys)) == [(there,)]
    assert list(await store.heads(t.clip.c.clip, keys)) == [(there,)]
    assert [piece async for piece in store.chunks(t.clip.c.clip, (there.swapcase(),), 100)] == []


async def test_hashes_sort_by_code_point(store: SqlStore, inserted: Rows) -> None:
    order = (Order(Ref(t.trial.c.condition_hash)),)
    found = (await store.rows(Query(t.trial, order=order, limit=1000)))[()]
    hashes = [row["condition_hash"] for row in found]
    assert hashes == sorted(row["condition_hash"] for row in inserted["trial"])
    assert hashes != sorted(hashes, key=str.lower)


# --- rights ---------------------------------------------------------------------------------------

WRITES = [
    insert(t.scan).values(session=99, scan_idx=99, nframes=1, nfields=1, fps=1.0),
    t.scan.update().values(nframes=0),
    t.oracle.delete(),
    text("DROP TABLE oracle"),
    text("CREATE TABLE mine (a int)"),
]


@pytest.mark.parametrize("write", WRITES, ids=lambda write: str(write).split()[0])
async def test_sessions_write_nothing_whoever_the_user_is(
    store: SqlStore, sqlite_store: SqlStore, mariadb: MariaDb, inserted: Rows, write: Any
) -> None:
    url = (
        store.engine.url.render_as_string(hide_password=False)
        if store is sqlite_store
        else mariadb.url("asked", user=ADMIN)
    )
    async with opened(url) as writer:
        with pytest.raises(DBAPIError):
            async with writer.engine.begin() as connection:
                await connection.execute(write)
    counts = {name: (await store.counts(Query(TABLES[name])))[()] for name in ("scan", "oracle")}
    assert counts == {name: len(inserted[name]) for name in counts}
    assert "mine" not in [name for (name,) in mariadb.execute("SHOW TABLES", "asked")]


# --- deadlines ------------------------------------------------------------------------------------

# A cross join of 120^5 rows, each of which has to be looked at.
HEAVY = (
    "SELECT count(*) AS n FROM trial a, trial b, trial c, trial d, trial e "
    "WHERE a.start_idx + b.start_idx + c.start_idx + d.start_idx + e.start_idx < -1"
)


@pytest.mark.parametrize("statement", ["SELECT SLEEP(30) AS n", HEAVY])
async def test_a_statement_over_its_deadline_ends_in_timeout(
    mariadb: MariaDb, mariadb_store: SqlStore, statement: str
) -> None:
    async with opened(mariadb.url("asked"), Deadlines(statement=0.5)) as store:
        with pytest.raises(Timeout):
            await store._fetch(text(statement))
        assert await quiet(mariadb, statement)
        assert await store.rows(Query(t.scan)) == await mariadb_store.rows(Query(t.scan))


async def test_sqlite_statements_have_a_deadline_too(sqlite_store: SqlStore) -> None:
    url = sqlite_store.engine.url.render_as_string()
    async with opened(url, Deadlines(statement=0.1, pool=0.1)) as store:
        with pytest.raises(Timeout):
            await store._fetch(text(HEAVY))
        assert (await store.counts(Query(t.scan)))[()] == 5


async def quiet(mariadb: MariaDb, statement: str) -> bool:
    """Whether the server comes to run it no more, soon."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        running = mariadb.execute("SELECT info FROM information_schema.processlist WHERE user = 'reader'")
        if statement not in [info for (info,) in running]:
            return True
        await asyncio.sleep(0.1)
    return False
