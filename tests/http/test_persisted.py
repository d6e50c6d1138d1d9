"""Automatic persisted queries: a document is sent once, and named by its hash from then on."""

import json
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import httpx
import pytest

from gql_nda.http.persisted import PersistedQueries, Unknown
from gql_nda.http.requests import Operation
from gql_nda.stores.sql import SqlStore
from tests.support.client import Client, serving

RESPONSE, JSON = "application/graphql-response+json", "application/json"
SCAN = "query ($s: Int = 4) { scan(session: $s, scanIdx: 7) { fps } }"
FPS = {"data": {"scan": {"fps": 6.3009}}}


def digest(query: str) -> str:
    return sha256(query.encode()).hexdigest()


def named(query: str, **changed: Any) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": digest(query), **changed}}


@pytest.fixture
async def client(sqlite_store: SqlStore) -> AsyncIterator[Client]:
    """A client of a server that knows no document yet."""
    async with serving(sqlite_store) as client:
        yield client


async def post(client: Client, accept: str = JSON, **sent: Any) -> httpx.Response:
    return await client.http.post("/graphql", json=sent, headers={"accept": accept})


async def get(client: Client, accept: str = JSON, **sent: Any) -> httpx.Response:
    given = {name: value if isinstance(value, str) else json.dumps(value) for name, value in sent.items()}
    return await client.http.get("/graphql", params=given, headers={"accept": accept})


def error(response: httpx.Response) -> tuple[int, str, str]:
    body = response.json()
    assert "data" not in body
    [error] = body["errors"]
    return response.status_code, error["extensions"]["code"], error["message"]


UNKNOWN = ("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")


@pytest.mark.parametrize(("accept", "status"), [(JSON, 200), (RESPONSE, 400)])
@pytest.mark.parametrize("send", [post, get])
async def test_unknown_sent_and_known(send: Any, accept: str, status: int, client: Client) -> None:
    unknown = await send(client, accept, extensions=named(SCAN))
    assert error(unknown) == (status, *UNKNOWN)
    assert unknown.headers["cache-control"] == "no-store"
    assert (await send(client, accept, query=SCAN, extensions=named(SCAN))).json() == FPS
    assert (await send(client, accept, extensions=named(SCAN))).json() == FPS
    other = await send(client, accept, extensions=named(SCAN), variables={"s": 9999})
    assert other.json() == {"data": {"scan": None}}


async def test_what_one_method_sent_the_other_knows(client: Client) -> None:
    await post(client, query=SCAN, extensions=named(SCAN))
    assert (await get(client, extensions=named(SCAN))).json() == FPS


async def test_a_browser_that_asks_by_hash_gets_no_page(client: Client) -> None:
    accept = f"text/html, {JSON}"
    assert error(await get(client, accept, extensions=named(SCAN)))[1:] == UNKNOWN


async def test_the_operation_of_a_known_document_is_named(client: Client) -> None:
    text = "query A { a: __typename } query B { b: __typename }"
    await post(client, query=text, operationName="A", extensions=named(text))
    assert (await post(client, operationName="B", extensions=named(text))).json() == {"data": {"b": "Query"}}


@pytest.mark.parametrize(
    ("extensions", "words"),
    [
        (named("{ other }"), "not the hash of the query"),
        (named(SCAN, version=2), "expected version 1"),
        (named(SCAN, sha256Hash=1), "expected version 1"),
        (named(SCAN, sha256Hash="0" * 63), "64 lower-case hex digits"),
        (named(SCAN, sha256Hash="G" * 64), "64 lower-case hex digits"),
        ({"persistedQuery": digest(SCAN)}, "expected version 1"),
        ({"persistedQuery": {}}, "expected version 1"),
    ],
)
@pytest.mark.parametrize("send", [post, get])
async def test_odd_hashes_are_400(send: Any, extensions: dict[str, Any], words: str, client: Client) -> None:
    status, code, message = error(await send(client, query=SCAN, extensions=extensions))
    assert (status, code) == (400, "BAD_USER_INPUT")
    assert message.startswith("extensions.persistedQuery")
    assert words in message


@pytest.mark.parametrize("text", ["{", "{ nothing }", "mutation { a }", "{" + "__typename " * 600 + "}"])
async def test_what_was_not_executed_is_not_kept(text: str, client: Client) -> None:
    assert (await post(client, query=text, extensions=named(text))).json()["errors"]
    assert error(await post(client, extensions=named(text)))[1:] == UNKNOWN


async def test_what_had_an_error_in_a_field_is_kept(client: Client) -> None:
    text = '{ a: __typename unit(strKey: "x") { umX } }'
    first = (await post(client, query=text, extensions=named(text))).json()
    assert first["data"] == {"a": "Query", "unit": None}
    assert (await post(client, extensions=named(text))).json() == first


async def test_switched_off(sqlite_store: SqlStore) -> None:
    async with serving(sqlite_store, persisted_queries=0) as client:
        for sent in ({}, {"query": SCAN}):
            response = await post(client, extensions=named(SCAN), **sent)
            assert error(response) == (200, "PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported")


# --- the store ---------------------------------------------------------------------------------------


def kept(persisted: PersistedQueries, texts: str) -> str:
    """Those of the documents, a letter each with some blanks, that are known."""
    return "".join(letter for letter in texts if knows(persisted, document(letter)))


def document(letter: str) -> str:
    return letter + " " * 9


def asked(text: str, query: str) -> Operation:
    return Operation(query, None, None, digest(text))


def knows(persisted: PersistedQueries, text: str) -> bool:
    try:
        return persisted.completed(asked(text, "")).query == text
    except Unknown:
        return False


@pytest.mark.parametrize(("most", "most_bytes"), [(3, 1000), (1000, 39)])
def test_the_least_recently_used_is_dropped(most: int, most_bytes: int) -> None:
    persisted = PersistedQueries(most, most_bytes)
    for letter in "abc":
        persisted.keep(asked(document(letter), document(letter)))
    assert knows(persisted, document("a"))
    for letter in "dd":
        persisted.keep(asked(document(letter), document(letter)))
    assert kept(persisted, "abcd") == "acd"


def test_a_document_larger_than_all_is_not_kept() -> None:
    persisted = PersistedQueries(3, 39)
    persisted.keep(asked(document("a"), document("a")))
    persisted.keep(asked("x" * 40, "x" * 40))
    persisted.keep(asked("é" * 20, "é" * 20))
    assert kept(persisted, "a") == "a"
    assert not knows(persisted, "é" * 20)


def test_a_document_without_a_hash_is_not_kept() -> None:
    persisted = PersistedQueries(3, 39)
    persisted.keep(Operation(document("a"), None, None))
    assert kept(persisted, "a") == ""
