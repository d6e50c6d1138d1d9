"""What troubles a database, and what is seen of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager, suppress

import pymysql

from gql_nda.stores.sql import SqlStore
from tests.support.mariadb import MariaDb

PROMISE = 5.0
"""Seconds within which a request ends, whatever happens to the database."""


@contextmanager
def locked(server: MariaDb, table: str) -> Iterator[None]:
    """Nobody can read the table: a statement on it waits."""
    with closing(server.connect("nda")) as connection, connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLES {table} WRITE")
        yield
        with suppress(pymysql.MySQLError):  # a server that was killed holds no lock
            cursor.execute("UNLOCK TABLES")


async def soon(holds: Callable[[], Awaitable[bool]], seconds: float = PROMISE) -> bool:
    """Whether something comes true in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if await holds():
            return True
        await asyncio.sleep(0.05)
    return False


async def idle(store: SqlStore) -> bool:
    """Whether every connection is back in the pool."""
    return bool(store.engine.pool.checkedout() == 0)  # type: ignore[attr-defined]


async def waiting(server: MariaDb, count: int) -> bool:
    """Whether so many statements wait for the lock."""
    found = server.execute(
        "SELECT count(*) FROM information_schema.processlist WHERE user = 'reader' AND state LIKE 'Waiting for table%'"
    )
    return bool(found[0][0] >= count)
