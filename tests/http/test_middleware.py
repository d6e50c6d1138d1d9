"""Clients that stall or leave, browsers from elsewhere, proxies in front."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.types import Message, Send

from gql_nda.http.app import build_app
from gql_nda.settings import Settings
from gql_nda.stores.sql import SqlStore
from tests.support.asgi import LEAVE, PATIENCE, Exchange, call, part, question, receiving
from tests.support.client import serving
from tests.support.stores import SlowStore

SCAN = "{ scan(session: 4, scanIdx: 7) { fps } }"
TRACE = "/arrays/activity/4.7.1/trace"
FPS = {"data": {"scan": {"fps": 6.3009}}}


@pytest.fixture
async def slow(demo_path: Path) -> AsyncIterator[SlowStore]:
    """A store that waits."""
    store = SlowStore(f"sqlite:///{demo_path}")
    yield store
    store.go.set()
    await store.close()


@pytest.fixture
def app(sqlite_store: SqlStore) -> Starlette:
    """A server that waits but shortly for a body."""
    return build_app(Settings(body_timeout=0.1, body_bytes=1000), sqlite_store)


def refusal(answer: Exchange) -> tuple[int, str, str]:
    """Status, code and message of an answer that is one error, in GraphQL's shape and of the type asked for."""
    assert answer.headers["content-type"] == "application/graphql-response+json; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    [error] = answer.json["errors"]
    return answer.status, error["extensions"]["code"], error["message"]


# --- bodies ----------------------------------------------------------------------------------------


async def test_body_in_pieces_is_read(app: Starlette) -> None:
    body = question(SCAN)["body"]
    answer = await call(app, receiving(part(body[:5], more=True), part(body[5:20], more=True), part(body[20:])))
    assert (answer.status, answer.json) == (200, FPS)


async def test_body_that_stalls_is_408(app: Starlette) -> None:
    answer = await call(app, receiving(part(b'{"query":', more=True)))
    assert refusal(answer) == (408, "TIMEOUT", "body_timeout: the body took longer than 0.1 s.")


async def test_body_that_never_begins_is_408(app: Starlette) -> None:
    assert (await call(app, receiving())).status == 408


async def test_body_that_trickles_is_408(app: Starlette) -> None:
    async def trickle() -> Message:
        await asyncio.sleep(0.02)
        return part(b" ", more=True)

    assert (await call(app, trickle)).status == 408


async def test_deadline_is_the_bodys_alone(slow: SlowStore) -> None:
    app = build_app(Settings(body_timeout=0.05), slow)
    answer = asyncio.create_task(call(app, receiving(question(SCAN))))
    await slow.begun.wait()
    await asyncio.sleep(0.1)
    slow.go.set()
    assert (await answer).json == FPS


async def test_a_slow_reader_is_no_slow_body(sqlite_store: SqlStore) -> None:
    def slowly(exchange: Exchange) -> Send:
        async def send(message: Message) -> None:
            await asyncio.sleep(0.06)
            await exchange.send(message)

        return send

    app = build_app(Settings(body_timeout=0.05), sqlite_store)
    answer = await call(app, receiving(part(b"")), path=TRACE, method="GET", send=slowly)
    assert (answer.status, len(answer.body)) == (200, 160_128)


@pytest.mark.parametrize("headers", [{}, {"content-length": "1001"}])
async def test_body_too_large_is_413(headers: dict[str, str], app: Starlette) -> None:
    answer = await call(app, receiving(part(b" " * 600, more=True), part(b" " * 401)), headers=headers)
    assert refusal(answer) == (413, "LIMIT_EXCEEDED", "body_bytes: the body is larger than 1000 bytes.")


async def test_body_of_the_largest_size_is_read(app: Starlette) -> None:
    body = question(SCAN)["body"]
    answer = await call(app, receiving(part(body, more=True), part(b" " * (1000 - len(body)))))
    assert answer.json == FPS


async def test_connection_that_breaks_while_it_is_read_ends_the_request(app: Starlette) -> None:
    answer = await call(app, receiving(part(b"{", more=True), OSError("broken")))
    assert answer.sent == []


# --- clients that leave ----------------------------------------------------------------------------


async def test_work_for_a_client_that_left_is_cancelled(slow: SlowStore) -> None:
    app = build_app(Settings(), slow)
    answer = await call(app, receiving(question(SCAN), slow.begun.wait(), LEAVE))
    assert answer.sent == []
    await asyncio.wait_for(slow.cancelled.wait(), PATIENCE)
    assert slow.reading == 0


async def test_client_that_leaves_before_its_body_ends_is_let_go(app: Starlette) -> None:
    assert (await call(app, receiving(part(b"{", more=True), LEAVE))).sent == []


async def test_download_of_a_client_that_left_is_cancelled(slow: SlowStore) -> None:
    app = build_app(Settings(), slow)
    path = "/arrays/stimulus/4.7/movie"
    answer = await call(app, receiving(part(b""), slow.begun.wait(), LEAVE), path=path, method="GET")
    assert answer.sent == []
    await asyncio.wait_for(slow.cancelled.wait(), PATIENCE)


async def test_server_that_stops_cancels_its_work(slow: SlowStore) -> None:
    serving = asyncio.create_task(call(build_app(Settings(), slow), receiving(question(SCAN))))
    await slow.begun.wait()
    serving.cancel()
    await asyncio.wait_for(slow.cancelled.wait(), PATIENCE)


async def test_one_who_leaves_takes_nothing_from_another(slow: SlowStore) -> None:
    app = build_app(Settings(), slow)
    stays = asyncio.create_task(call(app, receiving(question(SCAN))))
    await call(app, receiving(question(SCAN), slow.begun.wait(), LEAVE))
    slow.go.set()
    assert (await stays).json == FPS


# --- too many at once ------------------------------------------------------------------------------


async def test_more_operations_than_slots_are_503(slow: SlowStore) -> None:
    app = build_app(Settings(operations=1), slow)
    first = asyncio.create_task(call(app, receiving(question(SCAN))))
    await slow.begun.wait()
    second = await call(app, receiving(question(SCAN)))
    assert (second.status, second.headers["retry-after"]) == (503, "1")
    assert "busy" in second.json["errors"][0]["message"]
    slow.go.set()
    assert (await first).json == FPS
    assert (await call(app, receiving(question(SCAN)))).json == FPS


async def test_slot_of_a_client_that_left_is_free_again(slow: SlowStore) -> None:
    app = build_app(Settings(operations=1), slow)
    await call(app, receiving(question(SCAN), slow.begun.wait(), LEAVE))
    slow.go.set()
    assert (await call(app, receiving(question(SCAN)))).json == FPS


# --- start and stop --------------------------------------------------------------------------------


async def test_store_starts_and_closes_with_the_server(demo_path: Path) -> None:
    app = build_app(Settings(), SqlStore(f"sqlite:///{demo_path}"))
    sent: list[str] = []
    started, stop = asyncio.Event(), asyncio.Event()

    async def send(message: Message) -> None:
        sent.append(message["type"])
        started.set()

    receive = receiving({"type": "lifespan.startup"}, stop.wait(), {"type": "lifespan.shutdown"})
    life = asyncio.create_task(app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send))
    await asyncio.wait_for(started.wait(), PATIENCE)
    stop.set()
    await asyncio.wait_for(life, PATIENCE)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_health(sqlite_store: SqlStore) -> None:
    async with serving(sqlite_store) as client:
        for path in ("/healthz", "/readyz"):
            response = await client.http.get(path)
            assert (response.status_code, response.json()) == (200, {"status": "ok"})


# --- browsers from elsewhere -----------------------------------------------------------------------

HOME, AWAY = "https://lab.example", "https://evil.example"


def cors(response_headers: object) -> dict[str, str]:
    """The headers that speak of other origins."""
    return {k: v for k, v in dict(response_headers).items() if k.startswith("access-control")}  # type: ignore[call-overload]


@pytest.mark.parametrize("origin", [HOME, AWAY, "null"])
async def test_other_origins_get_nothing_by_default(origin: str, sqlite_store: SqlStore) -> None:
    async with serving(sqlite_store) as client:
        asked = await client.http.post("/graphql", json={"query": SCAN}, headers={"origin": origin})
        flight = await client.http.options(
            "/graphql", headers={"origin": origin, "access-control-request-method": "POST"}
        )
    assert cors(asked.headers) == cors(flight.headers) == {}
    assert flight.status_code == 405


async def test_an_allowed_origin_may_ask_and_another_may_not(sqlite_store: SqlStore) -> None:
    async with serving(sqlite_store, cors_origins=[HOME]) as client:
        for path in ("/graphql?query={__typename}", TRACE):
            allowed = cors((await client.http.get(path, headers={"origin": HOME})).headers)
            assert allowed["access-control-allow-origin"] == HOME
            assert "access-control-allow-credentials" not in allowed
            assert "access-control-allow-origin" not in cors(
                (await client.http.get(path, headers={"origin": AWAY})).headers
            )


@pytest.mark.parametrize(("origin", "status"), [(HOME, 200), (AWAY, 400)])
async def test_preflight(origin: str, status: int, sqlite_store: SqlStore) -> None:
    headers = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    async with serving(sqlite_store, cors_origins=[HOME]) as client:
        flight = await client.http.options("/graphql", headers=headers)
    assert flight.status_code == status
    assert ("access-control-allow-origin" in flight.headers) == (origin == HOME)


async def test_any_origin_comes_without_credentials(sqlite_store: SqlStore) -> None:
    async with serving(sqlite_store, cors_origins=["*"]) as client:
        headers = cors(
            (
                await client.http.get("/graphql?query={__typename}", headers={"origin": AWAY, "cookie": "session=1"})
            ).headers
        )
    assert headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in headers


# --- proxies ---------------------------------------------------------------------------------------

HREF = "{ unit(session: 4, scanIdx: 7, unitId: 1) { activity { trace { href } } } }"
FORWARDED = {"x-forwarded-proto": "https", "x-forwarded-host": "nda.example"}
LISTED = {"x-forwarded-proto": "https, http", "x-forwarded-host": "nda.example, inner"}
PREFIXED = {**FORWARDED, "x-forwarded-prefix": "/nda/"}


@pytest.mark.parametrize(
    ("settings", "headers", "base"),
    [
        ({}, {}, "http://test"),
        ({}, FORWARDED, "http://test"),
        ({}, {"host": "other.example:8000"}, "http://other.example:8000"),
        ({"trusted_proxies": ["198.51.100.1"]}, FORWARDED, "http://test"),
        ({"trusted_proxies": ["127.0.0.1"]}, FORWARDED, "https://nda.example"),
        ({"trusted_proxies": ["127.0.0.1"]}, LISTED, "https://nda.example"),
        ({"trusted_proxies": ["127.0.0.1"]}, PREFIXED, "https://nda.example/nda"),
        ({"trusted_proxies": ["127.0.0.1"]}, {"x-forwarded-proto": "https"}, "https://test"),
        ({"trusted_proxies": ["127.0.0.1"]}, {"x-forwarded-proto": "javascript"}, "http://test"),
        ({"trusted_proxies": ["*"]}, FORWARDED, "https://nda.example"),
        ({"public_url": "https://nda.example/nda/"}, {}, "https://nda.example/nda"),
        ({"public_url": "https://nda.example", "trusted_proxies": ["*"]}, PREFIXED, "https://nda.example"),
    ],
)
async def test_only_trusted_proxies_say_how_the_server_is_reached(
    settings: dict[str, object], headers: dict[str, str], base: str, sqlite_store: SqlStore
) -> None:
    async with serving(sqlite_store, **settings) as client:
        response = await client.http.post("/graphql", json={"query": HREF}, headers=headers)
    assert response.json()["data"]["unit"]["activity"]["trace"]["href"] == base + TRACE
