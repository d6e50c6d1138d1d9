"""A database that is frozen, killed, away or slow: requests end, the server stays up, all recovers by itself.

Figures are those of the promise: a request ends within 5 s.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from gql_nda import tables as t
from gql_nda.errors import StoreUnavailable
from gql_nda.query import Query
from gql_nda.stores.dialects import Deadlines
from gql_nda.stores.sql import SqlStore
from tests.stores.conftest import fill
from tests.stores.dataset import Rows
from tests.stores.trouble import PROMISE, idle, locked, soon, waiting
from tests.support.client import Client, Statements, serving
from tests.support.mariadb import ADMIN, MariaDb, mariadb_server

QUERY = "{ units(first: 3) { totalCount nodes { unitId oracle { pearson } scan { fps } } } }"


@pytest.fixture(scope="module")
def frail(tmp_path_factory: pytest.TempPathFactory, inserted: Rows) -> Iterator[MariaDb]:
    """A server of this module's own, to be mistreated."""
    with mariadb_server(tmp_path_factory.mktemp("frail")) as server:
        server.create("nda")
        fill(create_engine(server.url("nda", user=ADMIN, driver="mysql+pymysql")), inserted)
        yield server


@contextmanager
def frozen(server: MariaDb) -> Iterator[None]:
    server.freeze()
    try:
        yield
    finally:
        server.thaw()


@contextmanager
def down(server: MariaDb) -> Iterator[None]:
    server.kill()
    try:
        yield
    finally:
        server.start()


@asynccontextmanager
async def opened(server: MariaDb, **options: Any) -> AsyncIterator[tuple[SqlStore, Client]]:
    store = SqlStore(server.url("nda"), **options)
    await store.start()
    try:
        async with serving(store) as client:
            yield store, client
    finally:
        await store.close()


async def within(seconds: float, work: Awaitable[Any]) -> Any:
    """The result of the work, which must come in time."""
    began = time.monotonic()
    result = await work
    assert time.monotonic() - began < seconds
    return result


def codes(answer: dict[str, Any]) -> set[str]:
    return {error["extensions"]["code"] for error in answer["errors"]}


async def assert_away(client: Client) -> None:
    """Every request ends in time and says why; the process is alive, and not ready."""
    answers = await within(PROMISE, asyncio.gather(*(client.answer(QUERY) for _ in range(20))))
    assert [codes(answer) for answer in answers] == [{"STORE_UNAVAILABLE"}] * 20
    assert [answer["data"] for answer in answers] == [{"units": None}] * 20
    array = await within(PROMISE, client.http.get("/arrays/activity/4.7.1/trace"))
    assert (array.status_code, array.json()["error"]["code"]) == (503, "STORE_UNAVAILABLE")
    assert (await client.http.get("/healthz")).status_code == 200
    assert await soon(lambda: status(client, 503))


async def status(client: Client, code: int) -> bool:
    return bool((await client.http.get("/readyz")).status_code == code)


async def assert_well(store: SqlStore, client: Client, before: dict[str, Any]) -> None:
    """All works again, and nothing is left over."""
    assert await soon(lambda: status(client, 200))
    assert await client.data(QUERY) == before
    assert await soon(lambda: idle(store))


@pytest.mark.parametrize("trouble", [frozen, down])
async def test_trouble_and_recovery(frail: MariaDb, trouble: Callable[[MariaDb], Any]) -> None:
    async with opened(frail) as (store, client):
        before = await client.data(QUERY)
        assert await status(client, 200)
        for _ in range(2):
            with trouble(frail):
                await assert_away(client)
                await assert_away(client)  # and once it is known
            await assert_well(store, client, before)


@pytest.mark.parametrize("trouble", [frozen, down])
async def test_requests_under_way_end_too(frail: MariaDb, trouble: Callable[[MariaDb], Any]) -> None:
    async with opened(frail) as (store, client):
        before = await client.data(QUERY)
        with locked(frail, "oracle"):
            requests = [asyncio.create_task(client.answer(QUERY)) for _ in range(8)]
            assert await soon(lambda: waiting(frail, 8))
            with trouble(frail):
                answers = await within(PROMISE, asyncio.gather(*requests))
                assert await soon(lambda: status(client, 503))
        for answer in answers:
            assert codes(answer) == {"STORE_UNAVAILABLE"}
        await assert_well(store, client, before)


async def test_a_database_that_never_was_there(frail: MariaDb) -> None:
    with down(frail):
        async with opened(frail) as (store, client):
            await assert_away(client)
            frail.start()
            assert await soon(lambda: status(client, 200))
            assert (await client.data(QUERY))["units"]["totalCount"] > 0
            assert await idle(store)
            frail.kill()


async def test_a_frozen_database_does_not_hold_up_the_end(frail: MariaDb) -> None:
    store = SqlStore(frail.url("nda"))
    await store.start()
    work = [asyncio.create_task(store.rows(Query(t.scan))) for _ in range(10)]
    await asyncio.gather(*work)
    with frozen(frail):
        hanging = [asyncio.create_task(store.rows(Query(t.scan))) for _ in range(10)]
        await asyncio.sleep(0.1)
        for task in hanging:
            task.cancel()
        await within(PROMISE, asyncio.gather(*hanging, return_exceptions=True))
        await within(PROMISE, store.close())


async def test_a_cancelled_request_gives_its_connection_back(frail: MariaDb) -> None:
    async with opened(frail, pool=4) as (store, client):
        before = await client.data(QUERY)
        for _ in range(3):
            with locked(frail, "oracle"):
                requests = [asyncio.create_task(client.answer(QUERY)) for _ in range(8)]
                assert await soon(lambda: waiting(frail, 4))
                for request in requests:
                    request.cancel()
                ended = await within(PROMISE, asyncio.gather(*requests, return_exceptions=True))
                assert all(isinstance(end, asyncio.CancelledError) for end in ended)
                assert await soon(lambda: idle(store), 1)
        await assert_well(store, client, before)


async def test_a_pool_without_a_free_connection_says_so(frail: MariaDb) -> None:
    async with opened(frail, pool=1, deadlines=Deadlines(pool=0.3)) as (store, client):
        before = await client.data(QUERY)
        with locked(frail, "oracle"):
            first = asyncio.create_task(client.data("{ units(where: {pearson: {gt: 0}}) { totalCount } }"))
            assert await soon(lambda: waiting(frail, 1))
            answer = await within(PROMISE, client.answer(QUERY))
            assert codes(answer) == {"STORE_UNAVAILABLE"}
            assert "free" in answer["errors"][0]["message"]
        assert (await first)["units"]["totalCount"] > 0
        await assert_well(store, client, before)


async def test_a_statement_over_its_deadline_is_a_timeout_for_the_client(frail: MariaDb) -> None:
    async with opened(frail, deadlines=Deadlines(statement=0.5)) as (store, client):
        before = await client.data(QUERY)
        with locked(frail, "oracle"):
            statements = Statements(store)
            many = await within(PROMISE, client.answer(QUERY.replace("first: 3", "first: 100")))
            assert codes(many) == {"TIMEOUT"}
            assert (
                len([statement for statement in statements if "FROM oracle" in statement]) == 1
            )  # it isn't sent again
            answer = await within(PROMISE, client.answer(QUERY))
            assert codes(answer) == {"TIMEOUT"}
            assert all(node["unitId"] and node["scan"] for node in answer["data"]["units"]["nodes"])
        await assert_well(store, client, before)


async def test_a_killed_connection_is_replaced_unseen(frail: MariaDb) -> None:
    async with opened(frail, pool=2) as (store, client):
        before = await client.data(QUERY)
        for (number,) in frail.execute("SELECT id FROM information_schema.processlist WHERE user = 'reader'"):
            frail.execute(f"KILL {number}")
        assert await client.data(QUERY) == before
        with pytest.raises(StoreUnavailable):
            await store._fetch(text("KILL CONNECTION_ID()"))  # twice in a row is once too often
        await assert_well(store, client, before)


async def test_a_server_that_tells_no_grants_is_served_all_the_same(
    mariadb_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So do servers that run without them."""
    monkeypatch.setattr("gql_nda.stores.sql.text", lambda _: text("SHOW GRANTS FOR nobody@nowhere"))
    found = await mariadb_store.probe()
    assert found["grants"] == ""
    assert found["version"]


async def test_a_file_whose_connections_are_taken_is_waited_for(sqlite_path: Path) -> None:
    """It is as quick as the processor, and no server that could be away."""
    store = SqlStore(f"sqlite:///{sqlite_path}", pool=1, deadlines=Deadlines(pool=0.01))
    async with store.engine.connect():
        asked = asyncio.create_task(store.counts(Query(t.scan)))
        await asyncio.sleep(0.2)
    assert list((await asked).values()) == [5]
    await store.close()
