"""Lists that are complete as they are: exactly those that graphql-core completes to themselves."""

import math
from typing import Any

import pytest
from graphql import (
    GraphQLField,
    GraphQLFloat,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
    execute_sync,
    parse,
)
from hypothesis import given
from hypothesis import strategies as st

from gql_nda.planner import leaves
from gql_nda.schema import build_schema

leaf = st.sampled_from([GraphQLFloat, GraphQLInt, GraphQLString])
kinds = st.recursive(
    st.builds(GraphQLList, leaf | leaf.map(GraphQLNonNull)),
    lambda inner: st.builds(GraphQLList, inner | inner.map(GraphQLNonNull)),
    max_leaves=3,
)
values = st.recursive(
    st.none()
    | st.floats()
    | st.integers(-(2**40), 2**40)
    | st.booleans()
    | st.sampled_from(["", "1", 2**31, -(2**31)]),
    lambda inner: st.lists(inner, max_size=4) | st.lists(inner, max_size=2).map(tuple),
    max_leaves=8,
)
numbers = st.lists(st.lists(st.none() | st.floats(-9, 9), max_size=3) | st.none(), max_size=3)


@given(kinds, values | numbers | st.lists(st.floats()) | st.lists(st.integers(-5, 5)))
def test_what_is_complete_is_left_as_it_is(kind: Any, value: Any) -> None:
    field = GraphQLField(kind, resolve=lambda *_: value)
    answer = execute_sync(GraphQLSchema(GraphQLObjectType("Query", {"field": field})), parse("{ field }"))
    if leaves.complete(kind, value):
        assert answer.errors is None
        assert repr(answer.data) == repr({"field": value})  # ints stay ints


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (GraphQLList(GraphQLFloat), [1.5, None, -0.0], True),
        (GraphQLList(GraphQLNonNull(GraphQLFloat)), [1.5, None], False),
        (GraphQLList(GraphQLFloat), [1.5, math.nan], False),
        (GraphQLList(GraphQLFloat), [1], False),
        (GraphQLList(GraphQLInt), [1, True], False),
        (GraphQLList(GraphQLInt), [2**31 - 1, -(2**31)], True),
        (GraphQLList(GraphQLInt), [2**31], False),
        (GraphQLList(GraphQLNonNull(GraphQLList(GraphQLFloat))), [[1.0], [None]], True),
        (GraphQLList(GraphQLNonNull(GraphQLList(GraphQLFloat))), [[1.0], None], False),
        (GraphQLList(GraphQLString), ["a"], False),
        (GraphQLList(GraphQLFloat), [], True),
    ],
)
def test_numbers_are_complete(kind: Any, value: Any, expected: bool) -> None:
    assert leaves.complete(kind, value) is expected


def test_the_schema_has_such_lists() -> None:
    field: Any = build_schema()._schema.type_map["NdArray"]
    assert leaves.complete(field.fields["values"].type, [1.0, None])


@pytest.mark.parametrize(
    ("value", "numbers"),
    [([], 0), ([1.5, None], 2), ([None, 2.5], 2), ([[1.5, 2.5], None, [None]], 3), ([[[1.0]], [], [[2.0, 3.0]]], 3)],
)
def test_numbers_are_counted(value: list[Any], numbers: int) -> None:
    assert leaves.count(value) == numbers
