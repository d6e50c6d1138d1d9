"""A database with two stacks: a unit is still one unit, and stands where the first stack has it."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.altered import altered_store
from tests.support.client import Client, serving


@pytest.fixture(scope="module")
async def two_stacks(demo_path: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    def add(connection: sqlite3.Connection) -> None:
        for table in ("stack", "registration", "stack_unit"):
            names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            moved = {"stack_session": "3", "stack_x": "stack_x + 1000", "score": "score - 1"}
            chosen = ", ".join(moved.get(name, name) for name in names)
            connection.execute(f"INSERT INTO {table} SELECT {chosen} FROM {table}")

    async with altered_store(demo_path, tmp_path_factory.mktemp("stacks"), add) as store, serving(store) as client:
        yield client


async def test_no_row_comes_twice(two_stacks: Client, sqlite_client: Client) -> None:
    document = """{ units(where: {stackX: {isNull: false}}, orderBy: [{field: STACK_X}], first: 10000) {
      totalCount nodes { strKey stackUnit { stackSession stackX } } }
      scan(session: 4, scanIdx: 7) { fields(orderBy: [{field: SCORE}]) { totalCount nodes { fieldIdx } } } }"""
    one, two = await sqlite_client.data(document), await two_stacks.data(document)
    assert two["units"]["totalCount"] == one["units"]["totalCount"] == len(two["units"]["nodes"])
    assert [u["strKey"] for u in two["units"]["nodes"]] == [u["strKey"] for u in one["units"]["nodes"]]
    assert two["scan"] == one["scan"]


async def test_what_is_shown_is_what_is_filtered(two_stacks: Client) -> None:
    data = await two_stacks.data("""{ units(where: {stackX: {gt: 1000}}, first: 10000) {
      totalCount nodes { stackUnit { stackSession stackX } } } }""")
    shown = [unit["stackUnit"] for unit in data["units"]["nodes"]]
    assert shown
    assert all(place["stackSession"] == 3 and place["stackX"] > 1000 for place in shown)


# --- units near a point ------------------------------------------------------------------------------

NEAR = """query ($point: PointInput!, $frame: CoordinateFrame!, $session: Int, $idx: Int) {
  unitsNear(point: $point, frame: $frame, radius: 150, stackSession: $session, stackIdx: $idx) {
    distanceUm position { x y z } unit { strKey } } }"""

STACKS = {"MOTOR": "motorX motorY motorZ", "STACK": "stackX stackY stackZ"}


async def somewhere(client: Client, frame: str) -> dict[str, float]:
    """A place where a unit stands in the one stack that there is."""
    names = "emPosition { x y z }" if frame == "EM" else f"stackUnit {{ {STACKS[frame]} }}"
    document = f"{{ units(where: {{stackX: {{isNull: false}}}}, first: 1) {{ nodes {{ at: {names} }} }} }}"
    (unit,) = (await client.data(document))["units"]["nodes"]
    return dict(zip("xyz", unit["at"].values(), strict=True))


@pytest.mark.parametrize("frame", ["MOTOR", "STACK", "EM"])
async def test_units_near_in_the_stack_that_is_asked_for(frame: str, two_stacks: Client, sqlite_client: Client) -> None:
    point = await somewhere(sqlite_client, frame)
    expected = (await sqlite_client.data(NEAR, point=point, frame=frame))["unitsNear"]
    assert len(expected) > 3
    for chosen in ({"session": 9}, {"idx": 19, "session": 9}):
        found = await two_stacks.data(NEAR, point=point, frame=frame, **chosen)
        assert found["unitsNear"] == expected
        assert await sqlite_client.data(NEAR, point=point, frame=frame, **chosen) == found


async def test_units_near_in_the_first_stack_unless_told(two_stacks: Client, sqlite_client: Client) -> None:
    point = await somewhere(sqlite_client, "STACK")
    expected = (await sqlite_client.data(NEAR, point=point, frame="STACK"))["unitsNear"]
    moved = {**point, "x": point["x"] + 1000}
    for chosen in ({}, {"session": 3}, {"idx": 19}):
        found = (await two_stacks.data(NEAR, point=moved, frame="STACK", **chosen))["unitsNear"]
        assert [one["unit"] for one in found] == [one["unit"] for one in expected]
        assert [one["position"]["x"] for one in found] == pytest.approx(
            [one["position"]["x"] + 1000 for one in expected], abs=1e-3
        )


async def test_a_stack_without_a_transform_has_no_units_in_em(two_stacks: Client) -> None:
    for chosen in ({}, {"session": 3}):
        error = await two_stacks.error(NEAR, point={"x": 1, "y": 2, "z": 3}, frame="EM", **chosen)
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "frame"}
        assert error["message"].endswith("the stack has no transform to the electron-microscopy volume")


@pytest.mark.parametrize("frame", ["MOTOR", "EM"])
async def test_a_stack_that_there_is_not(frame: str, two_stacks: Client) -> None:
    error = await two_stacks.error(NEAR, point={"x": 1, "y": 2, "z": 3}, frame=frame, session=4)
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "stackSession"}
    assert error["message"] == "no stack of stackSession 4; there are 3 19; 9 19"
