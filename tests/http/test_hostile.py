"""Documents and requests that mean harm: refused with a reason, and nobody else has to wait."""

import json
import logging
from collections.abc import AsyncIterator
from time import thread_time
from typing import Any

import httpx
import pytest
from graphql import get_introspection_query

from gql_nda.stores.sql import SqlStore
from tests.support.client import Client, serving
from tests.support.heartbeat import beating

ACCEPT = {"accept": "application/graphql-response+json"}
JSON = {"content-type": "application/json", **ACCEPT}
SECRETS = ("Traceback", "site-packages", ".py", "sqlite")


@pytest.fixture(scope="module")
async def sqlite_client(sqlite_store: SqlStore) -> AsyncIterator[Client]:
    """One client for all: a schema takes longer to build than most of these take to be refused."""
    async with serving(sqlite_store) as client:
        yield client


async def post(client: Client, content: bytes, **headers: str) -> httpx.Response:
    """The answer to a body; it neither keeps the loop nor tells anything of the server."""
    async with beating():
        response = await client.http.post("/graphql", content=content, headers=JSON | headers)
    assert not [word for word in SECRETS if word in response.text]
    return response


async def ask(client: Client, query: str, variables: object = None) -> httpx.Response:
    return await post(client, json.dumps({"query": query, "variables": variables}).encode())


def refused(response: httpx.Response, code: str, words: str) -> None:
    """The answer refuses the request with a code, and says why."""
    assert response.status_code == 400
    body = response.json()
    assert "data" not in body
    first = body["errors"][0]
    assert first["extensions"]["code"] == code
    assert words in first["message"]
    assert len(response.content) < 100_000


async def test_heartbeat_tells_when_the_loop_is_kept() -> None:
    async def selfish() -> None:
        async with beating(0.02):
            end = thread_time() + 0.05
            while thread_time() < end:
                pass

    with pytest.raises(AssertionError, match="the loop was kept"):
        await selfish()


# --- documents -------------------------------------------------------------------------------------


def fan_out() -> str:
    parts = [f"fragment F{i} on Query {{ ...F{i + 1} ...F{i + 1} }}" for i in range(60)]
    return " ".join(["{ ...F0 }", *parts, "fragment F60 on Query { __typename }"])


def aliases(count: int) -> str:
    return "{" + " ".join(f"a{i}: __typename" for i in range(count)) + "}"


def nested(depth: int) -> str:
    return "{ scans { nodes" + " { scan" * depth + " { fps }" + " }" * depth + " } }"


def filtered(depth: int) -> str:
    return "{ units(where: " + "{not: " * depth + "{}" + "}" * depth + ") { totalCount } }"


def types(levels: int, leaf: str = "name") -> str:
    return "{ __schema { types { " + "fields { type { " * levels + leaf + " } }" * levels + " } } }"


NAMES = " ".join(f"a{i}: name" for i in range(400))
MEGABYTE = 1_000_000
SKIPS = "@skip(if: false) " * 150

LIMITED = {
    "fan-out of 2^60": (fan_out(), "fields"),
    "10,000 aliases": (aliases(10_000), "tokens"),
    "600 aliases": (aliases(600), "fields"),
    "150 levels": (nested(150), "depth"),
    "2,000 levels": (nested(2000), "depth"),
    "150 levels of inline fragments": ("{" + "... {" * 150 + "__typename" + "}" * 151, "depth"),
    "5,000 equal fields": ("{ dataset {" + " name" * 5000 + "} }", "tokens"),
    "600 equal fields": ("{ dataset {" + " name" * 600 + "} }", "fields"),
    "600 equal fields in a fragment": ("{ dataset { ...F } } fragment F on Dataset {" + " name" * 600 + "}", "fields"),
    "50,000 levels": ("{a" * 50_000, "depth"),
    "50,000 levels of lists": ("{ units(keys: " + "[" * 50_000, "depth"),
    "40 levels of filters": (filtered(40), "input_depth"),
    "introspection in breadth": (types(2, NAMES), "values"),
    "introspection in depth": ("{ __type(name: 1) {" + " ofType {" * 17 + "name" + "}" * 19, "depth"),
    "directives of a field": (f"{{ __typename {SKIPS} }}", "directives"),
    "directives of an operation": (f"query {SKIPS} {{ __typename }}", "directives"),
    "directives of a variable": (f"query ($a: Int {SKIPS}) {{ __typename }}", "directives"),
    "directives of a fragment": (f"{{ ...F }} fragment F on Query {SKIPS} {{ __typename }}", "directives"),
    "directives of a spread": (f"{{ ...F {SKIPS} }} fragment F on Query {{ __typename }}", "directives"),
    "1,000 directives": ("{ __typename " + "@skip(if: false) " * 1000 + "}", "tokens"),
    "5,000 unknown fields": ("{" + " ".join(f"a{i}" for i in range(5000)) + "}", "tokens"),
    "a comment in each line": ("{ __typename }" + "#\n" * (MEGABYTE // 4), "tokens"),
    "lists in lists": (
        "{ scans(first: 100) { nodes { trials(first: 100) { nodes { scan { trials(first: 100) { nodes { type } } } } } "
        "} } }",
        "objects",
    ),
    "aliases in lists": (
        "{ scans { nodes { trials(first: 1000) { nodes {" + NAMES.replace("name", "type") + "}}}}}",
        "values",
    ),
}

INVALID = {
    "introspection far down": (types(5), "Maximum introspection depth"),
    "400 unknown fields": ("{" + " ".join(f"a{i}" for i in range(400)) + "}", "Cannot query field 'a0'"),
    "a long name": ("{" + "a" * (MEGABYTE - 100) + "}", "Cannot query field 'aaa"),
    "a long number": ("{ scan(session: " + "1" * (MEGABYTE - 100) + ", scanIdx: 7) { fps } }", "4300 digits"),
    "a number too large": ("{ scan(session: 9999999999, scanIdx: 7) { fps } }", "32-bit"),
    "600 variables": ("query(" + " ".join(f"$a{i}: Int" for i in range(600)) + ") { __typename }", "never used"),
    "fragments in a circle": ("{ ...F } fragment F on Query { ...G } fragment G on Query { ...F }", "within itself"),
    "600 arguments": ("{ units(" + "first: 1 " * 600 + ") { totalCount } }", "only one argument"),
    "400 fields that differ": ("{" + "a: __typename a: dataset { name }" * 130 + "}", "conflict"),
    "50 kinds of a fragment": ("{ ...F }" + "fragment F on Query { __typename }" * 50, "only one fragment"),
    "a bare object": ("{ units(where: 1) { totalCount } }", "UnitFilter"),
}

UNREADABLE = {
    "50,000 braces": "{" * 50_000,
    "50,000 closing braces": "}" * 50_000,
    "nothing at all": " " * 100,
    "only a comment": "#" * MEGABYTE,
    "an open text": '{ unit(strKey: "' + "a" * (MEGABYTE - 100),
    "an open block": '{ unit(strKey: """' + "a\\n" * 100_000,
    "a control character": "{ \u0000 }",
    "quotes by the thousand": '"' * 100_000,
}


@pytest.mark.parametrize("name", LIMITED)
async def test_more_than_a_limit_is_refused(name: str, sqlite_client: Client) -> None:
    text, limit = LIMITED[name]
    response = await ask(sqlite_client, text)
    refused(response, "LIMIT_EXCEEDED", f"{limit}: ")
    (error,) = response.json()["errors"]
    assert error["extensions"]["limit"] == limit
    assert str(error["extensions"]["maximum"]) in error["message"]


@pytest.mark.parametrize("name", INVALID)
async def test_what_is_wrong_is_said_in_few_words(
    name: str, sqlite_client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    text, words = INVALID[name]
    with caplog.at_level(logging.DEBUG):
        response = await ask(sqlite_client, text)
    refused(response, "GRAPHQL_VALIDATION_FAILED", words)
    assert len(response.json()["errors"]) <= 101
    assert len([record for record in caplog.records if not record.name.startswith("httpx")]) <= 1


@pytest.mark.parametrize("name", UNREADABLE)
async def test_what_is_no_document_is_a_parse_error(name: str, sqlite_client: Client) -> None:
    refused(await ask(sqlite_client, UNREADABLE[name]), "GRAPHQL_PARSE_FAILED", "Syntax Error")


@pytest.mark.parametrize("filler", [" ", "\n", ",", "\ufeff"])
async def test_a_megabyte_of_nothing_is_read(filler: str, sqlite_client: Client) -> None:
    text = "{ __typename" + filler * (MEGABYTE // len(json.dumps(filler).strip('"'))) + "}"
    assert (await ask(sqlite_client, text)).json() == {"data": {"__typename": "Query"}}


async def test_a_long_comment_is_read(sqlite_client: Client) -> None:
    assert (await ask(sqlite_client, "{ __typename } #" + "a" * MEGABYTE)).json() == {"data": {"__typename": "Query"}}


# --- what must pass --------------------------------------------------------------------------------


async def test_standard_introspection_passes(sqlite_client: Client) -> None:
    text = get_introspection_query(
        descriptions=True,
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
    )
    names = {kind["name"] for kind in (await sqlite_client.data(text))["__schema"]["types"]}
    assert {"Query", "Unit", "NdArray", "UnitFilter"} <= names


async def test_three_lists_in_each_other_pass_with_defaults(sqlite_client: Client) -> None:
    data = await sqlite_client.data("{ scans { nodes { fields { nodes { units { nodes { unitId } } } } } } }")
    fields = [field for scan in data["scans"]["nodes"] for field in scan["fields"]["nodes"]]
    assert (len(fields), sum(len(field["units"]["nodes"]) for field in fields)) == (146, 160)


async def test_query_u_passes(sqlite_client: Client) -> None:
    text = """{scan(session:4,scanIdx:7){units(first:5000){nodes{unitId umX umY umZ pxX pxY msDelay
      stackUnit{stackX stackY stackZ} oracle{pearson trials} brainArea}}}}"""
    nodes = (await sqlite_client.data(text))["scan"]["units"]["nodes"]
    assert len(nodes) == 22
    assert {len(node) for node in nodes} == {10}


# --- variables -------------------------------------------------------------------------------------

BY_KEYS = "query ($v: [UnitKey!]) { units(keys: $v) { totalCount } }"
BY_FILTER = "query ($v: UnitFilter) { units(where: $v) { totalCount } }"
BY_LIST = "query ($v: [Int!]) { units(where: {umX: {in: $v}}) { totalCount } }"
BY_INT = "query ($v: Int!) { scan(session: $v, scanIdx: 7) { fps } }"
BY_TEXT = "query ($v: String!) { unit(strKey: $v) { umX } }"


def raw(query: str, variable: bytes) -> bytes:
    """A body whose variable is these bytes."""
    return b'{"query": %s, "variables": {"v": %s}}' % (json.dumps(query).encode(), variable)


@pytest.mark.parametrize(
    ("query", "item"),
    [
        (BY_KEYS, b"{}"),
        (BY_FILTER, b"[]"),
        (BY_LIST, b"1"),
        (BY_INT, b"null"),
        (BY_TEXT, b'""'),
        ("{ __typename }", b"1"),
    ],
)
async def test_lists_of_any_length_are_refused(query: str, item: bytes, sqlite_client: Client) -> None:
    content = raw(query, b"[" + b",".join([item] * (1_000_000 // (len(item) + 1) - 100)) + b"]")
    refused(await post(sqlite_client, content), "LIMIT_EXCEEDED", "input_values: ")


async def test_list_of_a_million_is_larger_than_a_body(sqlite_client: Client) -> None:
    response = await post(sqlite_client, raw(BY_LIST, b"[" + b",".join([b"1"] * 1_000_000) + b"]"))
    assert response.status_code == 413


@pytest.mark.parametrize(
    ("query", "variables", "limit"),
    [
        (BY_KEYS, [{}] * 10_001, "keys"),
        (BY_LIST, list(range(1001)), "list_values"),
        (BY_FILTER, {"and": [{"umX": {"eq": 1}}] * 101}, "comparisons"),
        (BY_FILTER, {"and": [{"and": [{}] * 100}] * 100}, "comparisons"),
    ],
)
async def test_lists_are_refused_at_their_own_limit(
    query: str, variables: Any, limit: str, sqlite_client: Client
) -> None:
    (error,) = (await ask(sqlite_client, query, {"v": variables})).json()["errors"]
    assert (error["extensions"]["code"], error["extensions"].get("limit")) == ("LIMIT_EXCEEDED", limit)


@pytest.mark.parametrize("query", [BY_FILTER, BY_KEYS, BY_INT, "{ __typename }"])
@pytest.mark.parametrize("opening", [b'{"not": ', b'{"and": [', b"["])
async def test_deep_variables_are_refused(query: str, opening: bytes, sqlite_client: Client) -> None:
    closing = opening.translate(bytes.maketrans(b"{[", b"}]"), b'"notad: ')[::-1]
    deep = raw(query, opening * 200 + b"{}" + closing * 200)
    refused(await post(sqlite_client, deep), "LIMIT_EXCEEDED", "input_depth: ")
    deeper = raw(query, opening * 100_000 + b"{}" + closing * 100_000)
    response = await post(sqlite_client, deeper)
    assert response.status_code in (400, 413)  # the longest is more than a body may hold


async def test_array_nested_100_000_deep_is_bad_json(sqlite_client: Client) -> None:
    refused(await post(sqlite_client, raw(BY_INT, b"[" * 100_000 + b"]" * 100_000)), "BAD_USER_INPUT", "no valid JSON")


@pytest.mark.parametrize(
    "value", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e999", b'"\\ud800"', b'"\xff"', b"0x1"]
)
async def test_what_json_lacks_is_refused(value: bytes, sqlite_client: Client) -> None:
    refused(await post(sqlite_client, raw(BY_INT, value)), "BAD_USER_INPUT", "body: no valid JSON")


@pytest.mark.parametrize("value", [2**31, 2**63, 2**64, 10**30, -(2**63) - 1, 4.5, "4", True, None, [[4]], {}])
async def test_what_is_no_int_is_refused(value: object, sqlite_client: Client) -> None:
    refused(await ask(sqlite_client, BY_INT, {"v": value}), "BAD_USER_INPUT", "Variable '$v'")


async def test_of_equal_names_the_last_holds(sqlite_client: Client) -> None:
    response = await post(sqlite_client, raw(BY_INT, b'5, "v": 4'))
    assert response.json() == {"data": {"scan": {"fps": 6.3009}}}


@pytest.mark.parametrize("value", ["\u0000", "'; DROP TABLE scan; --", "%", "\\", "😀" * 1000, "04_07_00000\u0661"])
async def test_odd_texts_are_no_keys(value: str, sqlite_client: Client) -> None:
    (error,) = (await ask(sqlite_client, BY_TEXT, {"v": value})).json()["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "strKey"}


# --- requests --------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", ['[{"query": "{ __typename }"}]', "[]", "[[]]", '["{ __typename }"]'])
async def test_batches_are_refused(batch: str, sqlite_client: Client) -> None:
    refused(await post(sqlite_client, batch.encode()), "BAD_USER_INPUT", "batches are not taken")


FORMS = {
    "application/x-www-form-urlencoded": b"query=%7B__typename%7D",
    "text/plain": b'{"query": "{ __typename }"}',
    "text/plain; application/json": b'{"query": "{ __typename }"}',
    "application/graphql": b"{ __typename }",
    "application/json; charset=utf-16": '{"query": "{ __typename }"}'.encode("utf-16"),
    "": b'{"query": "{ __typename }"}',
    "multipart/form-data; boundary=b": b'--b\r\nContent-Disposition: form-data; name="operations"\r\n\r\n'
    b'{"query": "{ __typename }"}\r\n--b\r\nContent-Disposition: form-data; name="map"\r\n\r\n{}\r\n--b--\r\n',
}


@pytest.mark.parametrize("media_type", FORMS)
async def test_what_a_page_can_send_unasked_is_refused(media_type: str, sqlite_client: Client) -> None:
    response = await post(sqlite_client, FORMS[media_type], **{"content-type": media_type})
    assert response.status_code == 415
    assert "application/json" in response.text or "UTF-8" in response.text


async def test_mutations_and_subscriptions_are_refused(sqlite_client: Client) -> None:
    for kind in ("mutation", "subscription"):
        for found in (
            await sqlite_client.http.get("/graphql", params={"query": f"{kind} {{ a }}"}, headers=ACCEPT),
            await ask(sqlite_client, f"{kind} {{ a }}"),
        ):
            assert found.status_code == (405 if found.request.method == "GET" else 400)
            assert f"{kind}s are not allowed" in found.json()["errors"][0]["message"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_other_methods_are_refused(method: str, sqlite_client: Client) -> None:
    response = await sqlite_client.http.request(method, "/graphql", json={"query": "{ __typename }"})
    assert response.status_code == 405
    assert set(response.headers["allow"].split(", ")) >= {"GET", "POST"}


async def test_a_stream_of_whitespace_is_cut_off(sqlite_client: Client) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b" " * 65536

    async with beating():
        response = await sqlite_client.http.post("/graphql", content=endless(), headers=JSON)
    assert response.status_code == 413
