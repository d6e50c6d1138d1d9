"""A real server notices that its client has left, and the database hears of it."""

import asyncio
import http.client
import json
import time
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
    flags = ["--no-snapshot", "--statement-timeout", "100", "--operation-timeout", "100"]
    with granian(demo_database, tmp_path_factory.mktemp("live") / "log", flags=flags) as address:
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
        assert await soon(waiting(mariadb, False))  # it would wait for 100 s
        cursor.execute("UNLOCK TABLES")


SIDE_BY_SIDE = """{
  units(first: 3) { totalCount nodes { umX oracle { pearson } } }
  more: units(first: 2000) { nodes { unitId stackUnit { stackX } oracle { pearson } } }
}"""
MOMENTS = [0.001 * moment for moment in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 17, 20, 25, 30, 40, 60, 100)]


def leave(address: str, moment: float) -> None:
    """Ask, and leave at a moment: before anything is asked of the database, or between any two of its answers."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc)
    connection.request("POST", "/graphql", json.dumps({"query": SIDE_BY_SIDE}), {"content-type": "application/json"})
    time.sleep(moment)
    connection.close()


@pytest.mark.parametrize("together", [1, 4])
async def test_no_statement_outlives_its_client(together: int, live: str, mariadb: MariaDb) -> None:
    with mariadb.connect("demo") as lock, lock.cursor() as cursor:
        cursor.execute("LOCK TABLES oracle WRITE")
        for moment in MOMENTS * 2:
            await asyncio.gather(*(asyncio.to_thread(leave, live, moment) for _ in range(together)))
        assert await soon(waiting(mariadb, False))
        cursor.execute("UNLOCK TABLES")
