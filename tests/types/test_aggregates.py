"""Statistics, histograms and groups: compared with NumPy over plainly fetched rows, and fetched at once."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import groupby, pairwise
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graphql import GraphQLObjectType, GraphQLSchema, get_named_type
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gql_nda.schema import build_schema
from gql_nda.stores.sql import SqlStore
from tests.support.altered import altered_store
from tests.support.client import Client, Statements, serving
from tests.types.nda import Record, trials, units

COLUMNS = {
    "PEARSON": "pearson",
    "TRIALS": "trials",
    "UM_Z": "um_z",
    "MS_DELAY": "ms_delay",
    "STACK_X": "stack_x",
    "SCAN_IDX": "scan_idx",
}
"""Columns of ``tests.types.nda`` by the numbers of units: beside the unit, and its own."""

FLOAT32 = {"PEARSON", "STACK_X"}

WHERE: list[tuple[dict[str, Any], Callable[[Record], bool]]] = [
    ({}, lambda _: True),
    ({"brainArea": {"eq": "V1"}}, lambda u: u["brain_area"] == "V1"),
    ({"pearson": {"gte": 0.2}}, lambda u: u["pearson"] is not None and u["pearson"] >= np.float32(0.2)),
    ({"scan": {"included": {"eq": False}}, "umZ": {"lt": 300}}, lambda u: not u["included"] and u["um_z"] < 300),
    ({"pearson": {"isNull": True}}, lambda u: u["pearson"] is None),
    ({"session": {"eq": 1}}, lambda _: False),
]
"""Filters, and what they keep."""

STATISTICS = """query ($of: UnitNumberField!, $where: UnitFilter, $at: [Float!] = [50]) {
  units(where: $where) { statistics(of: $of) { count nulls min max mean std percentiles(at: $at) } } }"""
HISTOGRAM = """
  query ($of: UnitNumberField!, $where: UnitFilter, $bins: Int, $min: Float, $max: Float, $edges: [Float!]) {
    units(where: $where) {
      histogram(of: $of, bins: $bins, min: $min, max: $max, edges: $edges) { edges counts below above nulls } } }"""


def column(rows: Iterable[Record], of: str) -> NDArray[Any]:
    """The values of a number, without NULL, in the column's precision."""
    kept = [row[COLUMNS[of]] for row in rows if row[COLUMNS[of]] is not None]
    return np.array(kept, np.float32 if of in FLOAT32 else np.float64)


def same(found: float, expected: float, of: str) -> bool:
    """Whether a number is as expected; a float32's is shown in its shortest form, to the bit."""
    if of in FLOAT32 and float(np.float32(expected)) == expected:
        return found == float(str(np.float32(expected)))
    return bool(np.isclose(found, expected, rtol=1e-12, atol=1e-12))


# --- statistics ------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", COLUMNS)
@pytest.mark.parametrize(("where", "keeps"), WHERE)
async def test_statistics(
    of: str, where: dict[str, Any], keeps: Callable[[Record], bool], client: Client, demo_path: Path
) -> None:
    rows = list(filter(keeps, units(demo_path)))
    at = [99.0, 0.0, 12.5, 50.0, 100.0]
    found = (await client.data(STATISTICS, of=of, where=where, at=at))["units"]["statistics"]
    values = column(rows, of).astype(np.float64)
    assert (found["count"], found["nulls"]) == (len(values), len(rows) - len(values))
    numbers = [*(found[name] for name in ("min", "max", "mean", "std")), *(found["percentiles"] or [])]
    if not len(values):
        assert (numbers, found["percentiles"]) == ([None] * 4, None)
        return
    expected = [values.min(), values.max(), values.mean(), values.std(), *np.percentile(values, at)]
    assert all(same(*pair, of) for pair in zip(numbers, expected, strict=True)), (numbers, expected)


async def test_units_above_a_percentile(client: Client, demo_path: Path) -> None:
    found = (await client.data(STATISTICS, of="PEARSON", at=[90]))["units"]["statistics"]["percentiles"]
    above = "query ($p: Float) { units(where: {pearson: {gt: $p}}) { totalCount } }"
    scores = column(units(demo_path), "PEARSON")
    assert (await client.data(above, p=found[0]))["units"]["totalCount"] == (scores > np.percentile(scores, 90)).sum()


async def test_each_parent_has_statistics_of_its_own(client: Client, demo_path: Path) -> None:
    text = """{ scans { nodes { session scanIdx units(where: {pearson: {lt: 0.3}}) {
      totalCount statistics(of: UM_Z) { count min } histogram(of: UM_Z, edges: [0, 300, 1000]) { counts } } } } }"""
    scans = (await client.data(text))["scans"]["nodes"]
    assert len(scans) == 19
    for scan in scans:
        key = scan["session"], scan["scanIdx"]
        kept = [u for u in units(demo_path) if (u["session"], u["scan_idx"]) == key]
        depths = [u["um_z"] for u in kept if u["pearson"] is not None and u["pearson"] < np.float32(0.3)]
        page = scan["units"]
        assert page["totalCount"] == page["statistics"]["count"] == len(depths)
        assert page["statistics"]["min"] == min(depths, default=None)
        assert page["histogram"]["counts"] == np.histogram(depths, [0, 300, 1000])[0].tolist()


async def test_listed_units(client: Client, demo_path: Path) -> None:
    text = """query ($keys: [UnitKey!]) { units(keys: $keys, first: 1, where: {umZ: {lt: 400}}) {
      totalCount statistics(of: UM_Z) { count max } groups(by: SESSION) { key { session } count } } }"""
    listed = units(demo_path)[::3]
    keys = [{"session": u["session"], "scanIdx": u["scan_idx"], "unitId": u["unit_id"]} for u in listed]
    found = (await client.data(text, keys=[*keys, *keys[:5], {"strKey": "09_99_000001"}]))["units"]
    kept = [u for u in listed if u["um_z"] < 400]
    assert found["totalCount"] == len(kept)
    assert found["statistics"] == {"count": len(kept), "max": max(u["um_z"] for u in kept)}
    assert {g["key"]["session"]: g["count"] for g in found["groups"]} == Counter(u["session"] for u in kept)


# --- histograms ------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", COLUMNS)
@pytest.mark.parametrize(("where", "keeps"), WHERE[:4])
async def test_histogram_is_numpys(
    of: str, where: dict[str, Any], keeps: Callable[[Record], bool], client: Client, demo_path: Path
) -> None:
    rows = list(filter(keeps, units(demo_path)))
    values = column(rows, of)
    found = (await client.data(HISTOGRAM, of=of, where=where))["units"]["histogram"]
    counts, edges = np.histogram(values, 20)
    assert found["counts"] == counts.tolist()
    assert np.allclose(found["edges"], edges.astype(np.float64), rtol=3e-7)  # two float32 apart
    assert (found["below"], found["above"], found["nulls"]) == (0, 0, len(rows) - len(values))


@settings(max_examples=40)
@given(data=st.data(), of=st.sampled_from(sorted(COLUMNS)), where=st.sampled_from(WHERE))
async def test_any_bins(data: Any, of: str, where: Any, client: Client, demo_path: Path) -> None:
    values = column(filter(where[1], units(demo_path)), of)
    near = st.sampled_from([0.0, *map(float, values)]) | st.floats(-1000, 1000)
    low, high = data.draw(st.none() | near), data.draw(st.none() | near)
    if low is not None and high is not None and np.float32(low) >= np.float32(high):
        high = low + 1
    bins = data.draw(st.integers(1, 50))
    found = (await client.data(HISTOGRAM, of=of, where=where[0], bins=bins, min=low, max=high))["units"]["histogram"]
    edges = np.array(found["edges"], values.dtype)
    assert len(edges) in (0, *range(2, bins + 2))
    assert found["counts"] == (np.histogram(values, edges)[0].tolist() if len(edges) else [])
    assert sum(found["counts"]) + found["below"] + found["above"] == len(values)


@settings(max_examples=40)
@given(data=st.data(), of=st.sampled_from(sorted(COLUMNS)))
async def test_any_edges(data: Any, of: str, client: Client, demo_path: Path) -> None:
    values = column(units(demo_path), of)
    near = st.sampled_from([float(value) for value in values]) | st.floats(-1000, 1000)
    edges = sorted(data.draw(st.sets(near.map(np.float32).map(float), min_size=2, max_size=9)))
    found = (await client.data(HISTOGRAM, of=of, edges=edges))["units"]["histogram"]
    assert np.array_equal(np.array(found["edges"], values.dtype), np.array(edges, values.dtype))
    assert found["counts"] == np.histogram(values, np.array(edges, values.dtype))[0].tolist()
    assert (found["below"], found["above"]) == ((values < edges[0]).sum(), (values > edges[-1]).sum())


@pytest.mark.parametrize("of", ["PEARSON", "UM_X", "STACK_X"])
async def test_a_filter_finds_the_rows_of_a_bin(of: str, client: Client) -> None:
    found = (await client.data(HISTOGRAM, of=of, bins=6))["units"]["histogram"]
    name = {"PEARSON": "pearson", "UM_X": "umX", "STACK_X": "stackX"}[of]
    kind = "IntFilter" if of == "UM_X" else "FloatFilter"
    text = f"query ($is: {kind}) {{ units(where: {{ {name}: $is }}) {{ totalCount }} }}"
    for i, ((low, high), count) in enumerate(zip(pairwise(found["edges"]), found["counts"], strict=True)):
        last = "lte" if i == 5 else "lt"
        operands = {"gte": low, last: high}
        if of == "UM_X":  # whole numbers
            operands = {"gte": int(np.ceil(low)), last: int(np.floor(high) if i == 5 else np.ceil(high))}
        assert (await client.data(text, **{"is": operands}))["units"]["totalCount"] == count


async def test_without_rows_there_are_bins_between_bounds_only(client: Client) -> None:
    nothing: dict[str, Any] = {"below": 0, "above": 0, "nulls": 0}
    where = {"session": {"eq": 1}}
    found = (await client.data(HISTOGRAM, of="PEARSON", where=where, min=0.1))["units"]["histogram"]
    assert found == {"edges": [], "counts": [], **nothing}
    found = (await client.data(HISTOGRAM, of="PEARSON", where=where, min=0.1, max=0.3, bins=2))["units"]["histogram"]
    assert found == {"edges": [0.1, 0.2, 0.3], "counts": [0, 0], **nothing}


# --- groups ----------------------------------------------------------------------------------------


def ranked(key: tuple[Any, ...]) -> list[tuple[bool, Any]]:
    """Sorts keys, None last."""
    return [(value is None, 0 if value is None else value) for value in key]


@pytest.mark.parametrize(
    "by",
    [
        ["BRAIN_AREA"],
        ["MASK_TYPE"],
        ["SESSION", "SCAN_IDX"],
        ["FIELD_IDX", "BRAIN_AREA", "MASK_TYPE"],
        ["STR_KEY"],
        ["UM_Z", "UM_Z"],
    ],
)
async def test_groups_are_counted(by: list[str], client: Client, demo_path: Path) -> None:
    names = [{"FIELD_IDX": "field"}.get(one, one.lower()) for one in dict.fromkeys(by)]
    rows = [{**u, "mask_type": u["mask_type"] and u["mask_type"].upper()} for u in units(demo_path)]
    expected = Counter(tuple(u[name] for name in names) for u in rows)
    parts = [one.lower().split("_") for one in dict.fromkeys(by)]
    shown = [first + "".join(word.capitalize() for word in rest) for first, *rest in parts]
    text = f"query ($by: [UnitGroupField!]!) {{ units {{ groups(by: $by) {{ count key {{ {' '.join(shown)} }} }} }} }}"
    found = [(tuple(g["key"].values()), g["count"]) for g in (await client.data(text, by=by))["units"]["groups"]]
    assert found == [(key, expected[key]) for key in sorted(expected, key=ranked)]


async def test_what_rows_are_not_grouped_by_is_null(client: Client) -> None:
    groups = (await client.data("{ scans { groups(by: [INCLUDED]) { key { included session } count } } }"))["scans"]
    assert groups == {
        "groups": [
            {"key": {"included": False, "session": None}, "count": 5},
            {"key": {"included": True, "session": None}, "count": 14},
        ]
    }


async def test_groups_by_text(client: Client, demo_path: Path) -> None:
    text = """{ scan(session: 4, scanIdx: 7) { trials(where: {type: {eq: CLIP}}) {
      groups(by: [TYPE, CONDITION_HASH]) { key { type conditionHash } count } } } }"""
    clips = [t for t in trials(demo_path) if (t["session"], t["scan_idx"], t["type"]) == (4, 7, "stimulus.Clip")]
    expected = sorted(Counter(trial["condition_hash"] for trial in clips).items())
    groups = (await client.data(text))["scan"]["trials"]["groups"]
    assert [(g["key"]["conditionHash"], g["count"]) for g in groups] == expected
    assert {g["key"]["type"] for g in groups} == {"CLIP"}


async def test_groups_have_aggregates_of_their_own(client: Client, demo_path: Path) -> None:
    text = """query ($of: UnitNumberField!) { units { groups(by: [BRAIN_AREA]) { key { brainArea } ...Scores } } }
      fragment Scores on UnitGroup { statistics(of: $of) { count nulls mean percentiles(at: 50) }
        histogram(of: UM_Z, bins: 3) { edges counts } ... { other: statistics(of: UM_X) { max } } }"""
    groups = (await client.data(text, of="PEARSON"))["units"]["groups"]
    assert [g["key"]["brainArea"] for g in groups] == ["AL", "LM", "RL", "V1"]
    for group in groups:
        rows = [u for u in units(demo_path) if u["brain_area"] == group["key"]["brainArea"]]
        scores = column(rows, "PEARSON").astype(np.float64)
        counts, edges = np.histogram([u["um_z"] for u in rows], 3)
        assert group["statistics"]["count"] == len(scores) == len(rows) - group["statistics"]["nulls"]
        assert same(group["statistics"]["mean"], scores.mean(), "PEARSON")
        assert same(group["statistics"]["percentiles"][0], np.percentile(scores, 50), "PEARSON")
        assert group["histogram"] == {"edges": edges.tolist(), "counts": counts.tolist()}
        assert group["other"]["max"] == max(u["um_x"] for u in rows)


async def test_each_parent_has_groups_of_its_own(client: Client, demo_path: Path) -> None:
    text = """{ scans { nodes { session scanIdx units { groups(by: [BRAIN_AREA]) {
      key { brainArea } count statistics(of: UM_Z) { max } } } } } }"""
    scans = (await client.data(text))["scans"]["nodes"]
    found = {
        (scan["session"], scan["scanIdx"], group["key"]["brainArea"]): (group["count"], group["statistics"]["max"])
        for scan in scans
        for group in scan["units"]["groups"]
    }
    keyed = [((u["session"], u["scan_idx"], u["brain_area"]), u["um_z"]) for u in units(demo_path)]
    alike = groupby(sorted(keyed), key=lambda pair: pair[0])
    assert found == {key: (len(depths := [z for _, z in pairs]), max(depths)) for key, pairs in alike}


# --- every connection ------------------------------------------------------------------------------

SCHEMA: GraphQLSchema = build_schema()._schema
CONNECTIONS = {
    "Scan": "scans",
    "Field": "scan(session: 4, scanIdx: 7) { fields",
    "Unit": "units",
    "Mask": "field(session: 4, scanIdx: 7, fieldIdx: 3) { masks",
    "Trial": "scan(session: 4, scanIdx: 7) { trials",
    "Stack": "stacks",
    "Registration": "stack(stackSession: 9, stackIdx: 19) { registrations",
    "Coregistration": "stack(stackSession: 9, stackIdx: 19) { coregistrations",
    "StackUnit": "stack(stackSession: 9, stackIdx: 19) { registrations(first: 1) { nodes { stackUnits",
}
"""A walk to each kind of connection."""


def below(found: Any) -> Any:
    """The connection at the end of a walk."""
    while "totalCount" not in found:
        (found,) = found["nodes"] if "nodes" in found else found.values()
    return found


def test_every_connection_is_walked_to() -> None:
    assert {f"{name}Connection" for name in CONNECTIONS} == {n for n in SCHEMA.type_map if n.endswith("Connection")}


@pytest.mark.parametrize("name", CONNECTIONS)
async def test_every_number_and_every_key(name: str, client: Client) -> None:
    kind = SCHEMA.type_map[f"{name}Connection"]
    assert isinstance(kind, GraphQLObjectType)
    numbers: Any = get_named_type(kind.fields["statistics"].args["of"].type)
    keys: Any = get_named_type(kind.fields["groups"].args["by"].type)
    key: Any = SCHEMA.type_map[f"{name}GroupKey"]
    asked = [f"n{i}: statistics(of: {number}) {{ count nulls }}" for i, number in enumerate(numbers.values)]
    pairs = zip(keys.values, key.fields, strict=True)
    asked += [f"g{i}: groups(by: [{by}]) {{ key {{ {field} }} count }}" for i, (by, field) in enumerate(pairs)]
    walk = CONNECTIONS[name]
    data = await client.data(f"{{ {walk} {{ totalCount {' '.join(asked)} }} {'}' * walk.count('{')} }}")
    found = below(data)
    total = found.pop("totalCount")
    assert total > 0
    for alias, value in found.items():
        counts = [group["count"] for group in value] if alias.startswith("g") else list(value.values())
        assert sum(counts) == total


# --- what is fetched -------------------------------------------------------------------------------

ALL = """totalCount
  a: statistics(of: PEARSON) { mean percentiles(at: 5) } b: statistics(of: UM_X) { max }
  histogram(of: STACK_X) { counts } groups(by: [BRAIN_AREA, MASK_TYPE]) { count statistics(of: STACK_Y) { mean } }"""


@pytest.fixture
async def sent(sqlite_store: SqlStore, sqlite_client: Client) -> Callable[[], list[str]]:
    """The statements of SQLite since the fixture was made, without those that count."""
    await sqlite_client.data("{ units { nodes { umX } } scans { nodes { units { nodes { umX } } } } }")
    statements = Statements(sqlite_store)
    return lambda: [statement for statement in statements if "count(" not in statement]


async def test_all_that_is_asked_of_a_connection_is_one_fetch(
    sqlite_client: Client, sent: Callable[[], list[str]]
) -> None:
    await sqlite_client.data("{ units { statistics(of: UM_X) { mean } } }")
    assert len(sent()) == 1
    await sqlite_client.data(f"{{ units {{ {ALL} }} again: units(first: 3, orderBy: {{field: UM_X}}) {{ {ALL} }} }}")
    tables = ["scan_unit", "area_membership", "mask_classification", "oracle", "stack_unit"]
    assert len(sent()) == 1 + len(tables)


async def test_many_parents_are_one_fetch(sqlite_client: Client, sent: Callable[[], list[str]]) -> None:
    await sqlite_client.data(f"{{ scans {{ nodes {{ units {{ {ALL} }} }} }} }}")
    assert len(sent()) == 1 + 5


# --- mistakes and limits ---------------------------------------------------------------------------

MISTAKES = [
    ("histogram(of: PEARSON, bins: 0) { counts }", "bins", "bins: 0 is less than 1"),
    ("histogram(of: PEARSON, bins: -3) { counts }", "bins", "bins: -3 is less than 1"),
    ("histogram(of: PEARSON, min: 1, max: 1) { counts }", "max", "max: 1.0 is not above min, 1.0, or too far from it"),
    ("histogram(of: UM_X, min: -1e308, max: 1e308) { counts }", "max", None),
    ("histogram(of: PEARSON, min: 0.1, max: 0.10000000001) { counts }", "max", None),
    ("histogram(of: PEARSON, max: 1e300) { counts }", "max", "max: 1e+300 is no float32"),
    ("histogram(of: UM_X, min: 1e999) { counts }", "min", "min: inf is no float64"),
    ("histogram(of: PEARSON, edges: []) { counts }", "edges", None),
    ("histogram(of: PEARSON, edges: [1]) { counts }", "edges", None),
    ("histogram(of: PEARSON, edges: [0, 2, 1]) { counts }", "edges", None),
    ("histogram(of: PEARSON, edges: [0, 0.1, 0.10000000001]) { counts }", "edges", None),
    ("histogram(of: PEARSON, edges: [0, 1e999]) { counts }", "edges", "edges: inf is no float32"),
    ("histogram(of: PEARSON, edges: [0, 1], bins: 1) { counts }", "edges", None),
    ("histogram(of: PEARSON, edges: [0, 1], min: 0) { counts }", "edges", None),
    ("statistics(of: PEARSON) { percentiles(at: [50, 100.5]) }", "at", "at: 100.5 is not from 0 to 100"),
    ("statistics(of: PEARSON) { percentiles(at: -1) }", "at", "at: -1.0 is not from 0 to 100"),
    ("groups(by: []) { count }", "by", "by: names no field"),
]


@pytest.mark.parametrize(("asked", "argument", "message"), MISTAKES)
async def test_mistakes_are_told(asked: str, argument: str, message: str | None, sqlite_client: Client) -> None:
    answer = await sqlite_client.answer(f"{{ units {{ totalCount {asked} }} }}")
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": argument}
    assert error["message"].startswith(f"{argument}: ")
    assert message in (None, error["message"])
    assert answer["data"]["units"]["totalCount"] == 160  # what stands beside is answered all the same


@pytest.mark.parametrize(
    ("asked", "limit", "most"),
    [
        ("histogram(of: PEARSON, bins: 6) { counts }", "bins", 5),
        ("histogram(of: PEARSON, edges: [1, 2, 3, 4, 5, 6, 7]) { counts }", "bins", 5),
        ("statistics(of: PEARSON) { percentiles(at: [1, 2, 3, 4, 5, 6]) }", "bins", 5),
        ("groups(by: BRAIN_AREA) { count } more: groups(by: [BRAIN_AREA, SESSION]) { count }", "groups", 9),
        ("groups(by: BRAIN_AREA) { histogram(of: PEARSON, bins: 5) { counts } }", "operation_values", 19),
    ],
)
async def test_limits_are_named(asked: str, limit: str, most: int, sqlite_store: SqlStore) -> None:
    async with serving(sqlite_store, limits={"bins": 5, "groups": 9, "operation_values": 19}) as client:
        error = await client.error(f"{{ units {{ {asked} }} }}")
    assert error["message"].startswith(f"{limit}: ")
    assert error["extensions"]["limit"] == limit
    assert error["extensions"]["maximum"] == most


async def test_what_is_no_finite_number_counts_as_null(demo_path: Path, tmp_path: Path) -> None:
    """SQLite holds infinities; JSON can't."""

    def alter(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE oracle SET pearson = ? WHERE session = 4", [inf])
        connection.execute("UPDATE oracle SET pearson = ? WHERE session = 5", [-inf])

    async with altered_store(demo_path, tmp_path, alter) as store, serving(store) as client:
        text = """{ units { statistics(of: PEARSON) { count nulls min max mean std percentiles(at: [0, 100]) }
          histogram(of: PEARSON) { edges counts nulls } } }"""
        found = (await client.data(text))["units"]
    kept = column([u for u in units(demo_path) if u["session"] not in (4, 5)], "PEARSON")
    assert found["statistics"]["count"] == sum(found["histogram"]["counts"]) == len(kept)
    assert found["statistics"]["nulls"] == found["histogram"]["nulls"] == 160 - len(kept)
    ends = [float(str(kept.min())), float(str(kept.max()))]
    assert [found["statistics"]["min"], found["statistics"]["max"]] == found["statistics"]["percentiles"] == ends
