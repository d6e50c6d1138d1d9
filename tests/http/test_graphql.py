"""GraphQL over HTTP: methods, media types, parameters, status codes."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gql_nda.cost import AnswerSize
from gql_nda.errors import StoreUnavailable
from gql_nda.http.persisted import PersistedQueries
from gql_nda.stores.sql import SqlStore
from tests.support.asgi import PATIENCE
from tests.support.client import Client, serving
from tests.support.stores import SlowStore

RESPONSE, JSON = "application/graphql-response+json", "application/json"
SCAN = "query ($s: Int = 4) { scan(session: $s, scanIdx: 7) { fps } }"
FPS = {"data": {"scan": {"fps": 6.3009}}}
HELLO, HELLO_BACK = "{ __typename }", {"data": {"__typename": "Query"}}


@pytest.fixture(scope="module")
async def client(sqlite_store: SqlStore) -> AsyncIterator[Client]:
    """One client, where the store makes no difference."""
    async with serving(sqlite_store) as client:
        yield client


async def post(client: Client, accept: str = RESPONSE, **sent: Any) -> httpx.Response:
    return await client.http.post("/graphql", json=sent, headers={"accept": accept})


async def get(client: Client, accept: str = RESPONSE, **sent: str) -> httpx.Response:
    return await client.http.get("/graphql", params=sent, headers={"accept": accept})


def first_error(response: httpx.Response) -> tuple[int, str, str]:
    """Status, code and message of an answer that is nothing but errors."""
    body = response.json()
    assert "data" not in body
    error = body["errors"][0]
    return response.status_code, error["extensions"]["code"], error["message"]


async def test_what_nobody_foresaw_is_masked(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise ArithmeticError("secret")

    monkeypatch.setattr(PersistedQueries, "completed", fail)
    async with serving(sqlite_store) as client:
        response = await post(client, query=HELLO)
    error = response.json()["errors"][0]
    assert (response.status_code, error["extensions"]["code"]) == (500, "INTERNAL_SERVER_ERROR")
    assert "secret" not in response.text
    assert error["extensions"]["reference"] in caplog.text


# --- media types -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (f"{JSON}; charset=utf-8", JSON),
        ("Application/JSON", JSON),
        (RESPONSE, RESPONSE),
        (f"{RESPONSE}; charset=utf-8", RESPONSE),
        (f"{RESPONSE}, {JSON}", RESPONSE),
        (f"{JSON}, {RESPONSE}", JSON),
        (f"text/plain, {RESPONSE};q=0.9", RESPONSE),
        (f"text/html, {JSON}", JSON),
        (f"{RESPONSE};q=0.1, {JSON}", JSON),
        (f"{JSON};q=0.1, {RESPONSE}; q=0.2", RESPONSE),
        (f"{JSON};charset=utf-8;q=0.3, {RESPONSE};q=0.2", JSON),
        (f"*/*;q=0.1, {RESPONSE};q=0.1", JSON),
        (f"{JSON};q=0, {RESPONSE};q=0.1", RESPONSE),
    ],
)
async def test_answer_is_of_the_first_media_type_that_fits(accept: str | None, media_type: str, client: Client) -> None:
    request = client.http.build_request("POST", "/graphql", json={"query": HELLO})
    del request.headers["accept"]
    if accept is not None:
        request.headers["accept"] = accept
    response = await client.http.send(request)
    assert (response.status_code, response.json()) == (200, HELLO_BACK)
    assert response.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert response.headers["vary"] == "Accept, Accept-Encoding"


@pytest.mark.parametrize(
    "accept", ["image/png", "text/html", "text/*", "application/xml", f"{JSON};q=0", "*/*;q=0", f"{JSON};q=0, */*"]
)
async def test_other_media_types_are_406(accept: str, client: Client) -> None:
    response = await post(client, accept, query=HELLO)
    assert first_error(response) == (406, "BAD_USER_INPUT", "Accept: only JSON can be had.")
    assert response.headers["content-type"].startswith(JSON)


BROKEN = {
    "parse": ("{", "GRAPHQL_PARSE_FAILED"),
    "validate": ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
    "limit": ("{" + "__typename " * 600 + "}", "LIMIT_EXCEEDED"),
    "variable": ("query ($s: Int!) { scan(session: $s, scanIdx: 7) { fps } }", "BAD_USER_INPUT"),
    "name": ("query A { __typename } query B { __typename }", "BAD_USER_INPUT"),
}


@pytest.mark.parametrize(("accept", "status"), [(RESPONSE, 400), (JSON, 200)])
@pytest.mark.parametrize("kind", BROKEN)
async def test_what_was_not_executed_has_no_data(kind: str, accept: str, status: int, client: Client) -> None:
    text, code = BROKEN[kind]
    for response in (await post(client, accept, query=text), await get(client, accept, query=text)):
        assert first_error(response)[:2] == (status, code)


@pytest.mark.parametrize("accept", [RESPONSE, JSON])
async def test_an_error_of_a_field_is_200_with_data(accept: str, client: Client) -> None:
    response = await post(client, accept, query='{ a: __typename unit(strKey: "x") { umX } }')
    body = response.json()
    assert (response.status_code, body["data"]) == (200, {"a": "Query", "unit": None})
    assert [(e["path"], e["extensions"]["code"]) for e in body["errors"]] == [(["unit"], "BAD_USER_INPUT")]


async def test_validation_errors_stay_readable(client: Client) -> None:
    body = (await post(client, query="{\n  scan(session: 4) { fsp }\n}")).json()
    assert [(e["message"], e["locations"], e["extensions"]) for e in body["errors"]] == [
        (
            "Cannot query field 'fsp' on type 'Scan'. Did you mean 'fps'?",
            [{"line": 2, "column": 22}],
            {"code": "GRAPHQL_VALIDATION_FAILED"},
        ),
        (
            "Argument 'Query.scan(scanIdx:)' of type 'Int!' is required, but it was not provided.",
            [{"line": 2, "column": 3}],
            {"code": "GRAPHQL_VALIDATION_FAILED"},
        ),
    ]


async def test_parse_errors_say_where(client: Client) -> None:
    body = (await post(client, query="{\n  scan(\n}")).json()
    assert [(e["message"], e["locations"]) for e in body["errors"]] == [
        ("Syntax Error: Expected Name, found '}'.", [{"line": 3, "column": 1}])
    ]


# --- POST ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("media_type", [JSON, "Application/Json", f"{JSON}; charset=utf-8", f'{JSON};charset="UTF-8"'])
async def test_json_is_read(media_type: str, client: Client) -> None:
    content = json.dumps({"query": SCAN}).encode()
    response = await client.http.post("/graphql", content=content, headers={"content-type": media_type})
    assert response.json() == FPS


@pytest.mark.parametrize(
    "sent",
    [
        {"variables": {"s": 4}},
        {"variables": None},
        {"variables": {}},
        {"variables": {"unused": [1]}},
        {"operationName": None},
        {"extensions": None},
        {"extensions": {"anything": 1}},
        {"unknown": {"ignored": True}},
    ],
)
async def test_what_may_be_sent_beside_the_query(sent: dict[str, Any], client: Client) -> None:
    assert (await post(client, query=SCAN, **sent)).json() == FPS


async def test_variables_reach_the_query(client: Client) -> None:
    assert (await post(client, query=SCAN, variables={"s": 9999})).json() == {"data": {"scan": None}}


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({}, "query: missing"),
        ({"query": None}, "query: missing"),
        ({"query": ""}, "query: missing"),
        ({"query": 1}, "query: expected a string"),
        ({"query": {"kind": "Document"}}, "query: expected a string"),
        ({"query": ["{ __typename }"]}, "query: expected a string"),
        ({"query": HELLO, "variables": [1]}, "variables: expected an object"),
        ({"query": HELLO, "variables": '{"s": 4}'}, "variables: expected an object"),
        ({"query": HELLO, "operationName": 1}, "operationName: expected a string"),
        ({"query": HELLO, "operationName": "Other"}, "operationName: names no operation"),
        ({"query": HELLO, "operationName": "constructor"}, "operationName: names no operation"),
        ({"query": HELLO, "extensions": "x"}, "extensions: expected an object"),
        ({"query": "fragment F on Query { __typename }"}, "operationName: names no operation"),
        ({"extensions": {"other": 1}}, "query: missing"),
    ],
)
async def test_odd_parameters_are_400(sent: dict[str, Any], words: str, client: Client) -> None:
    status, code, message = first_error(await post(client, **sent))
    assert (status, code) == (400, "BAD_USER_INPUT")
    assert words in message


@pytest.mark.parametrize("body", [b"null", b"1", b'"{ __typename }"', b"true", b"{", b"", b"{'query': 1}"])
async def test_bodies_that_are_no_request_are_400(body: bytes, client: Client) -> None:
    response = await client.http.post("/graphql", content=body, headers={"content-type": JSON, "accept": RESPONSE})
    status, code, message = first_error(response)
    assert (status, code) == (400, "BAD_USER_INPUT")
    assert message.startswith("body: ")


async def test_the_query_of_the_url_does_not_count_in_a_post(client: Client) -> None:
    response = await client.http.post("/graphql", params={"query": HELLO}, json={"query": SCAN})
    assert response.json() == FPS


NAMED = "query A { a: __typename } query B { b: __typename }"


@pytest.mark.parametrize(("name", "key"), [("A", "a"), ("B", "b")])
async def test_the_named_operation_is_executed(name: str, key: str, client: Client) -> None:
    assert (await post(client, query=NAMED, operationName=name)).json() == {"data": {key: "Query"}}
    assert (await get(client, query=NAMED, operationName=name)).json() == {"data": {key: "Query"}}


# --- GET -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"variables": '{"s": 4}'},
        {"variables": "null"},
        {"variables": ""},
        {"extensions": "{}"},
        {"extensions": ""},
        {"other": "1"},
    ],
)
async def test_get(sent: dict[str, str], client: Client) -> None:
    response = await get(client, query=SCAN, **sent)
    assert (response.status_code, response.json()) == (200, FPS)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({}, "query: missing"),
        ({"query": ""}, "query: missing"),
        ({"query": SCAN, "variables": "{"}, "variables: no valid JSON"),
        ({"query": SCAN, "variables": "[4]"}, "variables: expected an object"),
        ({"query": SCAN, "variables": '"4"'}, "variables: expected an object"),
        ({"query": SCAN, "extensions": "nan"}, "extensions: no valid JSON"),
        ({"query": SCAN, "operationName": "Other"}, "operationName: names no operation"),
    ],
)
async def test_odd_parameters_of_get_are_400(sent: dict[str, str], words: str, client: Client) -> None:
    status, code, message = first_error(await get(client, **sent))
    assert (status, code) == (400, "BAD_USER_INPUT")
    assert words in message


@pytest.mark.parametrize("query", ["%ff%fe", "%00", "%ED%A0%80"])
async def test_bytes_that_are_no_text_are_a_parse_error(query: str, client: Client) -> None:
    response = await client.http.get(f"/graphql?query={query}", headers={"accept": RESPONSE})
    assert first_error(response)[:2] == (400, "GRAPHQL_PARSE_FAILED")


async def test_a_mutation_is_not_executed_whatever_stands_beside_it(client: Client) -> None:
    text = "mutation A { a } query B { __typename }"
    assert (await get(client, query=text, operationName="A")).status_code == 405
    assert (await post(client, query=text, operationName="A")).status_code == 400
    # As a document it isn't valid either: there is no type of mutations.
    assert first_error(await get(client, query=text, operationName="B"))[0] == 400


# --- deadlines -------------------------------------------------------------------------------------


async def test_an_operation_that_takes_too_long_is_ended(demo_path: Path) -> None:
    store = SlowStore(f"sqlite:///{demo_path}")
    async with serving(store, operation_timeout=0.05) as client:
        error = await client.error(SCAN)
    assert error["extensions"] == {"code": "TIMEOUT"}
    assert error["message"] == "operation_timeout: longer than 0.05 s"
    await asyncio.wait_for(store.cancelled.wait(), PATIENCE)
    assert store.reading == 0
    await store.close()


async def test_what_the_server_fails_at_is_not_the_clients_fault(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> int:
        raise StoreUnavailable("the database does not answer")

    monkeypatch.setattr(AnswerSize, "of", away)
    async with serving(sqlite_store) as client:
        response = await client.http.post(
            "/graphql", json={"query": "{ scans { totalCount } }"}, headers={"accept": RESPONSE}
        )
    assert response.status_code == 503
    assert response.json()["errors"][0]["extensions"]["code"] == "STORE_UNAVAILABLE"
