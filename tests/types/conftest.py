"""A client of each store, shared by all tests here: a schema takes longer to build than a question to answer."""

from collections.abc import AsyncIterator

import pytest

from gql_nda.stores.snapshot import SnapshotStore
from gql_nda.stores.sql import SqlStore
from tests.support.client import Client, serving


@pytest.fixture(scope="session")
async def clients(
    sqlite_store: SqlStore, mariadb_store: SqlStore, snapshot_store: SnapshotStore
) -> AsyncIterator[dict[str, Client]]:
    """The clients by the names of their stores."""
    async with serving(sqlite_store) as sqlite, serving(mariadb_store) as mariadb, serving(snapshot_store) as snapshot:
        yield {"sqlite": sqlite, "mariadb": mariadb, "snapshot": snapshot}


@pytest.fixture(scope="session", params=["sqlite", "mariadb", "snapshot"])
def client(clients: dict[str, Client], request: pytest.FixtureRequest) -> Client:
    """Each in turn."""
    return clients[request.param]


@pytest.fixture(scope="session")
async def sqlite_client(sqlite_store: SqlStore) -> AsyncIterator[Client]:
    """One client, where the store makes no difference."""
    async with serving(sqlite_store) as client:
        yield client
