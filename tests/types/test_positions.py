"""Positions of units in the EM volume: against plain loops over the transform's stages, and published pairs."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gql_nda.codec import pack, unpack
from gql_nda.context import Context
from gql_nda.dataset import Dataset
from gql_nda.schema import build_schema
from gql_nda.stores.snapshot import SnapshotStore
from gql_nda.stores.sql import SqlStore
from tests.science import reference_transform
from tests.science.golden import golden
from tests.support.altered import altered_store
from tests.support.client import Client, Statements, serving

PAGE = """query ($where: UnitFilter, $orderBy: [UnitOrder!], $first: Int) {
  units(where: $where, orderBy: $orderBy, first: $first) { totalCount nodes {
    strKey stackUnit { stackX stackY stackZ } emPosition { x y z nm { x y z } transformId extrapolated reason } } } }"""


async def every(client: Client, **variables: Any) -> list[dict[str, Any]]:
    return list((await client.data(PAGE, **{"first": 10_000, **variables}))["units"]["nodes"])


def solutions(path: Path) -> dict[int, Any]:
    with closing(sqlite3.connect(path)) as connection:
        return {
            n: unpack(b) for n, b in connection.execute("SELECT transform_id, transform_solution FROM coregistration")
        }


# --- values ----------------------------------------------------------------------------------------


async def test_a_position_is_where_the_latest_spline_takes_the_unit(client: Client, demo_path: Path) -> None:
    solution = solutions(demo_path)[5]
    for unit in (await every(client))[::23]:
        place, found = unit["stackUnit"], unit["emPosition"]
        expected = reference_transform.to_em("phase3", solution, [place[f"stack{axis}"] for axis in "XYZ"])
        assert [found[axis] for axis in "xyz"] == pytest.approx(expected, abs=1e-6)
        assert [found["nm"][axis] for axis in "xyz"] == [
            v * s for v, s in zip((found[a] for a in "xyz"), (4, 4, 40), strict=True)
        ]
        assert (found["transformId"], found["reason"]) == (5, None)


@pytest.mark.parametrize(("given", "number", "version"), [
    ("transformId: 5", 5, "phase3"), ("transformId: 1", 1, "phase2"), ('version: "phase2"', 1, "phase2"),
    ('type: "linear"', 7, "phase3"), ('version: "phase2", type: "linear"', 3, "phase2"),
])  # fmt: skip
async def test_another_transform_can_be_chosen(
    given: str, number: int, version: str, client: Client, demo_path: Path
) -> None:
    solution = solutions(demo_path)[number]
    data = await client.data(f"""{{ scan(session: 4, scanIdx: 7) {{ units(first: 40) {{ nodes {{
      stackUnit {{ stackX stackY stackZ }} best: emPosition {{ x y z }}
      emPosition({given}) {{ x y z nm {{ z }} transformId reason }} }} }} }} }}""")
    for unit in data["scan"]["units"]["nodes"][::7]:
        place, found = unit["stackUnit"], unit["emPosition"]
        expected = reference_transform.to_em(version, solution, [place[f"stack{axis}"] for axis in "XYZ"])
        assert [found[axis] for axis in "xyz"] == pytest.approx(expected, abs=1e-6)
        assert found["transformId"] == number
        assert found["nm"]["z"] == found["z"] * 40
        if number == 5:  # the best is the best, whichever way it was asked for: to the bit
            assert {axis: found[axis] for axis in "xyz"} == unit["best"]


async def test_an_argument_that_is_null_or_left_out_is_the_best(client: Client) -> None:
    asked = """query ($t: Int, $v: String) { unit(strKey: "04_07_000002") {
      a: emPosition(transformId: $t, version: $v) { x } b: emPosition { x } } }"""
    for variables in ({}, {"t": None, "v": None}, {"t": 5}):
        unit = (await client.data(asked, **variables))["unit"]
        assert unit["a"] == unit["b"]


@pytest.mark.parametrize("given", ["transformId: 6", "transformId: 99", 'version: "phase9"', 'type: "Spline"',
                                   'transformId: 5, version: "phase2"'])  # fmt: skip
async def test_a_transform_that_there_is_not_is_told(given: str, client: Client) -> None:
    error = await client.error(f'{{ unit(strKey: "04_07_000002") {{ unitId emPosition({given}) {{ x }} }} }}')
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "5 phase3" in error["message"]


# --- filters, orders, aggregates -------------------------------------------------------------------


async def test_units_in_a_box_are_those_whose_positions_are(client: Client) -> None:
    whole = await every(client)
    xs = sorted(unit["emPosition"]["x"] for unit in whole)
    low, high = xs[len(xs) // 4], xs[len(xs) // 2]
    where = {"emX": {"gte": low, "lt": high}, "emExtrapolated": {"eq": False}}
    found = await every(client, where=where, orderBy=[{"field": "EM_Z", "direction": "DESC"}])
    inside = [u for u in whole if low <= u["emPosition"]["x"] < high and not u["emPosition"]["extrapolated"]]
    assert found == sorted(inside, key=lambda u: -u["emPosition"]["z"])
    assert 0 < len(found) < len(whole)


async def test_pages_by_position_go_on_where_they_ended(client: Client) -> None:
    document = """query ($after: String) {
      units(first: 37, after: $after, orderBy: [{field: EM_Y}], where: {emZ: {gt: 0}}) {
        totalCount pageInfo { endCursor hasNextPage } nodes { strKey emPosition { y } } } }"""
    found: list[Any] = []
    page: dict[str, Any] = {"pageInfo": {"endCursor": None, "hasNextPage": True}}
    while page["pageInfo"]["hasNextPage"]:
        page = (await client.data(document, after=page["pageInfo"]["endCursor"]))["units"]
        found += page["nodes"]
    assert len(found) == page["totalCount"] == len({unit["strKey"] for unit in found})
    assert [u["emPosition"]["y"] for u in found] == sorted(u["emPosition"]["y"] for u in found)


async def test_positions_are_counted_as_columns_are(client: Client) -> None:
    whole = await every(client)
    units = (
        await client.data("""{ units { statistics(of: EM_X) { min max mean count }
      groups(by: [EM_EXTRAPOLATED, EM_TRANSFORM_ID]) { key { emExtrapolated emTransformId } count } } }""")
    )["units"]
    xs = [unit["emPosition"]["x"] for unit in whole]
    assert units["statistics"] == {"min": min(xs), "max": max(xs), "mean": pytest.approx(np.mean(xs)), "count": len(xs)}
    for group in units["groups"]:
        key = group["key"]
        assert key["emTransformId"] == 5
        assert group["count"] == sum(u["emPosition"]["extrapolated"] is key["emExtrapolated"] for u in whole)


# --- stores ----------------------------------------------------------------------------------------


async def test_planned_or_not_the_answer_is_the_same(sqlite_store: SqlStore, snapshot_store: SnapshotStore) -> None:
    document = """{ units(first: 30, orderBy: [{field: EM_Z}]) { nodes {
      unitId emPosition { __typename nm { y } x reason }
      chosen: emPosition(transformId: 7) { y nm { __typename x } } wrong: emPosition(transformId: 2) { x } } } }"""
    answers = []
    for store in (sqlite_store, snapshot_store):
        for planned in (True, False):
            context = Context(store, Dataset(store))
            answers.append(await build_schema(planned=planned).execute(document, context_value=context))
            assert context.planning.planned == planned
    first, *others = answers
    assert len(first.errors or []) == 30
    for other in others:
        assert other.data == first.data
        assert sorted(map(str, other.errors or [])) == sorted(map(str, first.errors or []))


async def test_a_page_of_positions_is_a_few_statements(store: SqlStore, statements: Statements) -> None:
    document = "{ scan(session: 4, scanIdx: 7) { units(first: 200) { nodes { emPosition { x nm { z } } } } } }"
    async with serving(store) as client:
        await client.data(document)
        statements.clear()
        await client.data(document)
    assert len(statements) == 3, statements  # the scan, its units, their places


@asynccontextmanager
async def altered(path: Path, folder: Path, *changes: tuple[str, tuple[Any, ...]]) -> AsyncIterator[Client]:
    """A client of a changed demo."""

    def alter(connection: sqlite3.Connection) -> None:
        for statement, values in changes:
            connection.execute(statement, values)

    async with altered_store(path, folder, alter) as store, serving(store) as client:
        yield client


async def test_a_unit_without_a_place_has_a_reason(demo_path: Path, tmp_path: Path) -> None:
    gone = ("DELETE FROM stack_unit WHERE session = 4 AND scan_idx = 7 AND unit_id = 2", ())
    async with altered(demo_path, tmp_path, gone) as client:
        unit = (
            await client.data("""{ unit(strKey: "04_07_000002") {
          emPosition { x nm { x } transformId extrapolated reason } by: emPosition(transformId: 1) { y reason } } }""")
        )["unit"]
    reason = "the unit has no place in a stack"
    assert unit["emPosition"] == {
        "x": None,
        "nm": {"x": None},
        "transformId": None,
        "extrapolated": None,
        "reason": reason,
    }
    assert unit["by"] == {"y": None, "reason": reason}


async def test_a_stack_without_transforms_has_a_reason(demo_path: Path, tmp_path: Path) -> None:
    async with altered(demo_path, tmp_path, ("UPDATE coregistration SET transform_solution = NULL", ())) as client:
        found = await every(client, where={"emX": {"isNull": True}}, first=3)
    assert {unit["emPosition"]["reason"] for unit in found} == {
        "the stack has no transform to the electron-microscopy volume"
    }


# --- published pairs -------------------------------------------------------------------------------


async def test_real_units_are_where_the_reference_implementation_takes_them(
    demo_path: Path, tmp_path: Path, shared: Path
) -> None:
    """Units 2551 to 2562 of scan 4_7: their published places in the stack, through the real solution."""
    pairs = golden("transform_pairs.json")["sets"][0]
    solution = json.loads((shared / "em_coregistration" / "inverse_phase3_staged_transform_solution.json").read_text())
    changes: list[tuple[str, tuple[Any, ...]]] = [
        ("UPDATE coregistration SET transform_solution = ? WHERE transform_id = 5", (pack(solution),))
    ]
    for unit, place in enumerate(pairs["input"], 1):
        places = tuple(float(np.float32(axis)) for axis in place)  # as a FLOAT column holds them
        where = "session = 4 AND scan_idx = 7 AND unit_id = ?"
        changes.append((f"UPDATE stack_unit SET stack_x = ?, stack_y = ?, stack_z = ? WHERE {where}", (*places, unit)))
    async with altered(demo_path, tmp_path, *changes) as client:
        data = await client.data(
            """query ($first: Int) { scan(session: 4, scanIdx: 7) {
              units(first: $first) { nodes { emPosition { x y z } } } } }""",
            first=len(pairs["input"]),
        )
    found = [list(unit["emPosition"].values()) for unit in data["scan"]["units"]["nodes"]]
    np.testing.assert_allclose(found, pairs["output"], rtol=0, atol=1e-6)


async def test_a_damaged_transform_is_a_reason_whichever_way_it_is_asked_for(demo_path: Path, tmp_path: Path) -> None:
    damaged = ("UPDATE coregistration SET transform_solution = x'6d596d00' WHERE transform_id = 5", ())
    asked = """query ($t: Int) { unit(strKey: "04_07_000002") {
      a: emPosition { x reason } b: emPosition(transformId: $t) { x reason }
      c: emPosition(transformId: 5) { x reason } } }"""
    async with altered(demo_path, tmp_path, damaged) as client:
        unit = (await client.data(asked))["unit"]
    assert unit["a"] == unit["b"] == unit["c"]
    assert unit["a"]["x"] is None
    assert "transform_id=5" in unit["a"]["reason"]


async def test_no_unit_is_near_for_a_reason(demo_path: Path, tmp_path: Path) -> None:
    """An empty list would read as a finding."""
    damaged = ("UPDATE coregistration SET transform_solution = x'6d596d00' WHERE transform_id = 5", ())
    near = "{ unitsNear(point: {x: 0, y: 0, z: 0}, frame: %s, radius: 1e9, first: 1) { distanceUm } }"
    async with altered(demo_path, tmp_path, damaged) as client:
        error = await client.error(near % "EM")
        assert (await client.data(near % "STACK"))["unitsNear"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "transform_id=5" in error["message"]
