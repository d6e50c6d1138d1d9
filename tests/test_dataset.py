"""The dataset as a whole: its counts, and the fingerprint that names its values."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, create_engine

from gql_nda import dataset
from gql_nda.dataset import Dataset
from gql_nda.errors import StoreUnavailable
from gql_nda.frames import Mistyped
from gql_nda.query import Query
from gql_nda.stores import content
from gql_nda.stores.sql import SqlStore
from gql_nda.stores.transforms import SOLUTION
from gql_nda.tables import TABLES, is_blob, metadata, narrow
from tests.stores.dataset import Rows, rows
from tests.support.client import Client, Statements

ROWS = rows()
NARROW = [column for table in TABLES.values() for column in narrow(table)]
BLOBS = [column for table in TABLES.values() for column in table.columns if is_blob(column)]


def write(path: Path, found: Rows) -> Path:
    """A file of those rows."""
    engine = create_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    with engine.begin() as connection:
        for name, table in TABLES.items():
            connection.execute(table.insert(), found[name])
    engine.dispose()
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("dataset") / "nda.sqlite", ROWS)


@pytest.fixture(scope="module")
async def small(path: Path) -> AsyncIterator[SqlStore]:
    store = SqlStore(f"sqlite:///{path}")
    yield store
    await store.close()


async def fingerprint(store: SqlStore) -> str:
    """As a server computes it that has just begun."""
    return await Dataset(store).fingerprint()


# --- fingerprint ----------------------------------------------------------------------------------


async def test_equal_on_every_store(sqlite_store: SqlStore, mariadb_store: SqlStore) -> None:
    assert await fingerprint(sqlite_store) == await fingerprint(mariadb_store)


async def test_the_same_again_while_nothing_changes(small: SqlStore) -> None:
    assert await fingerprint(small) == await fingerprint(small)


async def test_whatever_the_order_in_which_rows_were_written(small: SqlStore, tmp_path: Path) -> None:
    backwards = {name: found[::-1] for name, found in ROWS.items()}
    other = SqlStore(f"sqlite:///{write(tmp_path / 'nda.sqlite', backwards)}")
    assert await fingerprint(other) == await fingerprint(small)
    await other.close()


@pytest.fixture(scope="module")
async def before(small: SqlStore) -> str:
    """The fingerprint of the file as it is."""
    return await fingerprint(small)


@pytest.fixture
def edited(path: Path, tmp_path: Path) -> Callable[[str], Awaitable[str]]:
    """The fingerprint of a copy that a statement has edited."""

    async def edit(statement: str) -> str:
        store = SqlStore(f"sqlite:///{edited_copy(path, tmp_path / 'edited.sqlite', statement)}")
        try:
            return await fingerprint(store)
        finally:
            await store.close()

    return edit


def edited_copy(path: Path, copy: Path, statement: str) -> Path:
    copy.write_bytes(path.read_bytes())
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute(statement).rowcount > 0
        connection.commit()
    return copy


def another(column: Column[Any]) -> str:
    """SQL of a value that the column's value is not."""
    name = f'"{column.name}"'
    if column.type.python_type is str:
        return f"{name} || '.'"
    return f"CASE {name} WHEN 0 THEN 1 ELSE -{name} END"  # a small difference could be lost on a large float


@pytest.mark.parametrize("column", NARROW, ids=str)
async def test_another_when_one_value_changes(edited: Any, before: str, column: Column[Any]) -> None:
    table = f'"{column.table.name}"'
    last = f"rowid = (SELECT max(rowid) FROM {table})"
    assert await edited(f'UPDATE {table} SET "{column.name}" = {another(column)} WHERE {last}') != before


@pytest.mark.parametrize("name", TABLES)
async def test_another_when_a_row_goes(edited: Any, before: str, name: str) -> None:
    table = f'"{TABLES[name].name}"'
    assert await edited(f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})") != before


@pytest.mark.parametrize("size", [1, 7, 10])
async def test_rows_at_the_edge_of_a_page_count(
    edited: Any, small: SqlStore, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(content, "PAGE", size)
    whole = await fingerprint(small)
    for edge in (size - 1, size, size + 1):
        edit = f"UPDATE trial SET end_idx = end_idx + 1 WHERE (session, scan_idx, trial_idx) = (4, 7, {edge})"
        assert await edited(edit) != whole


async def test_values_that_swap_their_places_are_others(edited: Any, before: str) -> None:
    """A sum over columns or rows would not notice."""
    assert await edited("UPDATE scan_unit SET um_x = um_y, um_y = um_x WHERE um_x <> um_y") != before


@pytest.mark.parametrize("column", [column for column in BLOBS[::6] if column is not SOLUTION], ids=str)
async def test_edits_inside_arrays_are_out_of_its_scope(edited: Any, before: str, column: Column[Any]) -> None:
    assert await edited(f'UPDATE "{column.table.name}" SET "{column.name}" = x\'00\'') == before


async def test_those_inside_transforms_are_not(edited: Any, before: str) -> None:
    """Positions in the EM volume are computed by them."""
    assert await edited("UPDATE coregistration SET transform_solution = x'00' WHERE transform_id = 5") != before


# --- counts ---------------------------------------------------------------------------------------


async def test_counts_are_those_of_the_rows(small: SqlStore) -> None:
    assert await Dataset(small).counts() == {name: len(found) for name, found in ROWS.items()}


async def test_what_clients_are_told(client: Client, store: SqlStore) -> None:
    query = "{ dataset { name fingerprint rowCounts { table rows } } }"
    told = (await client.data(query))["dataset"]
    counted = {row["table"]: row["rows"] for row in told["rowCounts"]}
    assert counted == {name: len((await store.rows(Query(table)))[()]) for name, table in TABLES.items()}
    assert counted["scan"] == 19
    assert told["fingerprint"] == await fingerprint(store)


# --- computed once --------------------------------------------------------------------------------


async def test_each_is_computed_once(small: SqlStore) -> None:
    whole, statements = Dataset(small), Statements(small)
    await asyncio.gather(*(whole.counts() for _ in range(3)))
    assert len(statements) == 29
    statements.clear()
    await asyncio.gather(*(whole.fingerprint() for _ in range(3)))
    once = len(statements)
    await whole.fingerprint()
    assert len(statements) == once <= 2 * 29


async def test_it_goes_on_when_the_first_to_ask_has_left(small: SqlStore) -> None:
    whole, statements = Dataset(small), Statements(small)
    first, second = (asyncio.create_task(whole.fingerprint()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == await whole.fingerprint()
    assert len(statements) <= 2 * 29


async def test_one_that_failed_is_begun_anew(tmp_path: Path) -> None:
    store = SqlStore(f"sqlite:///{tmp_path / 'nda.sqlite'}")
    whole = Dataset(store)
    with pytest.raises(StoreUnavailable):
        await whole.counts()
    write(tmp_path / "nda.sqlite", ROWS)
    assert (await whole.counts())["scan"] == len(ROWS["scan"])
    await store.close()


async def test_one_that_will_fail_again_is_not_begun_at_once(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All rows would be read for every request."""
    copy = edited_copy(path, tmp_path / "edited.sqlite", "UPDATE trial SET start_frame_time = 'x'")
    store = SqlStore(f"sqlite:///{copy}")
    whole, statements = Dataset(store), Statements(store)
    for _ in range(3):
        with pytest.raises(Mistyped, match="trial"):
            await whole.fingerprint()
    once = len(statements)
    assert once < 2 * 29
    monkeypatch.setattr(dataset, "REMEMBERED", 0.0)
    whole = Dataset(store)
    for _ in range(2):
        with pytest.raises(Mistyped, match="trial"):
            await whole.fingerprint()
    assert len(statements) == 3 * once
    await store.close()
