"""Files and batches: the same on every run, whole or not there, and fit for any database."""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import ForeignKeyConstraint, create_engine, func, select
from sqlalchemy.ext.asyncio import create_async_engine

from gql_nda import tables
from gql_nda.codec import peek
from gql_nda.demo import build, current, rows, write
from gql_nda.demo.batches import packed
from gql_nda.demo.dataset import recording_batches
from gql_nda.demo.facts import RECORDINGS, mask_counts
from gql_nda.tables import TABLES, is_blob, key_names, narrow
from tests.conftest import UNITS
from tests.support.mariadb import MariaDb

from .nda import Nda

DIGEST = f"""
import hashlib
from gql_nda.demo.batches import packed
from gql_nda.demo.dataset import recording_batches
from gql_nda.demo.facts import RECORDINGS, mask_counts
digest = hashlib.sha256()
for table, rows in packed(recording_batches(RECORDINGS[-1], mask_counts({UNITS}), True), True):
    digest.update(repr((table.name, rows)).encode())
print(digest.hexdigest())
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Nda:
    """A small demo without traces."""
    path = tmp_path_factory.mktemp("bare") / "nda.sqlite"
    build(path, units=UNITS, traces=False)
    return Nda(path)


# --- the same on every run -------------------------------------------------------------------------


def test_two_files_are_the_same_bytes(bare: Nda, tmp_path: Path) -> None:
    build(tmp_path / "again.sqlite", units=UNITS, traces=False)
    assert (tmp_path / "again.sqlite").read_bytes() == bare.path.read_bytes()


@pytest.mark.parametrize("seed", ["1"])
def test_a_scan_alone_in_another_process_is_the_same_bytes(seed: str) -> None:
    digest = hashlib.sha256()
    for table, batch in packed(recording_batches(RECORDINGS[-1], mask_counts(UNITS), True), True):
        digest.update(repr((table.name, batch)).encode())
    environment = {"PYTHONHASHSEED": seed, "OPENBLAS_NUM_THREADS": "1"}
    other = subprocess.run([sys.executable, "-c", DIGEST], capture_output=True, text=True, check=True, env=environment)
    assert other.stdout.strip() == digest.hexdigest()


def test_a_scan_alone_has_the_rows_it_has_in_the_file(nda: Nda) -> None:
    recording = RECORDINGS[-1]
    for table, batch in packed(recording_batches(recording, mask_counts(UNITS), True), True):
        for row in batch:
            where = " AND ".join(f"{name} = ?" for name in key_names(table))
            key = [row[name] for name in key_names(table)]
            (found,) = nda.dicts(f'SELECT * FROM "{table.name}" WHERE {where}', key)
            assert found == {c.name: _stored(table, c.name, row[c.name]) for c in table.columns}


def _stored(table: Any, name: str, value: Any) -> Any:
    """A value as a FLOAT column keeps it."""
    kind = table.columns[name].type
    return kind.process_bind_param(value, None) if isinstance(kind, tables.Float32) else value


# --- whole or not there ----------------------------------------------------------------------------


def test_a_file_knows_what_it_holds(bare: Nda, tmp_path: Path) -> None:
    assert current(bare.path, UNITS, traces=False)
    assert not current(bare.path, UNITS, traces=True)
    assert not current(bare.path, UNITS + 1, traces=False)
    assert not current(tmp_path / "absent.sqlite")
    (tmp_path / "other.sqlite").write_bytes(b"no database at all" * 100)
    assert not current(tmp_path / "other.sqlite")


def test_a_generator_or_tables_of_another_version_make_another_file(monkeypatch: Any, bare: Nda) -> None:
    monkeypatch.setattr("gql_nda.demo.sqlite.SOURCES", ())
    assert not current(bare.path, UNITS, traces=False)


def test_a_build_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    def interrupt(label: str, share: float) -> None:
        if share > 0.1:
            raise InterruptedError

    path = tmp_path / "nda.sqlite"
    path.write_text("old")
    with pytest.raises(InterruptedError):
        build(path, UNITS, traces=False, progress=interrupt)
    assert [p.name for p in tmp_path.iterdir()] == ["nda.sqlite"]
    assert path.read_text() == "old"


def test_progress_is_told_scan_by_scan(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    build(tmp_path / "new" / "nda.sqlite", UNITS, traces=False, progress=lambda *news: told.append(news))
    assert [label for label, _ in told] == [f"scan {r.session}_{r.scan_idx}" for r in RECORDINGS]
    assert [share for _, share in told] == sorted(share for _, share in told)
    assert 0 <= told[0][1] < told[-1][1] < 1


def test_too_few_units_are_refused() -> None:
    with pytest.raises(ValueError, match="146 fields"):
        next(rows(145))


# --- any database ----------------------------------------------------------------------------------


def test_batches_hold_every_column_of_every_row() -> None:
    seen = set()
    for table, batch in rows(UNITS, traces=False):
        seen.add(table.name)
        assert all(row.keys() == set(table.columns.keys()) for row in batch)
    assert seen == {table.name for table in TABLES.values()}


def test_parents_come_before_their_children() -> None:
    written: dict[str, set[tuple[Any, ...]]] = {table.name: set() for table in TABLES.values()}
    for table, batch in rows(UNITS, traces=False):
        links = [c for c in table.constraints if isinstance(c, ForeignKeyConstraint)]
        for row in batch:
            assert all(tuple(row[n] for n in c.column_keys) in written[c.referred_table.name] for c in links)
        written[table.name] |= {tuple(row[name] for name in key_names(table)) for row in batch}


async def test_the_rows_go_through_any_connection(bare: Nda) -> None:
    engine = create_async_engine("sqlite+aiosqlite://")
    async with engine.begin() as connection:
        await connection.run_sync(tables.metadata.create_all)
        await connection.run_sync(lambda c: write(rows(UNITS, traces=False), c))
        for table in TABLES.values():
            count = (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            assert [(count,)] == bare.rows(f'SELECT count(*) FROM "{table.name}"')
    await engine.dispose()


def test_keys_do_not_collide_in_a_database_that_ignores_case(mariadb: MariaDb, bare: Nda) -> None:
    mariadb.create("written")
    engine = create_engine(mariadb.url("written", user="root", driver="mysql+pymysql"))
    with engine.begin() as connection:
        tables.metadata.create_all(connection)
        write(rows(UNITS, traces=False), connection)
        for name in ("clip", "monet2", "trippy", "trial", "scan_unit"):
            count = connection.execute(select(func.count()).select_from(TABLES[name])).scalar_one()
            assert [(count,)] == bare.rows(f"SELECT count(*) FROM {name}")
    engine.dispose()


def test_foreign_keys_hold(nda: Nda) -> None:
    assert nda.rows("PRAGMA foreign_key_check") == []


@pytest.mark.parametrize("table", [t for t in TABLES.values() if t.foreign_keys], ids=lambda t: t.name)
def test_every_foreign_key_has_an_index(nda: Nda, table: Any) -> None:
    names = nda.column("SELECT name FROM pragma_index_list(?)", [table.name])
    indexes = [nda.column("SELECT name FROM pragma_index_info(?)", [name]) for name in names]
    for link in table.foreign_key_constraints:
        columns = list(link.column_keys)
        assert any(index[: len(columns)] == columns for index in indexes)


def test_statistics_are_there(nda: Nda) -> None:
    assert nda.rows("SELECT 1 FROM sqlite_stat1 WHERE tbl = 'scan_unit'")


# --- without traces --------------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_narrow_columns_are_the_same_without_traces(nda: Nda, bare: Nda, table: Any) -> None:
    names = ", ".join(c.name for c in narrow(table) if (table.name, c.name) != ("oracle", "pearson"))
    query = f'SELECT {names} FROM "{table.name}" ORDER BY {", ".join(key_names(table))}'
    assert nda.rows(query) == bare.rows(query)


@pytest.mark.parametrize("table", [t for t in TABLES.values() if any(map(is_blob, t.columns))], ids=lambda t: t.name)
def test_arrays_without_traces_are_empty_and_of_their_type(bare: Nda, table: Any) -> None:
    for column in (c for c in table.columns if "array" in c.info):
        expected = column.info["array"]
        for blob in set(bare.column(f'SELECT {column.name} FROM "{table.name}"')):
            header = peek(blob, len(blob))
            assert header.shape == (0,) * len(expected.dims)
            assert header.dtype == expected.dtype
