"""Both stores over one dataset that was made to be asked about, and the reference over the same rows."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, text

from gql_nda.stores.dialects import DIALECTS, MYSQL, Deadlines
from gql_nda.stores.snapshot import SnapshotStore
from gql_nda.stores.sql import SqlStore
from gql_nda.tables import TABLES, metadata
from tests.stores import dataset
from tests.stores.dataset import Rows
from tests.support.mariadb import ADMIN, MariaDb
from tests.support.snapshots import answering


@pytest.fixture(scope="session")
def inserted() -> Rows:
    """The rows, as they are inserted."""
    return dataset.rows()


@pytest.fixture(scope="session")
def sqlite_path(inserted: Rows, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dataset as a file."""
    path = tmp_path_factory.mktemp("asked") / "asked.sqlite"
    fill(create_engine(f"sqlite:///{path}"), inserted)
    return path


FOREIGN = re.compile(r"\b(WITH|OVER|LATERAL|JSON_\w+|AS DOUBLE|WINDOW|RECURSIVE|INTERSECT|EXCEPT|OFFSET [1-9])\b")
"""What MySQL 5.7 lacks, and the offsets that get slower from page to page."""


def look(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
    """Every statement of these tests is looked at."""
    code = " ".join(re.sub(r"`[^`]*`|\"[^\"]*\"", "name", statement).split())
    assert not FOREIGN.search(code), code


@pytest.fixture(scope="session")
async def sqlite_store(sqlite_path: Path) -> AsyncIterator[SqlStore]:
    """The dataset in SQLite."""
    store = SqlStore(f"sqlite:///{sqlite_path}")
    event.listen(store.engine.sync_engine, "before_cursor_execute", look)
    await store.start()
    yield store
    await store.close()


@pytest.fixture(scope="session")
async def snapshot_store(sqlite_path: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SnapshotStore]:
    """The dataset in a snapshot."""
    async with answering(f"sqlite:///{sqlite_path}", tmp_path_factory.mktemp("snapshots")) as store:
        yield store


@pytest.fixture(scope="session")
async def mariadb_store(inserted: Rows, mariadb: MariaDb) -> AsyncIterator[SqlStore]:
    """The dataset in MariaDB."""
    name = mariadb.create("asked")
    fill(create_engine(mariadb.url(name, user=ADMIN, driver="mysql+pymysql")), inserted)
    store = SqlStore(mariadb.url(name))
    event.listen(store.engine.sync_engine, "before_cursor_execute", look)
    await store.start()
    yield store
    await store.close()


@pytest.fixture(scope="session")
async def text_store(mariadb_store: SqlStore, mariadb: MariaDb) -> AsyncIterator[SqlStore]:
    """The same in MariaDB, through the text protocol: what the driver takes when a statement can't be prepared."""

    def connect(deadlines: Deadlines) -> dict[str, Any]:
        return {**MYSQL.connect_args(deadlines), "stmt_cache_size": 0}

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(DIALECTS, "mysql", replace(MYSQL, connect_args=connect))
        store = SqlStore(mariadb.url("asked"))
    yield store
    await store.close()


def fill(engine: Engine, rows: Rows) -> None:
    """Create the tables and insert the rows; parents may be missing. SQLite holds what FLOAT columns get, as double."""
    metadata.create_all(engine)
    with engine.begin() as connection:
        if engine.dialect.name == "mysql":
            connection.execute(text("SET SESSION foreign_key_checks = 0"))
        for name, table in TABLES.items():
            if rows.get(name) and engine.dialect.name == "sqlite":
                statement = str(table.insert().compile(engine))
                connection.exec_driver_sql(statement, [tuple(row[c.name] for c in table.c) for row in rows[name]])
            elif rows.get(name):
                connection.execute(table.insert(), rows[name])
    engine.dispose()
