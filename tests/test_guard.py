"""Who is refused before an execution: alike by the way of HTTP and by Strawberry's own."""

from collections import Counter
from typing import Any

import pytest

from gql_nda import guard
from gql_nda.context import Context
from gql_nda.cost import AnswerSize
from gql_nda.dataset import Dataset
from gql_nda.limits import Limits
from gql_nda.schema import Schema, build_schema, public
from gql_nda.stores import Store

LIMITS = Limits(tokens=200, depth=8, fields=40, input_depth=4, input_values=20, objects=100, values=500)
WAYS = ("answer", "execute")


async def told(way: str, schema: Schema, context: Context, text: str, name: str | None = None, **given: Any) -> Any:
    """Data and errors, as clients see them, of one of the two ways to an answer."""
    if way == "answer":
        result: Any = await schema.answer(text, given, name, context)
    else:
        result = await schema.execute(text, given, context_value=context, operation_name=name)
    return result.data, public(result.errors or ())


LISTED = "query ($k: [UnitKey!]) { units(keys: $k) { totalCount } }"
PAGED = "query ($n: Int) { units(first: $n) { nodes { umX umY umZ scan { fps } } } }"
SEVERAL = "query A { scans { totalCount } } query B { units(first: 9000) { nodes { umX } } }"


@pytest.mark.parametrize(
    ("text", "name", "given", "codes"),
    [
        ("{ scans {", None, {}, ["GRAPHQL_PARSE_FAILED"]),
        ("{ scans { nothing } nobody }", None, {}, ["GRAPHQL_VALIDATION_FAILED"] * 2),
        (f"{{ {'a: __typename ' * 100} }}", None, {}, ["LIMIT_EXCEEDED"]),
        (f"{{ {' '.join(f'a{i}: __typename' for i in range(41))} }}", None, {}, ["LIMIT_EXCEEDED"]),
        (LISTED, None, {"k": [{"unitId": i} for i in range(30)]}, ["LIMIT_EXCEEDED"]),
        (LISTED, None, {"k": [[[[[[]]]]]]}, ["LIMIT_EXCEEDED"]),
        (LISTED, None, {"k": [{"unitId": "one"}]}, ["BAD_USER_INPUT"]),
        (PAGED, None, {"n": 5000}, ["LIMIT_EXCEEDED"]),
        (PAGED, None, {"n": "many"}, ["BAD_USER_INPUT"]),
        (PAGED, None, {"n": 3}, []),
        (SEVERAL, None, {}, ["BAD_USER_INPUT"]),
        (SEVERAL, "A", {}, []),
        (SEVERAL, "B", {}, ["LIMIT_EXCEEDED"]),
    ],
)
async def test_both_ways_refuse_alike(
    text: str, name: str | None, given: dict[str, Any], codes: list[str], sqlite_store: Store
) -> None:
    schema, dataset = build_schema(LIMITS), Dataset(sqlite_store)
    one, other = [await told(way, schema, Context(sqlite_store, dataset, LIMITS), text, name, **given) for way in WAYS]
    assert one == other
    data, errors = one
    assert [error["extensions"]["code"] for error in errors] == codes
    assert (data is None) == bool(codes)


async def test_a_document_is_measured_once_on_either_way(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it can return depends on the lengths that are asked for, and on nothing else of a request."""
    counted: Counter[Any] = Counter()

    class Counted(AnswerSize):
        async def of(self, operation: Any) -> Any:
            counted[self._variables.get("n")] += 1
            return await super().of(operation)

    monkeypatch.setattr(guard, "AnswerSize", Counted)
    schema, dataset = build_schema(LIMITS), Dataset(sqlite_store)
    for way in WAYS * 2:
        for n in (3, 4, 5000):
            await told(way, schema, Context(sqlite_store, dataset, LIMITS), PAGED, n=n)
    assert counted == {3: 1, 4: 1, 5000: 1}


async def test_variables_are_looked_at_without_a_store() -> None:
    schema = build_schema(LIMITS)
    query = "query ($n: Boolean!) { __typename @include(if: $n) }"
    assert (await schema.execute(query, {"n": True})).data == {"__typename": "Query"}
    refused = await schema.execute(query, {"n": [True] * 30})
    assert [error["extensions"].get("limit") for error in public(refused.errors or ())] == ["input_values"]
