"""Behaviour at the frames of a scan, and its epochs: against independent formulas over the very blobs."""

import math
import shutil
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson
import pytest
from numpy.typing import NDArray
from sqlalchemy import Table

from gql_nda import tables as t
from gql_nda.codec import unpack_array
from gql_nda.resolvers import epochs
from gql_nda.science import resampling
from gql_nda.stores import Store
from gql_nda.stores.sql import SqlStore
from tests.planner.agreement import Agreement
from tests.planner.documents import Case
from tests.science import reference_epochs, reference_resampling
from tests.support.client import Client, Statements, serving
from tests.support.little import little_store

SNAPSHOTS = True

Floats = NDArray[np.float64]

SCANS = [(4, 7), (5, 3), (9, 3)]
"""One of many frames a second, one whose pupil is lost for three quarters of the time, one of six fields."""

PUPIL = ["pupil_min_r", "pupil_maj_r", "pupil_x", "pupil_y"]
SERIES = {
    **dict.fromkeys(PUPIL, ("manual_pupil", "raw_manual_pupil", "pupil_times")),
    "treadmill_velocity": ("treadmill", "raw_treadmill", "treadmill_timestamps"),
}
"""The table of a series at the frames, that of the raw one, and its clock."""

TOLERANCE = 1e-9
"""How much a resampled value may differ, as a share of it or absolutely: px and cm/s."""


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(map(str.capitalize, rest))


def held(path: Path, table: str, column: str, scan: tuple[int, int]) -> Floats:
    """What a blob of the demo holds."""
    with closing(sqlite3.connect(path)) as connection:
        query = f"SELECT {column} FROM {table} WHERE session = ? AND scan_idx = ?"
        (blob,) = connection.execute(query, scan).fetchone()
    return np.ravel(unpack_array(blob)).astype(float)


async def told(client: Client, scan: tuple[int, int], selection: str) -> dict[str, Any]:
    """What is selected of a scan."""
    data = await client.data(f"{{ scan(session: {scan[0]}, scanIdx: {scan[1]}) {{ {selection} }} }}")
    found: dict[str, Any] = data["scan"]
    return found


async def downloaded(client: Client, href: str) -> Floats:
    response = await client.http.get(href)
    assert response.status_code == 200, response.text
    found: Floats = np.load(BytesIO(response.content), allow_pickle=False)
    return found


# --- behaviour at the frames -------------------------------------------------------------------------


@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize("source", ["SYNCHRONISED", "RESAMPLED"])
async def test_all_series_share_the_axis(source: str, scan: tuple[int, int], client: Client, demo_path: Path) -> None:
    every = " ".join(f"{camel(name)} {{ shape dtype unit dims }}" for name in SERIES)
    found = await told(
        client, scan, f"nframes behavior(source: {source}) {{ times {{ shape unit href }} {every} reason }}"
    )
    behavior = found["behavior"]
    assert behavior["reason"] is None
    assert behavior["times"]["shape"] == [found["nframes"]]
    times = await downloaded(client, behavior["times"]["href"])
    np.testing.assert_array_equal(times, held(demo_path, "scan_times", "frame_times", scan))
    for name in SERIES:
        unit = "cm/s" if name == "treadmill_velocity" else "px"
        expected = {"shape": [found["nframes"]], "dtype": "float64", "unit": unit, "dims": ["frame"]}
        assert behavior[camel(name)] == expected


async def test_behaviour_is_synchronised_unless_told_otherwise(client: Client) -> None:
    found = await told(client, (4, 7), "behavior { pupilX { href } } manualPupil { pupilX { href } }")
    assert found["behavior"] == found["manualPupil"]
    assert await told(client, (4, 7), "behavior(source: null) { pupilX { href } }") == {"behavior": found["behavior"]}


@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize("name", SERIES)
async def test_resampling_gives_what_is_stored(
    name: str, scan: tuple[int, int], sqlite_client: Client, demo_path: Path
) -> None:
    """The demo was made by the same filter: NaN must come where it is stored, too."""
    found = await told(sqlite_client, scan, f"behavior(source: RESAMPLED) {{ {camel(name)} {{ href }} }}")
    resampled = await downloaded(sqlite_client, found["behavior"][camel(name)]["href"])
    stored = held(demo_path, SERIES[name][0], name, scan)
    np.testing.assert_allclose(resampled, stored, rtol=TOLERANCE, atol=TOLERANCE)
    assert np.isfinite(stored).any()


@pytest.mark.parametrize("name", ["pupil_x", "treadmill_velocity"])
async def test_resampling_is_the_pipelines(name: str, client: Client, demo_path: Path) -> None:
    _, table, clock = SERIES[name]
    raw, source = held(demo_path, table, name, (5, 3)), held(demo_path, table, clock, (5, 3))
    frames = held(demo_path, "scan_times", "frame_times", (5, 3))
    expected = reference_resampling.resample(raw, source, frames)
    found = await told(client, (5, 3), f"behavior(source: RESAMPLED) {{ {camel(name)} {{ nanCount href }} }}")
    array = found["behavior"][camel(name)]
    np.testing.assert_allclose(await downloaded(client, array["href"]), expected, rtol=TOLERANCE, atol=TOLERANCE)
    assert array["nanCount"] == np.isnan(expected).sum()


async def test_nan_is_null_and_slices_are_of_frames(client: Client, demo_path: Path) -> None:
    cut = "values(start: 5, stop: 30, step: 2)"
    found = await told(
        client, (5, 3), f"a: behavior {{ pupilX {{ {cut} }} }} b: behavior(source: RESAMPLED) {{ pupilX {{ {cut} }} }}"
    )
    stored = held(demo_path, "manual_pupil", "pupil_x", (5, 3))[5:30:2]
    assert found["a"]["pupilX"]["values"] == [None if np.isnan(v) else v for v in stored]
    np.testing.assert_allclose(np.array(found["b"]["pupilX"]["values"], float), stored, rtol=TOLERANCE)
    assert None in found["b"]["pupilX"]["values"]


async def test_what_is_asked_of_an_array_is_computed_once(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = []

    def counting(*given: Any) -> Any:
        computed.append(given)
        return resampling.resample(*given)

    monkeypatch.setattr(epochs, "resample", counting)
    text = "behavior(source: RESAMPLED) { treadmillVelocity { min max mean nanCount preview(points: 5) { x } href } }"
    async with serving(sqlite_store) as client:
        found = await told(client, (4, 7), text)
        assert await told(client, (4, 7), text) == found
        await downloaded(client, found["behavior"]["treadmillVelocity"]["href"])
    assert len(computed) == 1


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("scan/4.8/pupil_x_resampled", 404),
        ("scan/4.7/pupil_z_resampled", 404),
        ("scan/4.7.1/pupil_x_resampled", 400),
        ("scan/4.x/pupil_x_resampled", 400),
        ("scan/4.7/pupil_x_resampled?format=png", 400),
    ],
)
async def test_what_is_not_there_to_resample(path: str, status: int, sqlite_client: Client) -> None:
    assert (await sqlite_client.http.get(f"/arrays/{path}")).status_code == status


# --- epochs ------------------------------------------------------------------------------------------

EPOCHS = "epochs { start stop startTime stopTime duration } nframes totalDuration reason"


class Asked(NamedTuple):
    """Conditions of epochs."""

    gt: float | None = None
    lt: float | None = None
    pupil: str | None = None
    least: float = 0

    def __str__(self) -> str:
        bounds = [f"{name}: {bound}" for name, bound in (("gt", self.gt), ("lt", self.lt)) if bound is not None]
        running = [f"running: {{{' '.join(bounds)}}}"] if bounds else []
        pupil = [f"pupil: {self.pupil}"] if self.pupil else []
        return " ".join([*running, *pupil, *([f"minDuration: {self.least}"] if self.least else [])])

    def fits(self, speed: float, lost: bool) -> bool:
        """Whether one frame is wanted."""
        fast = self.gt is None or speed > self.gt
        slow = self.lt is None or speed < self.lt
        return fast and slow and self.pupil in (None, "LOST" if lost else "VALID")


ASKED = [
    Asked(gt=1),
    Asked(lt=0.5),
    Asked(gt=2, lt=10, least=3),
    Asked(gt=1, pupil="VALID", least=1.5),
    Asked(pupil="VALID"),
    Asked(pupil="LOST", least=2),
    Asked(gt=5, pupil="LOST"),
    Asked(gt=1e6),
]


@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize("asked", ASKED, ids=str)
async def test_epochs_are_those_of_the_plain_formula(
    asked: Asked, scan: tuple[int, int], client: Client, demo_path: Path
) -> None:
    times = held(demo_path, "scan_times", "frame_times", scan).tolist()
    velocity = held(demo_path, "treadmill", "treadmill_velocity", scan).tolist()
    pupil = zip(*(held(demo_path, "manual_pupil", name, scan).tolist() for name in PUPIL), strict=True)
    lost = [any(map(math.isnan, seen)) for seen in pupil]
    mask = [asked.fits(abs(v), unseen) for v, unseen in zip(velocity, lost, strict=True)]
    expected = reference_epochs.epochs(mask, times, asked.least)
    found = (await told(client, scan, f"epochs({asked}) {{ {EPOCHS} }}"))["epochs"]
    assert [(e["start"], e["stop"]) for e in found["epochs"]] == [e[:2] for e in expected]
    for epoch, (_, _, begin, end) in zip(found["epochs"], expected, strict=True):
        assert (epoch["startTime"], epoch["stopTime"]) == pytest.approx((begin, end), abs=1e-9)
        assert epoch["duration"] == pytest.approx(end - begin, abs=1e-9)
    assert found["nframes"] == sum(e[1] - e[0] for e in expected)
    assert found["totalDuration"] == pytest.approx(sum(e[3] - e[2] for e in expected), abs=1e-6)
    assert found["reason"] is None
    assert bool(expected) == (asked.gt != 1e6)


async def test_null_is_no_condition(client: Client) -> None:
    found = await told(
        client,
        (4, 7),
        """a: epochs(running: {gt: 1, lt: null}, pupil: null, minDuration: null) { nframes }
        b: epochs(running: {gt: 1}) { nframes }""",
    )
    assert found["a"] == found["b"]


async def test_conditions_intersect(client: Client) -> None:
    found = await told(
        client,
        (5, 3),
        """both: epochs(running: {gt: 1}, pupil: VALID) { nframes }
        running: epochs(running: {gt: 1}) { nframes } lost: epochs(running: {gt: 1}, pupil: LOST) { nframes }
        rest: epochs(running: {lt: 1}) { nframes } seen: epochs(pupil: VALID) { nframes } nframes""",
    )
    frames = {name: each["nframes"] for name, each in found.items() if name != "nframes"}
    assert frames["both"] + frames["lost"] == frames["running"]
    assert frames["running"] + frames["rest"] == found["nframes"]
    assert 0 < frames["both"] < frames["seen"] == pytest.approx(0.253 * found["nframes"], rel=0.01)


async def test_only_what_is_asked_for_is_read(sqlite_store: SqlStore, sqlite_client: Client) -> None:
    statements = Statements(sqlite_store)
    await told(sqlite_client, (4, 7), "epochs(running: {gt: 1}) { nframes }")
    read = " ".join(statements)
    assert "treadmill_velocity" in read
    assert "pupil" not in read
    assert "raw_treadmill" not in read


async def test_epochs_of_all_scans_are_read_together(sqlite_store: SqlStore, sqlite_client: Client) -> None:
    text = "{ scans { nodes { epochs(running: {gt: 1}, pupil: VALID) { nframes } } } }"
    await sqlite_client.data(text)
    statements = Statements(sqlite_store)
    scans = (await sqlite_client.data(text))["scans"]["nodes"]
    assert len(scans) == 19
    assert len([s for s in statements if "substr" in s]) == 6  # heads of the times, the velocity and the pupil
    assert len(statements) == 1 + 2 * 6  # the scans; heads and blobs


@pytest.mark.parametrize(
    ("asked", "argument"),
    [
        ("", "running"),
        ("(minDuration: 2)", "running"),
        ("(running: null, pupil: null)", "running"),
        ("(running: {})", "running"),
        ("(running: {gt: null}, pupil: VALID)", "running"),
        ("(running: {gt: -1})", "running"),
        ("(running: {lt: 0})", "running"),
        ("(running: {lt: -3})", "running"),
        ("(running: {gt: 5, lt: 5})", "running"),
        ("(running: {gt: 5, lt: 2})", "running"),
        ("(pupil: VALID, minDuration: -0.1)", "minDuration"),
    ],
)
async def test_what_makes_no_sense_is_refused(asked: str, argument: str, client: Client) -> None:
    error = await client.error(f"{{ scan(session: 4, scanIdx: 7) {{ session epochs{asked} {{ nframes }} }} }}")
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": argument}
    assert error["path"] == ["scan", "epochs"]


@pytest.mark.parametrize(
    "text",
    [
        "{ scans { nodes { behavior { times { shape } pupilX { mean } reason }"
        " raw: behavior(source: RESAMPLED) { treadmillVelocity { shape href } pupilMajR { shape } reason } } } }",
        f"{{ scans {{ nodes {{ epochs(running: {{gt: 3}}, pupil: VALID, minDuration: 4) {{ {EPOCHS} }} }} }} }}",
        "{ scans(first: 3) { nodes { a: epochs { nframes } b: epochs(pupil: LOST) { nframes } session } } }",
        "{ unit(session: 4, scanIdx: 7, unitId: 1) { scan { epochs(pupil: VALID) { totalDuration } } } }",
    ],
)
async def test_plans_and_graphql_core_agree(text: str, store: Store) -> None:
    answer = await Agreement(store).compare(Case(text, {}))
    assert b'"nframes":null' not in answer.data
    assert {error["extensions"]["code"] for error in answer.errors} == ({"BAD_USER_INPUT"} if "a:" in text else set())


async def test_epochs_count_towards_what_an_operation_may_return(sqlite_store: SqlStore) -> None:
    text = "{ scan(session: 4, scanIdx: 7) { epochs(running: {gt: 1}) { epochs { start } } } }"
    async with serving(sqlite_store) as client:
        count = len((await client.data(text))["scan"]["epochs"]["epochs"])
    async with serving(sqlite_store, limits={"operation_values": 5 * count}) as client:
        await client.data(text)
    async with serving(sqlite_store, limits={"operation_values": 5 * count - 1}) as client:
        assert (await client.error(text))["extensions"]["limit"] == "operation_values"


# --- strange recordings ------------------------------------------------------------------------------

FRAMES = np.arange(10) / 2
"""Ten frames at 2 Hz."""
EYE = np.concatenate([[np.nan], np.arange(-1, 150) / 20])
"""A camera's clock at 20 Hz: it begins before the frames, with NaN, and ends after them."""
SEEN = np.full(10, 30.0)


def pupil(name: str, value: Any) -> dict[str, Any]:
    """A row of the pupil in which one series is strange."""
    return {**dict.fromkeys(PUPIL, SEEN), name: value}


def raw_pupil(value: Any, times: Any = EYE) -> dict[str, Any]:
    return {**dict.fromkeys(PUPIL, value), "pupil_times": times}


Rows = dict[Table, dict[str, Any]]

RAW: Rows = {
    t.raw_manual_pupil: raw_pupil(np.linspace(20, 40, len(EYE))),
    t.raw_treadmill: {"treadmill_velocity": np.zeros(len(EYE)), "treadmill_timestamps": EYE},
}
SYNCED: Rows = {
    t.manual_pupil: pupil("pupil_x", SEEN),
    t.treadmill: {"treadmill_velocity": np.array([0, 0, 5, -5, 5, 0, np.nan, 9, 9, 0.0])},
}
TIMES: Rows = {t.scan_times: {"frame_times": FRAMES, "ndepths": 1}}
WHOLE = {**TIMES, **RAW, **SYNCED}


def treadmill(velocity: Any) -> Rows:
    return {**WHOLE, t.treadmill: {"treadmill_velocity": velocity}}


def clock(times: Any) -> Rows:
    return {**WHOLE, t.scan_times: {"frame_times": times, "ndepths": 1}}


def less(*tables: Table) -> Rows:
    return {table: row for table, row in WHOLE.items() if table not in tables}


NOISE = np.random.default_rng(2).bytes(300)

STRANGE: dict[str, Rows] = {
    "whole": WHOLE,
    "short treadmill": treadmill(np.full(7, 5.0)),
    "no treadmill value": treadmill(np.zeros(0)),
    "long treadmill": treadmill(np.full(25, 5.0)),
    "column": treadmill(np.full((10, 1), 5.0)),
    "row of float32": treadmill(np.full((1, 10), 5.0, "f4")),
    "whole numbers": treadmill(np.full(10, 5, "i2")),
    "list": treadmill([5.0] * 10),
    "infinite": treadmill(np.array([np.inf, -np.inf] * 5)),
    "damaged treadmill": treadmill(NOISE),
    "text treadmill": treadmill(["a", "b"]),
    "pupil never seen": {**WHOLE, t.manual_pupil: pupil("pupil_y", np.full(10, np.nan))},
    "short pupil": {**WHOLE, t.manual_pupil: pupil("pupil_y", np.full(4, 30.0))},
    "damaged pupil": {**WHOLE, t.manual_pupil: pupil("pupil_y", NOISE)},
    "no treadmill": less(t.treadmill, t.raw_treadmill),
    "no pupil": less(t.manual_pupil, t.raw_manual_pupil),
    "raw alone": less(t.manual_pupil, t.treadmill),
    "no times": less(t.scan_times),
    "nothing": {},
    "unknown times": clock(np.where(FRAMES == 1.5, np.nan, FRAMES)),
    "infinite time": clock(np.where(FRAMES == 1.5, np.inf, FRAMES)),
    "times turned round": clock(FRAMES[::-1].copy()),
    "one frame": clock(np.zeros(1)),
    "no frame": clock(np.zeros(0)),
    "damaged times": clock(NOISE),
    "lists of 0-d arrays": {**WHOLE, t.raw_manual_pupil: raw_pupil([np.nan, *(np.array(3.5) for _ in EYE[1:])])},
    "raw of another length": {**WHOLE, t.raw_manual_pupil: raw_pupil(np.zeros(9))},
    "raw never seen": {**WHOLE, t.raw_manual_pupil: raw_pupil(np.full(len(EYE), np.nan))},
    "raw without times": {**WHOLE, t.raw_manual_pupil: raw_pupil(np.zeros(3), np.full(3, np.nan))},
    "raw at a broken clock": {**WHOLE, t.raw_manual_pupil: raw_pupil(np.zeros(len(EYE)), EYE * 1e-9)},
    "damaged raw": {**WHOLE, t.raw_manual_pupil: raw_pupil(NOISE)},
}
"""What scans 1, 2, 3 ... of session 1 hold."""


@pytest.fixture(scope="module")
async def strange_store(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SqlStore]:
    """A store of these scans."""
    rows: dict[Table, list[Mapping[str, Any]]] = {t.scan: []}
    for number, given in enumerate(STRANGE.values(), 1):
        key = {"session": 1, "scan_idx": number}
        rows[t.scan].append({**key, "nframes": 10, "nfields": 1, "fps": 2})
        for table, row in given.items():
            rows.setdefault(table, []).append({**key, **row})
    async with little_store(tmp_path_factory.mktemp("strange"), rows) as store:
        yield store


@pytest.fixture(scope="module")
async def strange(strange_store: SqlStore) -> AsyncIterator[Client]:
    """A client of a server over them."""
    async with serving(strange_store) as client:
        yield client


def scan_of(name: str) -> tuple[int, int]:
    return 1, 1 + list(STRANGE).index(name)


RUNNING: dict[str, tuple[list[tuple[int, int]], str | None]] = {
    "whole": ([(2, 5), (7, 9)], None),  # there and back; nothing is known of the frame of NaN
    "short treadmill": ([(0, 7)], "treadmill ends 3 frames before the scan"),
    "no treadmill value": ([], "treadmill ends 10 frames before the scan"),
    "long treadmill": ([(0, 10)], None),
    "column": ([(0, 10)], None),
    "row of float32": ([(0, 10)], None),
    "whole numbers": ([(0, 10)], None),
    "list": ([(0, 10)], None),
    "infinite": ([], None),
    "one frame": ([], None),
    "no frame": ([], None),
    "damaged pupil": ([(2, 5), (7, 9)], None),
}


@pytest.mark.parametrize("name", RUNNING)
async def test_running_in_strange_scans(name: str, strange: Client) -> None:
    found = (await told(strange, scan_of(name), f"epochs(running: {{gt: 1}}) {{ {EPOCHS} }}"))["epochs"]
    assert ([(e["start"], e["stop"]) for e in found["epochs"]], found["reason"]) == RUNNING[name]


SEEING: dict[str, tuple[list[tuple[int, int]], list[tuple[int, int]], str | None]] = {
    "whole": ([(0, 10)], [], None),
    "pupil never seen": ([], [(0, 10)], None),
    "short pupil": ([(0, 4)], [], "manual_pupil ends 6 frames before the scan"),
}


@pytest.mark.parametrize("name", SEEING)
async def test_the_pupil_in_strange_scans(name: str, strange: Client) -> None:
    both = f"valid: epochs(pupil: VALID) {{ {EPOCHS} }} lost: epochs(pupil: LOST) {{ {EPOCHS} }}"
    found = await told(strange, scan_of(name), both)
    valid, lost = ([(e["start"], e["stop"]) for e in found[state]["epochs"]] for state in ("valid", "lost"))
    assert (valid, lost, found["lost"]["reason"]) == SEEING[name]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("no treadmill", "the scan has no synchronised treadmill"),
        ("no pupil", "the scan has no synchronised pupil"),
        ("no times", "the scan has no frame times"),
        ("unknown times", "the frame times don't increase"),
        ("infinite time", "the frame times don't increase"),
        ("times turned round", "the frame times don't increase"),
        ("nothing", "the scan has no frame times; the scan has no synchronised treadmill; "
                    "the scan has no synchronised pupil"),
    ],
)  # fmt: skip
async def test_what_is_missing_is_said(name: str, reason: str, strange: Client) -> None:
    found = await told(strange, scan_of(name), f"epochs(running: {{gt: 1}}, pupil: VALID) {{ {EPOCHS} }}")
    assert found["epochs"] == {"epochs": None, "nframes": None, "totalDuration": None, "reason": reason}


@pytest.fixture
async def raw_alone(demo_path: Path, tmp_path: Path) -> AsyncIterator[SqlStore]:
    """The demo, of which one scan has no synchronised behaviour, and another no treadmill."""
    shutil.copy(demo_path, path := tmp_path / "raw.sqlite")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM manual_pupil WHERE (session, scan_idx) = (4, 7)")
        connection.execute("DELETE FROM treadmill WHERE (session, scan_idx) IN ((4, 7), (5, 3))")
        connection.commit()
    store = SqlStore(f"sqlite:///{path}")
    yield store
    await store.close()


@pytest.mark.parametrize("asked", ["running: {gt: 1}", "pupil: VALID, minDuration: 2", "running: {lt: 1}, pupil: LOST"])
async def test_what_is_not_stored_is_resampled(asked: str, raw_alone: SqlStore, sqlite_client: Client) -> None:
    """The demo's stored behaviour was made of its raw one: epochs are the same."""
    text = f"{{ scans {{ nodes {{ session scanIdx epochs({asked}) {{ {EPOCHS} }} }} }} }}"
    expected = (await sqlite_client.data(text))["scans"]["nodes"]
    answer = await Agreement(raw_alone).compare(Case(text, {}))
    found = orjson.loads(answer.data)["scans"]["nodes"]
    for ours, theirs in zip(found, expected, strict=True):
        scan, lacking = (ours["session"], ours["scanIdx"]), []
        lacking += ["treadmill"] if scan in ((4, 7), (5, 3)) and "running" in asked else []
        lacking += ["pupil"] if scan == (4, 7) and "pupil" in asked else []
        told = "; ".join(f"the scan has no synchronised {each}: the raw one is resampled" for each in lacking)
        assert ours["epochs"].pop("reason") == (told or None)
        assert theirs["epochs"].pop("reason") is None
    assert found == expected


async def test_resampling_for_epochs_passes_the_gate_and_is_kept(
    raw_alone: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[tuple[int, bool]] = []
    running = 0

    def counting(*given: Any) -> Any:
        nonlocal running
        running += 1
        most = max([running, *(each for each, _ in computed)])
        found = resampling.resample(*given)
        computed.append((most, True))
        running -= 1
        return found

    monkeypatch.setattr(epochs, "resample", counting)
    text = "{ scans { nodes { epochs(running: {gt: 1}, pupil: VALID) { nframes } } } }"
    async with serving(raw_alone) as client:
        first = await client.data(text)
        assert len(computed) == 6
        assert max(most for most, _ in computed) <= 2
        assert await client.data(text) == first
    assert len(computed) == 6


async def test_raw_behaviour_that_is_damaged_is_that_scans(tmp_path: Path) -> None:
    rows: dict[Table, list[Mapping[str, Any]]] = {t.scan: []}
    for number, pupil in enumerate([NOISE, np.linspace(20, 40, len(EYE)), np.zeros(9)], 1):
        key = {"session": 1, "scan_idx": number}
        rows[t.scan].append({**key, "nframes": 10, "nfields": 1, "fps": 2})
        for table, row in (*TIMES.items(), (t.raw_manual_pupil, raw_pupil(pupil))):
            rows.setdefault(table, []).append({**key, **row})
    async with little_store(tmp_path, rows) as store:
        answer = await Agreement(store).compare(Case("{ scans { nodes { epochs(pupil: VALID) { nframes } } } }", {}))
    nodes = orjson.loads(answer.data)["scans"]["nodes"]
    assert nodes == [{"epochs": None}, {"epochs": {"nframes": 10}}, {"epochs": None}]
    assert {error["extensions"]["table"] for error in answer.errors} == {"raw_manual_pupil"}
    assert {error["extensions"]["code"] for error in answer.errors} == {"BLOB_CORRUPT"}


@pytest.mark.parametrize(
    ("name", "source", "missing", "reason"),
    [
        ("no treadmill", "SYNCHRONISED", {"treadmillVelocity"}, "the scan has no synchronised treadmill"),
        ("no treadmill", "RESAMPLED", {"treadmillVelocity"}, "the scan has no raw treadmill"),
        ("no pupil", "RESAMPLED", {"pupilX", "pupilMinR"}, "the scan has no raw pupil"),
        ("raw alone", "RESAMPLED", set(), None),
        ("whole", "SYNCHRONISED", set(), None),
        ("short pupil", "SYNCHRONISED", set(), "manual_pupil ends 6 frames before the scan"),
        ("short pupil", "RESAMPLED", set(), None),
        ("long treadmill", "SYNCHRONISED", set(), None),
        ("raw without times", "SYNCHRONISED", set(), None),
        ("raw without times", "RESAMPLED", set(), "raw_manual_pupil has fewer than two known times"),
        ("unknown times", "SYNCHRONISED", set(), "the frame times don't increase"),
        ("times turned round", "RESAMPLED", set(), "the frame times don't increase"),
        ("no times", "SYNCHRONISED", {"times"}, "the scan has no frame times"),
        ("no times", "RESAMPLED", {"times", "pupilX", "pupilMinR", "treadmillVelocity"}, "the scan has no frame times"),
    ],
)
async def test_what_behaviour_is_missing_is_said(
    name: str, source: str, missing: set[str], reason: str | None, strange: Client
) -> None:
    selection = "times { shape } pupilX { shape } pupilMinR { shape } treadmillVelocity { shape } reason"
    behavior = (await told(strange, scan_of(name), f"behavior(source: {source}) {{ {selection} }}"))["behavior"]
    assert behavior.pop("reason") == reason
    assert {field for field, array in behavior.items() if array is None} == missing


RESAMPLED: dict[str, list[float | None]] = {
    "lists of 0-d arrays": [None, None, *[3.5] * 8],  # NaN reaches a second
    "raw never seen": [None] * 10,
    "raw without times": [None] * 10,
    "one frame": [20 + 20 * 2 / 151],  # no rate to filter for
    "no frame": [],
}


@pytest.mark.parametrize("name", RESAMPLED)
async def test_strange_pupils_are_resampled(name: str, strange: Client) -> None:
    found = await told(strange, scan_of(name), "behavior(source: RESAMPLED) { pupilX { values shape } }")
    array = found["behavior"]["pupilX"]
    assert array["shape"] == [len(RESAMPLED[name])]
    assert [v is None for v in array["values"]] == [v is None for v in RESAMPLED[name]]
    np.testing.assert_allclose(np.array(array["values"], float), np.array(RESAMPLED[name], float), rtol=TOLERANCE)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("raw of another length", "raw_manual_pupil.pupil_x of session=1 scan_idx={}: 9 samples have 152 times"),
        ("raw at a broken clock", "raw_manual_pupil.pupil_x of session=1 scan_idx={}: a clock runs at 2e+10 Hz"),
        ("damaged raw", "raw_manual_pupil.pupil_x of session=1 scan_idx={}: "),
        ("times turned round", "scan_times.frame_times of session=1 scan_idx={}: the frame times don't increase"),
    ],
)
async def test_pupils_that_can_not_be_resampled(name: str, said: str, strange: Client) -> None:
    scan = scan_of(name)
    text = f"{{ scan(session: 1, scanIdx: {scan[1]}) {{ behavior(source: RESAMPLED) {{ pupilX {{ mean }} }} }} }}"
    error = await strange.error(text)
    assert error["extensions"]["code"] == "BLOB_CORRUPT"
    assert error["message"].startswith(said.format(scan[1]))
    response = await strange.http.get(f"/arrays/scan/1.{scan[1]}/pupil_x_resampled")
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "BLOB_CORRUPT"


async def test_damage_stays_with_its_scan(strange: Client) -> None:
    answer = await strange.answer(
        "{ scans { nodes { scanIdx epochs(running: {gt: 1}) { nframes } seen: epochs(pupil: VALID) { nframes } } } }"
    )
    lost = {tuple(error["path"][2:]): error["extensions"] for error in answer["errors"]}
    at = {name: number for number, name in enumerate(STRANGE)}
    assert lost.keys() == {
        (at["damaged treadmill"], "epochs"),
        (at["text treadmill"], "epochs"),
        (at["damaged pupil"], "seen"),
        (at["damaged times"], "epochs"),
        (at["damaged times"], "seen"),
    }
    assert {extensions["code"] for extensions in lost.values()} == {"BLOB_CORRUPT"}
    assert lost[at["damaged treadmill"], "epochs"]["table"] == "treadmill"
    whole = answer["data"]["scans"]["nodes"]
    assert [row["scanIdx"] for row in whole] == list(range(1, len(STRANGE) + 1))
    assert whole[0]["epochs"]["nframes"] == 5


@pytest.mark.parametrize("asked", ["running: {gt: 1}", "pupil: VALID", "running: {lt: 6}, pupil: LOST"])
async def test_plans_and_graphql_core_agree_on_strange_scans(asked: str, strange_store: SqlStore) -> None:
    text = f"""{{ scans {{ nodes {{ epochs({asked}) {{ {EPOCHS} }} behavior {{ treadmillVelocity {{ shape }} reason }}
      raw: behavior(source: RESAMPLED) {{ pupilX {{ values }} times {{ mean }} reason }} }} }} }}"""
    answer = await Agreement(strange_store).compare(Case(text, {}))
    assert {error["extensions"]["code"] for error in answer.errors} == {"BLOB_CORRUPT"}


async def test_a_pupil_as_datajoint_writes_it(shared: Path, tmp_path: Path) -> None:
    """A list of floats and 0-d arrays, seen once a second: slower than the frames, it is only interpolated."""
    seen, frames = (
        (shared / "blobs" / f"{name}.bin").read_bytes() for name in ("pupil_x_dj0_list", "frame_times_f64_40000_zl")
    )
    key, seconds = {"session": 1, "scan_idx": 1}, np.arange(7.0)
    rows: dict[Table, list[Mapping[str, Any]]] = {
        t.scan: [{**key, "nframes": 40000, "nfields": 1, "fps": 6.3}],
        t.scan_times: [{**key, "frame_times": frames, "ndepths": 1}],
        t.raw_manual_pupil: [{**key, **raw_pupil(seen, seconds)}],
    }
    async with little_store(tmp_path, rows) as store, serving(store) as client:
        found = await client.data("""{ scan(session: 1, scanIdx: 1) {
          behavior(source: RESAMPLED) { pupilX { shape values(stop: 100) } } } }""")
    array = found["scan"]["behavior"]["pupilX"]
    at = unpack_array(frames)[:100]
    expected = np.where(at <= 6, np.interp(at, seconds, unpack_array(seen)), np.nan)
    assert array["shape"] == [40000]
    np.testing.assert_allclose(np.array(array["values"], float), expected, rtol=TOLERANCE)
    assert np.isfinite(expected).sum() > 10
