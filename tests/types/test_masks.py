"""Masks as pixels, contours and images: against independent formulas over the very blobs."""

import sqlite3
import tracemalloc
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from sqlalchemy import Table

from gql_nda import tables as t
from gql_nda.codec import unpack_array
from gql_nda.resolvers import masks, traces
from gql_nda.science import masks as science
from gql_nda.stores import Store
from gql_nda.stores.sql import SqlStore
from tests.planner.agreement import Agreement
from tests.planner.documents import Case
from tests.science import reference_masks
from tests.support.client import Client, Statements, serving
from tests.support.little import little_store

SNAPSHOTS = True

FIELD = (4, 7, 4)
HEIGHT, WIDTH = 440, 248

Pixels = dict[tuple[int, int], float]


def held(path: Path, field: tuple[int, int, int] = FIELD) -> dict[int, tuple[list[int], NDArray[Any]]]:
    """Pixels and weights of the masks of a field of the demo, by their numbers."""
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT mask_id, pixels, weights FROM segmentation WHERE (session, scan_idx, field) = (?, ?, ?)"
        rows = connection.execute(query, field).fetchall()
    return {id_: (np.ravel(unpack_array(p)).tolist(), np.ravel(unpack_array(w))) for id_, p, w in sorted(rows)}


def placed(pixels: list[int], weights: Any) -> Pixels:
    """The weight of each pixel by row and column."""
    places = (reference_masks.place(int(pixel), HEIGHT) for pixel in pixels)
    return dict(zip(places, weights.tolist(), strict=True))


async def told(client: Client, selection: str, **variables: Any) -> dict[str, Any]:
    """What is selected of a field."""
    declared = ", ".join(f"${name}: {'Float' if name == 'level' else '[Int!]'}" for name in variables)
    of_field = f"{{ field(session: 4, scanIdx: 7, fieldIdx: 4) {{ {selection} }} }}"
    text = f"query ({declared}) {of_field}" if declared else of_field
    found: dict[str, Any] = (await client.data(text, **variables))["field"]
    return found


def loaded(response: httpx.Response) -> NDArray[Any]:
    assert response.status_code == 200, response.text
    found: NDArray[Any] = np.load(BytesIO(response.content), allow_pickle=False)
    return found


def points(line: dict[str, Any]) -> list[tuple[float, float]]:
    return list(zip(line["rows"], line["columns"], strict=True))


# --- footprints --------------------------------------------------------------------------------------


async def test_footprints_are_the_pixels_by_row_and_column(client: Client, demo_path: Path) -> None:
    masks = held(demo_path)
    found = await told(client, "masks { nodes { maskId footprint { rows columns weights reason } } }")
    assert [node["maskId"] for node in found["masks"]["nodes"]] == list(masks)
    for node, (pixels, weights) in zip(found["masks"]["nodes"], masks.values(), strict=True):
        footprint = node["footprint"]
        places = [reference_masks.place(int(pixel), HEIGHT) for pixel in pixels]
        assert list(zip(footprint["rows"], footprint["columns"], strict=True)) == places
        assert footprint["weights"] == [float(str(w)) for w in weights]
        assert footprint["reason"] is None


async def test_a_mask_alone_has_the_same(client: Client) -> None:
    selection = "footprint { rows columns weights } contour(level: 0.9) { lines { rows columns } }"
    alone = await client.data(f"{{ mask(session: 4, scanIdx: 7, fieldIdx: 4, maskId: 2) {{ {selection} }} }}")
    unit = f"units(where: {{maskId: {{eq: 2}}}}) {{ nodes {{ mask {{ {selection} }} }} }}"
    of_field = await told(client, f"masks(where: {{maskId: {{eq: 2}}}}) {{ nodes {{ {selection} }} }} {unit}")
    assert [alone["mask"]] == of_field["masks"]["nodes"] == [node["mask"] for node in of_field["units"]["nodes"]]


# --- contours ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [0.5, 0.9, 0.97, None])
async def test_contours_hold_the_pixels_that_hold_the_level(
    level: float | None, client: Client, demo_path: Path
) -> None:
    selection = "masks { nodes { contour(level: $level) { level lines { rows columns } reason } } }"
    found = await told(client, selection, level=level)
    level = 0.97 if level is None else level
    for node, (pixels, weights) in zip(found["masks"]["nodes"], held(demo_path).values(), strict=True):
        contour = node["contour"]
        lines = [points(line) for line in contour["lines"]]
        assert (contour["level"], contour["reason"]) == (level, None)
        assert all(line[0] == line[-1] for line in lines)
        shares = dict(zip(placed(pixels, weights), reference_masks.energy(weights.tolist()), strict=True))
        rows, columns = zip(*shares, strict=True)
        around = np.ndindex(max(rows) - min(rows) + 3, max(columns) - min(columns) + 3)
        for at in ((min(rows) - 1 + r, min(columns) - 1 + c) for r, c in around):
            if abs(shares.get(at, 1.0) - level) > 1e-9:
                assert reference_masks.inside(lines, *at) == (shares.get(at, 1.0) < level)


@pytest.mark.parametrize("level", [0, 1, -0.5, 97, 1e300])
async def test_a_level_lies_between_nothing_and_all(level: float, client: Client) -> None:
    text = (
        f"{{ mask(session: 4, scanIdx: 7, fieldIdx: 4, maskId: 1) {{ maskId contour(level: {level}) {{ level }} }} }}"
    )
    error = await client.error(text)
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "level"}
    assert error["path"] == ["mask", "contour"]


async def test_masks_read_a_few_at_a_time_are_told_alike(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"{{ field(session: 4, scanIdx: 7, fieldIdx: 4) {{ masks {{ nodes {{ maskId {ALL} }} }} }} }}"
    answers = []
    for together, portion in ((masks.TOGETHER, traces.PORTION), (2, traces.PORTION), (1000, 1)):
        monkeypatch.setattr(masks, "TOGETHER", together)
        monkeypatch.setattr(masks, "PORTION", portion)
        statements = Statements(sqlite_store)
        async with serving(sqlite_store) as client:
            answers.append(await client.data(text))
        assert len([s for s in statements if "pixels" in s]) > 2 or len(answers) == 1
    assert answers[0] == answers[1] == answers[2]


async def test_masks_are_read_no_further_than_they_may_be_told(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masks, "TOGETHER", 2)
    statements = Statements(sqlite_store)
    async with serving(sqlite_store, limits={"operation_values": 1}) as client:
        await client.error("{ scan(session: 4, scanIdx: 7) { units { nodes { mask { footprint { rows } } } } } }")
    assert len([s for s in statements if "pixels" in s]) == 2  # heads and blobs of the first two


async def test_masks_are_decoded_one_by_one(tmp_path: Path) -> None:
    """Twenty masks whose pixels are 16 MB each, and more than they have weights."""
    many = np.ones(2_000_000)
    rows = [{**KEY, "field": 1, "mask_id": i, "pixels": many, "weights": np.ones(3)} for i in range(1, 21)]
    field = dict.fromkeys(("um_width", "um_height", "field_x", "field_y", "field_z"), 1)
    store = little_store(
        tmp_path,
        {
            t.scan: [{**KEY, "nframes": 1, "nfields": 1, "fps": 1}],
            t.field: [{**KEY, "field": 1, "px_width": COLUMNS, "px_height": ROWS, **field}],
            t.segmentation: rows,
        },
    )
    async with store as little, serving(little) as client:
        tracemalloc.start()
        try:
            answer = await client.answer(
                "{ field(session: 1, scanIdx: 1, fieldIdx: 1) { masks { nodes { footprint { rows } } } } }"
            )
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"BLOB_CORRUPT"}
    assert peak < 160e6  # all together are 320 MB


async def test_blobs_of_a_page_are_read_once(sqlite_store: SqlStore, sqlite_client: Client) -> None:
    text = """{ scan(session: 4, scanIdx: 7) { fields { nodes { masks(first: 1000) { nodes {
      contour { lines { rows columns } } fine: contour(level: 0.5) { reason } footprint { rows } } } } } } }"""
    await sqlite_client.data(text)
    statements = Statements(sqlite_store)
    fields = (await sqlite_client.data(text))["scan"]["fields"]["nodes"]
    assert sum(len(field["masks"]["nodes"]) for field in fields) > 20
    assert len([s for s in statements if "pixels" in s]) == len([s for s in statements if "weights" in s]) == 2
    assert len(statements) == 3 + 1 + 2 * 2  # scan, fields, masks; their fields; heads and blobs of two columns


# --- label images ------------------------------------------------------------------------------------


async def test_label_image_is_that_of_the_plain_formula(client: Client, demo_path: Path) -> None:
    masks = held(demo_path)
    found = (await told(client, "labelImage { shape dtype unit dims href max png: href(format: PNG) }"))["labelImage"]
    described = {name: found[name] for name in ("shape", "dtype", "unit", "dims")}
    assert described == {"shape": [HEIGHT, WIDTH], "dtype": "int32", "unit": None, "dims": ["y", "x"]}
    assert found["href"] == "http://test/arrays/field/4.7.4/label_image"
    image = loaded(await client.http.get(found["href"]))
    assert (image.dtype.name, found["max"]) == ("int32", max(masks))
    plain = [placed(*mask) for mask in masks.values()]
    covered = {at for mask in plain for at in mask}
    for at in covered:
        assert image[at] == reference_masks.label(list(masks), plain, at)
    assert np.count_nonzero(image) == len(covered)
    response = await client.http.get(found["png"])
    assert response.headers["content-type"] == "image/png"
    grey = np.asarray(Image.open(BytesIO(response.content)))
    np.testing.assert_array_equal(grey, image)


async def test_label_image_is_drawn_small_and_sliced_like_any_array(client: Client) -> None:
    found = (await told(client, "labelImage { preview(points: 3) { x } values(start: -2) nanCount }"))["labelImage"]
    assert found == {"preview": {"x": [0, 36373, 72746]}, "values": [0.0, 0.0], "nanCount": 0}


# --- dense masks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("ids", [None, [2], [3, 1, 3, 2, 1], []])
async def test_dense_masks_hold_the_weights_and_nothing_else(
    ids: list[int] | None, client: Client, demo_path: Path
) -> None:
    masks = held(demo_path)
    selection = "denseMasks(maskIds: $ids) { maskIds masks { shape dtype dims href } }"
    found = (await told(client, selection, ids=ids))["denseMasks"]
    expected = list(masks) if ids is None else list(dict.fromkeys(ids))
    assert found["maskIds"] == expected
    shape = [len(expected), HEIGHT, WIDTH]
    assert (found["masks"]["shape"], found["masks"]["dims"]) == (shape, ["mask", "y", "x"])
    planes = loaded(await client.http.get(found["masks"]["href"]))
    assert (planes.dtype.name, list(planes.shape)) == (found["masks"]["dtype"], shape) == ("float32", shape)
    for plane, id_ in zip(planes, expected, strict=True):
        weights = placed(*masks[id_])
        assert {at: plane[at] for at in weights} == weights
        assert np.count_nonzero(plane) == sum(weight != 0 for weight in weights.values())


async def test_dense_masks_are_addressed_by_their_numbers(client: Client) -> None:
    found = await told(client, "all: denseMasks { masks { href } } denseMasks(maskIds: [3, 1]) { masks { href } }")
    assert found["all"]["masks"]["href"] == "http://test/arrays/field/4.7.4/dense_masks"
    assert found["denseMasks"]["masks"]["href"] == "http://test/arrays/field/4.7.4/dense_masks?maskIds=3%2C1"
    one, other = [await client.http.get(f"/arrays/field/4.7.4/dense_masks?maskIds={ids}") for ids in ("3,1", "1,3")]
    np.testing.assert_array_equal(loaded(one), loaded(other)[::-1])


async def test_masks_that_a_field_lacks(client: Client) -> None:
    answer = await client.answer(
        "{ scan(session: 4, scanIdx: 7) { fields { nodes { fieldIdx denseMasks(maskIds: [1, 4]) { maskIds } } } } }"
    )
    fields = answer["data"]["scan"]["fields"]["nodes"]
    lacking = {error["path"][3] for error in answer["errors"]}
    assert 0 < len(lacking) < len(fields) == 8
    for i, field in enumerate(fields):
        assert field["denseMasks"] == (None if i in lacking else {"maskIds": [1, 4]})
    for error in answer["errors"]:
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "maskIds"}
        assert error["message"] == f"maskIds: field 4.7.{error['path'][3] + 1} has no mask 4"


async def test_whatever_is_read_of_dense_masks_they_are_made_once(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planned and not, as often for all as for one."""
    made: list[Any] = []
    dense = science.dense

    def counting(*given: Any) -> Any:
        made.append(given)
        return dense(*given)

    monkeypatch.setattr(science, "dense", counting)

    async def counted(read: str) -> int:
        made.clear()
        text = f"{{ field(session: 4, scanIdx: 7, fieldIdx: 4) {{ denseMasks {{ masks {{ {read} }} }} }} }}"
        await Agreement(sqlite_store).compare(Case(text, {}))
        return len(made)

    assert await counted("min max mean nanCount preview(points: 3) { x }") == await counted("min") > 0


PLANE = 4 * HEIGHT * WIDTH


@pytest.mark.parametrize(("most", "asked"), [(2, ""), (2, "(maskIds: [1, 2, 3])"), (0, "(maskIds: [1])"), (0, "")])
async def test_too_many_masks_are_refused(most: int, asked: str, sqlite_store: SqlStore) -> None:
    limit = most * PLANE + 1
    text = f"{{ field(session: 4, scanIdx: 7, fieldIdx: 4) {{ denseMasks{asked} {{ maskIds }} }} }}"
    async with serving(sqlite_store, limits={"decoded_bytes": limit}) as client:
        error = await client.error(text)
        query = asked.replace("(maskIds: [", "?maskIds=").replace("])", "").replace(" ", "")
        response = await client.http.get(f"/arrays/field/4.7.4/dense_masks{query}")
    assert error["extensions"] == {"code": "ARRAY_TOO_LARGE", "limit": "decoded_bytes", "maximum": limit}
    assert f"choose at most {most} of the field's by maskIds" in error["message"]
    assert (response.status_code, response.json()["error"]["message"]) == (400, error["message"])


async def test_as_many_masks_as_fit_are_given(sqlite_store: SqlStore) -> None:
    async with serving(sqlite_store, limits={"decoded_bytes": 2 * PLANE}) as client:
        found = await told(client, "denseMasks(maskIds: [1, 2]) { masks { href } }")
        assert len(loaded(await client.http.get(found["denseMasks"]["masks"]["href"]))) == 2


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("4.7.99/label_image", 404, "NOT_FOUND"),
        ("4.7.99/dense_masks", 404, "NOT_FOUND"),
        ("4.7/label_image", 400, "BAD_USER_INPUT"),
        ("4.7.x/dense_masks", 400, "BAD_USER_INPUT"),
        ("4.7.4/label_image?format=jpeg", 400, "BAD_USER_INPUT"),
        ("4.7.4/dense_masks?format=png&maskIds=1", 400, "BAD_USER_INPUT"),
        *(
            (f"4.7.4/dense_masks?maskIds={ids}", 400, "BAD_USER_INPUT")
            for ids in ("99", "1,", ",", "1,,2", "x", "-1", "1.5", "1e3", " 1", "%D9%A1", "9" * 5000, "1%00")
        ),
    ],
)
async def test_what_is_no_image(path: str, status: int, code: str, sqlite_client: Client) -> None:
    response = await sqlite_client.http.get(f"/arrays/field/{path}")
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert len(response.content) < 500


# --- plans, limits -----------------------------------------------------------------------------------

ALL = """footprint { rows columns weights reason } contour { level reason lines { rows columns } }"""


@pytest.mark.parametrize(
    "text",
    [
        f"{{ scan(session: 4, scanIdx: 7) {{ fields {{ nodes {{ masks {{ nodes {{ maskId {ALL} }} }} }} }} }} }}",
        f"{{ units(first: 50) {{ nodes {{ mask {{ {ALL} a: contour(level: 0.3) {{ level }} }} }} }} }}",
        "{ scans(first: 3) { nodes { fields { nodes { labelImage { shape max href } denseMasks { maskIds"
        " masks { shape max href } } } } } } }",
        "{ scan(session: 4, scanIdx: 7) { fields { nodes { fieldIdx denseMasks(maskIds: [2]) { maskIds } } } } }",
        "{ field(session: 4, scanIdx: 7, fieldIdx: 4) { masks { nodes { contour(level: 2) { level } } } } }",
    ],
)
async def test_plans_and_graphql_core_agree(text: str, store: Store) -> None:
    answer = await Agreement(store).compare(Case(text, {}))
    bad = "level: 2" in text or "denseMasks(maskIds: [2])" in text
    assert {error["extensions"]["code"] for error in answer.errors} <= ({"BAD_USER_INPUT"} if bad else set())


@pytest.mark.parametrize("selection", ["footprint { weights }", "contour { lines { rows } }"])
async def test_numbers_count_towards_what_an_operation_may_return(
    selection: str, sqlite_store: SqlStore, demo_path: Path
) -> None:
    text = f"{{ field(session: 4, scanIdx: 7, fieldIdx: 4) {{ masks {{ nodes {{ {selection} }} }} }} }}"
    async with serving(sqlite_store) as client:
        nodes = (await client.data(text))["field"]["masks"]["nodes"]
    if "footprint" in selection:
        counts = [3 * len(node["footprint"]["weights"]) for node in nodes]
    else:
        counts = [2 * sum(len(line["rows"]) for line in node["contour"]["lines"]) for node in nodes]
    async with serving(sqlite_store, limits={"operation_values": sum(counts)}) as client:
        await client.data(text)
    async with serving(sqlite_store, limits={"operation_values": sum(counts) - 1}) as client:
        error = await client.error(text)
    assert error["extensions"] == {
        "code": "ARRAY_TOO_LARGE",
        "limit": "operation_values",
        "maximum": sum(counts) - 1,
    }


# --- strange masks -----------------------------------------------------------------------------------

ROWS, COLUMNS = 9, 6
"""Size of a small field."""


def cell() -> NDArray[np.float64]:
    """A cell of uneven weights, no two of them equal."""
    row, column = np.mgrid[:ROWS, :COLUMNS]
    heap = np.exp(-(((row - 4.2) / 2) ** 2) - ((column - 2.6) / 1.4) ** 2)
    return np.where(np.hypot(row - 4.2, column - 2.6) < 2.4, heap, 0)


CELL = np.flatnonzero(cell().ravel(order="F")) + 1
WEIGHTS = cell().ravel(order="F")[CELL - 1]
NOISE = np.random.default_rng(3).bytes(300)
ONES = np.ones(3)

GOOD: dict[str, tuple[Any, Any]] = {
    "cell": (CELL, WEIGHTS),
    "column": (CELL[:, None], WEIGHTS[:, None]),
    "row": (CELL[None], WEIGHTS[None]),
    "row and column": (CELL[None], WEIGHTS[:, None]),
    "float64 pixels": (CELL.astype("f8"), WEIGHTS),
    "uint16 pixels": (CELL.astype("u2"), WEIGHTS),
    "uint64 pixels": (CELL.astype("u8"), WEIGHTS),
    "list": (CELL.tolist(), WEIGHTS.tolist()),
    "float32 weights": (np.array([1, 2, 3]), np.array([0.1, 0.2, 0.3], "f4")),
    "whole weights": (np.array([1, 2, 3]), np.array([1, 2, 3], "u1")),
    "NaN weights": (np.array([1, 2, 3]), np.array([0.5, np.nan, np.inf])),
    "duplicates": (np.array([1, 2, 1]), np.array([0.5, 0.25, 0.75])),
    "not positive": (np.array([1, 2, 3]), np.array([0.0, -1.0, np.nan])),
    "one": (np.array([54]), ONES[:1]),
    "empty": (np.zeros(0, "i8"), np.zeros(0, "f4")),
    "empty matrix": (np.zeros((0, 1)), np.zeros((1, 0))),
}
BAD: dict[str, tuple[Any, Any, str]] = {
    "fewer weights": (np.array([1, 2, 3]), ONES[:2], "pixels of {}: 3 pixels have 2 weights"),
    "one weight": (np.array([1, 2, 3]), np.array(1.0), "pixels of {}: 3 pixels have 1 weights"),
    "pixel 0": (np.array([0, 1, 2]), ONES, "pixels of {}: pixel 0 lies outside a field of 9 x 6"),
    "pixel 55": (np.array([1, 2, 55]), ONES, "pixels of {}: pixel 55 lies outside a field of 9 x 6"),
    "half a pixel": (np.array([1, 2.5, 3]), ONES, "pixels of {}: pixel 2.5 lies outside"),
    "no pixel": (np.array([1, np.nan, 3]), ONES, "pixels of {}: pixel nan lies outside"),
    "noise": (NOISE, ONES, "pixels of {}: "),
    "noise of weights": (np.array([1, 2, 3]), NOISE, "weights of {}: "),
    "text": (["a"], ONES[:1], "pixels of {}: "),
    "complex": (np.array([1, 2, 3]), ONES * 1j, "weights of {}: "),
}
"""Pixels, weights, and what is said of them: masks 1, 2, 3 ... of field 1 are the good ones, and then the bad."""

NAMES = [*GOOD, *BAD]
KEY = {"session": 1, "scan_idx": 1}


@pytest.fixture(scope="module")
async def strange_store(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SqlStore]:
    """A field of strange masks, one of good ones, one without any, one too large to draw; field 9 isn't there."""
    sizes = dict.fromkeys(("um_width", "um_height", "field_x", "field_y", "field_z"), 1)
    small = {**KEY, **sizes, "px_height": ROWS, "px_width": COLUMNS}
    every = [mask[:2] for mask in (*GOOD.values(), *BAD.values())]
    several = {1: every, 2: list(GOOD.values()), 4: [(np.array([1, 32767]), ONES[:2])], 9: [(CELL, WEIGHTS)]}
    masks = [
        {**KEY, "field": field, "mask_id": i, "pixels": pixels, "weights": weights}
        for field, held in several.items()
        for i, (pixels, weights) in enumerate(held, 1)
    ]
    large = {**small, "field": 4, "px_height": 32767, "px_width": 32767}
    rows = {
        t.scan: [{**KEY, "nframes": 1, "nfields": 1, "fps": 1}],
        t.field: [*({**small, "field": number} for number in (1, 2, 3)), large],
        t.segmentation: masks,
    }
    async with little_store(tmp_path_factory.mktemp("masks"), rows) as store:
        yield store


@pytest.fixture(scope="module")
async def strange(strange_store: SqlStore) -> AsyncIterator[Client]:
    """A client of a server over them."""
    async with serving(strange_store) as client:
        yield client


def mask_of(number: int, selection: str, field: int = 1) -> str:
    key = f"session: 1, scanIdx: 1, fieldIdx: {field}, maskId: {number}"
    return f"{{ mask({key}) {{ {selection} }} }}"


@pytest.mark.parametrize("name", GOOD)
async def test_strange_footprints(name: str, strange: Client) -> None:
    found = (await strange.data(mask_of(1 + NAMES.index(name), ALL)))["mask"]["footprint"]
    pixels, weights = (np.ravel(each) for each in GOOD[name])
    places = [reference_masks.place(int(pixel), ROWS) for pixel in pixels]
    assert list(zip(found["rows"], found["columns"], strict=True)) == places
    assert found["weights"] == [float(str(w)) if np.isfinite(w) else None for w in weights]
    assert found["reason"] == (None if pixels.size else "the mask has no pixels")


CELLS = ("cell", "column", "row", "row and column", "float64 pixels", "uint16 pixels", "uint64 pixels", "list")


@pytest.mark.parametrize("level", [0.5, 0.9, 0.97])
@pytest.mark.parametrize("name", CELLS)
async def test_contours_are_those_of_upstream(name: str, level: float, strange: Client) -> None:
    """Upstream draws over the whole field."""
    selection = f"contour(level: {level}) {{ lines {{ rows columns }} reason }}"
    found = (await strange.data(mask_of(1 + NAMES.index(name), selection)))["mask"]["contour"]
    (ours,), (theirs,) = found["lines"], reference_masks.contours(cell(), level)
    assert len(ours["rows"]) == len(theirs) > 8
    upstream = sorted((row, column) for column, row in theirs[:-1].tolist())
    np.testing.assert_allclose(sorted(points(ours)[:-1]), upstream, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("empty", "the mask has no pixels"),
        ("empty matrix", "the mask has no pixels"),
        ("not positive", "no weight of the mask is above 0"),
        ("one", "one pixel alone holds more of the energy than the level"),
    ],
)
async def test_what_has_no_contour_has_a_reason(name: str, reason: str, strange: Client) -> None:
    found = await strange.data(mask_of(1 + NAMES.index(name), "contour { lines { rows } reason }"))
    assert found["mask"]["contour"] == {"lines": [], "reason": reason}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("field", ["footprint", "contour"])
async def test_damage_is_told_where_it_lies(field: str, name: str, strange: Client) -> None:
    number = 1 + NAMES.index(name)
    error = await strange.error(mask_of(number, f"maskId {field} {{ reason }}"))
    assert error["path"] == ["mask", field]
    assert error["extensions"]["code"] == "BLOB_CORRUPT"
    assert error["extensions"]["key"] == {**KEY, "field": 1, "mask_id": number}
    said = BAD[name][2].format(f"session=1 scan_idx=1 field=1 mask_id={number}")
    assert error["message"].startswith(f"segmentation.{said}")


async def test_damage_stays_with_its_mask(strange: Client) -> None:
    answer = await strange.answer(
        f"{{ field(session: 1, scanIdx: 1, fieldIdx: 1) {{ masks {{ nodes {{ maskId {ALL} }} }} }} }}"
    )
    nodes = answer["data"]["field"]["masks"]["nodes"]
    assert [node["maskId"] for node in nodes] == list(range(1, len(NAMES) + 1))
    lost = {error["path"][3] for error in answer["errors"]}
    assert lost == set(range(len(GOOD), len(NAMES)))
    assert all((node["contour"] is None) == (i in lost) == (node["footprint"] is None) for i, node in enumerate(nodes))


@pytest.mark.parametrize("image", ["labelImage { max }", "denseMasks { masks { max } }"])
async def test_an_image_names_the_mask_that_is_damaged(image: str, strange: Client) -> None:
    error = await strange.error(f"{{ field(session: 1, scanIdx: 1, fieldIdx: 1) {{ {image} }} }}")
    first = {**KEY, "field": 1, "mask_id": len(GOOD) + 1}
    assert (error["extensions"]["code"], error["extensions"]["key"]) == ("BLOB_CORRUPT", first)
    name = "label_image" if "label" in image else "dense_masks"
    response = await strange.http.get(f"/arrays/field/1.1.1/{name}")
    assert (response.status_code, response.json()["error"]["message"]) == (500, error["message"])


async def test_good_masks_of_a_damaged_field_can_be_chosen(strange: Client) -> None:
    planes = loaded(await strange.http.get("/arrays/field/1.1.1/dense_masks?maskIds=12,2,11"))
    np.testing.assert_allclose(planes[1], cell(), rtol=1e-6)
    assert planes[0].ravel(order="F")[:3].tolist() == [0.75, 0.25, 0]  # the last weight of a pixel counts
    assert planes[2].ravel(order="F")[:1] == [0.5]
    assert np.isnan(planes[2].ravel(order="F")[1])


async def test_labels_of_strange_masks(strange: Client) -> None:
    image = loaded(await strange.http.get("/arrays/field/1.1.2/label_image"))
    assert image.shape == (ROWS, COLUMNS)
    inner = cell() > 0
    assert set(image[inner].tolist()) == {1}  # the first of equals
    assert image.ravel(order="F")[:3].tolist() == [10, 10, 11]  # infinity weighs most, NaN nothing
    assert image[-1, -1] == 1 + NAMES.index("one")


async def test_a_field_without_masks(strange: Client) -> None:
    found = await strange.data("""{ field(session: 1, scanIdx: 1, fieldIdx: 3) {
      labelImage { shape max nanCount } denseMasks { maskIds masks { shape values } } } }""")
    assert found["field"]["labelImage"] == {"shape": [ROWS, COLUMNS], "max": 0.0, "nanCount": 0}
    assert found["field"]["denseMasks"] == {"maskIds": [], "masks": {"shape": [0, ROWS, COLUMNS], "values": []}}


async def test_a_mask_without_its_field_has_a_reason(strange: Client) -> None:
    found = await strange.data(mask_of(1, ALL, field=9))
    reason = "the mask's field isn't stored"
    assert found["mask"]["footprint"] == {"rows": None, "columns": None, "weights": None, "reason": reason}
    assert found["mask"]["contour"] == {"lines": None, "level": 0.97, "reason": reason}


async def test_a_mask_as_datajoint_writes_it(shared: Path, tmp_path: Path) -> None:
    pixels, weights = ((shared / "blobs" / f"{name}.bin").read_bytes() for name in ("pixels_i64_60", "weights_f32_60"))
    sizes = dict.fromkeys(("um_width", "um_height", "field_x", "field_y", "field_z"), 1)
    rows: dict[Table, list[Mapping[str, Any]]] = {
        t.field: [{**KEY, **sizes, "field": 1, "px_height": HEIGHT, "px_width": WIDTH}],
        t.segmentation: [{**KEY, "field": 1, "mask_id": 1, "pixels": pixels, "weights": weights}],
    }
    async with little_store(tmp_path, rows) as store, serving(store) as client:
        found = (await client.data(mask_of(1, ALL)))["mask"]
        image = loaded(await client.http.get("/arrays/field/1.1.1/label_image"))
    places = [reference_masks.place(pixel, HEIGHT) for pixel in unpack_array(pixels).tolist()]
    assert list(zip(found["footprint"]["rows"], found["footprint"]["columns"], strict=True)) == places
    assert found["footprint"]["weights"] == [float(str(w)) for w in unpack_array(weights)]
    assert found["contour"]["lines"]
    assert sorted(zip(*np.nonzero(image), strict=True)) == sorted(places)


@pytest.mark.parametrize(
    "selection", ["contour { level }", "field { labelImage { max } }", "field { denseMasks { maskIds } }"]
)
async def test_a_field_too_large_to_draw_is_refused(selection: str, strange: Client) -> None:
    error = await strange.error(mask_of(1, selection, field=4))
    assert error["extensions"]["code"] == "ARRAY_TOO_LARGE"
    assert error["extensions"]["limit"] == "decoded_bytes"


async def test_plans_and_graphql_core_agree_on_strange_masks(strange_store: SqlStore) -> None:
    text = f"""{{ scan(session: 1, scanIdx: 1) {{ fields {{ nodes {{ labelImage {{ max }}
      denseMasks {{ maskIds masks {{ mean }} }} masks {{ nodes {{ {ALL} }} }} }} }} }} }}"""
    answer = await Agreement(strange_store).compare(Case(text, {}))
    assert {error["extensions"]["code"] for error in answer.errors} == {"BLOB_CORRUPT", "ARRAY_TOO_LARGE"}
