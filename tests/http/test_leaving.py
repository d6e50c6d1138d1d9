"""A real server notices that its client has left, and the database hears of it."""

import http.client
from collections.abc import Awaitable, Callable, Iterator
from urllib.parse import urlsplit

import pytest

from tests.stores.trouble import soon
from tests.support.granian import granian
from tests.support.mariadb import READER, MariaDb

TRACES = '{"query": "{ units(first: 3) { nodes { activity { trace { mean } } } } }"}'


@pytest.fixture(scope="module")
def live(demo_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server over the demo in MariaDB."""
    with granian(demo_database, tmp_path_factory.mktemp("live") / "log", flags=["--no-snapshot"]) as address:
        yield address


def waiting(server: MariaDb, many: bool) -> Callable[[], Awaitable[bool]]:
    """Whether statements wait for the table's lock, or none does."""

    async def holds() -> bool:
        found = server.execute(
            f"SELECT id FROM information_schema.processlist WHERE user = '{READER}' AND state LIKE 'Waiting for table%'"
        )
        return bool(found) is many

    return holds


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("POST", "/graphql", TRACES), ("GET", "/arrays/activity/4.7.1/trace", None)],
)
async def test_statements_of_a_client_that_left_are_gone(
    method: str, path: str, body: str | None, live: str, mariadb: MariaDb
) -> None:
    connection = http.client.HTTPConnection(urlsplit(live).netloc)
    with mariadb.connect("demo") as lock, lock.cursor() as cursor:
        cursor.execute("LOCK TABLES activity WRITE")
        connection.request(method, path, body, {"content-type": "application/json"})
        assert await soon(waiting(mariadb, True))
        connection.close()
        assert await soon(waiting(mariadb, False))  # it would wait for 10 s
        cursor.execute("UNLOCK TABLES")
