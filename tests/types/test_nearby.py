"""Units near a point: against a sorted list of the distances of all units that the graph shows."""

import math
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gql_nda import tables as t
from gql_nda.stores.sql import SqlStore
from tests.support.client import Client, Statements, serving
from tests.support.little import little_store
from tests.types.test_coordinates import FIELD, REGISTRATION, SCAN, SOLUTION, STACK, coregistered, registered, scans

SNAPSHOTS = True

Json = dict[str, Any]

NEAR = """query ($point: PointInput!, $frame: CoordinateFrame!, $radius: Float!,
    $first: Int, $session: Int, $scan: Int) {
  unitsNear(point: $point, frame: $frame, radius: $radius, first: $first, session: $session, scanIdx: $scan) {
    distanceUm position { x y z } unit { session scanIdx unitId } } }"""

ALL = """{ units(first: 10000) { nodes { session scanIdx unitId emPosition { x y z }
  stackUnit { stackX stackY stackZ motorX motorY motorZ } } } }"""

FRAMES = ["MOTOR", "STACK", "EM"]
SIZES = {"MOTOR": (1.0, 1.0, 1.0), "STACK": (1.0, 1.0, 1.0), "EM": (0.004, 0.004, 0.04)}
"""Length of a frame's units (um)."""


class Standing(NamedTuple):
    """A unit, and where it stands."""

    key: tuple[int, int, int]
    at: list[float]


class Found(NamedTuple):
    """A unit near a point."""

    distance: float
    key: tuple[int, int, int]
    at: list[float]


Standings = dict[str, list[Standing]]


def place(unit: Json, frame: str) -> list[float] | None:
    """Where the graph shows a unit, in a frame's own unit."""
    of = unit["emPosition" if frame == "EM" else "stackUnit"]
    at: list[Any] = [(of or {}).get(axis if frame == "EM" else f"{frame.lower()}{axis.upper()}") for axis in "xyz"]
    return None if None in at else at


def um(at: Any, frame: str) -> list[float]:
    return [v * size for v, size in zip(at, SIZES[frame], strict=True)]


def key_of(unit: Json) -> tuple[int, int, int]:
    return unit["session"], unit["scanIdx"], unit["unitId"]


def plainly(units: list[Standing], point: Any, frame: str, radius: float) -> list[Found]:
    """All units within a radius of a point, by distance and then key."""
    far = [Found(math.dist(um(unit.at, frame), um(point, frame)), *unit) for unit in units]
    return sorted(found for found in far if found.distance <= radius)


@pytest.fixture(scope="session")
async def standing(client: Client) -> Standings:
    """All units that stand in each frame."""
    units = (await client.data(ALL))["units"]["nodes"]
    return {
        frame: [Standing(key_of(unit), at) for unit in units if (at := place(unit, frame)) is not None]
        for frame in FRAMES
    }


async def near(client: Client, point: Any, frame: str, radius: float, **others: Any) -> list[Found]:
    named = dict(zip("xyz", map(float, point), strict=True))
    data = await client.data(NEAR, point=named, frame=frame, radius=radius, **others)
    return [
        Found(unit["distanceUm"], key_of(unit["unit"]), [unit["position"][axis] for axis in "xyz"])
        for unit in data["unitsNear"]
    ]


def same(found: list[Found], expected: list[Found]) -> bool:
    """Equal, with distances to a part in 10^9."""
    return [one[1:] for one in found] == [one[1:] for one in expected] and all(
        math.isclose(one.distance, other.distance, rel_tol=1e-9, abs_tol=1e-9)
        for one, other in zip(found, expected, strict=True)
    )


@settings(max_examples=60)
@given(
    frame=st.sampled_from(FRAMES),
    unit=st.integers(0, 159),
    shift=st.tuples(*[st.just(0.0) | st.floats(-500, 500)] * 3),
    radius=st.floats(0.01, 3000),
    first=st.none() | st.integers(0, 200),
)
async def test_near_is_what_a_sorted_list_of_distances_begins_with(
    frame: str, unit: int, shift: Any, radius: float, first: int | None, client: Client, standing: Standings
) -> None:
    units = standing[frame]
    point = [c + s / size for c, s, size in zip(units[unit].at, shift, SIZES[frame], strict=True)]
    expected = plainly(units, point, frame, radius)
    found = await near(client, point, frame, radius, first=first)
    assert same(found, expected[: 100 if first is None else first])


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("others", [{"session": 4}, {"session": 4, "scan": 7}, {"scan": 3}, {"session": 99}])
async def test_units_of_a_scan(others: dict[str, int], frame: str, client: Client, standing: Standings) -> None:
    units = standing[frame]
    wanted = (others.get("session"), others.get("scan"))
    mine = [u for u in units if all(w in (None, of) for w, of in zip(wanted, u.key[:2], strict=True))]
    point = units[0].at
    found = await near(client, point, frame, 800.0, first=7, **others)
    assert same(found, plainly(mine, point, frame, 800.0)[:7])
    assert (len(found) > 0) == (others != {"session": 99})


async def test_a_unit_at_the_point_is_near(client: Client, standing: Standings) -> None:
    for frame, units in standing.items():
        (found, *_) = await near(client, units[5].at, frame, 1e-3)
        assert (found.distance, found.key) == (0, units[5].key)


async def test_100_units_cost_one_statement(sqlite_store: SqlStore, sqlite_client: Client) -> None:
    document = """{ unitsNear(point: {x: 1000, y: 500, z: 300}, frame: STACK, radius: 5000) {
      unit { strKey umX brainArea oracle { pearson } } } }"""
    await sqlite_client.data(document)
    statements = Statements(sqlite_store)
    assert len((await sqlite_client.data(document))["unitsNear"]) == 100
    assert len(statements) == 1


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        ("frame: STACK, radius: 0", "BAD_USER_INPUT", "radius: 0.0 is no distance above 0"),
        ("frame: STACK, radius: -1", "BAD_USER_INPUT", "radius: "),
        ("frame: EM, radius: 1e999", "BAD_USER_INPUT", "radius: inf"),
        ("frame: EM, radius: 1, first: -1", "BAD_USER_INPUT", "first: -1 is negative"),
        ("frame: EM, radius: 1, first: 10001", "LIMIT_EXCEEDED", "page_max: first is 10001"),
        ("radius: 1", "GRAPHQL_VALIDATION_FAILED", "Argument 'Query.unitsNear(frame:)'"),
        ("frame: STACK", "GRAPHQL_VALIDATION_FAILED", "Argument 'Query.unitsNear(radius:)'"),
        ("frame: NORTH, radius: 1", "GRAPHQL_VALIDATION_FAILED", "Value 'NORTH' does not exist"),
    ],
)
async def test_what_makes_no_sense_is_refused(asked: str, code: str, words: str, client: Client) -> None:
    error = await client.error(f"{{ unitsNear(point: {{x: 1, y: 2, z: 3}}, {asked}) {{ distanceUm }} }}")
    assert error["extensions"]["code"] == code
    assert error["message"].startswith(words)


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize(("x", "told"), [("1e999", "inf"), ("-1e300", "-1e+300")])
async def test_a_point_is_somewhere(x: str, told: str, frame: str, sqlite_client: Client) -> None:
    text = f"{{ unitsNear(point: {{x: {x}, y: 2, z: 3}}, frame: {frame}, radius: 1) {{ distanceUm }} }}"
    error = await sqlite_client.error(text)
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "point"}
    assert error["message"].startswith("point: a place is three finite numbers")
    assert error["message"].endswith(f"not ({told}, 2, 3)")


async def test_what_is_extrapolated_is_told_as_of_the_unit(client: Client) -> None:
    text = """{ unitsNear(point: {x: 200000, y: 150000, z: 20000}, frame: EM, radius: 1e6, first: 1000) {
      position { extrapolated } unit { emPosition { extrapolated } } } }"""
    units = (await client.data(text))["unitsNear"]
    assert {unit["position"]["extrapolated"] for unit in units} == {False, True}
    assert [unit["position"] for unit in units] == [unit["unit"]["emPosition"] for unit in units]
    text = text.replace("EM,", "STACK,").replace("{x: 200000, y: 150000, z: 20000}", "{x: 1000, y: 500, z: 300}")
    assert {unit["position"]["extrapolated"] for unit in (await client.data(text))["unitsNear"]} == {None}


async def test_what_hangs_on_units_counts_towards_the_limits(sqlite_store: SqlStore) -> None:
    text = """{ unitsNear(point: {x: 1, y: 2, z: 3}, frame: STACK, radius: 1, first: 50) {
      unit { oracle { pearson } } } }"""
    async with serving(sqlite_store, limits={"objects": 99}) as client:
        assert (await client.error(text))["message"] == "objects: the operation can return 100 rows, at most 99"
    async with serving(sqlite_store, limits={"objects": 100}) as client:
        assert (await client.data(text))["unitsNear"] == []


# --- few units ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def few(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """Units 2 and 1 at one place; 3 in another stack, which has no transform; 4 nowhere."""
    segments = [{**FIELD, "mask_id": i, "pixels": b"", "weights": b""} for i in range(1, 5)]
    other = {"stack_session": 10, "stack_idx": 2}
    rows = registered(coregistered(5, "phase3", "2PEM", SOLUTION))
    first = rows[t.stack][0]
    pixel = {"um_x": 0, "um_y": 0, "um_z": 0, "px_x": 0, "px_y": 0, "ms_delay": 0}
    at = {f"{frame}_{axis}": 100.0 for frame in ("motor", "stack") for axis in "xyz"}
    placed = [{**(other if i == 3 else STACK), **FIELD, "unit_id": i, **at} for i in (2, 1, 3)]
    rows |= {
        t.stack: [first, {**first, **other}],
        t.registration: [*rows[t.registration], {**other, **FIELD, **REGISTRATION}],
        t.segmentation: segments,
        t.fluorescence: [{**FIELD, "mask_id": i, "trace": b""} for i in range(1, 5)],
        t.scan_unit: [{**SCAN, "unit_id": i, "field": 4, "mask_id": i, **pixel} for i in range(1, 5)],
        t.stack_unit: placed,
    }
    async with little_store(tmp_path_factory.mktemp("few"), rows) as store, serving(store) as client:
        yield client


@pytest.mark.parametrize("frame", ["MOTOR", "STACK"])
async def test_units_stand_where_the_first_stack_has_them(frame: str, few: Client) -> None:
    found = await near(few, [100, 100, 101], frame, 1)
    assert [(one.key[2], one.distance) for one in found] == [(1, 1), (2, 1)]
    assert [one.key[2] for one in await near(few, [100, 100, 101], frame, 1, first=1)] == [1]


async def test_units_of_another_stack_stand_there_alone(few: Client) -> None:
    document = """query ($frame: CoordinateFrame!) {
      unitsNear(point: {x: 100, y: 100, z: 100}, frame: $frame, radius: 1, stackIdx: 2) { unit { unitId } } }"""
    for frame in ("MOTOR", "STACK"):
        assert await few.data(document, frame=frame) == {"unitsNear": [{"unit": {"unitId": 3}}]}
    error = await few.error(document, frame="EM")
    assert error["message"].endswith("the stack has no transform to the electron-microscopy volume")


async def test_nothing_is_near_without_units(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with little_store(tmp_path_factory.mktemp("none"), scans()) as store, serving(store) as client:
        for frame in FRAMES:
            assert await near(client, [1, 2, 3], frame, 1e9) == []
