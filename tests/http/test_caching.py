"""Answers that a client has already: they are not made again."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from gql_nda.dataset import Dataset
from gql_nda.http.caching import Tags, matches
from gql_nda.http.requests import Operation
from gql_nda.limits import Limits
from gql_nda.settings import Settings
from gql_nda.stores.snapshot import SnapshotStore
from gql_nda.stores.sql import SqlStore
from tests.stores.trouble import soon
from tests.support.client import Client, Statements, serving

RESPONSE, JSON = "application/graphql-response+json", "application/json"
SCAN = "query Q($s: Int = 4) { scan(session: $s, scanIdx: 7) { fps } }"
FPS = {"data": {"scan": {"fps": 6.3009}}}


@pytest.fixture
async def client(snapshot_store: SnapshotStore) -> AsyncIterator[Client]:
    """A client of a server that knows its data's fingerprint."""
    async with serving(snapshot_store) as client:
        await client.data("{ dataset { fingerprint } }")
        yield client


async def get(client: Client, tag: str = "", accept: str = RESPONSE, query: str = SCAN, **sent: str) -> httpx.Response:
    headers = {"accept": accept, **({"if-none-match": tag} if tag else {})}
    return await client.http.get("/graphql", params={"query": query, **sent}, headers=headers)


MEAN = "{ unit(session: 4, scanIdx: 7, unitId: 1) { activity { trace { mean } } } }"


async def test_an_answer_is_asked_for_twice_and_made_once(client: Client, snapshot_store: SnapshotStore) -> None:
    assert isinstance(snapshot_store.live, SqlStore)
    statements = Statements(snapshot_store.live)
    first = await get(client, query=MEAN)
    assert (first.status_code, list(first.json()), len(statements) > 0) == (200, ["data"], True)
    assert first.headers["cache-control"] == "private, no-cache"
    statements.clear()
    second = await get(client, first.headers["etag"], query=MEAN)
    assert (second.status_code, second.content, statements) == (304, b"", [])
    for name in ("etag", "cache-control", "vary"):
        assert second.headers[name] == first.headers[name]
    assert first.headers["vary"] == "Accept, Accept-Encoding"


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', '{}, "other"', '"a,b" , W/{} ,"c"'])
async def test_one_tag_of_many_is_enough(form: str, client: Client) -> None:
    tag = (await get(client)).headers["etag"]
    assert (await get(client, form.format(tag))).status_code == 304


@pytest.mark.parametrize("condition", ["*", '"other"', "", "other", ","])
async def test_other_tags_are_answered_in_full(condition: str, client: Client) -> None:
    assert (await get(client, condition)).json() == FPS


CHANGES: list[dict[str, Any]] = [
    {"variables": '{"s": 9999}'},
    {"operationName": "Q"},
    {"query": SCAN + " "},
    {"accept": JSON},
]


@pytest.mark.parametrize("changed", CHANGES)
async def test_another_question_has_another_tag(changed: dict[str, Any], client: Client) -> None:
    tag = (await get(client)).headers["etag"]
    other = await get(client, tag, **changed)
    assert other.status_code == 200
    assert other.headers["etag"] != tag


async def test_the_address_of_arrays_is_part_of_the_answer(client: Client) -> None:
    href = "{ unit(session: 4, scanIdx: 7, unitId: 1) { activity { trace { href } } } }"
    tag = (await get(client, query=href)).headers["etag"]
    client.http.headers["host"] = "elsewhere.example"
    assert (await get(client, tag, query=href)).status_code == 200


async def test_other_limits_or_another_release_have_other_tags(snapshot_store: SnapshotStore) -> None:
    dataset = Dataset(snapshot_store)
    await dataset.fingerprint()
    servers = [Settings(), Settings(limits=Limits(page_default=7)), Settings(dataset_version="8")]
    tags = {Tags(dataset, settings).of(Operation(SCAN, None, None), JSON, "") for settings in servers}
    assert len(tags) == 3
    assert None not in tags


@pytest.mark.parametrize(
    "query",
    ["{", "{ nothing }", '{ a: __typename unit(strKey: "x") { umX } }', "query ($s: Int!) { scan(session: $s) }"],
)
async def test_errors_are_not_kept(query: str, client: Client) -> None:
    response = await get(client, query=query)
    assert response.json()["errors"]
    assert "etag" not in response.headers
    assert response.headers["cache-control"] == "no-store"


async def test_a_post_is_answered_anew(client: Client) -> None:
    tag = (await get(client)).headers["etag"]
    response = await client.http.post("/graphql", json={"query": SCAN}, headers={"if-none-match": tag})
    assert (response.status_code, response.json()) == (200, FPS)
    assert "etag" not in response.headers


async def test_head_has_the_tag_of_get(client: Client) -> None:
    tag = (await get(client)).headers["etag"]
    head = await client.http.head("/graphql", params={"query": SCAN}, headers={"accept": RESPONSE})
    assert head.headers["etag"] == tag


async def test_what_may_change_has_no_tag(sqlite_store: SqlStore) -> None:
    """The database may be edited while a server runs, and answers of before be taken for those of after."""
    async with serving(sqlite_store) as client:
        await client.data("{ dataset { fingerprint } }")
        statements = Statements(sqlite_store)
        response = await get(client)
    assert (response.json(), "etag" in response.headers) == (FPS, False)
    assert len(statements) == 1  # nor are all rows read for one


async def test_variables_that_are_refused_have_no_tag(client: Client) -> None:
    deep = '{"s": ' + "[" * 300 + "]" * 300 + "}"
    response = await get(client, variables=deep)
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (400, "LIMIT_EXCEEDED")
    assert "etag" not in response.headers


async def test_nobody_waits_for_the_fingerprint(snapshot_store: SnapshotStore) -> None:
    async with serving(snapshot_store) as client:
        first = await get(client)
        assert (first.json(), "etag" in first.headers) == (FPS, False)
        assert first.headers["cache-control"] == "private, no-cache"

        async def tagged() -> bool:
            return "etag" in (await get(client)).headers

        assert await soon(tagged)


@pytest.mark.parametrize(
    ("condition", "matching"),
    [(None, False), ('"a"', True), ('W/"a"', True), ('"b", "a"', True), ('"aa"', False), ("a", False), ("*", False)],
)
def test_conditions(condition: str | None, matching: bool) -> None:
    assert matches(condition, '"a"') is matching
