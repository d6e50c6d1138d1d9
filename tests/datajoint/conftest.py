"""Two databases that DataJoint declared and filled, one with awkward rows, one with real ones."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from gql_nda.stores.sql import SqlStore
from tests.datajoint import real, rows
from tests.datajoint.nda import Nda, declare
from tests.datajoint.upstream import dj
from tests.support.client import Client, serving
from tests.support.mariadb import ADMIN, MariaDb


@pytest.fixture(scope="session")
def connection(mariadb: MariaDb) -> Iterator[Any]:
    """DataJoint's own connection, as the administrator."""
    connection = dj.Connection("127.0.0.1", ADMIN, "", port=mariadb.port, use_tls=False)
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def awkward(connection: Any) -> Nda:
    """The small nda of awkward values."""
    nda = declare(connection, "awkward")
    nda.insert(rows.rows())
    return nda


@pytest.fixture(scope="session")
def printed(connection: Any, request: pytest.FixtureRequest) -> Nda:
    """The rows of the real release that are known."""
    found = real.rows(request.getfixturevalue("shared"))
    nda = declare(connection, "printed")
    nda.insert(found)
    return nda


@pytest.fixture(scope="session", params=["awkward", "printed"])
def nda(request: pytest.FixtureRequest) -> Nda:
    """Each of the two in turn."""
    found: Nda = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
async def nda_store(nda: Nda, mariadb: MariaDb) -> AsyncIterator[SqlStore]:
    """What DataJoint wrote, read as the server reads it: by a user who can't write."""
    store = SqlStore(mariadb.url(nda.name))
    await store.start()
    yield store
    await store.close()


@pytest.fixture(scope="session")
async def nda_client(nda_store: SqlStore) -> AsyncIterator[Client]:
    """A client of the server over it."""
    async with serving(nda_store) as client:
        yield client
