"""Points through transforms, grids and outlines of fields: against loops over what the graph itself shows."""

import json
import math
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gql_nda import tables as t
from gql_nda.codec import pack, unpack
from gql_nda.stores import Store
from gql_nda.stores.sql import SqlStore
from tests.planner.agreement import Agreement
from tests.planner.documents import Case
from tests.science import reference_transform
from tests.support.client import Client, serving
from tests.support.little import little_store

SNAPSHOTS = True

Json = dict[str, Any]
Rows = dict[Any, Any]
Floats = NDArray[np.float64]

POINTS: list[list[float]] = [[1000, 500, 300], [774.33, 18.47, 241.69], [-4000, 9000, 1.5], [1000, 500, 300]]
VOXELS: list[list[float]] = [[260000, 120000, 20000], [1, 2, 3], [372277.84, 114074.1, 14573.49]]

MOVE = """query ($points: [PointInput!]!, $id: Int, $version: String, $direction: TransformDirection, $type: String) {
  transformPoints(points: $points, transformId: $id, version: $version, direction: $direction, type: $type) {
    x y z extrapolated } }"""


def given(points: Any) -> list[Json]:
    return [dict(zip("xyz", map(float, point), strict=True)) for point in points]


def xyz(points: Any) -> Any:
    """Points as the graph gives them, as an array."""
    return np.array([[point[axis] for axis in "xyz"] for point in points], float)


async def moved(client: Client, points: Any, **chosen: Any) -> Any:
    return (await client.data(MOVE, points=given(points), **chosen))["transformPoints"]


# --- points ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def solutions(demo_path: Path) -> dict[int, tuple[str, str, Json]]:
    """The demo's transforms by number: version, direction, and what their blobs hold."""
    with closing(sqlite3.connect(demo_path)) as connection:
        rows = connection.execute("SELECT transform_id, version, direction, transform_solution FROM coregistration")
        return {number: (version, way, unpack(blob)) for number, version, way, blob in rows}  # type: ignore[misc]


@pytest.mark.parametrize("number", range(1, 9))
async def test_points_go_where_plain_loops_take_them(
    number: int, client: Client, solutions: dict[int, tuple[str, str, Json]]
) -> None:
    version, way, solution = solutions[number]
    points, slowly = {
        "2PEM": (POINTS, reference_transform.to_em),
        "EM2P": (VOXELS, reference_transform.to_stack),
    }[way]
    expected = [slowly(version, solution, point) for point in points]
    np.testing.assert_allclose(xyz(await moved(client, points, id=number)), expected, atol=1e-6, rtol=1e-12)


async def test_what_is_extrapolated_is_told(client: Client) -> None:
    assert [point["extrapolated"] for point in await moved(client, POINTS)] == [False, True, True, False]
    linear = await moved(client, POINTS, type="linear")
    assert [point["extrapolated"] for point in linear] == [None] * 4  # it has no landmarks


async def test_what_can_not_be_told_is_null_and_costs_the_others_nothing(client: Client) -> None:
    near, far, again = await moved(client, [POINTS[0], [1e300, 0, 0], POINTS[0]])
    assert far == {"x": None, "y": None, "z": None, "extrapolated": True}
    assert near == again
    assert near["x"] is not None


@pytest.mark.parametrize(
    ("chosen", "number"),
    [
        ({}, 5),
        ({"version": "phase2"}, 1),
        ({"type": "linear"}, 7),
        ({"version": "phase2", "type": "linear"}, 3),
        ({"direction": "TWO_P_TO_EM"}, 5),
        ({"direction": "EM_TO_TWO_P"}, 6),
        ({"direction": "EM_TO_TWO_P", "version": "phase2", "type": "linear"}, 4),
        ({"id": 2}, 2),
        ({"id": 8, "direction": "EM_TO_TWO_P", "version": "phase3", "type": "linear"}, 8),
    ],
)
async def test_the_transform_that_is_meant(chosen: Json, number: int, sqlite_client: Client) -> None:
    assert await moved(sqlite_client, VOXELS, **chosen) == await moved(sqlite_client, VOXELS, id=number)


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        ("points: [], transformId: 9", "BAD_USER_INPUT", "no transform of transformId 9; there are 5 phase3 TWO_P_TO"),
        (
            'points: [], version: "phase4"',
            "BAD_USER_INPUT",
            "version phase4, direction TWO_P_TO_EM; there are 5 phase3",
        ),
        ('points: [], type: "cubic"', "BAD_USER_INPUT", "type cubic, direction TWO_P_TO_EM; there are"),
        ('points: [], transformId: 5, version: "phase2"', "BAD_USER_INPUT", "transformId 5, version phase2"),
        (
            "points: [], transformId: 5, direction: EM_TO_TWO_P",
            "BAD_USER_INPUT",
            "transformId 5, direction EM_TO_TWO_P",
        ),
        ("points: [], stackSession: 8", "BAD_USER_INPUT", "no stack of stackSession 8; there are 9 19"),
        ("points: [], stackSession: 9, stackIdx: 1", "BAD_USER_INPUT", "stackSession 9, stackIdx 1; there are 9 19"),
        ("points: []", "", ""),
        ("points: [], stackIdx: 19", "", ""),
        ("points: {x: 1, y: 2, z: 3}", "", ""),
        ("points: [{x: 1, y: 2}]", "GRAPHQL_VALIDATION_FAILED", "z"),
        ("points: [{x: 1e999, y: 2, z: 3}]", "BAD_USER_INPUT", "points: a coordinate is no finite number"),
        ("points: [null]", "GRAPHQL_VALIDATION_FAILED", "PointInput"),
        ("direction: NORTH, points: []", "GRAPHQL_VALIDATION_FAILED", "NORTH"),
    ],
)
async def test_what_is_asked_of_points(asked: str, code: str, words: str, sqlite_client: Client) -> None:
    answer = await sqlite_client.answer(f"{{ transformPoints({asked}) {{ x y z }} }}")
    errors = answer.get("errors", [])
    assert [error["extensions"]["code"] for error in errors] == ([code] if code else [])
    assert all(words in error["message"] for error in errors)


async def test_no_more_points_than_the_limit_in_one_operation(sqlite_store: SqlStore) -> None:
    async with serving(sqlite_store, limits={"points": 3}) as client:
        assert len(await moved(client, POINTS[:3])) == 3
        error = await client.error(MOVE, points=given(POINTS))
        assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "limit": "points", "maximum": 3}
        twice = (
            "query ($p: [PointInput!]!) { a: transformPoints(points: $p) { x } b: transformPoints(points: $p) { x } }"
        )
        assert (await client.error(twice, p=given(POINTS[:2])))["message"].startswith("points: more than 3")


@pytest.mark.parametrize(("body", "limit"), [(1 << 20, "body_bytes"), (16 << 20, "input_values")])
async def test_points_in_masses_are_refused_as_they_come_in(body: int, limit: str, sqlite_store: SqlStore) -> None:
    async with serving(sqlite_store, body_bytes=body) as client:
        (error,) = (await client.answer(MOVE, points=given([[1, 2, 3]] * 100_000)))["errors"]
        assert (error["extensions"]["code"], error["message"].split(":")[0]) == ("LIMIT_EXCEEDED", limit)


# --- real transforms ---------------------------------------------------------------------------------

STACK = {"stack_session": 9, "stack_idx": 19}
REAL_STACK = (
    STACK
    | {"motor_x": -236.91, "motor_y": -173.688, "motor_z": 314.0}
    | {"px_width": 706, "px_height": 661, "px_depth": 335}
    | {"um_width": 1412.0, "um_height": 1322.0, "um_depth": 670.0, "surf_z": -21.0}
)
SCAN = {"session": 4, "scan_idx": 7}
FIELD = {**SCAN, "field": 4}


def scans() -> Rows:
    """A field, which belongs to a scan."""
    sizes = {"px_width": 248, "px_height": 440, "um_width": 620.0, "um_height": 1100.0}
    places = {"field_x": 95.0, "field_y": -235.0, "field_z": 220.0}
    return {t.scan: [{**SCAN, "nframes": 40000, "nfields": 8, "fps": 6.3009}], t.field: [{**FIELD, **sizes, **places}]}


def coregistered(number: int, version: str, direction: str, solution: bytes | None, kind: str = "spline") -> Json:
    names = {"version": version, "direction": direction, "transform_type": kind}
    return {**STACK, "transform_id": number, **names, "transform_args": None, "transform_solution": solution}


@pytest.fixture(scope="module")
def pairs(shared: Path) -> Json:
    found: Json = json.loads((shared / "transform_pairs.json").read_text())
    return found


@pytest.fixture(scope="module")
def registration(shared: Path) -> Json:
    found: Json = json.loads((shared / "golden_examples.json").read_text())["registration"]
    return found


@pytest.fixture(scope="module")
async def real(
    shared: Path, pairs: Json, registration: Json, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Client]:
    """A client of the published transforms, as DataJoint stores them, and of a published field."""
    files = {int(name.split()[0]): name for name in pairs["files"]}
    rows = [
        coregistered(number, name.split()[1][1:], name.split()[2], _blob(shared, pairs["files"][name]))
        for number, name in sorted(files.items())
    ]
    placed = {**STACK, **FIELD, **registration["registration"], "score": 0.646221, "reg_field": pack(np.zeros((2, 2)))}
    stored: Rows = {**scans(), t.stack: [REAL_STACK], t.coregistration: rows, t.registration: [placed]}
    async with little_store(tmp_path_factory.mktemp("real"), stored) as store, serving(store) as client:
        yield client


def _blob(shared: Path, name: str) -> bytes:
    return pack(json.loads((shared / "em_coregistration" / name).read_text()))


async def test_published_transforms_give_upstream_numbers(real: Client, pairs: Json) -> None:
    """To 1e-6 voxels, and to 1e-6 um."""
    assert {known["transform_id"] for known in pairs["sets"]} == {1, 2, 5, 6}
    for known in pairs["sets"]:
        found = await moved(real, known["input"], id=known["transform_id"])
        np.testing.assert_allclose(xyz(found), known["output"], atol=1e-6, rtol=0)


async def test_the_latest_of_a_direction_is_that_of_phase3(real: Client, pairs: Json) -> None:
    for known in pairs["sets"]:
        if known["version"] == "phase3":
            way = {"2PEM": "TWO_P_TO_EM", "EM2P": "EM_TO_TWO_P"}[known["direction"]]
            found = await moved(real, known["input"], direction=way)
            np.testing.assert_allclose(xyz(found), known["output"], atol=1e-6, rtol=0)


@pytest.mark.parametrize(("frame", "close"), [("motor", 1e-3), ("stack", 0.0051)])
async def test_published_units_stand_on_the_grid_of_their_field(
    frame: str, close: float, real: Client, registration: Json
) -> None:
    """A grid without a resolution has a point for each pixel: rows are px_y, columns px_x."""
    path = f"/arrays/field/4.7.4/grid?frame={frame.upper()}"
    grid = np.load(BytesIO((await real.http.get(path)).content))
    assert grid.shape == (440, 248, 3)
    assert registration["units"]
    for unit in registration["units"]:
        np.testing.assert_allclose(grid[unit["px_y"], unit["px_x"]], unit[frame], atol=close, rtol=0)


# --- transforms --------------------------------------------------------------------------------------


async def test_transforms_are_those_of_the_stack(client: Client) -> None:
    fields = "transformId version direction transformType transformSolution { stages { name order axis nchunks } }"
    data = await client.data(
        f"""{{ transforms {{ {fields} }}
        stack(stackSession: 9, stackIdx: 19) {{ coregistrations {{ nodes {{ {fields} }} }} }} }}"""
    )
    assert data["transforms"] == data["stack"]["coregistrations"]["nodes"]
    assert len(data["transforms"]) == 8


async def test_a_direction_that_was_told_can_be_asked_for(client: Client) -> None:
    first, *_ = (await client.data("{ transforms { transformId direction version transformType } }"))["transforms"]
    document = """query ($d: TransformDirection) { transforms(direction: $d) { direction }
      stack(stackSession: 9, stackIdx: 19) { coregistrations(where: {direction: {eq: $d}}) { totalCount } } }"""
    data = await client.data(document.replace("eq: $d", f"eq: {first['direction']}"), d=first["direction"])
    assert [row["direction"] for row in data["transforms"]] == [first["direction"]] * 4
    assert data["stack"]["coregistrations"]["totalCount"] == 4
    assert first["direction"] == "TWO_P_TO_EM"


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        ('version: "phase3"', [5, 6, 7, 8]),
        ('direction: TWO_P_TO_EM, type: "spline"', [1, 5]),
        ('version: "phase3", direction: EM_TO_TWO_P, type: "linear", stackSession: 9, stackIdx: 19', [8]),
        ('version: "phase4"', []),
        ("version: null, direction: null, type: null", list(range(1, 9))),
    ],
)
async def test_some_transforms(asked: str, numbers: list[int], sqlite_client: Client) -> None:
    data = await sqlite_client.data(f"{{ transforms({asked}) {{ transformId }} }}")
    assert [row["transformId"] for row in data["transforms"]] == numbers


# --- grids -------------------------------------------------------------------------------------------

SHOWN = """query ($session: Int!, $scanIdx: Int!, $fieldIdx: Int!, $frame: CoordinateFrame, $um: Float, $stride: Int) {
  field(session: $session, scanIdx: $scanIdx, fieldIdx: $fieldIdx) {
    pxWidth pxHeight umWidth umHeight
    registration { a11 a21 a31 a12 a22 a32 regX regY regZ
      stack { motorX motorY motorZ umWidth umHeight umDepth } }
    grid(frame: $frame, resolutionUm: $um, stride: $stride) { transformId reason
      points { shape dims dtype unit values href } extrapolated { shape values href } }
    outline(frame: $frame, points: $stride) { transformId reason points { x y z extrapolated } } } }"""

FIELDS = [(4, 7, 4), (9, 3, 1)]
GRIDS: list[tuple[float | None, int]] = [(None, 40), (17.5, 3), (100.0, 1), (5000.0, 2)]


def placed(field: Json, offset: tuple[float, float], frame: str) -> list[float]:
    """Where an offset from the centre of a field lies, by the registration that the graph shows."""
    r = field["registration"]
    (dx, dy), stack = offset, r["stack"]
    motor = [r[f"a{i}1"] * dx + r[f"a{i}2"] * dy + r[f"reg{axis}"] for i, axis in ((1, "X"), (2, "Y"), (3, "Z"))]
    if frame == "MOTOR":
        return motor
    corner = [stack["motorX"], stack["motorY"], stack["motorZ"]]
    size = [stack["umWidth"], stack["umHeight"], stack["umDepth"]]
    return [m - c + s / 2 for m, c, s in zip(motor, corner, size, strict=True)]


def offsets(size_um: float, step: float, stride: int) -> list[float]:
    """Offsets along one axis: as many steps as fit best, centred."""
    count = max(round(size_um / step), 1)
    return [(i - (count - 1) / 2) * step for i in range(0, count, stride)]


async def shown(client: Client, key: tuple[int, int, int], frame: str, um: float | None, stride: int) -> Json:
    names = dict(zip(("session", "scanIdx", "fieldIdx"), key, strict=True))
    found: Json = (await client.data(SHOWN, **names, frame=frame, um=um, stride=stride))["field"]
    return found


@pytest.mark.parametrize("key", FIELDS)
@pytest.mark.parametrize(("um", "stride"), GRIDS)
@pytest.mark.parametrize("frame", ["MOTOR", "STACK", "EM"])
async def test_a_grid_is_that_of_a_plain_loop(
    frame: str, um: float | None, stride: int, key: tuple[int, int, int], client: Client
) -> None:
    field = await shown(client, key, frame, um, stride)
    grid, steps = (
        field["grid"],
        [um or field["umWidth"] / field["pxWidth"], um or field["umHeight"] / field["pxHeight"]],
    )
    rows = offsets(field["umHeight"], steps[1], stride)
    columns = offsets(field["umWidth"], steps[0], stride)
    expected = [placed(field, (dx, dy), frame) for dy in rows for dx in columns]
    flags = None
    if frame == "EM":
        there = await moved(client, expected)
        expected, flags = xyz(there), [float(point["extrapolated"]) for point in there]
    assert grid["points"]["shape"] == [len(rows), len(columns), 3]
    assert grid["points"]["dims"] == ["row", "column", "xyz"]
    assert grid["points"]["unit"] == ("voxels of 4 x 4 x 40 nm" if frame == "EM" else "um")
    np.testing.assert_allclose(np.reshape(grid["points"]["values"], (-1, 3)), expected, atol=1e-6, rtol=0)
    assert (grid["extrapolated"] and grid["extrapolated"]["values"]) == flags
    assert grid["transformId"] == (5 if frame == "EM" else None)
    assert grid["reason"] is None


@pytest.mark.parametrize("frame", ["MOTOR", "EM"])
async def test_what_is_downloaded_is_what_is_shown(frame: str, client: Client) -> None:
    grid = (await shown(client, (4, 7, 4), frame, 50, 2))["grid"]
    for array in filter(None, (grid["points"], grid["extrapolated"])):
        response = await client.http.get(array["href"])
        assert response.status_code == 200, response.text
        downloaded = np.load(BytesIO(response.content))
        assert list(downloaded.shape) == array["shape"]
        assert downloaded.ravel().tolist() == array["values"]


async def test_the_frame_is_the_stack_and_the_points_are_pixels_unless_told(client: Client) -> None:
    answer = await client.data(
        """{ field(session: 4, scanIdx: 7, fieldIdx: 4) { pxWidth pxHeight
          plain: grid { points { shape first: values(stop: 9) } }
          nulls: grid(frame: null, resolutionUm: null, stride: null) { points { shape first: values(stop: 9) } }
          stack: grid(frame: STACK, stride: 1) { points { shape first: values(stop: 9) } } } }"""
    )
    data = answer["field"]
    assert data["plain"] == data["nulls"] == data["stack"]
    assert data["plain"]["points"]["shape"] == [data["pxHeight"], data["pxWidth"], 3]


@pytest.mark.parametrize("key", FIELDS)
@pytest.mark.parametrize("points", [1, 3])
@pytest.mark.parametrize("frame", ["MOTOR", "STACK", "EM"])
async def test_an_outline_is_that_of_a_plain_loop(
    frame: str, points: int, key: tuple[int, int, int], client: Client
) -> None:
    field = await shown(client, key, frame, 1000, points)
    w, h = field["umWidth"] / 2, field["umHeight"] / 2
    corners = [(-w, -h), (w, -h), (w, h), (-w, h), (-w, -h)]
    expected: Any = [
        placed(field, (a[0] + (b[0] - a[0]) * i / points, a[1] + (b[1] - a[1]) * i / points), frame)
        for a, b in pairwise(corners)
        for i in range(points)
    ]
    if frame == "EM":
        expected = xyz(await moved(client, expected))
    outline = field["outline"]
    np.testing.assert_allclose(xyz(outline["points"]), expected, atol=1e-6, rtol=0)
    assert {point["extrapolated"] for point in outline["points"]} <= ({True, False} if frame == "EM" else {None})
    assert (outline["transformId"], outline["reason"]) == (5 if frame == "EM" else None, None)


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        ("grid(resolutionUm: 0)", "BAD_USER_INPUT", "resolutionUm: the resolution of a grid"),
        ("grid(resolutionUm: -1)", "BAD_USER_INPUT", "resolutionUm: "),
        ("grid(resolutionUm: 1e-9)", "BAD_USER_INPUT", "resolutionUm: "),
        ("grid(stride: 0)", "BAD_USER_INPUT", "stride: "),
        ("grid(stride: -3, frame: EM)", "BAD_USER_INPUT", "stride: "),
        ("grid(resolutionUm: 0.01)", "ARRAY_TOO_LARGE", "decoded_bytes: the grid has 163680000000 bytes"),
        (
            "grid(frame: EM)",
            "LIMIT_EXCEEDED",
            "points: the grid has 109120 points, at most 10000 are computed; use str",
        ),
        ("outline(points: 0)", "BAD_USER_INPUT", "points: an edge has 1 point or more, not 0"),
        ("outline(points: 2501)", "LIMIT_EXCEEDED", "points: more than 10000 points"),
        ("outline(points: 2147483647, frame: MOTOR)", "LIMIT_EXCEEDED", "points: "),
    ],
)
async def test_grids_and_outlines_that_are_refused(asked: str, code: str, words: str, client: Client) -> None:
    what = "points { shape }" if asked.startswith("grid") else "points { x }"
    error = await client.error(f"{{ field(session: 4, scanIdx: 7, fieldIdx: 4) {{ {asked} {{ {what} }} }} }}")
    assert error["extensions"]["code"] == code
    assert error["message"].startswith(words)


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("4.7.4/grid?frame=NORTH", 400, "frame: 'NORTH' is none of MOTOR, STACK, EM"),
        ("4.7.4/grid?resolutionUm=nan", 400, "resolutionUm: "),
        ("4.7.4/grid?resolutionUm=inf", 400, "resolutionUm: "),
        ("4.7.4/grid?resolutionUm=x", 400, "resolutionUm: 'x' is no number"),
        ("4.7.4/grid?stride=1.5", 400, "stride: 1.5 is no whole number"),
        ("4.7.4/grid?stride=0", 400, "stride: "),
        ("4.7.4/grid?frame=EM", 400, "points: the grid has 109120 points"),
        ("4.7/grid", 400, "key: "),
        ("4.7.99/grid", 404, "There is no such array."),
        ("4.7.4/grid_extrapolated", 404, "There is no such array."),
        ("4.7.4/grid?format=png&stride=100", 400, "format: "),
    ],
)
async def test_addresses_that_are_refused(address: str, status: int, words: str, sqlite_client: Client) -> None:
    response = await sqlite_client.http.get(f"/arrays/field/{address}")
    assert (response.status_code, response.json()["error"]["message"][: len(words)]) == (status, words)


async def test_points_of_em_grids_are_counted_once_each(sqlite_store: SqlStore) -> None:
    """Whatever is read of a grid; several grids are counted together, and those that aren't read for nothing."""
    grid = "grid(frame: EM, resolutionUm: 100) { points { min max mean values nanCount } extrapolated { mean } }"
    unread = "grid(frame: EM, resolutionUm: 50) { points { shape href } }"
    async with serving(sqlite_store, limits={"points": 300}) as client:
        field = "field(session: 4, scanIdx: 7, fieldIdx: {})"
        documents = [f"{{ {field.format(i)} {{ a: {grid} b: {unread} }} }}" for i in (4, 2)]
        for document in documents:
            await client.data(document)
        many = " ".join(f"f{i}: {field.format(i)} {{ {grid} }}" for i in range(1, 9))
        error = await client.error(f"{{ {many} }}")
        assert error["extensions"]["limit"] == "points"
        assert "path" not in error


# --- what isn't there --------------------------------------------------------------------------------

AFFINE = {"name": "PolynomialModel", "order": 1, "parameters": [[1, 2, 3], [1, 0, 0], [0, 1, 0], [0, 0, 1]]}
SOLUTION = pack({"name": "TransformList", "transforms": [AFFINE]})
_UNTURNED = {"a11": 1, "a21": 0, "a31": 0, "a12": 0, "a22": 1, "a32": 0}
REGISTRATION = _UNTURNED | {"reg_x": 0, "reg_y": 0, "reg_z": 0, "score": 0.5, "reg_field": pack(np.zeros((2, 2)))}
ALL = """{ field(session: 4, scanIdx: 7, fieldIdx: 4) {
  stack: grid(stride: 100) { points { values } reason }
  em: grid(frame: EM, stride: 100) { transformId points { shape } reason }
  outline(frame: EM) { points { x } reason } } transformPoints(points: [{x: 0, y: 0, z: 0}]) { x y z }
  transforms { transformId } }"""


async def answered(folder: Path, rows: Rows, document: str = ALL) -> Json:
    async with little_store(folder, rows) as store, serving(store) as client:
        return await client.answer(document)


def registered(*coregistrations: Json) -> Rows:
    placed = {**STACK, **FIELD, **REGISTRATION}
    rows = {**scans(), t.stack: [REAL_STACK], t.registration: [placed], t.coregistration: list(coregistrations)}
    return {table: given for table, given in rows.items() if given}


@pytest.mark.parametrize("size", ["px_width", "um_height"])
async def test_a_field_without_a_size_has_no_grid(size: str, tmp_path: Path) -> None:
    rows = registered(coregistered(5, "phase3", "2PEM", SOLUTION))
    rows[t.field] = [{**field, size: 0} for field in rows[t.field]]
    answer = await answered(tmp_path, rows)
    why = f"the field's {size} is 0"
    assert "errors" not in answer
    assert answer["data"]["field"] == {
        "stack": {"points": None, "reason": why},
        "em": {"transformId": None, "points": None, "reason": why},
        "outline": {"points": None, "reason": why},
    }


@pytest.mark.parametrize("x", ["1e400", "-1e400"])
async def test_points_are_finite(x: str, sqlite_client: Client) -> None:
    text = f"{{ transformPoints(points: [{{x: 1, y: 2, z: 3}}, {{x: {x}, y: 2, z: 3}}]) {{ x }} }}"
    assert (await sqlite_client.error(text))["extensions"] == {"code": "BAD_USER_INPUT", "argument": "points"}


async def test_a_field_without_registration_has_no_grid(tmp_path: Path) -> None:
    data = (await answered(tmp_path, scans()))["data"]
    none = "the field isn't registered to a stack"
    assert data["field"]["stack"] == {"points": None, "reason": none}
    assert data["field"]["em"] == {"transformId": None, "points": None, "reason": none}
    assert data["field"]["outline"] == {"points": None, "reason": none}
    assert data["transformPoints"] is None
    assert data["transforms"] is None


@pytest.mark.parametrize(
    "unusable",
    [
        [],
        [coregistered(5, "phase3", "2PEM", None)],
        [coregistered(5, "phase4", "2PEM", SOLUTION)],
        [coregistered(5, "phase3", "EM2P", None), coregistered(6, "phase4", "EM2P", SOLUTION)],
    ],
    ids=["none", "no solution", "unknown version", "none to EM"],
)
async def test_a_stack_without_a_transform_has_no_grid_in_em(unusable: list[Json], tmp_path: Path) -> None:
    answer = await answered(tmp_path, registered(*unusable))
    none = "the field's stack has no transform to the electron-microscopy volume"
    assert "errors" not in answer
    assert answer["data"]["field"]["em"] == {"transformId": None, "points": None, "reason": none}
    assert answer["data"]["field"]["outline"] == {"points": None, "reason": none}
    assert answer["data"]["field"]["stack"]["reason"] is None
    assert answer["data"]["transformPoints"] is None
    assert len(answer["data"]["transforms"]) == len(unusable)


async def test_what_can_not_be_applied_is_no_candidate(tmp_path: Path) -> None:
    best = coregistered(3, "phase3", "2PEM", SOLUTION, "linear")
    others = [coregistered(5, "phase3", "2PEM", None), coregistered(6, "phase4", "2PEM", SOLUTION)]
    rows = registered(best, *others)
    answer = await answered(tmp_path, rows, "{ transformPoints(points: [{x: 1000, y: 322, z: 3000}]) { x y z } }")
    assert answer["data"]["transformPoints"] == [{"x": 2.0, "y": 3.0, "z": 6.0}]


async def test_asking_for_what_can_not_be_applied_tells_what_can(tmp_path: Path) -> None:
    rows = registered(coregistered(3, "phase3", "2PEM", SOLUTION), coregistered(6, "phase4", "2PEM", SOLUTION))
    (error,) = (await answered(tmp_path, rows, "{ transformPoints(points: [], transformId: 6) { x } }"))["errors"]
    assert error["message"] == "no transform of transformId 6; there are 3 phase3 TWO_P_TO_EM spline"


async def test_damage_stays_with_what_needs_the_transform(tmp_path: Path) -> None:
    answer = await answered(tmp_path, registered(coregistered(5, "phase3", "2PEM", pack({"name": "Nothing"}))))
    assert {(*error["path"],): error["extensions"]["code"] for error in answer["errors"]} == {
        ("field", "em"): "BLOB_CORRUPT",
        ("field", "outline"): "BLOB_CORRUPT",
        ("transformPoints",): "BLOB_CORRUPT",
    }
    message = "coregistration.transform_solution of stack_session=9 stack_idx=19 transform_id=5: holds no transform"
    assert all(error["message"].startswith(message) for error in answer["errors"])
    assert math.isfinite(answer["data"]["field"]["stack"]["points"]["values"][0])


async def test_of_two_stacks_the_first_is_meant_unless_told(tmp_path: Path) -> None:
    second = {"stack_session": 10, "stack_idx": 2}
    rows = registered(coregistered(5, "phase3", "2PEM", SOLUTION))
    rows[t.stack].append({**REAL_STACK, **second, "um_height": 322.0})
    rows[t.coregistration].append({**coregistered(5, "phase3", "2PEM", SOLUTION), **second})
    point = "points: [{x: 1000, y: 322, z: 3000}]"
    answer = await answered(
        tmp_path,
        rows,
        f"""{{ first: transformPoints({point}) {{ y }} same: transformPoints({point}, stackSession: 9) {{ y }}
        second: transformPoints({point}, stackIdx: 2) {{ y }} transforms(stackSession: 10) {{ stackIdx }} }}""",
    )
    y = {"first": [{"y": 3.0}], "same": [{"y": 3.0}], "second": [{"y": 2.0}]}
    assert answer["data"] == {**y, "transforms": [{"stackIdx": 2}]}


# --- plans -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "{ transforms(version: null) { id direction stack { stackIdx } transformSolution { stages { name } } } }",
        "{ transformPoints(points: [{x: 1, y: 2, z: 3}, {x: 1e300, y: 0, z: 0}]) { __typename x y z extrapolated } }",
        "{ transformPoints(points: [], transformId: 99) { x } }",
        """{ scan(session: 4, scanIdx: 7) { fields { nodes { fieldIdx grid(frame: EM, resolutionUm: 400) {
          reason points { shape href values min } extrapolated { mean } }
          outline(frame: MOTOR) { points { x y z } } } } } }""",
        "{ scan(session: 4, scanIdx: 7) { fields(first: 2) { nodes { grid(stride: 0) { reason } } } } }",
        "{ a: field(session: 4, scanIdx: 7, fieldIdx: 99) { grid { reason } } }",
        """{ unitsNear(point: {x: 1000, y: 500, z: 300}, frame: STACK, radius: 400, first: 20) {
          distanceUm position { x y z } unit { id strKey
          field { fieldIdx outline { points { x } } } activity { trace { shape } } } } }""",
        "{ unitsNear(point: {x: 0, y: 0, z: 0}, frame: EM, radius: -1) { distanceUm } }",
    ],
)
async def test_plans_and_graphql_core_agree(text: str, store: Store) -> None:
    answer = await Agreement(store).compare(Case(text, {}))
    assert json.loads(answer.data)
