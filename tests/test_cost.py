"""What an operation may return, told before anything is fetched."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    FragmentDefinitionNode,
    OperationDefinitionNode,
    get_introspection_query,
    parse,
)
from graphql.execution.values import get_variable_values

from gql_nda.cost import AnswerSize, Size
from gql_nda.query import Relation
from gql_nda.schema import build_schema
from gql_nda.stores.sql import SqlStore
from gql_nda.types.entity import ENTITIES, type_name
from tests.support.client import Client, serving

SCHEMA = build_schema()._schema
PAGE = 100
GROUP = 7
GROUPS = 1000


_NEAR = "point: {x: 1, y: 2, z: 3}, frame: EM, radius: 4"


async def size(text: str, group: int = GROUP, **given: Any) -> Size:
    """The size of a document's first operation when the largest group of every relation has so many rows."""

    async def largest(_relation: Relation) -> int:
        return group

    document = parse(text)
    operation = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    variables = get_variable_values(SCHEMA, operation.variable_definitions or (), given)
    assert not isinstance(variables, list), variables
    return await AnswerSize(SCHEMA, fragments, variables.coerced, PAGE, GROUPS, largest).of(operation)


@pytest.mark.parametrize(
    ("text", "rows", "values"),
    [
        ("{ dataset { name } }", 0, 2),
        ("{ scan(session: 4, scanIdx: 7) { fps } }", 1, 2),
        ("{ scans { totalCount } }", 7, 1 + 1),
        ("{ units { nodes { oracleRaster { values repeats } } } }", 7, 1 + 1 + 7 * (1 + 2)),
        ("{ scans(first: 3) { nodes { fps } } }", 3, 1 + 1 + 3),
        ("{ scans(first: 0) { nodes { fps } } }", 0, 1 + 1),
        ("{ scans(first: -3) { nodes { fps } } }", 0, 1 + 1),
        ("{ scans(first: 9) { nodes { fps } } }", 7, 1 + 1 + 7),
        ("{ scans { nodes { units { nodes { umX umY } } } } }", 7 + 49, 1 + 1 + 7 + 7 + 98),
        ("{ a: scans { nodes { fps } } b: scans { nodes { fps } } }", 14, 18),
        (
            "{ scans { nodes { stimulus { trials(first: 2) { nodes { type } } } } } }",
            7 + 7 + 14,
            1 + 1 + 7 + 7 + 7 + 14,
        ),
        ("{ ...F ...F } fragment F on Query { scans(first: 2) { nodes { fps } } }", 4, 8),
        ("{ ... on Query { scans(first: 2) { nodes { ... on Scan { fps } ... on Node { id } } } } }", 2, 1 + 1 + 4),
        ("{ units(keys: [{unitId: 1}, {unitId: 2}]) { nodes { umX } } }", 2, 1 + 1 + 2),
        ("{ units(keys: [{unitId: 1}, {unitId: 2}], first: 1) { nodes { umX } } }", 1, 3),
        ('{ condition(hash: "") { ... on Clip { trials { nodes { type } } } } }', 7, 1 + 1 + 1 + 7),
        ("{ scans { statistics(of: FPS) { min max } histogram(of: FPS) { counts } } }", 7, 1 + 1 + 2 + 1 + 1),
        ("{ scans { groups(by: [SESSION]) { count key { session } } } }", 7, 1 + 1 + 2 * GROUPS + GROUPS),
        ("{ scans { nodes { units { groups(by: [SESSION]) { count } } } } }", 7 + 49, 1 + 1 + 7 + 7 + GROUPS),
        ("{ transforms { version stack { stackIdx } } }", 7 + 7, 1 + 7 + 7 + 7),
        (f"{{ unitsNear({_NEAR}, first: 3) {{ unit {{ oracle {{ pearson }} }} }} }}", 3 + 3, 1 + 3 + 3 + 3),
        (f"{{ unitsNear({_NEAR}) {{ unit {{ scan {{ units {{ totalCount }} }} }} }} }}", 7 + 7 + 49, 1 + 7 + 7 + 7 + 7),
    ],
)
async def test_lists_multiply(text: str, rows: int, values: int) -> None:
    assert await size(text) == (rows, values)


async def test_default_page_holds_where_groups_are_larger() -> None:
    assert (await size("{ units { nodes { umX } } }", group=10_000)).rows == PAGE


_CORRELATED = "activityCorrelation(units: $k) { units { nodes { scan { fps } } } }"


@pytest.mark.parametrize(
    ("text", "given", "rows"),
    [
        ("query ($n: Int) { units(first: $n) { totalCount } }", {"n": 3}, 3),
        ("query ($n: Int) { units(first: $n) { totalCount } }", {"n": 3.0}, 3),
        ("query ($n: Int) { units(first: $n) { totalCount } }", {"n": None}, PAGE),
        ("query ($n: Int) { units(first: $n) { totalCount } }", {}, PAGE),
        ("query ($n: Int = 5000) { units(first: $n) { totalCount } }", {}, 5000),
        ("query ($k: [UnitKey!]) { units(keys: $k) { totalCount } }", {"k": [{"strKey": "1"}] * 300}, 300),
        ("query ($k: [UnitKey!]) { units(keys: $k) { totalCount } }", {"k": {"strKey": "1"}}, 1),
        (f"query ($k: [UnitKey!]!) {{ {_CORRELATED} }}", {"k": [{"strKey": "1"}] * 300}, 300),
        (f"query ($k: [UnitKey!]!) {{ {_CORRELATED} }}", {"k": {"strKey": "1"}}, 1),
        ('query ($k: [UnitKey!] = [{strKey: "1"}, {strKey: "2"}]) { units(keys: $k) { totalCount } }', {}, 2),
    ],
)
async def test_variables_count_as_they_are_coerced(text: str, given: dict[str, Any], rows: int) -> None:
    assert (await size(text, group=10_000, **given)).rows == rows


async def test_standard_introspection_is_small_and_aliases_in_it_multiply() -> None:
    aliases = " ".join(f"a{i}: name" for i in range(400))
    assert (await size(get_introspection_query())).values < 1_000_000
    assert (await size(f"{{ __schema {{ types {{ fields {{ type {{ fields {{ {aliases} }} }} }} }} }} }}")).values > 2e6


# --- never less than what comes --------------------------------------------------------------------

QUERIES = [
    "{ scans { nodes { __typename units { edges { node { __typename oracle { __typename } } } } } } }",
    "query ($n: Int = 30) { units(first: $n) { nodes { __typename mask { __typename unit { __typename } } } } }",
    "{ scan(session: 4, scanIdx: 7) { __typename a: trials(first: 4) { nodes { __typename condition { __typename } } } "
    "b: trials { nodes { __typename } } } }",
    "{ stacks { nodes { __typename registrations { nodes { __typename field { __typename } } } } } }",
]


def objects(answer: Any) -> Iterator[dict[str, Any]]:
    """All objects of an answer."""
    if isinstance(answer, dict):
        yield answer
    for child in answer.values() if isinstance(answer, dict) else answer if isinstance(answer, list) else ():
        yield from objects(child)


@pytest.mark.parametrize("text", QUERIES)
async def test_no_more_comes_than_was_counted(text: str, sqlite_store: SqlStore, sqlite_client: Client) -> None:
    names = {type_name(cls) for cls in ENTITIES.values()} - {"Clip", "Monet2", "Trippy"}  # these come by a batch
    found = list(objects(await sqlite_client.data(text)))
    rows = sum(one.get("__typename") in names for one in found)
    values = sum(len(one) for one in found)
    async with serving(sqlite_store, limits={"objects": rows - 1}) as client:
        assert (await client.error(text))["message"].startswith("objects: ")
    async with serving(sqlite_store, limits={"values": values - 1}) as client:
        assert (await client.error(text))["message"].startswith("values: ")
