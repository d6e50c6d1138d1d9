"""Clients that leave: their statements are stopped in the database, and nobody else's."""

import asyncio
import gc
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from gql_nda.http.app import build_app
from gql_nda.settings import Settings
from gql_nda.stores import canceller
from gql_nda.stores.dialects import Deadlines
from gql_nda.stores.sql import SqlStore
from tests.stores.trouble import idle, soon
from tests.support.asgi import LEAVE, Exchange, call, question, receiving
from tests.support.mariadb import READER, MariaDb

REQUESTS = 300
ORACLE = "{ units(first: 3) { nodes { unitId oracle { pearson } } } }"


@pytest.fixture
async def store(mariadb_store: SqlStore, mariadb: MariaDb, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SqlStore]:
    """A store of the test's own, with its own pool, that leaves a busy machine its time."""
    monkeypatch.setattr(canceller, "PATIENCE", 30.0)
    store = SqlStore(mariadb.url("asked"), pool=4, deadlines=Deadlines(statement=120.0, connect=30.0))
    await store.start()
    yield store
    await store.close()


def running(server: MariaDb) -> list[str]:
    """The reader's statements that the server is at."""
    found = server.execute(f"SELECT info FROM information_schema.processlist WHERE user = '{READER}' AND info <> ''")
    return [statement for (statement,) in found]


def count(server: MariaDb, words: str, number: int) -> Callable[[], Awaitable[bool]]:
    """Whether the server is at so many statements with some words in them."""

    async def holds() -> bool:
        return sum(words in statement for statement in running(server)) == number

    return holds


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    assert await soon(holds, 60.0)  # a statement that isn't stopped would go on for 120 s, its deadline


CROSS = "SELECT SUM(SQRT(a.trial_idx * b.trial_idx + c.trial_idx)) FROM `trial` a, `trial` b, `trial` c, `trial` d"


@pytest.mark.parametrize("statement", ["SELECT SLEEP(30)", CROSS])
async def test_statements_of_work_that_is_cancelled_are_stopped(
    statement: str, store: SqlStore, mariadb: MariaDb
) -> None:
    work = [asyncio.create_task(store._fetch(text(statement))) for _ in range(4)]
    await until(count(mariadb, statement, 4))
    for task in work[:3]:
        task.cancel()
    await until(count(mariadb, statement, 1))
    work[3].cancel()
    await until(count(mariadb, statement, 0))
    assert await store._fetch(text("SELECT 1")) == [(1,)]
    assert await idle(store)


def heavy(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> tuple[str, Any]:
    """What is asked of the oracle takes for ever."""
    return (CROSS, ()) if "oracle" in statement else (statement, parameters)


async def test_statement_of_a_client_that_left_is_stopped(store: SqlStore, mariadb: MariaDb) -> None:
    event.listen(store.engine.sync_engine, "before_cursor_execute", heavy, retval=True)
    app = build_app(Settings(), store)
    stays = asyncio.create_task(call(app, receiving(question(ORACLE))))
    await until(count(mariadb, CROSS, 1))
    left = await call(app, receiving(question(ORACLE), until(count(mariadb, CROSS, 2)), LEAVE))
    assert left.sent == []
    await until(count(mariadb, CROSS, 1))
    stays.cancel()
    await until(count(mariadb, CROSS, 0))
    assert await soon(lambda: idle(store))


@pytest.mark.parametrize("ticks", range(12))
async def test_a_cancellation_is_not_lost_when_a_connection_becomes_free(
    ticks: int, store: SqlStore, mariadb: MariaDb
) -> None:
    async with AsyncExitStack() as held:
        for _ in range(4):
            await held.enter_async_context(store.engine.connect())
        work = asyncio.create_task(store._fetch(text("SELECT SLEEP(30)")))
        await asyncio.sleep(0.05)
    for _ in range(ticks):
        await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    await until(count(mariadb, "SLEEP", 0))
    assert await idle(store)


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("begun", [True, False])
async def test_a_file_is_closed_whenever_its_statement_is_dropped(
    times: int, begun: bool, sqlite_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One that is about to begin would go on for hours; several cancellations come where a batch and its client end."""
    store = SqlStore(f"sqlite:///{sqlite_path}")
    before = asyncio.all_tasks()
    for ticks in range(40):
        work = asyncio.create_task(store._fetch(text(CROSS)))
        await asyncio.sleep(0.02 * begun)
        for _ in range(ticks):
            await asyncio.sleep(0)
        for _ in range(times):
            work.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(work, 60)
    await store.close()
    assert asyncio.all_tasks() == before
    gc.collect()
    assert caplog.messages == []  # "Task was destroyed but it is pending!"


async def test_statement_that_ended_by_itself_is_not_missed(store: SqlStore) -> None:
    which = {"number": 2**31 - 1, "server": await server_of(store)}
    await store._canceller._stop(which)
    assert await store._fetch(text("SELECT 1")) == [(1,)]


async def test_statement_of_another_server_is_left_alone(store: SqlStore, mariadb: MariaDb) -> None:
    work = asyncio.create_task(store._fetch(text("SELECT 'ours', SLEEP(1)")))
    await until(count(mariadb, "'ours'", 1))
    [(number,)] = mariadb.execute("SELECT id FROM information_schema.processlist WHERE info LIKE '%ours%SLEEP%'")[:1]
    await store._canceller._stop({"number": number, "server": "elsewhere:3306"})
    assert await work == [("ours", 0)]


async def server_of(store: SqlStore) -> str:
    return str((await store._fetch(text("SELECT CONCAT(@@hostname, ':', @@port)")))[0][0])


# --- at random ---------------------------------------------------------------------------------------

QUESTIONS = [
    "{ scans { nodes { session scanIdx fps units(first: 2) { totalCount nodes { unitId oracle { pearson } } } } } }",
    "{ units(first: 50, where: {pearson: {gt: 0}}) { nodes { unitId umX field { fieldZ } } } }",
    "{ units(first: 5) { nodes { activity { trace { mean shape } } } } }",
]


# graphql-core, cancelled, leaves coroutines behind that it has not begun.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
async def test_clients_that_leave_at_random(store: SqlStore, mariadb: MariaDb) -> None:
    chance = random.Random(3)
    app = build_app(Settings(), store)
    expected = [(await call(app, receiving(question(q)))).body for q in QUESTIONS]
    before = len(asyncio.all_tasks())
    at_once = asyncio.Semaphore(16)

    async def ask(number: int) -> tuple[int, Exchange]:
        steps: list[Any] = [question(QUESTIONS[number % 3])]
        if chance.random() < 0.5:
            steps += [asyncio.sleep(chance.expovariate(1 / 0.02)), LEAVE]
        async with at_once:
            return number, await call(app, receiving(*steps))

    exchanges = await asyncio.gather(*(ask(number) for number in range(REQUESTS)))
    answered = [(number, exchange) for number, exchange in exchanges if exchange.sent]
    assert REQUESTS // 3 < len(answered) < REQUESTS  # some left in time
    assert all(exchange.body == expected[number % 3] for number, exchange in answered)
    await until(lambda: idle(store))
    await until(nothing_runs(mariadb))
    assert await soon(tasks(before))


def nothing_runs(server: MariaDb) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        return not [statement for statement in running(server) if statement != "SELECT 1"]  # the watchdog's

    return holds


def tasks(before: int) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        return len(asyncio.all_tasks()) <= before + 2

    return holds
