"""The documents themselves: valid, varied, and within the limits."""

from collections import Counter

import pytest
from graphql import GraphQLSchema, parse, validate

from gql_nda.limits import Limits, measure
from gql_nda.schema import build_schema
from tests.planner.documents import Case, document
from tests.planner.smaller import smallest
from tests.planner.world import World

KINDS = (
    "Query",
    "Unit",
    "Scan",
    "Field",
    "Mask",
    "Trial",
    "Stack",
    "NdArray",
    "UnitConnection",
    "UnitEdge",
    "PageInfo",
)
SYNTAX = ("@skip(if: $", "@include(if: $", "@skip(if: true)", "... {", "... on Node", "... on Condition", ": null")
ARGUMENTS = ("where", "orderBy", "first", "after", "keys", "hash", "id", "strKey", "points", "step", "format")


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema()._schema


@pytest.fixture(scope="module")
def cases(world: World, schema: GraphQLSchema) -> list[Case]:
    return [document(world, schema, f"documents {i}") for i in range(400)]


def test_all_are_valid_and_small(cases: list[Case], schema: GraphQLSchema) -> None:
    for case in cases:
        parsed = parse(case.text)
        assert validate(schema, parsed) == [], case
        measure(parsed, Limits())


def test_a_seed_is_a_document(world: World, schema: GraphQLSchema, cases: list[Case]) -> None:
    assert document(world, schema, "documents 7") == cases[7]
    assert len({case.text for case in cases}) > 380


def test_every_field_and_kind_of_syntax_comes(cases: list[Case], schema: GraphQLSchema) -> None:
    texts = " ".join(case.text for case in cases)
    words = Counter(texts.replace("(", " ").replace(":", " ").replace("{", " { ").split())
    fields = {name for kind in KINDS for name in getattr(schema.type_map[kind], "fields", ())}
    assert {name for name in fields if not words[name]} == set()
    for syntax in SYNTAX:
        assert syntax in texts, syntax
    for argument in ARGUMENTS:
        assert words[argument] > 2, argument
    assert any(case.operation for case in cases)
    assert any(case.afters for case in cases)
    given = {type(value) for case in cases for value in case.variables.values()}
    assert given >= {int, float, str, bool, dict, list, type(None)}


async def test_a_failing_document_is_made_as_small_as_can_be(world: World, schema: GraphQLSchema) -> None:
    case = Case(
        """query A($n: Int, $b: Boolean = true) { ...F scans { totalCount } }
        query B { dataset { name } }
        fragment F on Query { x: units(first: $n) @include(if: $b) { ... { nodes { umX a: umY ...G } } totalCount } }
        fragment G on Unit { scan { fps nframes } }""",
        {"n": 3, "b": True},
        "A",
    )

    async def fails(case: Case) -> bool:
        return "fps" in case.text

    small = await smallest(case, schema, fails)
    assert small == Case("query A{units{nodes{scan{fps}}}}", {}, "A")
