"""Correlations against NumPy's of the decoded traces: values, files, planned or not; what is missing or refused."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gql_nda.codec import pack
from gql_nda.resolvers import population
from gql_nda.stores.sql import SqlStore
from tests.planner.agreement import Agreement
from tests.planner.documents import Case
from tests.support.client import BASE, Client, Statements, serving
from tests.support.little import little_store
from tests.support.recorded import Demo, Recorded

TEXT = """query ($units: [UnitKey!]!) { activityCorrelation(units: $units) {
  units { nodes { strKey } missingKeys { strKey } totalCount pageInfo { hasNextPage } }
  r { shape dtype dims unit nbytes values min max nanCount href } reasons } }"""


@pytest.fixture(scope="module")
def demo(demo_path: Path) -> Demo:
    return Demo(demo_path)


def keys(*units: int, session: int = 4, scan_idx: int = 7) -> list[dict[str, int]]:
    return [{"session": session, "scanIdx": scan_idx, "unitId": unit} for unit in units]


async def told(client: Client, units: Any) -> Any:
    return (await client.data(TEXT, units=units))["activityCorrelation"]


async def downloaded(client: Client, href: str) -> NDArray[Any]:
    response = await client.http.get(href)
    assert response.status_code == 200, response.text
    found: NDArray[Any] = np.load(io.BytesIO(response.content))
    return found


def plain(demo: Demo, units: list[int]) -> NDArray[np.float64]:
    return np.corrcoef([demo.trace(4, 7, unit) for unit in units])


# --- against NumPy ---------------------------------------------------------------------------------


async def test_correlations_are_numpys_in_the_order_given(client: Client, demo: Demo) -> None:
    units = [5, 1, 12, 3]
    found = await told(client, [*keys(5, 1), {"strKey": "04_07_000012"}, *keys(1, 999, 3, 5)])
    assert [unit["strKey"] for unit in found["units"]["nodes"]] == [f"04_07_{unit:06}" for unit in units]
    assert found["units"]["missingKeys"] == [{"strKey": "04_07_000999"}]
    assert (found["units"]["totalCount"], found["units"]["pageInfo"]["hasNextPage"]) == (4, False)
    r, expected = found["r"], plain(demo, units)
    np.testing.assert_allclose(np.reshape(r["values"], (4, 4)), expected, atol=1e-9)
    assert (r["shape"], r["dtype"], r["dims"], r["unit"]) == ([4, 4], "float64", ["unit", "unit"], None)
    assert (r["nbytes"], r["max"], r["nanCount"]) == (128, 1, 0)
    assert found["reasons"] == [None] * 4
    assert r["href"] == f"{BASE}/arrays/scan_unit/4.7.5.1.12.3/activity_correlation"
    np.testing.assert_array_equal(await downloaded(client, r["href"]), np.reshape(r["values"], (4, 4)))


async def test_many_units_are_numpys_too(client: Client, demo: Demo) -> None:
    units = [row["unit_id"] for row in demo.rows("SELECT unit_id FROM scan_unit WHERE (session, scan_idx) = (4, 7)")]
    found = await told(client, keys(*units))
    assert len(units) == found["units"]["totalCount"] > 20
    np.testing.assert_allclose(await downloaded(client, found["r"]["href"]), plain(demo, units), atol=1e-9)


async def test_a_picture_of_it(sqlite_client: Client) -> None:
    text = TEXT.replace("href }", "href(format: PNG) }")
    found = (await sqlite_client.data(text, units=keys(1, 2)))["activityCorrelation"]
    response = await sqlite_client.http.get(found["r"]["href"])
    assert response.content.startswith(b"\x89PNG")


async def test_nothing_is_read_until_values_are_asked_for_and_then_once(sqlite_store: SqlStore) -> None:
    axes = "query ($units: [UnitKey!]!) { activityCorrelation(units: $units) { r { shape href } } }"
    statements = Statements(sqlite_store)
    async with serving(sqlite_store) as client:
        await client.data(axes, units=keys(1, 2, 3))
        assert not [s for s in statements if "activity" in s]
        href = (await told(client, keys(1, 2, 3)))["r"]["href"]
        assert len([s for s in statements if "activity" in s]) == 2  # their headers, and they
        await downloaded(client, href)
        assert len([s for s in statements if "activity" in s]) == 2


async def test_without_units_there_is_no_matrix(client: Client) -> None:
    empty = await told(client, [])
    assert (empty["r"], empty["reasons"], empty["units"]["nodes"]) == (None, [], [])
    unknown = await told(client, keys(8888, 9999))
    assert (unknown["r"], unknown["reasons"], unknown["units"]["nodes"]) == (None, [], [])
    assert [key["strKey"] for key in unknown["units"]["missingKeys"]] == ["04_07_008888", "04_07_009999"]


@pytest.mark.parametrize(
    "units",
    [
        '[{strKey: "04_07_000003"}, {session: 4, scanIdx: 7, unitId: 1}, {strKey: "04_07_009999"}]',
        '{strKey: "04_07_000003"}',
        "[]",
        '[{strKey: "04_07_000003"}, {strKey: "05_07_000003"}]',
        "[{session: 4, scanIdx: 7}]",
    ],
)
async def test_planned_and_unplanned_answers_are_equal(units: str, sqlite_store: SqlStore) -> None:
    below = "oracleComputed { pearson } scan { units(first: 2) { nodes { umX } } } activity { trace { shape } }"
    text = f"""{{ activityCorrelation(units: {units}) {{ reasons r {{ values preview(points: 3) {{ min }} mean href }}
      units {{ totalCount nodes {{ strKey {below} }} edges {{ cursor }} missingKeys {{ unitId }} }} }} }}"""
    await Agreement(sqlite_store).check(Case(text, {}))


# --- what is missing -------------------------------------------------------------------------------


def traces() -> NDArray[np.float32]:
    return np.random.default_rng(3).normal(size=(4, 200)).astype(np.float32)


async def test_units_that_tell_nothing_are_told_and_leave_others_alone(tmp_path: Path) -> None:
    good = traces()
    nan, huge = good[0].copy(), good[0].astype(float)
    nan[7], huge[7] = np.nan, 1e300
    wrong = [np.full(200, 0.1, "f4"), nan, None, good[0, :150], b"wrong", pack(good[0])[:-9], huge]
    async with little_store(tmp_path, Recorded([*good, *wrong]).rows()) as store, serving(store) as client:
        found = await told(client, keys(*range(1, 12), session=1, scan_idx=2))
        matrix = await downloaded(client, found["r"]["href"])
    not_finite = "the trace is empty, or holds values that are not finite"
    reasons = found["reasons"]
    assert reasons[:4] == [None] * 4
    assert reasons[4:8] == [
        "the trace is constant",
        not_finite,
        "the unit has no activity trace",
        "the trace has 150 samples, those of the others 200",
    ]
    assert all(reason.startswith("activity.trace of session=1 scan_idx=2 unit_id=") for reason in reasons[8:10])
    assert reasons[10] is None
    some = np.ix_([0, 1, 2, 3, 10], [0, 1, 2, 3, 10])
    np.testing.assert_allclose(matrix[some], np.corrcoef([*good.astype(float), huge / 1e300]), atol=1e-12)
    assert np.isnan(matrix[4:10]).all()
    assert np.isnan(matrix[:, 4:10]).all()
    values = np.array(found["r"]["values"], float).reshape(11, 11)
    np.testing.assert_array_equal(values, matrix)
    assert found["r"]["nanCount"] == 121 - 25


@pytest.mark.parametrize("dtype", ["f8", "i4"])
async def test_traces_are_as_exact_as_they_are_stored(dtype: str, tmp_path: Path) -> None:
    base = np.array([0, 3, 1, 5, 2, 4, 1, 0])
    mine = [(base + 10**9).astype(dtype), (base[::-1] + 10**9).astype(dtype), base.astype("f4")]
    async with little_store(tmp_path, Recorded(mine).rows()) as store, serving(store) as client:
        found = await told(client, keys(1, 2, 3, session=1, scan_idx=2))
    assert found["reasons"] == [None] * 3
    expected = np.corrcoef([base, base[::-1], base])
    np.testing.assert_allclose(np.reshape(found["r"]["values"], (3, 3)), expected, atol=1e-9)


async def test_traces_without_samples(tmp_path: Path) -> None:
    scan = Recorded([np.zeros(0, "f4"), None])
    async with little_store(tmp_path, scan.rows()) as store, serving(store) as client:
        found = await told(client, keys(1, 2, session=1, scan_idx=2))
    assert found["r"]["values"] == [None] * 4
    empty = "the trace is empty, or holds values that are not finite"
    assert found["reasons"] == [empty, "the unit has no activity trace"]


# --- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ([*keys(1), *keys(1, session=5)], "units: of scans 4_7 and 5_7"),
        ([*keys(1), *keys(1, scan_idx=10)], "units: of scans 4_7 and 4_10"),
        ([{"session": 4}], "unit: give session, scanIdx and unitId, or strKey alone"),
        ([{"strKey": "nonsense"}], "strKey: 'nonsense' is not of the form"),
    ],
)
async def test_keys_that_make_no_sense(units: Any, message: str, sqlite_client: Client) -> None:
    error = await sqlite_client.error(TEXT, units=units)
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["message"].startswith(message)
    assert error["path"] == ["activityCorrelation"]


async def test_too_many_units(sqlite_store: SqlStore) -> None:
    refused = {"code": "LIMIT_EXCEEDED", "limit": "correlated_units", "maximum": 2}
    async with serving(sqlite_store, limits={"correlated_units": 2}) as client:
        await client.data(TEXT, units=keys(1, 2, 1, 1))
        assert (await client.error(TEXT, units=keys(1, 2, 3)))["extensions"] == refused
        response = await client.http.get("/arrays/scan_unit/4.7.1.2.3/activity_correlation")
    assert (response.status_code, response.json()["error"]["code"]) == (400, "LIMIT_EXCEEDED")


async def test_too_much_memory(sqlite_store: SqlStore) -> None:
    async with serving(sqlite_store, limits={"blob_bytes": 2 * 4 * 40_000 - 1}) as client:
        answer = await client.answer(TEXT, units=keys(1, 2))
    assert {error["extensions"]["limit"] for error in answer["errors"]} == {"blob_bytes"}
    assert answer["data"]["activityCorrelation"]["r"]["shape"] == [2, 2]


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        ("4.7.1.999", 404, "NOT_FOUND"),
        ("4.7", 400, "BAD_USER_INPUT"),
        ("4.7.", 400, "BAD_USER_INPUT"),
        ("4.7.1.x", 400, "BAD_USER_INPUT"),
        ("4.7.1.99999999999", 400, "BAD_USER_INPUT"),
        ("nonsense", 400, "BAD_USER_INPUT"),
    ],
)
async def test_addresses_that_lead_nowhere(key: str, status: int, code: str, client: Client) -> None:
    response = await client.http.get(f"/arrays/scan_unit/{key}/activity_correlation")
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


async def test_an_address_of_all_units_that_there_may_be_is_short(sqlite_client: Client) -> None:
    known = tuple((4, 7, 2**31 - 1 - i) for i in range(500))
    r = population.Correlation(known, known, None).r  # type: ignore[arg-type]  # no context is asked
    assert r is not None
    assert len(r.address) < 8_000
    response = await sqlite_client.http.get(r.address)
    assert response.status_code == 404


async def test_what_hangs_on_its_units_counts_as_often(sqlite_store: SqlStore) -> None:
    below = "scan { units(first: 100) { nodes { umX } } }"
    text = f"query ($units: [UnitKey!]!) {{ activityCorrelation(units: $units) {{ units {{ nodes {{ {below} }} }} }} }}"
    async with serving(sqlite_store, limits={"objects": 100}) as client:
        await client.data(text, units=keys(1))
        error = await client.error(text, units=keys(*range(1, 12)))
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "limit": "objects", "maximum": 100}
