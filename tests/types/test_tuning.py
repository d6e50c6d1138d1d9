"""Monet2's directions and the tuning to them, against plain loops over the raw rows and blobs."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gql_nda.stores.sql import SqlStore
from tests.planner.agreement import Agreement
from tests.planner.documents import Case
from tests.science import reference_responses, reference_tuning
from tests.science.golden import golden
from tests.support.client import Client, Statements, serving
from tests.support.little import little_store
from tests.support.recorded import AT, Asked, Demo, Recorded, column, recorded

FIELDS = """directions responses sem n gOSI gDSI OSI DSI preferredDirection preferredOrientation reason"""
TUNING = f"""query ($s: Int!, $i: Int!, $u: Int!) {{
  unit(session: $s, scanIdx: $i, unitId: $u) {{ directionTuning {{ {FIELDS} }} }} }}"""
SEGMENTS = """query ($s: Int!, $i: Int!, $k: Int!) { trial(session: $s, scanIdx: $i, trialIdx: $k) {
  directionSegments { direction onset offset frames { start stop } }
  condition { ... on Monet2 { segments { direction onset offset } } } } }"""
MONET2 = "stimulus.Monet2"


@pytest.fixture(scope="module")
def demo(demo_path: Path) -> Demo:
    return Demo(demo_path)


def approx(values: Any) -> Any:
    """Those numbers, NaN as null."""
    return [v if v is None or not math.isfinite(v) else pytest.approx(v, abs=1e-9) for v in values]


# --- segments --------------------------------------------------------------------------------------


@pytest.mark.parametrize("scan", [(4, 7), (9, 3)])
async def test_segments_have_the_frames_taken_in_them(scan: tuple[int, int], client: Client, demo: Demo) -> None:
    frames = demo.frame_times(*scan)
    trials = [trial for trial in demo.trials(*scan) if trial["type"] == MONET2]
    for trial in (trials[0], trials[-1]):
        shown = reference_tuning.segments(*demo.shown(trial["condition_hash"]))
        found = (await client.data(SEGMENTS, s=scan[0], i=scan[1], k=trial["trial_idx"]))["trial"]
        assert len(shown) == 16
        plain = [dict(zip(("direction", "onset", "offset"), segment, strict=True)) for segment in shown]
        assert found["condition"]["segments"] == [pytest.approx(segment) for segment in plain]
        for told, segment in zip(found["directionSegments"], plain, strict=True):
            start = trial["start_frame_time"]
            inside = [i for i, at in enumerate(frames) if start + segment["onset"] <= at < start + segment["offset"]]
            assert told.pop("frames") == {"start": inside[0], "stop": inside[-1] + 1}
            assert told == pytest.approx(segment)


async def test_other_trials_have_no_segments(client: Client, demo: Demo) -> None:
    clip = next(trial["trial_idx"] for trial in demo.trials(4, 7) if trial["type"] != MONET2)
    assert (await client.data(SEGMENTS, s=4, i=7, k=clip))["trial"]["directionSegments"] is None


# --- tuning ----------------------------------------------------------------------------------------


def grouped(demo: Demo, key: Any, trials: list[Any]) -> dict[float, list[float]]:
    """Mean response to every showing of a direction; plain loops are given the frames about each trial only."""
    trace, frames, delay = demo.trace(*key), demo.frame_times(*key[:2]), demo.delay(*key)
    groups: dict[float, list[float]] = {}
    for trial in trials:
        near = slice(trial["start_idx"] - 10, trial["end_idx"] + 10)
        shown = reference_tuning.segments(*demo.shown(trial["condition_hash"]))
        timed = [(trial["start_frame_time"], shown)]
        for direction, found in reference_tuning.grouped(trace[near], frames[near], delay, timed).items():
            groups.setdefault(direction, []).extend(found)
    return dict(sorted(groups.items()))


@pytest.mark.parametrize("key", [(4, 7, 2), (5, 3, 4), (9, 3, 1)])
async def test_tuning_is_that_of_plain_loops(key: Any, client: Client, demo: Demo) -> None:
    s, i, u = key
    trials = [trial for trial in demo.trials(s, i) if trial["type"] == MONET2]
    groups = grouped(demo, key, trials)
    curve = {direction: reference_responses.mean(group) for direction, group in groups.items()}
    (gosi, orientation), (gdsi, direction) = (reference_tuning.vector(curve, n) for n in (2, 1))
    found = (await client.data(TUNING, s=s, i=i, u=u))["unit"]["directionTuning"]
    assert found == {
        "directions": list(curve),
        "responses": approx(curve.values()),
        "sem": approx(map(reference_responses.sem, groups.values())),
        "n": [len(group) for group in groups.values()],
        "gOSI": pytest.approx(gosi),
        "gDSI": pytest.approx(gdsi),
        "OSI": pytest.approx(reference_tuning.osi(curve)),
        "DSI": pytest.approx(reference_tuning.dsi(curve)),
        "preferredDirection": pytest.approx(direction),
        "preferredOrientation": pytest.approx(orientation),
        "reason": None,
    }
    assert len(curve) == 16
    assert min(found["n"]) >= 39


# --- little scans ----------------------------------------------------------------------------------

SIXTEEN = np.arange(16) * 22.5
ONSETS = np.arange(16) * 2.0
DURATION = 32.0
CLOCK = np.arange(40.0)
START = 0.5
"""Frames 1 and 2 are of the first segment, 3 and 4 of the second ..."""

TRIALS = [(MONET2, 1, 32, START, START + DURATION, "m")]
SHOWN = {"m": (column(*SIXTEEN), column(*ONSETS), DURATION)}
HERE = {"s": 1, "i": 2, "u": 1}
INDICES = ("gOSI", "gDSI", "OSI", "DSI", "preferredDirection", "preferredOrientation")
NOTHING: dict[str, Any] = dict.fromkeys(("directions", "responses", "sem", "n", *INDICES))


def trace_of(responses: Any) -> NDArray[np.float64]:
    """A trace whose mean in each segment is that response."""
    trace = np.full(40, 99.0)
    trace[1:33:2], trace[2:33:2] = np.array(responses) + 0.25, np.array(responses) - 0.25
    return trace


async def tuned(folder: Path, scan: Recorded) -> Any:
    """The tuning of a little scan's first unit."""
    async with recorded(folder, scan) as little:
        return (await little.data(TUNING, **HERE))["unit"]["directionTuning"]


async def test_upstream_tuning(tmp_path: Path) -> None:
    vector = golden("golden_examples.json")["direction_tuning"]
    order = np.random.default_rng(1).permutation(16)
    responses = np.array(vector["response"])[order]
    shown = {"m": (column(*np.array(vector["directions_deg"])[order]), column(*ONSETS), DURATION)}
    found = await tuned(tmp_path, Recorded([trace_of(responses)], TRIALS, CLOCK, shown=shown))
    assert found["directions"] == vector["directions_deg"]
    assert found["responses"] == approx(vector["response"])
    assert found["gOSI"] == pytest.approx(vector["gOSI"], rel=1e-9)
    assert found["gDSI"] == pytest.approx(vector["gDSI"], rel=1e-9)
    assert found["preferredDirection"] == pytest.approx(math.degrees(vector["vector_pref_dir_rad"]) % 360)
    assert found["preferredOrientation"] == pytest.approx(math.degrees(vector["vector_pref_ori_rad"]) % 180)
    assert (found["n"], found["sem"]) == ([1] * 16, [None] * 16)


@pytest.mark.parametrize("directions", [1, 3, 40])
async def test_a_curve_counts_as_many_numbers_as_it_has(directions: int, tmp_path: Path) -> None:
    degrees, onsets = np.arange(directions) * 9.0, np.linspace(0, DURATION, directions, endpoint=False)
    shown = {"m": (column(*degrees, 0), column(*onsets, DURATION), DURATION + 1)}  # 0 degrees are shown twice
    scan = Recorded([np.arange(40.0)] * 2, TRIALS, CLOCK, shown=shown)
    document = f"{{ scan({AT}) {{ units {{ nodes {{ directionTuning {{ directions sem }} }} }} }} }}"
    async with little_store(tmp_path, scan.rows()) as store:
        async with serving(store, limits={"operation_values": 2 * 4 * directions}) as client:
            units = (await client.data(document))["scan"]["units"]["nodes"]
        async with serving(store, limits={"operation_values": 2 * 4 * directions - 1}) as client:
            answer = await client.answer(document)
    assert [len(unit["directionTuning"]["directions"]) for unit in units] == [directions] * 2
    assert {error["extensions"]["limit"] for error in answer["errors"]} == {"operation_values"}


async def test_a_delay_moves_frames_into_the_next_segment(tmp_path: Path) -> None:
    trace = np.arange(40.0)
    scan = Recorded([trace, trace], TRIALS, CLOCK, {2: 600}, shown=SHOWN)
    document = f"{{ scan({AT}) {{ units {{ nodes {{ directionTuning {{ responses }} }} }} }} }}"
    async with recorded(tmp_path, scan) as little:
        nodes = (await little.data(document))["scan"]["units"]["nodes"]
    first, second = (unit["directionTuning"]["responses"] for unit in nodes)
    assert first == [1.5 + 2 * k for k in range(16)]
    assert second == [0.5 + 2 * k for k in range(16)]


async def test_a_direction_that_was_not_recorded(tmp_path: Path) -> None:
    short = trace_of(np.arange(16.0))[:20]
    short[3:5] = np.nan
    found = await tuned(tmp_path, Recorded([short], TRIALS, CLOCK, shown=SHOWN))
    assert found["responses"] == [0, None, 2, 3, 4, 5, 6, 7, 8, pytest.approx(9.25), *[None] * 6]
    assert found["n"] == [1, 0, *[1] * 8, *[0] * 6]
    assert found["gOSI"] is found["preferredDirection"] is None
    assert found["reason"] == "the response to a direction is not known"


OTHER = ("stimulus.Clip", 1, 2, 0.0, 1.0, "c")


@pytest.mark.parametrize(
    ("scan", "reason"),
    [
        (Recorded([None], TRIALS, CLOCK, shown=SHOWN), "the unit has no activity trace"),
        (Recorded([trace_of(SIXTEEN)], TRIALS, shown=SHOWN), "the scan has no frame times"),
        (Recorded([trace_of(SIXTEEN)], TRIALS, CLOCK[::-1].copy(), shown=SHOWN), "the frame times don't increase"),
        (Recorded([trace_of(SIXTEEN)], [OTHER], CLOCK, shown=SHOWN), "the scan has no Monet2 trials"),
        (Recorded([trace_of(SIXTEEN)], TRIALS, CLOCK), "1 Monet2 trials have no directions"),
        (
            Recorded([trace_of(SIXTEEN)], TRIALS, CLOCK, shown={"m": (np.zeros((1, 0)), np.zeros((1, 0)), DURATION)}),
            "1 Monet2 trials have no directions",
        ),
    ],
)
async def test_there_is_a_reason_where_nothing_is(scan: Recorded, reason: str, tmp_path: Path) -> None:
    assert await tuned(tmp_path, scan) == {**NOTHING, "reason": reason}


@pytest.mark.parametrize(
    ("responses", "reason"),
    [
        (np.full(16, -1.0), "no direction has a response above 0"),
        (
            np.full(16, 3.0),
            "no preferred direction: the responses cancel out; no preferred orientation: the responses cancel out",
        ),
    ],
)
async def test_what_is_undefined_is_null(responses: Any, reason: str, tmp_path: Path) -> None:
    found = await tuned(tmp_path, Recorded([trace_of(responses)], TRIALS, CLOCK, shown=SHOWN))
    assert found["responses"] == responses.tolist()
    assert found["preferredDirection"] is found["preferredOrientation"] is None
    assert found["reason"] == reason


async def test_a_hash_that_differs_by_case_is_another(tmp_path: Path) -> None:
    turned = (column(*(SIXTEEN + 90)), column(*ONSETS), DURATION)
    scan = Recorded([trace_of(SIXTEEN)], TRIALS, CLOCK, shown={"M": turned, **SHOWN})
    assert (await tuned(tmp_path, scan))["responses"] == approx(SIXTEEN)


@pytest.mark.parametrize(
    ("directions", "onsets", "message"),
    [
        (column(0, 90), column(0, 1, 2), "monet2.directions of condition_hash=m: 2 directions have 3 onsets"),
        (
            column(0, math.nan),
            column(0, 1),
            "monet2.directions of condition_hash=m: directions, onsets and the duration must be finite",
        ),
        (b"wrong", column(0, 1), "monet2.directions of condition_hash=m"),
    ],
)
async def test_directions_that_are_damaged(directions: Any, onsets: Any, message: str, tmp_path: Path) -> None:
    scan = Recorded([trace_of(SIXTEEN)], TRIALS, CLOCK, shown={"m": (directions, onsets, DURATION)})
    document = f"""{{ unit({AT}, unitId: 1) {{ unitId directionTuning {{ n }} }}
      trial({AT}, trialIdx: 0) {{ trialIdx directionSegments {{ onset }} }}
      condition(hash: "m") {{ ... on Monet2 {{ segments {{ onset }} }} }} }}"""
    async with recorded(tmp_path, scan) as little:
        answer = await little.answer(document)
    assert answer["data"] == {
        "unit": {"unitId": 1, "directionTuning": None},
        "trial": {"trialIdx": 0, "directionSegments": None},
        "condition": {"segments": None},
    }
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"BLOB_CORRUPT"}
    assert all(error["extensions"]["key"] == {"condition_hash": "m"} for error in answer["errors"])
    assert len(answer["errors"]) == 3
    assert all(message in error["message"] for error in answer["errors"])


@pytest.mark.parametrize("directions", [column(0, 90), b"wrong"])
async def test_damaged_directions_are_left_out_of_the_tuning(directions: Any, tmp_path: Path) -> None:
    shown = {**SHOWN, "bad": (directions, column(0, 1, 2), DURATION)}
    trials = [*TRIALS, *[(MONET2, 33, 36, 33.0, 36.0, "bad")] * 2, (MONET2, 37, 38, 37.0, 38.0, "absent")]
    traces = [trace_of(SIXTEEN), trace_of(SIXTEEN[::-1])]
    document = f"{{ scan({AT}) {{ units {{ nodes {{ directionTuning {{ responses n reason }} }} }} }} }}"
    async with recorded(tmp_path, Recorded(traces, trials, CLOCK, shown=shown)) as little:
        nodes = (await little.data(document))["scan"]["units"]["nodes"]
    for unit, responses in zip(nodes, (SIXTEEN, SIXTEEN[::-1]), strict=True):
        found = unit["directionTuning"]
        assert found["responses"] == approx(responses)
        assert found["n"] == [1] * 16
        assert found["reason"].startswith(
            "1 Monet2 trials have no directions; 2 Monet2 trials have directions that can't be read: "
            "monet2.directions of condition_hash=bad: "
        )


async def test_damage_that_nothing_is_left_of_is_its_own_scans(tmp_path: Path) -> None:
    shown = {**SHOWN, "bad": (b"wrong", column(0), DURATION)}
    rows = Recorded([trace_of(SIXTEEN)], [(MONET2, 1, 32, START, START + DURATION, "bad")], CLOCK, shown=shown).rows()
    for table, others in Recorded([trace_of(SIXTEEN)], TRIALS, CLOCK).rows().items():
        rows[table] += [{**row, "scan_idx": 3} for row in others]
    async with little_store(tmp_path, rows) as store:
        answer = await Asked(store).answer("{ units { nodes { directionTuning { reason } } } }")
    assert answer["data"]["units"]["nodes"] == [{"directionTuning": None}, {"directionTuning": {"reason": None}}]
    (error,) = answer["errors"]
    assert error["extensions"]["key"] == {"condition_hash": "bad"}


async def test_a_damaged_clock_troubles_no_other_scans_segments(tmp_path: Path) -> None:
    rows = Recorded([], TRIALS, b"wrong", shown=SHOWN).rows()
    for table, others in Recorded([], TRIALS, CLOCK).rows().items():
        rows[table] += [{**row, "scan_idx": 3} for row in others]
    async with little_store(tmp_path, rows) as store:
        document = "{ scans { nodes { trials { nodes { directionSegments { onset } } } } } }"
        answer = await Asked(store).answer(document)
    nodes = [scan["trials"]["nodes"][0] for scan in answer["data"]["scans"]["nodes"]]
    lost, fine = (node["directionSegments"] for node in nodes)
    assert lost is None
    assert len(fine) == 16
    (error,) = answer["errors"]
    assert error["extensions"]["table"] == "scan_times"


async def test_segments_without_a_clock_or_beyond_it(tmp_path: Path) -> None:
    document = f"{{ trial({AT}, trialIdx: 0) {{ directionSegments {{ offset frames {{ start stop }} }} }} }}"
    frames = []
    for i, clock in enumerate((None, CLOCK[:4])):
        (folder := tmp_path / str(i)).mkdir()
        async with recorded(folder, Recorded([], TRIALS, clock, shown=SHOWN)) as little:
            segments = (await little.data(document))["trial"]["directionSegments"]
        assert [segment["offset"] for segment in segments] == [2.0 * k for k in range(1, 17)]
        frames.append([segment["frames"] for segment in segments])
    assert frames[0] == [None] * 16
    assert frames[1][:3] == [{"start": 1, "stop": 3}, {"start": 3, "stop": 4}, {"start": 4, "stop": 4}]


# --- how -------------------------------------------------------------------------------------------

DOCUMENTS = [
    f"units(first: 60, orderBy: [{{field: UM_Y}}]) {{ nodes {{ strKey directionTuning {{ {FIELDS} }} }} }}",
    "scans(first: 2) { nodes { trials(where: {type: {eq: MONET2}}) { nodes { directionSegments { direction "
    "frames { start stop } } condition { ... on Monet2 { segments { direction onset offset } } } } } } }",
]


@pytest.mark.parametrize("document", DOCUMENTS)
async def test_a_plan_answers_alike(document: str, sqlite_store: SqlStore) -> None:
    await Agreement(sqlite_store).check(Case(f"{{ {document} }}", {}))


async def test_directions_are_read_once_and_traces_in_one_pass(store: SqlStore, statements: Statements) -> None:
    document = (
        "query ($n: Int!) { scan(session: 4, scanIdx: 7) { units(first: $n) { nodes { directionTuning { n } } } } }"
    )
    async with serving(store) as client:
        await client.data("{ scans { totalCount } }")
        read = []
        for n in (1, 20, 20):
            statements.clear()
            await client.data(document, n=n)
            read.append([sum(f"{name} " in s for s in statements) for name in ("activity", "monet2", "scan_times")])
    assert read[0][0] == read[1][0] > read[2][0] == 0
    assert read[0][1] > read[1][1] == read[2][1] == 0
    assert read[0][2] > read[1][2] == read[2][2] == 0


async def test_the_convention_is_described(sqlite_client: Client) -> None:
    document = '{ __type(name: "DirectionTuning") { description fields { name } } }'
    told = (await sqlite_client.data(document))["__type"]
    assert "at 0 a vertical feature moves leftwards, and directions run anticlockwise" in told["description"]
    assert [field["name"] for field in told["fields"]] == FIELDS.split()
