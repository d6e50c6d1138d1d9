"""Both stores over one dataset that was made to be asked about, and the reference over the same rows."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from gql_nda.stores.sql import SqlStore
from gql_nda.tables import TABLES, metadata
from tests.stores import dataset
from tests.stores.dataset import Rows
from tests.support.mariadb import ADMIN, MariaDb


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


@pytest.fixture(scope="session")
async def sqlite_store(sqlite_path: Path) -> AsyncIterator[SqlStore]:
    """The dataset in SQLite."""
    store = SqlStore(f"sqlite:///{sqlite_path}")
    await store.start()
    yield store
    await store.close()


@pytest.fixture(scope="session")
async def mariadb_store(inserted: Rows, mariadb: MariaDb) -> AsyncIterator[SqlStore]:
    """The dataset in MariaDB."""
    name = mariadb.create("asked")
    fill(create_engine(mariadb.url(name, user=ADMIN, driver="mysql+pymysql")), inserted)
    store = SqlStore(mariadb.url(name))
    await store.start()
    yield store
    await store.close()


def fill(engine: Engine, rows: Rows) -> None:
    """Create the tables and insert the rows; parents may be missing."""
    metadata.create_all(engine)
    with engine.begin() as connection:
        if engine.dialect.name == "mysql":
            connection.execute(text("SET SESSION foreign_key_checks = 0"))
        for name, table in TABLES.items():
            if rows.get(name):
                connection.execute(table.insert(), rows[name])
    engine.dispose()
