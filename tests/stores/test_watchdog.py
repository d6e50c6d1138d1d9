"""The watchdog ends the waiting for a database that is gone, and tells this end from every other."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from gql_nda.errors import StoreUnavailable
from gql_nda.stores.sql import SqlStore
from gql_nda.stores.watchdog import Watchdog
from tests.stores.trouble import soon


class Database:
    """Answers a ping, until it is gone."""

    def __init__(self) -> None:
        self.gone = False
        self.ended = 0

    async def ping(self) -> None:
        if self.gone:
            raise OSError("gone")

    async def wait(self) -> None:
        """Work that goes on for ever, and takes a moment to end."""
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.ended += 1


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
async def watchdog(database: Database) -> AsyncIterator[Watchdog]:
    watchdog = Watchdog(database.ping, every=0.01)
    await watchdog.start()
    yield watchdog
    await watchdog.close()


async def test_everyone_who_waits_learns_it(database: Database, watchdog: Watchdog) -> None:
    async def one() -> int:
        with pytest.raises(StoreUnavailable):
            await watchdog.run(database.wait())
        task = asyncio.current_task()
        assert task is not None
        return task.cancelling()

    waiting = [asyncio.create_task(one()) for _ in range(5)]
    await asyncio.sleep(0)
    database.gone = True
    assert await asyncio.gather(*waiting) == [0] * 5
    assert database.ended == 5


async def test_once_it_is_known_nothing_is_begun(database: Database, watchdog: Watchdog) -> None:
    database.gone = True
    assert await soon(answering(watchdog, False))
    with pytest.raises(StoreUnavailable):
        await watchdog.run(database.wait())
    assert database.ended == 0
    database.gone = False
    assert await soon(answering(watchdog, True))
    assert await watchdog.run(asyncio.sleep(0, "done")) == "done"


@pytest.mark.parametrize("gone", [False, True])
async def test_who_is_cancelled_is_cancelled(gone: bool, database: Database, watchdog: Watchdog) -> None:
    waiting = asyncio.create_task(watchdog.run(database.wait()))
    await asyncio.sleep(0)
    if gone:  # at the same moment
        watchdog._release()
        await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_the_works_own_errors_are_its_own(watchdog: Watchdog) -> None:
    async def late() -> None:
        async with asyncio.timeout(0):
            await asyncio.sleep(1)

    with pytest.raises(TimeoutError):
        await watchdog.run(late())


async def test_what_ends_at_the_last_moment_has_ended(watchdog: Watchdog) -> None:
    async def quick() -> str:
        watchdog._release()
        return "done"

    assert await watchdog.run(quick()) == "done"


async def test_who_waits_at_the_end_learns_of_it(database: Database, watchdog: Watchdog) -> None:
    waiting = [asyncio.create_task(watchdog.run(database.wait())) for _ in range(5)]
    await asyncio.sleep(0)
    await watchdog.close()
    assert database.ended == 5
    ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(end) for end in ends} == {StoreUnavailable}


NUMBERS = "SELECT begun() IS NULL UNION ALL SELECT i + 1 FROM n LIMIT 50000000"
LONG = f"WITH RECURSIVE n(i) AS ({NUMBERS}) SELECT count(*) FROM n"


async def test_a_store_leaves_no_connection_behind_that_is_at_work(tmp_path: Path) -> None:
    (path := tmp_path / "empty.sqlite").touch()
    store = SqlStore(f"sqlite:///{path}")
    opened: list[Any] = []
    begun = threading.Event()

    def connected(connection: Any, _record: object) -> None:
        connection.create_function("begun", 0, begun.set)
        opened.append(connection.driver_connection)

    event.listen(store.engine.sync_engine, "connect", connected)
    waiting = asyncio.create_task(store._fetch(text(LONG)))
    assert await asyncio.to_thread(begun.wait, 5)
    await store.close()
    assert [driver._connection for driver in opened] == [None]
    with pytest.raises(StoreUnavailable):
        await waiting


def answering(watchdog: Watchdog, answers: bool) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        return watchdog.answers is answers

    return holds
