"""The comparison sees every difference that matters, and none that doesn't."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from graphql import FieldNode, GraphQLError, parse
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gql_nda.context import Planning
from gql_nda.errors import BadUserInput
from gql_nda.schema import build_schema
from gql_nda.stores.sql import SqlStore
from tests.planner.agreement import Agreement, Answer, Disagreement, unlike
from tests.planner.documents import Case
from tests.planner.smaller import nodes

ERROR = {"message": "wrong", "locations": [{"line": 1, "column": 3}], "path": ["b"], "extensions": {"code": "TIMEOUT"}}
BELOW = {**ERROR, "path": ["a", 0, "x"]}


def answer(data: Any, *errors: dict[str, Any]) -> Answer:
    return Answer(data if isinstance(data, bytes) else orjson.dumps(data), list(errors), Planning())


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (answer({"a": 1, "b": 2}), answer({"b": 2, "a": 1})),
        (answer({"a": {"x": [{"p": 1, "q": 2}]}}), answer({"a": {"x": [{"q": 2, "p": 1}]}})),
        (answer({"a": 1}), answer({"a": 1.0})),
        (answer({"a": 1}), answer({"a": "1"})),
        (answer({"a": 1}), answer({"a": True})),
        (answer({"a": 0.0}), answer({"a": -0.0})),
        (answer(b'{"a":1e+15}'), answer({"a": 1e15})),
        (answer({"a": None}), answer({})),
        (answer({"a": []}), answer({"a": None})),
        (answer({"a": [1, 2]}), answer({"a": [2, 1]})),
        (answer(None), answer({})),
        (answer({"b": None}), answer({"b": None}, ERROR)),
        (answer({"b": None}, ERROR, ERROR), answer({"b": None}, ERROR)),
        (answer({"b": None}, {**ERROR, "message": "else"}), answer({"b": None}, ERROR)),
        (answer({"b": None}, {**ERROR, "locations": [{"line": 1, "column": 4}]}), answer({"b": None}, ERROR)),
        (answer({"b": None}, {**ERROR, "extensions": {"code": "OTHER"}}), answer({"b": None}, ERROR)),
        (answer({"a": None}), answer({"a": None}, BELOW)),
        (answer({"a": [None]}, {**BELOW, "path": ["a", 0]}), answer({"a": [None]}, BELOW)),
    ],
)
def test_what_differs(found: Answer, expected: Answer) -> None:
    assert unlike(found, expected) is not None
    assert unlike(expected, found) is not None


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (answer({"b": None}, ERROR), answer({"b": None}, ERROR)),
        (answer({"a": None}, {**BELOW, "path": ["a", 1, "y"]}, BELOW), answer({"a": None}, BELOW)),
    ],
)
def test_what_does_not(found: Answer, expected: Answer) -> None:
    assert unlike(found, expected) is None


def test_a_key_twice_is_seen() -> None:
    twice = Answer(b'{"a":[{"x":1,"y":2,"x":1}]}', [], Planning())
    assert "a key twice: x" in (unlike(twice, twice) or "")


# --- planted differences ---------------------------------------------------------------------------

PICTURE = "href(format: PNG)"  # an error, for a trace is no picture, behind non-null
SCANS = Case("{ scan(session: 4, scanIdx: 7) { fps } scans { nodes { nframes } } }", {})
RACED = Case(f"{{ units(first: 1) {{ nodes {{ fluorescence {{ a: {PICTURE} b: {PICTURE} }} }} }} }}", {})
Change = Callable[[Any, list[GraphQLError]], Any]


def planting(store: SqlStore, change: Change) -> Agreement:
    """An agreement of graphql-core with itself, less what is changed."""

    class Planted(StrawberryGraphQLCoreExecutionContext):
        def build_response(self, data: Any) -> Any:
            self.context_value.planning.planned += 1
            return super().build_response(change(data, self.collected_errors.errors))

    agreement = Agreement(store)
    agreement.planned = build_schema(planned=False)
    agreement.planned.execution_context_class = Planted
    return agreement


def swapped(data: Any, _errors: Any) -> Any:
    return dict(reversed(data.items()))


def silent(data: Any, errors: list[GraphQLError]) -> Any:
    errors.clear()
    return data


def reworded(data: Any, errors: list[GraphQLError]) -> Any:
    errors[0].original_error = BadUserInput("else")
    errors[0].message = "else"
    return data


def other(data: Any, errors: list[GraphQLError]) -> Any:
    """The error of the field beside."""
    (error,) = errors
    path = [*(error.path or ())[:-1], "b"]
    field = [n for n in nodes(parse(RACED.text)) if isinstance(n, FieldNode) and n.alias and n.alias.value == "b"]
    errors[:] = [GraphQLError(error.message, field, path=path, original_error=error.original_error)]
    return data


async def test_graphql_core_agrees_with_itself(sqlite_store: SqlStore) -> None:
    agreement = planting(sqlite_store, lambda data, _: data)
    for case in (SCANS, RACED):
        await agreement.check(case)
    assert agreement.tally.planned == 4


@pytest.mark.parametrize(
    ("case", "change", "said"),
    [
        (SCANS, swapped, r"\(\) has the keys \['scans', 'scan'\]"),
        (SCANS, lambda data, _: {**data, "scan": {"fps": 0.0}}, r"\('scan', 'fps'\) is 0.0"),
        (RACED, silent, "errors below nulls"),
        (RACED, reworded, "an error that isn't"),
    ],
)
async def test_a_planted_difference_is_seen(case: Case, change: Change, said: str, sqlite_store: SqlStore) -> None:
    with pytest.raises(Disagreement, match=said):
        await planting(sqlite_store, change).check(case)


async def test_which_of_raced_errors_is_told_makes_no_difference(sqlite_store: SqlStore) -> None:
    await planting(sqlite_store, other).check(RACED)


async def test_a_document_must_say_how_it_was_executed(sqlite_store: SqlStore) -> None:
    agreement = Agreement(sqlite_store)
    agreement.planned = agreement.plain
    with pytest.raises(Disagreement, match="nothing was planned"):
        await agreement.check(SCANS)
    await agreement.check(Case("{ dataset { name } d: dataset { citation } }", {}))
