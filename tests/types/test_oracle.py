"""The oracle score and raster against plain loops over raw rows and blobs, and upstream's numbers; what is missing."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gql_nda import tables as t
from gql_nda.codec import pack
from gql_nda.context import Context
from gql_nda.dataset import Dataset
from gql_nda.limits import Limits
from gql_nda.resolvers.oracle import CLIP
from gql_nda.schema import public
from gql_nda.stores.sql import SqlStore
from tests.planner.agreement import Agreement, schemas
from tests.planner.documents import Case
from tests.science import reference, reference_raster
from tests.science.golden import golden
from tests.support.client import Client, Statements, serving
from tests.support.little import little_store
from tests.support.recorded import AT, PLACE, Demo, Recorded

UNITS = [(4, 7, 3), (5, 3, 4), (9, 3, 1)]
SCORE = "oracleComputed { pearson trials reason }"
RASTER = """oracleRaster { repeats samples clips { conditionHash condition { conditionHash shortMovieName } }
  trialIdx times values normalized pearson reason }"""
ONE = "query ($s: Int!, $i: Int!, $u: Int!) { unit(session: $s, scanIdx: $i, unitId: $u) { %s } }"
"""Asks something of one unit."""


@pytest.fixture(scope="module")
def demo(demo_path: Path) -> Demo:
    return Demo(demo_path)


async def told(client: Client, key: Sequence[int], selection: str) -> Any:
    """The one field selected of a unit."""
    s, i, u = key
    ((found,),) = [list(unit.values()) for unit in (await client.data(ONE % selection, s=s, i=i, u=u)).values()]
    return found


def close(found: Any, expected: Any, within: float = 1e-9) -> bool:
    """Whether numbers are those expected, null where NaN is."""
    return bool(np.allclose(np.array(found, float), np.array(expected, float), rtol=0, atol=within, equal_nan=True))


class Shown:
    """A unit's trace around some trials, and its scan's clock and rate."""

    def __init__(self, demo: Demo, key: Sequence[int]) -> None:
        s, i, u = key
        self.trace, self.frames = np.array(demo.trace(s, i, u)), np.array(demo.frame_times(s, i))
        self.delay = demo.delay(s, i, u)
        ((self.fps,),) = (
            row.values() for row in demo.rows("SELECT fps FROM scan WHERE (session, scan_idx)=(?,?)", s, i)
        )
        self.clips = [trial for trial in demo.trials(s, i) if trial["type"] == CLIP]

    def near(self, trials: Sequence[Any]) -> tuple[list[float], list[float]]:
        """The frames that matter: plain loops are slow."""
        first = min(trial["start_frame_time"] for trial in trials) - 1
        last = max(trial["end_frame_time"] for trial in trials) + 1
        some = (self.frames >= first) & (self.frames <= last)
        return self.trace[some].tolist(), self.frames[some].tolist()


# --- the score -------------------------------------------------------------------------------------


def plain_score(shown: Shown) -> tuple[float, int]:
    """The score of clips shown three times or more, sampled at the nominal rate, cut to the shortest repeat."""
    conditions = []
    for name in sorted({trial["condition_hash"] for trial in shown.clips}):
        trials = [trial for trial in shown.clips if trial["condition_hash"] == name]
        if len(trials) >= 3:
            spans = [(trial["start_frame_time"], trial["end_frame_time"]) for trial in trials]
            grids = [reference.spaced(start, end, round(shown.fps * (end - start))) for start, end in spans]
            shortest = min(map(len, grids))
            conditions.append(
                [
                    reference.sample(*shown.near([trial]), shown.delay, grid[:shortest])
                    for trial, grid in zip(trials, grids, strict=True)
                ]
            )
    return reference.oracle_score(conditions), sum(map(len, conditions))


@pytest.mark.parametrize("key", UNITS)
async def test_a_score_is_that_of_plain_loops(key: Any, client: Client, demo: Demo) -> None:
    pearson, trials = plain_score(Shown(demo, key))
    found = await told(client, key, SCORE)
    assert found == {"pearson": pytest.approx(pearson, abs=1e-9), "trials": trials, "reason": None}
    assert trials == 60


async def test_scores_of_a_page_are_those_of_each_and_the_stored_stay(client: Client, demo: Demo) -> None:
    page = f"{{ units(first: 20) {{ nodes {{ session scanIdx unitId oracle {{ pearson }} {SCORE} }} }} }}"
    nodes = (await client.data(page))["units"]["nodes"]
    for unit in nodes[::5]:
        assert await told(client, (unit["session"], unit["scanIdx"], unit["unitId"]), SCORE) == unit["oracleComputed"]
    stored = {
        row["unit_id"]: row["pearson"] for row in demo.rows("SELECT * FROM oracle WHERE session = 4 AND scan_idx = 7")
    }
    assert all(unit["oracle"]["pearson"] == pytest.approx(stored[unit["unitId"]]) for unit in nodes if unit["oracle"])


async def test_units_without_a_stored_score_have_a_computed_one(client: Client) -> None:
    """Upstream can't: an artifact has no row in Oracle."""
    page = f"(first: 1, where: {{maskType: {{eq: ARTIFACT}}}}) {{ nodes {{ oracle {{ trials }} {SCORE} {RASTER} }} }}"
    (unit,) = (await client.data(f"{{ units{page} }}"))["units"]["nodes"]
    assert unit["oracle"] is None
    assert unit["oracleComputed"]["trials"] == 60
    assert unit["oracleRaster"]["pearson"] is None
    assert unit["oracleRaster"]["reason"] is None
    assert np.shape(unit["oracleRaster"]["values"]) == (10, 6, 63)


# --- the raster ------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", UNITS)
async def test_a_raster_is_that_of_plain_loops(key: Any, client: Client, demo: Demo) -> None:
    shown, found = Shown(demo, key), await told(client, key, RASTER)
    oracle = [trial for trial in shown.clips if _times_shown(trial, shown) == 10]
    blocks = [oracle[i : i + 6] for i in range(0, 60, 6)]
    raw = [reference_raster.raw(*shown.near(block), shown.delay, block, shown.fps) for block in blocks]
    order = reference_raster.clip_order([trial["condition_hash"] for trial in blocks[0]])
    assert [clip["conditionHash"] for clip in found["clips"]] == order
    assert [name[:4] for name in order] == ["Oup5", "KXdT", "GjCM", "ecUQ", "7UET", "5zQT"]  # as MySQL sorts
    assert all(clip["condition"]["conditionHash"] == clip["conditionHash"] for clip in found["clips"])
    assert close(found["values"], raw)
    assert close(found["normalized"], [reference_raster.normalized(repeat) for repeat in raw])
    assert (found["repeats"], found["samples"]) == (10, 86 if key[0] == 9 else 63)
    numbers = {(trial["condition_hash"], i): trial for i, block in enumerate(blocks) for trial in block}
    assert found["trialIdx"] == [[numbers[name, i]["trial_idx"] for name in order] for i in range(10)]
    for i, clip in ((0, 0), (9, 5)):
        trial = numbers[order[clip], i]
        spaced = reference.spaced(trial["start_frame_time"], trial["end_frame_time"], found["samples"])
        assert close(found["times"][i][clip], spaced)
    (stored,) = demo.rows("SELECT pearson FROM oracle WHERE (session, scan_idx, unit_id) = (?, ?, ?)", *key)
    assert found["pearson"] == pytest.approx(stored["pearson"])
    assert found["reason"] is None


def _times_shown(trial: Any, shown: Shown) -> int:
    return sum(other["condition_hash"] == trial["condition_hash"] for other in shown.clips)


async def test_rasters_of_a_page_are_one_pass_over_its_traces(sqlite_store: SqlStore) -> None:
    text = f"{{ units(first: 100) {{ nodes {{ {RASTER} }} }} }}"
    statements = Statements(sqlite_store)
    async with serving(sqlite_store, limits={"operation_values": 2_000_000}) as client:
        nodes = (await client.data(text))["units"]["nodes"]
        assert len(nodes) == 100
        assert len([s for s in statements if "activity" in s]) == 2  # their lengths, and they
        assert len([s for s in statements if "FROM oracle" in s]) == 1
        statements.clear()
        assert (await client.data(text))["units"]["nodes"] == nodes
        assert not [s for s in statements if "activity" in s]  # they are kept


async def test_axes_take_no_trace_and_no_values(sqlite_store: SqlStore) -> None:
    text = "{ units(first: 100) { nodes { oracleRaster { repeats samples pearson clips { conditionHash } } } } }"
    statements = Statements(sqlite_store)
    async with serving(sqlite_store, limits={"operation_values": 0}) as client:
        nodes = (await client.data(text))["units"]["nodes"]
    assert {(len(node["oracleRaster"]["clips"]), node["oracleRaster"]["repeats"]) for node in nodes} == {(6, 10)}
    assert not [s for s in statements if "activity" in s]


COUNT = 10 * 6 * 63


@pytest.mark.parametrize(
    ("selection", "count"),
    [
        ("values", COUNT),
        ("times", COUNT),
        ("values a: values normalized", 3 * COUNT),
        ("trialIdx", 60),
        ("reason", COUNT),
    ],
)
async def test_values_count(selection: str, count: int, sqlite_store: SqlStore) -> None:
    text = f"{{ unit(session: 4, scanIdx: 7, unitId: 1) {{ oracleRaster {{ {selection} }} }} }}"
    async with serving(sqlite_store, limits={"operation_values": count}) as client:
        await client.data(text)
    async with serving(sqlite_store, limits={"operation_values": count - 1}) as client:
        error = await client.error(text)
    assert error["extensions"] == {"code": "ARRAY_TOO_LARGE", "limit": "operation_values", "maximum": count - 1}


@pytest.mark.parametrize("selection", ["repeats values", "times", "values reason"])
async def test_a_page_of_too_many_is_refused_before_a_trace_is_read(selection: str, sqlite_store: SqlStore) -> None:
    text = f"{{ units(first: 3) {{ nodes {{ strKey oracleRaster {{ {selection} }} }} }} }}"
    statements = Statements(sqlite_store)
    async with serving(sqlite_store, limits={"operation_values": 3 * COUNT - 1}) as client:
        error = await client.error(text)
    assert error["extensions"]["limit"] == "operation_values"
    assert "path" not in error
    assert not [s for s in statements if "activity" in s]


# --- planned ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"{{ units(first: 30) {{ nodes {{ strKey {SCORE} {RASTER} }} }} }}",
        f"{{ a: units(first: 2) {{ edges {{ node {{ {RASTER} }} }} }} units(first: 3) {{ nodes {{ {RASTER} }} }} }}",
        f"{{ scan(session: 9, scanIdx: 3) {{ units {{ nodes {{ r: {SCORE} s: {RASTER} }} }} }} }}",
        f"{{ mask(session: 4, scanIdx: 7, fieldIdx: 1, maskId: 1) {{ unit {{ {SCORE} {RASTER} }} }} }}",
        f"{{ activity: unit(session: 4, scanIdx: 7, unitId: 1) {{ activity {{ unit {{ {RASTER} }} }} }} }}",
    ],
)
async def test_planned_and_unplanned_answers_are_equal(text: str, sqlite_store: SqlStore) -> None:
    await Agreement(sqlite_store).check(Case(text, {}))


@pytest.mark.parametrize("most", [4 * COUNT, 4 * COUNT + 60, 7 * COUNT + 100])
async def test_planned_or_not_the_same_values_are_too_many(most: int, sqlite_store: SqlStore) -> None:
    text = "{ units(first: 4) { nodes { oracleRaster { values trialIdx times normalized reason } } } }"
    answers = []
    for schema in schemas()[:2]:
        context = Context(sqlite_store, Dataset(sqlite_store), Limits(operation_values=most))
        result = await schema.execute(text, context_value=context)
        answers.append((result.data, public(result.errors or [])))
    assert answers[0] == answers[1]
    (error,) = answers[0][1]
    assert error["extensions"]["limit"] == "operation_values"


# --- upstream's numbers ----------------------------------------------------------------------------

REPEATS = 10


async def test_upstreams_raster(tmp_path: Path) -> None:
    """Upstream's three repeats, and the first of them seven times more: clips count that are shown ten times."""
    known = golden("golden_examples.json")["oracle_raster"]
    block = [trial for trial in known["trials"] if trial["condition_hash"] in known["clip_order"]][:6]
    trials = known["trials"] + [
        {**trial, "trial_idx": 100 * i + j} for i in range(1, REPEATS - 2) for j, trial in enumerate(block)
    ]
    rows = Recorded([np.array(known["trace"], "f4")], frame_times=np.array(known["frame_times"])).rows()
    rows[t.scan][0] |= {"fps": known["fps"]}
    rows[t.scan_unit][0] |= {"ms_delay": known["ms_delay"]}
    rows[t.trial] = [{**_trial(0, CLIP, "", 0, 0), **trial} for trial in trials]
    async with little_store(tmp_path, rows) as store, serving(store) as client:
        found = await told(client, (1, 2, 1), RASTER)
    assert [clip["conditionHash"] for clip in found["clips"]] == known["clip_order"]
    assert [clip["condition"] for clip in found["clips"]] == [None] * 6
    assert close(found["values"][:3], known["raw"], 1e-6)
    assert close(found["normalized"][:3], known["normalized"], 1e-6)
    assert found["values"][3:] == [found["values"][0]] * 7
    assert found["reason"] is None


async def test_upstreams_score(tmp_path: Path) -> None:
    """Upstream's responses, laid out so that every sample is a frame."""
    known = golden("golden_examples.json")
    clips = [np.array(clip) for clip in known["oracle_score"]["clips"]]
    (samples,) = {clip.shape[1] for clip in clips}
    shown = [(name, clip[k]) for name, clip in zip("abcdef", clips, strict=False) for k in range(len(clip))]
    traces = np.concatenate([response for _, response in shown]).T
    starts = samples * np.arange(len(shown))
    rows = Recorded(list(traces), frame_times=np.arange(float(traces.shape[1]))).rows()
    rows[t.scan][0] |= {"fps": samples / (samples - 1)}  # so many samples from the first to the last
    rows[t.trial] = [
        _trial(i, CLIP, name, float(start), float(start + samples - 1))
        for i, ((name, _), start) in enumerate(zip(shown, starts, strict=True))
    ]
    async with little_store(tmp_path, rows) as store, serving(store) as client:
        nodes = (await client.data(f"{{ units {{ nodes {{ {SCORE} }} }} }}"))["units"]["nodes"]
    found = [node["oracleComputed"] for node in nodes]
    assert [score["pearson"] for score in found] == pytest.approx(known["oracle_score"]["score_pipeline"], rel=1e-9)
    assert {score["trials"] for score in found} == {len(shown)}


# --- what is missing -------------------------------------------------------------------------------

FRAMES = np.arange(400.0)


def _trial(i: int, kind: str, name: str, start: float, end: float) -> dict[str, Any]:
    own = {"trial_idx": i, "type": kind, "condition_hash": name, "start_frame_time": start, "end_frame_time": end}
    return {**PLACE, **own, "start_idx": 0, "end_idx": 0, "stim_times": b""}


def blocks(names: str = "aB", kinds: Sequence[str] = (CLIP, CLIP)) -> list[tuple[str, int, int, float, float, str]]:
    """Two clips shown ten times, one after the other; trials of 12 s, 15 s apart."""
    shown = [(name, kind) for _ in range(REPEATS) for name, kind in zip(names, kinds, strict=True)]
    return [(kind, 0, 0, 5.0 + 15 * i, 17.0 + 15 * i, name) for i, (name, kind) in enumerate(shown)]


def traces() -> NDArray[np.float32]:
    return np.random.default_rng(5).gamma(1, 2, len(FRAMES)).astype(np.float32)


GOOD = Recorded([traces()], blocks(), FRAMES)


async def asked(folder: Path, scan: Recorded, selection: str = f"{SCORE} {RASTER}") -> list[Any]:
    """What is told of the units of a little scan."""
    async with little_store(folder, scan.rows()) as store, serving(store) as client:
        found = (await client.data(f"{{ scan({AT}) {{ units {{ nodes {{ {selection} }} }} }} }}"))["scan"]["units"]
    nodes: list[Any] = found["nodes"]
    return nodes


async def test_a_good_one(tmp_path: Path) -> None:
    (unit,) = await asked(tmp_path, GOOD)
    assert unit["oracleComputed"]["trials"] == 20
    assert [clip["conditionHash"] for clip in unit["oracleRaster"]["clips"]] == ["B", "a"]
    assert np.shape(unit["oracleRaster"]["values"]) == (10, 2, 12)
    assert {unit[name]["reason"] for name in unit} == {None}


NOT_FINITE = "the trace holds values that are not finite, or too large"
BEYOND = "a trial reaches beyond the unit's trace"
LOST = "some samples lie beyond the trace or are not finite"


async def test_traces_that_lack_something(tmp_path: Path) -> None:
    """Each unit is told of alone."""
    nan, flat, level = traces(), traces(), np.full(len(FRAMES), 0.1, "f4")
    nan[8], flat[:40] = np.nan, 3
    all_traces = [traces(), None, nan, traces()[:300], level, flat, np.zeros(0, "f4")]
    units = await asked(tmp_path, replace(GOOD, traces=all_traces))
    scores, rasters = ([unit[name] for unit in units] for name in ("oracleComputed", "oracleRaster"))
    assert [score["reason"] for score in scores] == [
        None, "the unit has no activity trace", NOT_FINITE, BEYOND, None, None, BEYOND
    ]  # fmt: skip
    assert [score["pearson"] is None for score in scores] == [score["reason"] is not None for score in scores]
    assert [score["trials"] for score in scores] == [20, 0, 0, 0, 20, 20, 0]
    assert scores[4]["pearson"] == pytest.approx(0, abs=1e-6)
    flat_too = "repeats without any change can't be normalised"
    assert [raster["reason"] for raster in rasters] == [
        None, "the unit has no activity trace", LOST, LOST, flat_too, flat_too, f"{LOST}; {flat_too}"
    ]  # fmt: skip
    assert all(raster["repeats"] == 10 for raster in rasters)
    assert (rasters[1]["values"], rasters[1]["normalized"]) == (None, None)
    nulls = [np.isnan(np.array(raster["values"] or [math.nan], float)).sum() for raster in rasters]
    assert nulls[0] == nulls[4] == nulls[5] == 0 < nulls[2] < nulls[3] < nulls[6] == 240
    assert rasters[5]["normalized"][0] == [[None] * 12] * 2
    assert np.nanmax(np.array(rasters[3]["normalized"][0], float)) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"trials": []}, "no condition was shown 10 times"),
        ({"trials": blocks()[:-2]}, "no condition was shown 10 times"),
        ({"trials": sorted(blocks(), key=lambda trial: trial[5])}, "repeat 1 of the oracle clips is no block of 2"),
        ({"frame_times": None}, "the scan has no frame times"),
        ({"frame_times": FRAMES * np.nan}, "the frame times don't increase"),
        ({"frame_times": FRAMES / 100}, "a trial is longer than the recording"),
        ({"frame_times": FRAMES[:2] * 100}, "the nominal rate is not that of the frames"),
    ],
)
async def test_scans_that_lack_something(change: Any, reason: str, tmp_path: Path) -> None:
    (unit,) = await asked(tmp_path, replace(GOOD, **change), RASTER)
    raster = unit["oracleRaster"]
    assert raster["reason"].startswith(reason)
    empty = {"repeats": 0, "samples": 0, "clips": [], "trialIdx": [], "times": None, "values": None, "normalized": None}
    assert {name: raster[name] for name in empty} == empty


@pytest.mark.parametrize(
    ("trials", "count"),
    [
        (blocks()[:6], 6),
        (blocks()[:5], 3),  # a three times, B twice
        (blocks()[:4], 0),
        (blocks("aB", (CLIP, "stimulus.Trippy")), 10),
        (blocks("aA"), 20),
    ],
)
async def test_trials_that_count(trials: Any, count: int, tmp_path: Path) -> None:
    """Of clips, and of those shown three times; hashes are told apart by case."""
    (unit,) = await asked(tmp_path, replace(GOOD, trials=trials), SCORE)
    assert unit["oracleComputed"]["trials"] == count
    assert unit["oracleComputed"]["reason"] == (None if count else "no condition was shown 3 times")


async def test_clips_that_differ_by_case_are_different(tmp_path: Path) -> None:
    (unit,) = await asked(tmp_path, replace(GOOD, trials=blocks("aA")), RASTER)
    assert [clip["conditionHash"] for clip in unit["oracleRaster"]["clips"]] == ["a", "A"]


async def test_other_kinds_of_stimuli_are_no_oracle_clips(tmp_path: Path) -> None:
    (unit,) = await asked(tmp_path, replace(GOOD, trials=blocks("aB", (CLIP, "stimulus.Monet2"))), RASTER)
    assert [clip["conditionHash"] for clip in unit["oracleRaster"]["clips"]] == ["a"]
    assert unit["oracleRaster"]["trialIdx"] == [[2 * i] for i in range(10)]


async def test_clips_of_unequal_length_are_padded(tmp_path: Path) -> None:
    """Upstream fails: a dropped frame makes its array ragged."""
    shorter = [(*trial[:4], trial[4] - 3 * (i == 1), trial[5]) for i, trial in enumerate(blocks())]
    (unit,) = await asked(tmp_path, replace(GOOD, trials=shorter), f"{SCORE} {RASTER}")
    raster = unit["oracleRaster"]
    for name in ("times", "values", "normalized"):
        assert raster[name][0][0][9:] == [None] * 3  # B comes first
        assert None not in raster[name][0][0][:9]
    assert raster["reason"] is None
    assert unit["oracleComputed"]["reason"] is None


async def test_a_blob_that_can_not_be_read_is_that_units_error(tmp_path: Path) -> None:
    scan = replace(GOOD, traces=[traces(), b"wrong", pack(traces())[:60]])
    async with little_store(tmp_path, scan.rows()) as store, serving(store) as client:
        answer = await client.answer(
            "{ units { nodes { oracleComputed { trials } oracleRaster { repeats values } } } }"
        )
    nodes = answer["data"]["units"]["nodes"]
    assert [node["oracleComputed"] for node in nodes] == [{"trials": 20}, None, None]
    assert [node["oracleRaster"]["values"] is None for node in nodes] == [False, True, True]
    assert [node["oracleRaster"]["repeats"] for node in nodes] == [10] * 3
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"BLOB_CORRUPT"}
    assert {error["extensions"]["table"] for error in answer["errors"]} == {"activity"}
    assert len(answer["errors"]) == 4


async def test_a_unit_without_its_scan(tmp_path: Path) -> None:
    rows = GOOD.rows()
    del rows[t.scan]
    async with little_store(tmp_path, rows) as store, serving(store) as client:
        (unit,) = (await client.data(f"{{ units {{ nodes {{ {SCORE} {RASTER} }} }} }}"))["units"]["nodes"]
    assert {unit[name]["reason"] for name in unit} == {"the unit's scan is not there"}
    assert unit["oracleRaster"]["clips"] == []
