"""What GraphQL tells of an array, against NumPy."""

import math
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gql_nda.stores.sql import SqlStore
from tests.support.blobs import picture_store
from tests.support.client import Client, Statements, serving

RANDOM = np.random.default_rng(7)

ARRAYS: list[NDArray[Any]] = [
    RANDOM.normal(size=(7, 11)),
    RANDOM.normal(size=(5, 3, 2)).astype("f4"),
    np.array([0.1, 0.2, 16777216.0, 1e-45, 3.4028235e38, -0.0, 1 / 3], "f4"),
    np.array([0.1, 1e-320, 1.7976931348623157e308, -0.0, 1 / 3, 123456789.123456789]),
    np.array([1.0, np.nan, np.inf, -np.inf, -2.5, np.nan]),
    np.array([np.nan, np.inf, -np.inf], "f4"),
    np.array([[True, False], [False, False]]),
    np.arange(-128, 128).astype("i1"),
    np.array([0, 255, 7], "u1"),
    np.array([-(2**31), 2**31 - 1], "i4"),
    np.array([2**53, -(2**53), 0], "i8"),
    np.zeros(0),
    np.array(2.5),
    RANDOM.normal(size=2500),
    np.where(RANDOM.random(1999) < 0.3, np.nan, RANDOM.normal(size=1999)),
]


@pytest.fixture(scope="module")
async def arrays(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """A client of a server over these arrays: that of field 1 is the first."""
    async with picture_store(tmp_path_factory.mktemp("arrays"), ARRAYS) as store, serving(store) as client:
        yield client


async def told(client: Client, index: int, selection: str, **variables: Any) -> dict[str, Any]:
    """What is told of one array."""
    declared = ", ".join(f"${name}: Int" for name in variables)
    text = f"""query {f"({declared})" if declared else ""} {{ field(session: 1, scanIdx: 1, fieldIdx: {index + 1}) {{
      summaryImages {{ correlation {{ {selection} }} }} }} }}"""
    found: dict[str, Any] = (await client.data(text, **variables))["field"]["summaryImages"]["correlation"]
    return found


def plain(values: NDArray[Any]) -> list[float | None]:
    """Numbers as JSON can carry them: float32 in the shortest decimal that reads back as the same."""
    if values.dtype == np.float32:
        return [float(str(v)) if np.isfinite(v) else None for v in values]
    return [float(v) if np.isfinite(v) else None for v in values]


EVERY = pytest.mark.parametrize("index", range(len(ARRAYS)))


# --- headers ---------------------------------------------------------------------------------------


@EVERY
async def test_header(index: int, arrays: Client) -> None:
    array = ARRAYS[index]
    assert await told(arrays, index, "shape dtype nbytes unit dims") == {
        "shape": list(array.shape),
        "dtype": array.dtype.name,
        "nbytes": array.nbytes,
        "unit": None,
        "dims": ["y", "x"],
    }


async def test_headers_of_a_page_are_read_at_once(sqlite_store: SqlStore, sqlite_client: Client) -> None:
    text = "{ units(first: 50) { nodes { activity { trace { shape dtype nbytes } } } } }"
    await sqlite_client.data(text)
    statements = Statements(sqlite_store)
    found = (await sqlite_client.data(text))["units"]["nodes"]
    assert {node["activity"]["trace"]["dtype"] for node in found} == {"float32"}
    assert len(statements) == 3  # units, activities, heads
    assert all("substr" in s for s in statements if '"activity".trace' in s or "activity.trace" in s)


@pytest.mark.parametrize(
    ("selection", "unit"),
    [
        ("scanTimes { frameTimes { unit } }", "s"),
        ("rawManualPupil { pupilX { unit } }", "px"),
        ("treadmill { treadmillVelocity { unit } }", "cm/s"),
        ("stimulus { movie { unit } }", None),
    ],
)
async def test_unit(selection: str, unit: str | None, client: Client) -> None:
    scan = (await client.data(f"{{ scan(session: 4, scanIdx: 7) {{ {selection} }} }}"))["scan"]
    ((array,),) = [list(inner.values()) for inner in scan.values()]
    assert array == {"unit": unit}


# --- values ----------------------------------------------------------------------------------------


@EVERY
async def test_values_are_numpys(index: int, arrays: Client) -> None:
    found = (await told(arrays, index, "values"))["values"]
    assert found == plain(ARRAYS[index].reshape(-1))  # in C order


@EVERY
async def test_numbers_read_back_as_the_same_bits(index: int, arrays: Client) -> None:
    array = ARRAYS[index].reshape(-1)
    found = np.array((await told(arrays, index, "values"))["values"], float).astype(array.dtype)
    finite = np.isfinite(array)
    assert found[finite].tobytes() == array[finite].tobytes()


async def test_float32_is_written_shortest(arrays: Client) -> None:
    text = "{ field(session: 1, scanIdx: 1, fieldIdx: 3) { summaryImages { correlation { values min max } } } }"
    response = await arrays.http.post("/graphql", json={"query": text})
    assert '"values":[0.1,0.2,16777216.0,1e-45,3.4028235e+38,-0.0,0.33333334]' in response.text
    assert '"min":-0.0,"max":3.4028235e+38' in response.text


BOUNDS = st.none() | st.integers(-100, 100) | st.sampled_from([2**31 - 1, -(2**31)])
STEPS = st.none() | st.integers(1, 100) | st.just(2**31 - 1)


@settings(max_examples=150)
@given(index=st.integers(0, len(ARRAYS) - 1), start=BOUNDS, stop=BOUNDS, step=STEPS)
async def test_slices_are_pythons(
    arrays: Client, index: int, start: int | None, stop: int | None, step: int | None
) -> None:
    sliced = "values(start: $start, stop: $stop, step: $step)"
    found = await told(arrays, index, sliced, start=start, stop=stop, step=step)
    assert found["values"] == plain(ARRAYS[index].reshape(-1)[start:stop:step])


@pytest.mark.parametrize("step", [0, -1, -(2**31)])
async def test_steps_go_forward(step: int, sqlite_client: Client) -> None:
    error = await sqlite_client.error(
        "query ($s: Int) { unit(session: 4, scanIdx: 7, unitId: 1) { times { values(stop: 1, step: $s) } } }", s=step
    )
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "step"}
    assert str(step) in error["message"]


async def test_several_slices_of_several_arrays_are_one_read(client: Client) -> None:
    data = await client.data("""{ units(first: 3) { nodes { activity { trace {
      a: values(stop: 2) b: values(start: -2) c: preview(points: 2) { x } mean } } } } }""")
    traces = [node["activity"]["trace"] for node in data["units"]["nodes"]]
    assert all(len(t["a"]) == len(t["b"]) == len(t["c"]["x"]) == 2 for t in traces)
    assert len({t["mean"] for t in traces}) == 3


# --- previews --------------------------------------------------------------------------------------


def drawn(array: NDArray[Any], points: int) -> dict[str, list[Any]]:
    """The bins, one number at a time."""
    numbers = plain(array.reshape(-1))
    if len(numbers) <= points:
        return {"x": list(range(len(numbers))), "min": numbers, "max": numbers}
    edges = [i * len(numbers) // points for i in range(points + 1)]
    bins = [[n for n in numbers[a:b] if n is not None] for a, b in pairwise(edges)]
    return {
        "x": edges[:-1],
        "min": [min(one) if one else None for one in bins],
        "max": [max(one) if one else None for one in bins],
    }


@EVERY
async def test_preview_by_default(index: int, arrays: Client) -> None:
    assert (await told(arrays, index, "preview { x min max }"))["preview"] == drawn(ARRAYS[index], 1000)


@settings(max_examples=100)
@given(index=st.integers(0, len(ARRAYS) - 1), points=st.integers(1, 60) | st.integers(60, 3000))
async def test_preview_is_a_plain_loops(arrays: Client, index: int, points: int) -> None:
    found = await told(arrays, index, f"preview(points: {points}) {{ x min max }}")
    assert found["preview"] == drawn(ARRAYS[index], points)


@pytest.mark.parametrize("points", [0, -1])
async def test_previews_have_points(points: int, sqlite_client: Client) -> None:
    error = await sqlite_client.error(
        f"{{ unit(session: 4, scanIdx: 7, unitId: 1) {{ times {{ preview(points: {points}) {{ x }} }} }} }}"
    )
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "points"}


# --- statistics ------------------------------------------------------------------------------------


@EVERY
async def test_statistics_are_numpys(index: int, arrays: Client) -> None:
    found = await told(arrays, index, "min max mean nanCount")
    array = ARRAYS[index].reshape(-1)
    finite = array[np.isfinite(array)]
    assert found["nanCount"] == np.isnan(array).sum()
    if not finite.size:
        assert (found["min"], found["max"], found["mean"]) == (None, None, None)
        return
    assert [found["min"], found["max"]] == plain(np.array([finite.min(), finite.max()], finite.dtype))
    with np.errstate(over="ignore"):
        mean = finite.mean(dtype=np.float64)
    assert found["mean"] is None if not np.isfinite(mean) else math.isclose(found["mean"], mean, rel_tol=1e-12)


async def test_statistics_of_shifted_times_are_shifted(client: Client) -> None:
    text = """{ unit(session: 4, scanIdx: 7, unitId: 3) { msDelay times { min max mean preview(points: 3) { min max } }
      scan { scanTimes { frameTimes { min max mean preview(points: 3) { min max } } } } } }"""
    unit = (await client.data(text))["unit"]
    times, frames = unit["times"], unit["scan"]["scanTimes"]["frameTimes"]
    for name in ("min", "max", "mean"):
        assert math.isclose(times[name], frames[name] + unit["msDelay"] / 1000, abs_tol=1e-9)
    for name in ("min", "max"):
        assert np.allclose(times["preview"][name], np.array(frames["preview"][name]) + unit["msDelay"] / 1000)


# --- limits ----------------------------------------------------------------------------------------


async def limit_of(client: Client, selection: str) -> tuple[str, int, str]:
    """The limit that a question about a trace of 40,000 numbers breaks."""
    text = f"{{ unit(session: 4, scanIdx: 7, unitId: 1) {{ unitId activity {{ trace {{ {selection} }} }} }} }}"
    answer = await client.answer(text)
    assert answer["data"]["unit"]["unitId"] == 1
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "ARRAY_TOO_LARGE"
    return error["extensions"]["limit"], error["extensions"]["maximum"], error["message"]


@pytest.mark.parametrize(
    "selection",
    ["values", "values(stop: 10001)", "values(start: 29999)", "values(step: 3)", "preview(points: 10001) { x }"],
)
async def test_a_call_has_at_most_so_many_values(selection: str, sqlite_client: Client) -> None:
    limit, most, message = await limit_of(sqlite_client, selection)
    assert (limit, most) == ("array_values", 10_000)
    assert message.startswith("array_values: ")


@pytest.mark.parametrize("selection", ["values(stop: 10000)", "values(step: 4)", "values(start: -10000)"])
async def test_a_call_may_have_so_many_values(selection: str, sqlite_client: Client) -> None:
    data = await sqlite_client.data(
        f"{{ unit(session: 4, scanIdx: 7, unitId: 1) {{ activity {{ trace {{ {selection} }} }} }} }}"
    )
    assert len(data["unit"]["activity"]["trace"]["values"]) == 10_000


async def test_an_operation_has_at_most_so_many_values(sqlite_store: SqlStore) -> None:
    async with serving(sqlite_store, limits={"operation_values": 100}) as client:
        text = "{ units(first: 5) { nodes { unitId activity { trace { values(stop: %d) } } } } }"
        assert len((await client.data(text % 20))["units"]["nodes"]) == 5
        error = await client.error(text % 21)
        assert error["extensions"] == {"code": "ARRAY_TOO_LARGE", "limit": "operation_values", "maximum": 100}
        assert "path" not in error  # it is the operation's
        together = "a: preview(points: 30) { x } b: values(stop: 11)"
        await client.error(f"{{ unit(session: 4, scanIdx: 7, unitId: 1) {{ activity {{ trace {{ {together} }} }} }} }}")
        await client.data(text % 20)  # what one operation has spent costs the next nothing


async def test_an_array_too_large_is_not_decoded(sqlite_store: SqlStore) -> None:
    async with serving(sqlite_store, limits={"decoded_bytes": 159_999}) as client:
        for selection in ("values(stop: 1)", "preview(points: 1) { x }", "mean", "nanCount"):
            statements = Statements(sqlite_store)
            limit, most, message = await limit_of(client, selection)
            assert (limit, most) == ("decoded_bytes", 159_999)
            assert "160000" in message
            assert not [s for s in statements if "blob" in s]


@pytest.mark.parametrize(
    ("selection", "size"),
    [
        ("activity { trace { mean } }", 160_000),
        ("activity { trace { mean } }", 160_029),
    ],
)
async def test_an_array_of_the_largest_size_is_decoded(selection: str, size: int, sqlite_store: SqlStore) -> None:
    async with serving(sqlite_store, limits={"decoded_bytes": size}) as client:
        await client.data(f"{{ unit(session: 4, scanIdx: 7, unitId: 1) {{ {selection} }} }}")


async def test_a_list_too_large_is_no_damage(sqlite_store: SqlStore) -> None:
    async with serving(sqlite_store, limits={"decoded_bytes": 2_000_000}) as client:
        error = await client.error("{ scan(session: 4, scanIdx: 7) { rawManualPupil { pupilX { mean } } } }")
    assert error["extensions"]["code"] == "ARRAY_TOO_LARGE"


async def test_what_is_too_large_to_decode_can_be_downloaded(sqlite_store: SqlStore) -> None:
    async with serving(sqlite_store, limits={"decoded_bytes": 1}) as client:
        trace = (
            await client.data("{ unit(session: 4, scanIdx: 7, unitId: 1) { activity { trace { href shape } } } }")
        )["unit"]["activity"]["trace"]
        assert (await client.http.get(trace["href"])).status_code == 200


# --- addresses -------------------------------------------------------------------------------------


async def test_hrefs(sqlite_client: Client) -> None:
    data = await sqlite_client.data("""{ unit(session: 4, scanIdx: 7, unitId: 3) { msDelay times { href }
      field { fieldIdx summaryImages { average { href npy: href(format: NPY) png: href(format: PNG) } } } } }""")
    unit, field = data["unit"], data["unit"]["field"]["fieldIdx"]
    delay = unit["msDelay"] / 1000
    assert unit["times"]["href"] == f"http://test/arrays/scan_times/4.7/frame_times?shift={delay}"
    average = unit["field"]["summaryImages"]["average"]
    assert average["href"] == average["npy"] == f"http://test/arrays/summary_images/4.7.{field}/average"
    assert average["png"] == average["npy"] + "?format=png"
    assert (await sqlite_client.http.get(average["png"])).headers["content-type"] == "image/png"


async def test_a_picture_of_a_line_is_refused(sqlite_client: Client) -> None:
    error = await sqlite_client.error(
        "{ unit(session: 4, scanIdx: 7, unitId: 1) { activity { trace { href(format: PNG) } } } }"
    )
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": "format"}
    assert "comes as npy" in error["message"]
