"""Fixtures of all tests: the demo dataset in both stores, and a client of each."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine

from gql_nda import demo
from gql_nda.stores import Store
from gql_nda.stores.snapshot import SnapshotStore
from gql_nda.stores.sql import SqlStore
from gql_nda.tables import metadata
from tests.support.client import Client, Statements, serving
from tests.support.mariadb import MariaDb, mariadb_server
from tests.support.snapshots import answering

# A run is the same on every machine, however busy; `make test PYTEST="--hypothesis-profile=explore"` looks further.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
settings.register_profile("explore", patient)
settings.register_profile("repeatable", patient, derandomize=True)
settings.load_profile("repeatable")

SHARED = Path(__file__).parents[2] / "shared" / "data"
UNITS = 160


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real rows and vectors beside the checkout; tests that need it skip without it."""
    if not SHARED.is_dir():
        pytest.skip("../shared/data is absent")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> None:
    """Tests see the settings' defaults, whatever the shell has set."""
    for name in [name for name in os.environ if name.startswith("GQL_NDA_")]:
        del os.environ[name]


@pytest.fixture(scope="session")
def demo_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small demo dataset as an SQLite file."""
    path = tmp_path_factory.mktemp("demo") / "demo.sqlite"
    demo.build(path, UNITS)
    return path


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    """A private MariaDB server."""
    with mariadb_server(tmp_path_factory.mktemp("mariadb")) as server:
        yield server


@pytest.fixture(scope="session")
def demo_database(mariadb: MariaDb, demo_path: Path) -> str:
    """URL of the same demo dataset in MariaDB."""
    mariadb.create("demo")
    source = create_engine(f"sqlite:///{demo_path}")
    target = create_engine(mariadb.url("demo", user="root", driver="mysql+pymysql"))
    metadata.create_all(target)
    with source.connect() as rows, target.begin() as sink:
        for table in metadata.sorted_tables:
            for batch in rows.execute(table.select()).mappings().partitions(200):
                sink.execute(table.insert(), [dict(row) for row in batch])
    source.dispose()
    target.dispose()
    return mariadb.url("demo")


@pytest.fixture(scope="session")
async def sqlite_store(demo_path: Path) -> AsyncIterator[SqlStore]:
    """The demo in SQLite."""
    store = SqlStore(f"sqlite:///{demo_path}")
    await store.start()
    yield store
    await store.close()


@pytest.fixture(scope="session")
async def mariadb_store(demo_database: str) -> AsyncIterator[SqlStore]:
    """The demo in MariaDB."""
    store = SqlStore(demo_database)
    await store.start()
    yield store
    await store.close()


@pytest.fixture(scope="session")
async def snapshot_store(demo_path: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SnapshotStore]:
    """The demo in a snapshot."""
    async with answering(f"sqlite:///{demo_path}", tmp_path_factory.mktemp("snapshots")) as store:
        yield store


@pytest.fixture(params=["sqlite", "mariadb", "snapshot"])
def store(request: pytest.FixtureRequest) -> Store:
    """Each store in turn: what holds on one must hold on the others."""
    found: Store = request.getfixturevalue(f"{request.param}_store")
    return found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """That a snapshot answers alike is seen through clients, and where a module says so; it sends no statements."""
    items[:] = [item for item in items if _store_of(item) != "snapshot" or _for_snapshots(item)]


def _store_of(item: pytest.Item) -> str | None:
    """The store that a test runs on, if it takes each in turn."""
    found = getattr(item, "callspec", None)
    return found.params.get("store") if found else None


def _for_snapshots(item: pytest.Item) -> bool:
    assert isinstance(item, pytest.Function)
    seen = "client" in item.fixturenames or getattr(item.module, "SNAPSHOTS", False)
    return seen and "statements" not in item.fixturenames


@pytest.fixture
async def client(store: Store) -> AsyncIterator[Client]:
    """A client of a server over each store in turn."""
    async with serving(store) as client:
        yield client


@pytest.fixture
async def sqlite_client(sqlite_store: SqlStore) -> AsyncIterator[Client]:
    """A client of a server over SQLite, where the store makes no difference."""
    async with serving(sqlite_store) as client:
        yield client


@pytest.fixture
def statements(store: SqlStore) -> Statements:
    """The statements that the store sends from now on."""
    return Statements(store)
