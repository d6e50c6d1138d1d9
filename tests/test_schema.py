"""Documents that are remembered, and errors that tell no more than they should."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLError

from gql_nda import guard
from gql_nda.errors import ArrayTooLarge, LimitExceeded, PublicError, StoreUnavailable
from gql_nda.guard import Documents
from gql_nda.limits import Limits
from gql_nda.query import Key, Query, Ref, Row
from gql_nda.schema import build_schema, public
from gql_nda.stores.sql import SqlStore
from tests.support.client import Client, serving
from tests.support.stores import BrokenStore

CORE = build_schema()._schema


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is parsed and validated from now on."""
    noted: list[str] = []

    def noting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def note(*arguments: Any, **options: Any) -> Any:
            noted.append(name)
            return function(*arguments, **options)

        return note

    for name in ("parse", "validate", "measure"):
        monkeypatch.setattr(guard, name, noting(name, getattr(guard, name)))
    return noted


# --- documents -------------------------------------------------------------------------------------


def texts(count: int) -> list[str]:
    return [f"{{ a{i}: __typename }}" for i in range(count)]


def test_a_document_is_prepared_once(calls: list[str]) -> None:
    documents = Documents(Limits(), 2)
    first = documents.get(CORE, texts(1)[0])
    assert calls == ["parse", "measure", "validate"]
    assert documents.get(CORE, texts(1)[0]) is first
    assert len(calls) == 3


def test_errors_are_remembered_too(calls: list[str]) -> None:
    documents = Documents(Limits(), 2)
    (_, errors, _), again = documents.get(CORE, "{ nothing }"), documents.get(CORE, "{ nothing }")
    assert [error.message for error in errors] == ["Cannot query field 'nothing' on type 'Query'."]
    assert again[1] is errors
    assert calls.count("validate") == 1


def test_the_one_used_longest_ago_is_forgotten(calls: list[str]) -> None:
    documents = Documents(Limits(), 2)
    a, b, c = texts(3)
    for text in (a, b, a, c):  # forgets b
        documents.get(CORE, text)
    assert calls.count("parse") == 3
    for text in (a, c):
        documents.get(CORE, text)
    assert calls.count("parse") == 3
    documents.get(CORE, b)
    assert calls.count("parse") == 4


@pytest.mark.parametrize("most", [0, 1, 7])
def test_no_more_is_remembered_than_told(most: int, calls: list[str]) -> None:
    documents = Documents(Limits(), most)
    for text in texts(20):
        documents.get(CORE, text)
    assert len(documents._known) == most
    documents.get(CORE, texts(20)[-1])
    assert calls.count("parse") == (20 if most else 21)


def test_long_documents_are_not_remembered(calls: list[str]) -> None:
    documents = Documents(Limits(), 2)
    for _ in range(2):
        documents.get(CORE, "{ __typename }" + " " * (64 << 10))
    assert calls.count("parse") == 2
    assert not documents._known


def test_what_breaks_a_limit_is_not_remembered() -> None:
    documents = Documents(Limits(fields=1), 2)
    for _ in range(2):
        with pytest.raises(LimitExceeded):
            documents.get(CORE, "{ __typename __typename }")
    assert not documents._known


async def test_a_repeated_request_is_not_prepared_again(sqlite_client: Client, calls: list[str]) -> None:
    text = "query ($s: Int!) { scan(session: $s, scanIdx: 7) { fps } }"
    first = await sqlite_client.data(text, s=4)
    prepared = len(calls)
    second = await sqlite_client.data(text, s=9999)
    assert (first["scan"] is None, second["scan"] is None) == (False, True)
    assert len(calls) == prepared


async def test_a_repeated_mistake_is_told_again(sqlite_client: Client) -> None:
    first, second = [await sqlite_client.error("{ nothing }") for _ in range(2)]
    assert first == second
    assert first["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}


# --- errors ----------------------------------------------------------------------------------------

SECRET = "mysql://nda:hunter2@db.internal:3306/microns"
SCAN = "{ __typename scan(session: 4, scanIdx: 7) { fps } }"


class OwnError(Exception):
    """An exception of no library's."""


@pytest.mark.parametrize(
    "error",
    [RuntimeError(SECRET), KeyError(SECRET), OwnError(SECRET), AssertionError(SECRET), ValueError(SECRET)],
    ids=lambda error: type(error).__name__,
)
async def test_the_unforeseen_is_masked_and_logged(
    error: Exception, demo_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = BrokenStore(f"sqlite:///{demo_path}", error)
    async with serving(store) as client:
        response = await client.http.post("/graphql", json={"query": SCAN})
    await store.close()
    body = response.json()
    assert body["data"] == {"__typename": "Query", "scan": None}
    (told,) = body["errors"]
    reference = told["extensions"].pop("reference")
    assert told["extensions"] == {"code": "INTERNAL_SERVER_ERROR"}
    assert told["path"] == ["scan"]
    for secret in ("hunter2", "db.internal", "Traceback", type(error).__name__):
        assert secret not in response.text
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert reference in record.getMessage()
    assert record.exc_info
    assert record.exc_info[1] is error


async def test_one_cause_is_logged_once_however_many_fields_it_cost(
    demo_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = BrokenStore(f"sqlite:///{demo_path}", OwnError())
    async with serving(store) as client:
        answer = await client.answer("{ a: scan(session: 4, scanIdx: 7) { fps } b: scans { nodes { fps } } }")
        again = await client.answer("{ scan(session: 4, scanIdx: 7) { fps } }")
    await store.close()
    (reference,) = {error["extensions"]["reference"] for error in answer["errors"]}
    assert len(answer["errors"]) == 2
    assert again["errors"][0]["extensions"]["reference"] != reference
    assert [reference in record.getMessage() for record in caplog.records] == [True, False]


async def test_what_fails_before_the_execution_is_masked_too(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object) -> int:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(sqlite_store, "largest", fail)
    async with serving(sqlite_store) as client:
        error = await client.error("{ scans { nodes { fps } } }")
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert error["extensions"]["reference"] in caplog.text
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    "error", [StoreUnavailable("away"), ArrayTooLarge("too large", limit="l", maximum=1), PublicError("whatever")]
)
async def test_what_is_meant_for_clients_reaches_them(
    error: PublicError, demo_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = BrokenStore(f"sqlite:///{demo_path}", error)
    async with serving(store) as client:
        told = await client.error(SCAN)
    await store.close()
    assert (told["message"], told["extensions"]) == (error.message, error.extensions)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


DEEP = "{ scans { nodes { fields { nodes { units { nodes { umX } } } } } } }"


@pytest.mark.parametrize(("text", "paths"), [("{ scans { nodes { fps } } }", [["scans", "nodes"]]), (DEEP, [None])])
async def test_a_store_that_is_away_is_no_limit(
    text: str, paths: list[Any], demo_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With it away nobody knows how little there is: that isn't told as too much."""
    store = BrokenStore(f"sqlite:///{demo_path}", StoreUnavailable("away"))
    monkeypatch.setattr(store, "largest", store.rows)
    async with serving(store) as client:
        errors = (await client.answer(text))["errors"]
    await store.close()
    assert [error.get("path") for error in errors] == paths
    assert {error["extensions"]["code"] for error in errors} == {"STORE_UNAVAILABLE"}


class WrongStore(SqlStore):
    """A store whose rows hold what the tables forbid."""

    wrong: dict[str, Any] = {}

    async def rows(self, query: Query, refs: Sequence[Ref] = ()) -> dict[Key, list[Row]]:
        found = await super().rows(query, refs)
        for row in (row for rows in found.values() for row in rows):
            row.update({label: self.wrong[name] for label in row if (name := label.split(".")[-1]) in self.wrong})
        return found


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"um_x": None}, "umX"),
        ({"um_x": "text"}, "umX"),
        ({"um_x": 2**40}, "umX"),
        ({"brain_area": "XX"}, "brainArea"),
        ({"pearson": float("inf")}, "oracle { pearson }"),
    ],
)
async def test_wrong_data_is_no_fault_of_the_client(
    wrong: dict[str, Any], field: str, demo_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = WrongStore(f"sqlite:///{demo_path}")
    store.wrong = wrong
    async with serving(store) as client:
        answer = await client.answer(f"{{ unit(session: 4, scanIdx: 7, unitId: 3) {{ {field} }} }}")
    await store.close()
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert error["extensions"]["reference"] in caplog.text
    assert error["path"][:2] == ["unit", field.split(" ")[0]]


async def test_wrong_arguments_are_the_clients(sqlite_client: Client, caplog: pytest.LogCaptureFixture) -> None:
    text = """query ($d: OrderDirection = ASC) {
      units(orderBy: [{field: UM_X, direction: $d}]) { totalCount } }"""
    assert (await sqlite_client.data(text))["units"]["totalCount"] == 160
    error = await sqlite_client.error(text, d=None)
    assert error["path"] == ["units"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_an_error_keeps_its_own_code() -> None:
    error = GraphQLError("wrong", extensions={"code": "GRAPHQL_PARSE_FAILED"})
    assert public([error])[0]["extensions"] == {"code": "GRAPHQL_PARSE_FAILED"}
    nested = GraphQLError("outer", original_error=GraphQLError("inner", original_error=LimitExceeded("too much")))
    assert public([nested])[0]["extensions"] == {"code": "LIMIT_EXCEEDED"}
