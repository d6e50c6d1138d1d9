"""Responses to trials against plain loops over the raw rows and blobs; what is missing, and what is refused."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gql_nda import loaders
from gql_nda.limits import Limits
from gql_nda.resolvers import traces
from gql_nda.stores.sql import SqlStore
from tests.planner.agreement import Agreement
from tests.planner.documents import Case
from tests.science import reference, reference_responses
from tests.support.client import Client, Statements, serving
from tests.support.little import little_store
from tests.support.recorded import AT, PLACE, Asked, Demo, Recorded, recorded

ORACLE = "KXdTNAGMo1gCWz2Ge8zr"
UNITS = [(4, 7, 2), (5, 3, 4), (9, 3, 1)]

RESPONSES = """query ($s: Int!, $i: Int!, $u: Int!, $hash: String, $at: [Int!], $type: TrialType, $align: Alignment) {
  unit(session: $s, scanIdx: $i, unitId: $u) {
    responses(conditionHash: $hash, trialIdx: $at, type: $type, align: $align) {
      times reason trials { trialIdx conditionHash times values trial { trialIdx startFrameTime } } } } }"""
PSTH = """query ($s: Int!, $i: Int!, $u: Int!, $hash: String!, $align: Alignment) {
  unit(session: $s, scanIdx: $i, unitId: $u) {
    psth(conditionHash: $hash, align: $align) { times mean sem n repeats reason } } }"""
MEANS = """query ($s: Int!, $i: Int!, $u: Int!, $hash: String, $type: TrialType) {
  unit(session: $s, scanIdx: $i, unitId: $u) {
    trialMeans(conditionHash: $hash, type: $type) { trialIdx conditionHash mean frames reason } } }"""
AREAS = """query ($s: Int!, $i: Int!, $k: Int!, $areas: [BrainArea!], $units: Int) {
  trial(session: $s, scanIdx: $i, trialIdx: $k) {
    areaResponses(areas: $areas, units: $units) { brainArea mean sem n units reason } } }"""
CONDITIONS = """query ($s: Int!, $i: Int!, $least: Int, $type: TrialType) {
  scan(session: $s, scanIdx: $i) {
    conditions(minRepeats: $least, type: $type) { conditionHash type repeats trialIdx condition { __typename } } } }"""


@pytest.fixture(scope="module")
def demo(demo_path: Path) -> Demo:
    return Demo(demo_path)


def known(values: Sequence[float]) -> list[float | None]:
    """As JSON has it."""
    return [v if math.isfinite(v) else None for v in values]


def close(found: Any, expected: Sequence[float], within: float = 1e-9) -> bool:
    return bool([v if v is None else pytest.approx(v, abs=within) for v in known(expected)] == found)


# --- trial by trial --------------------------------------------------------------------------------


@pytest.mark.parametrize("key", UNITS)
async def test_frames_are_cut_as_plain_loops_cut_them(key: Any, client: Client, demo: Demo) -> None:
    s, i, u = key
    trace, frames, delay = demo.trace(*key), demo.frame_times(s, i), demo.delay(*key)
    trials = [trial for trial in demo.trials(s, i) if trial["condition_hash"] == ORACLE]
    found = (await client.data(RESPONSES, s=s, i=i, u=u, hash=ORACLE))["unit"]["responses"]
    assert found["reason"] is None
    assert [told["trialIdx"] for told in found["trials"]] == [trial["trial_idx"] for trial in trials]
    assert len(trials) == 10
    for told, trial in zip(found["trials"], trials, strict=True):
        first, last, start = trial["start_idx"], trial["end_idx"], trial["start_frame_time"]
        assert close(told["values"], reference_responses.cut(trace, first, last, last - first + 1))
        assert close(told["times"], [frames[k] + delay / 1000 - start for k in range(first, last + 1)])
        assert told["trial"] == {"trialIdx": trial["trial_idx"], "startFrameTime": pytest.approx(start)}
        assert told["conditionHash"] == ORACLE
    longest = max(len(told["times"]) for told in found["trials"])
    axis = [[told["times"][k] for told in found["trials"] if k < len(told["times"])] for k in range(longest)]
    assert close(found["times"], list(map(reference_responses.mean, axis)))


@pytest.mark.parametrize("key", UNITS)
async def test_times_are_interpolated_as_plain_loops_do(key: Any, client: Client, demo: Demo) -> None:
    s, i, u = key
    trace, frames, delay = demo.trace(*key), demo.frame_times(s, i), demo.delay(*key)
    found = (await client.data(RESPONSES, s=s, i=i, u=u, at=[40, 3], align="TIME"))["unit"]["responses"]
    period = (frames[-1] - frames[0]) / (len(frames) - 1)
    assert [told["trialIdx"] for told in found["trials"]] == [3, 40]
    for told in found["trials"]:
        trial = demo.trials(s, i)[told["trialIdx"]]
        start, end = trial["start_frame_time"], trial["end_frame_time"]
        axis = [k * period for k in range(int((end - start) / period) + 1)]
        assert close(told["times"], axis)
        assert close(told["values"], reference.sample(trace, frames, delay, [start + at for at in axis]), 1e-6)
    assert close(found["times"], [k * period for k in range(len(found["times"]))])


async def test_what_is_given_must_hold_together(client: Client, demo: Demo) -> None:
    trials = demo.trials(4, 7)
    clips = [k for k in range(20) if trials[k]["type"] == "stimulus.Clip"]
    assert 0 < len(clips) < 20

    async def of(**given: Any) -> list[int]:
        found = (await client.data(RESPONSES, s=4, i=7, u=2, **given))["unit"]["responses"]
        return [told["trialIdx"] for told in found["trials"] or ()]

    assert await of(at=list(range(20)), type="CLIP") == clips
    assert await of(at=list(range(100)), hash=ORACLE) == [
        k for k in range(100) if trials[k]["condition_hash"] == ORACLE
    ]
    assert await of(type="TRIPPY", at=clips) == []
    assert len(await of(type="TRIPPY")) == 40


async def test_a_hash_is_told_from_one_that_differs_by_case(client: Client, demo: Demo) -> None:
    data = await client.data(PSTH, s=4, i=7, u=2, hash=ORACLE.swapcase())
    nothing = {
        "times": None,
        "mean": None,
        "sem": None,
        "n": None,
        "repeats": 0,
        "reason": "the scan has no such trial",
    }
    assert data["unit"]["psth"] == nothing
    hashes = {trial["condition_hash"] for s, i, _ in UNITS for trial in demo.trials(s, i)}
    pairs = [hash_ for hash_ in hashes if hash_.swapcase() in hashes]
    assert pairs, "the demo has such hashes"
    for hash_ in pairs:
        for s, i, u in UNITS:
            at = [trial["trial_idx"] for trial in demo.trials(s, i) if trial["condition_hash"] == hash_]
            data = await client.data(MEANS, s=s, i=i, u=u, hash=hash_)
            assert data["unit"]["trialMeans"]["trialIdx"] == (at or None)


# --- means -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("align", ["FRAMES", "TIME"])
@pytest.mark.parametrize("key", UNITS)
async def test_a_psth_is_the_mean_of_the_responses(key: Any, align: str, client: Client) -> None:
    place = dict(zip("siu", key, strict=True))
    told = (await client.data(RESPONSES, **place, hash=ORACLE, align=align))["unit"]["responses"]
    found = (await client.data(PSTH, **place, hash=ORACLE, align=align))["unit"]["psth"]
    longest = max(len(trial["values"]) for trial in told["trials"])
    columns = [[t["values"][k] for t in told["trials"] if k < len(t["values"])] for k in range(longest)]
    columns = [[math.nan if v is None else v for v in column] for column in columns]
    assert close(found["mean"], list(map(reference_responses.mean, columns)))
    assert close(found["sem"], list(map(reference_responses.sem, columns)))
    assert found["n"] == [sum(map(math.isfinite, column)) for column in columns]
    assert close(found["times"], told["times"])
    assert (found["repeats"], found["reason"]) == (10, None)


@pytest.mark.parametrize("key", UNITS)
async def test_trial_means_are_those_of_plain_loops(key: Any, client: Client, demo: Demo) -> None:
    s, i, u = key
    trace, trials = demo.trace(*key), demo.trials(s, i)
    means = [
        reference_responses.mean(reference_responses.cut(trace, trial["start_idx"], trial["end_idx"], 0))
        for trial in trials
    ]
    found = (await client.data(MEANS, s=s, i=i, u=u))["unit"]["trialMeans"]
    assert found["trialIdx"] == list(range(len(trials)))
    assert found["conditionHash"] == [trial["condition_hash"] for trial in trials]
    assert close(found["mean"], means)
    assert found["frames"] == [trial["end_idx"] - trial["start_idx"] + 1 for trial in trials]
    monet2 = (await client.data(MEANS, s=s, i=i, u=u, type="MONET2"))["unit"]["trialMeans"]
    assert monet2["trialIdx"] == [trial["trial_idx"] for trial in trials if trial["type"] == "stimulus.Monet2"]
    assert close(monet2["mean"], [means[k] for k in monet2["trialIdx"]])


@pytest.mark.parametrize(("units", "areas"), [(100, None), (2, None), (3, ["V1", "AL"])])
async def test_areas_are_means_over_their_units(
    units: int, areas: list[str] | None, client: Client, demo: Demo
) -> None:
    s, i, k = 7, 4, 33
    trial = demo.trials(s, i)[k]
    members: dict[str, list[int]] = {area: [] for area in areas or ()}
    statement = "SELECT unit_id, brain_area FROM area_membership WHERE (session, scan_idx) = (?, ?) ORDER BY unit_id"
    for row in demo.rows(statement, s, i):
        members.setdefault(row["brain_area"], []).append(row["unit_id"])
    found = (await client.data(AREAS, s=s, i=i, k=k, units=units, areas=areas))["trial"]["areaResponses"]
    assert [area["brainArea"] for area in found] == (areas or sorted(members))
    assert max(len(of) for of in members.values()) == 5
    for area in found:
        of = members[area["brainArea"]]
        taken = of if len(of) <= units else [of[len(of) * k // units] for k in range(units)]
        cuts = [
            reference_responses.cut(demo.trace(s, i, unit), trial["start_idx"], trial["end_idx"], 0) for unit in taken
        ]
        means = list(map(reference_responses.mean, cuts))
        assert (area["n"], area["units"]) == (len(taken), len(of))
        assert close([area["mean"], area["sem"]], [reference_responses.mean(means), reference_responses.sem(means)])


@pytest.mark.parametrize("align", ["FRAMES", "TIME"])
async def test_psths_of_areas_are_means_over_those_of_units(align: str, client: Client, demo: Demo) -> None:
    document = """query ($hash: String!, $areas: [BrainArea!], $units: Int, $align: Alignment) {
      scan(session: 7, scanIdx: 4) {
        units(first: 1000) { nodes { brainArea psth(conditionHash: $hash, align: $align) { times mean } } }
        areaPsths(conditionHash: $hash, areas: $areas, units: $units, align: $align) {
          brainArea times mean sem n units reason } } }"""
    scan = (await client.data(document, hash=ORACLE, areas=["V1", "LM"], units=3, align=align))["scan"]
    assert [area["brainArea"] for area in scan["areaPsths"]] == ["V1", "LM"]
    for area in scan["areaPsths"]:
        of = [unit["psth"] for unit in scan["units"]["nodes"] if unit["brainArea"] == area["brainArea"]]
        taken = of if len(of) <= 3 else [of[len(of) * k // 3] for k in range(3)]
        columns = list(zip(*(psth["mean"] for psth in taken), strict=True))
        assert len(columns) in (63, 64)
        assert close(area["mean"], list(map(reference_responses.mean, columns)))
        assert close(area["sem"], list(map(reference_responses.sem, columns)))
        assert close(area["times"], list(map(reference_responses.mean, zip(*(p["times"] for p in taken), strict=True))))
        assert area["n"] == [len(taken)] * len(columns)
        assert (area["units"], area["reason"]) == (len(of), None)


async def test_areas_of_all_scans_are_those_of_each(client: Client) -> None:
    document = """query ($hash: String!) { condition(hash: $hash) { ... on Clip { trials(first: 300) {
      nodes { session scanIdx trialIdx areaResponses(units: 2) { brainArea mean sem n units reason } } } } } }"""
    trials = (await client.data(document, hash=ORACLE))["condition"]["trials"]["nodes"]
    assert len(trials) == 190
    for trial in trials[::31]:
        place = {"s": trial["session"], "i": trial["scanIdx"], "k": trial["trialIdx"]}
        assert (await client.data(AREAS, **place, units=2))["trial"]["areaResponses"] == trial["areaResponses"]


# --- conditions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("least", "kind"), [(None, None), (2, None), (10, None), (2, "MONET2"), (3, "TRIPPY")])
async def test_conditions_come_as_first_shown(least: int | None, kind: str | None, client: Client, demo: Demo) -> None:
    trials: dict[str, list[Any]] = {}
    for trial in demo.trials(4, 9):
        if kind is None or trial["type"].upper() == f"STIMULUS.{kind}":
            trials.setdefault(trial["condition_hash"], []).append(trial)
    found = (await client.data(CONDITIONS, s=4, i=9, least=least, type=kind))["scan"]["conditions"]
    assert found == [
        {
            "conditionHash": hash_,
            "type": shown[0]["type"].removeprefix("stimulus.").upper(),
            "repeats": len(shown),
            "trialIdx": [trial["trial_idx"] for trial in shown],
            "condition": {"__typename": shown[0]["type"].removeprefix("stimulus.")},
        }
        for hash_, shown in trials.items()
        if len(shown) >= (least or 1)
    ]


async def test_the_published_numbers_of_conditions(client: Client) -> None:
    counts = [len((await client.data(CONDITIONS, s=7, i=4, least=n))["scan"]["conditions"]) for n in (1, 2, 3)]
    assert counts == [280, 136, 6]


# --- what is missing -------------------------------------------------------------------------------

CLIP, GAP = "stimulus.Clip", math.nan
CLOCK = np.arange(10) * 0.5
TRACE = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], np.float32)
TRIALS = [
    (CLIP, 1, 3, 0.6, 1.7, "hash"),
    (CLIP, 8, 10, 4.1, 5.2, "hash"),
    (CLIP, 20, 22, 10.1, 11.2, "late"),
    (CLIP, 2, 2**32 - 1, 1.1, 9e9, "damaged"),
]
HERE = {"s": 1, "i": 2}
UNFIT = "of the trials have no finite start and end, or are too long"
SHORT = "some samples lie beyond the trace or are not finite"


async def asked(folder: Path, scan: Recorded, document: str, **variables: Any) -> Any:
    """One field of a unit of a little scan."""
    async with recorded(folder, scan) as little:
        data = await little.data(document, **HERE, u=1, **variables)
    ((found,),) = (row.values() for row in data.values())
    return found


async def test_frames_beyond_the_recording_are_null(tmp_path: Path) -> None:
    found = await asked(tmp_path, Recorded([TRACE], TRIALS, CLOCK, {1: 100}), RESPONSES, hash="hash")
    assert [trial["values"] for trial in found["trials"]] == [[1, 2, 3], [8, 9, None]]
    assert close(found["trials"][0]["times"], [0.0, 0.5, 1.0])
    assert close(found["trials"][1]["times"], [0.0, 0.5, GAP])
    assert close(found["times"], [0.0, 0.5, 1.0])
    assert found["reason"] == SHORT


async def test_times_beyond_the_recording_are_null(tmp_path: Path) -> None:
    scan = Recorded([TRACE], TRIALS, CLOCK, {1: 100})
    found = await asked(tmp_path, scan, RESPONSES, hash="hash", align="TIME")
    assert close(found["times"], [0.0, 0.5, 1.0])
    assert close(found["trials"][0]["values"], [1, 2, 3], 1e-6)
    assert close(found["trials"][1]["values"], [8, 9, GAP], 1e-6)
    assert found["reason"] == SHORT


async def test_a_mean_leaves_out_what_is_missing(tmp_path: Path) -> None:
    trace = TRACE.copy()
    trace[2] = np.nan
    scan = Recorded([trace], TRIALS[:3], CLOCK)
    (tmp_path / "psth").mkdir()
    psth = await asked(tmp_path / "psth", scan, PSTH, hash="hash")
    assert psth["mean"] == [4.5, 9, 3]
    assert psth["n"] == [2, 1, 1]
    assert close(psth["sem"], [3.5, GAP, GAP])
    means = await asked(tmp_path, scan, MEANS)
    assert means["mean"] == [2, 8.5, None]
    assert means["frames"] == [2, 2, 0]
    assert psth["reason"] == means["reason"] == SHORT


async def test_a_trial_after_the_recording_is_null(tmp_path: Path) -> None:
    found = await asked(tmp_path, Recorded([TRACE], TRIALS, CLOCK), PSTH, hash="late")
    assert found["mean"] == found["times"] == [None, None, None]
    assert (found["n"], found["repeats"], found["reason"]) == ([0, 0, 0], 1, SHORT)


@pytest.mark.parametrize("align", ["FRAMES", "TIME"])
@pytest.mark.parametrize("trace", [TRACE[:0], TRACE * GAP])
async def test_nothing_without_a_reason(trace: Any, align: str, tmp_path: Path) -> None:
    scan = Recorded([trace, TRACE], TRIALS[:1], CLOCK, areas={1: "V1", 2: "LM"})
    document = f"""{{ scan({AT}) {{
      units {{ nodes {{ trialMeans {{ mean frames reason }}
        psth(conditionHash: "hash", align: {align}) {{ mean sem n repeats reason }}
        responses(trialIdx: 0, align: {align}) {{ trials {{ values }} reason }} }} }}
      areaPsths(conditionHash: "hash", align: {align}) {{ brainArea mean n reason }} }} }}"""
    async with recorded(tmp_path, scan) as little:
        scan_ = (await little.data(document))["scan"]
    nothing, whole = scan_["units"]["nodes"]
    assert nothing == {
        "psth": {"mean": [None] * 3, "sem": [None] * 3, "n": [0] * 3, "repeats": 1, "reason": SHORT},
        "trialMeans": {"mean": [None], "frames": [0], "reason": SHORT},
        "responses": {"trials": [{"values": [None] * 3}], "reason": SHORT},
    }
    assert {field["reason"] for field in whole.values()} == {None}
    lm, v1 = scan_["areaPsths"]
    assert v1 == {"brainArea": "V1", "mean": None, "n": None, "reason": SHORT}
    assert (lm["n"], lm["reason"]) == ([1] * 3, None)


async def test_a_mean_that_no_number_holds_has_a_reason(tmp_path: Path) -> None:
    scan = Recorded([np.full(10, 1.7e308)], [TRIALS[0]] * 2, CLOCK)
    document = """query ($s: Int!, $i: Int!, $u: Int!) { unit(session: $s, scanIdx: $i, unitId: $u) {
      psth(conditionHash: "hash") { mean n reason } trialMeans { mean frames reason } } }"""
    async with recorded(tmp_path, scan) as little:
        unit = (await little.data(document, **HERE, u=1))["unit"]
    why = "a mean is larger than a number can be"
    assert unit["psth"] == {"mean": [None] * 3, "n": [2] * 3, "reason": why}
    assert unit["trialMeans"] == {"mean": [None] * 2, "frames": [3] * 2, "reason": why}


async def test_repeats_are_counted_without_a_trace_or_a_clock(tmp_path: Path) -> None:
    scan = Recorded([None, TRACE], TRIALS)
    async with recorded(tmp_path, scan) as little:
        document = f"""{{ scan({AT}) {{ units {{ nodes {{
          psth(conditionHash: "hash", align: TIME) {{ repeats reason }}
          frames: psth(conditionHash: "hash") {{ repeats reason }} }} }} }} }}"""
        units = (await little.data(document))["scan"]["units"]["nodes"]
    unclocked = {"repeats": 2, "reason": "the scan has no frame times"}
    assert [unit["psth"] for unit in units] == [unclocked] * 2
    untraced = {"repeats": 2, "reason": "the unit has no activity trace"}
    assert [unit["frames"] for unit in units] == [untraced, {**unclocked, "reason": f"{unclocked['reason']}; {SHORT}"}]


@pytest.mark.parametrize(
    ("scan", "given", "reason"),
    [
        (Recorded([None], TRIALS, CLOCK), {"hash": "hash"}, "the unit has no activity trace"),
        (Recorded([TRACE], TRIALS, CLOCK), {"hash": "HASH"}, "the scan has no such trial"),
        (Recorded([TRACE], TRIALS, CLOCK), {"hash": "x" * 5000}, "the scan has no such trial"),
        (Recorded([TRACE], (), CLOCK), {"type": "CLIP"}, "the scan has no such trial"),
        (Recorded([TRACE], TRIALS, CLOCK), {"at": [-1, 77]}, "the scan has no such trial"),
        (Recorded([TRACE], TRIALS, CLOCK), {"hash": "damaged"}, f"1 {UNFIT}"),
        (Recorded([TRACE], TRIALS, CLOCK), {"hash": "damaged", "align": "TIME"}, f"1 {UNFIT}"),
        (Recorded([TRACE], TRIALS, CLOCK[:1]), {"at": [0], "align": "TIME"}, "the scan has fewer than two frame times"),
        (Recorded([TRACE], TRIALS), {"hash": "hash", "align": "TIME"}, "the scan has no frame times"),
        (
            Recorded([TRACE], TRIALS, np.zeros(10)),
            {"hash": "hash", "align": "TIME"},
            "the frame times don't increase",
        ),
    ],
)
async def test_there_is_a_reason_where_nothing_is(scan: Recorded, given: Any, reason: str, tmp_path: Path) -> None:
    found = await asked(tmp_path, scan, RESPONSES, **given)
    assert found == {"times": None, "trials": None, "reason": reason}


@pytest.mark.parametrize("align", ["FRAMES", "TIME"])
@pytest.mark.parametrize("long", [(2, 200_000, 1.1, 1e5), (2, 2**32 - 1, 1.1, 9e9), (2, 1000, 1.1, 500)])
async def test_a_damaged_trial_leaves_the_others_alone(long: Any, align: str, tmp_path: Path) -> None:
    trials = [*[(CLIP, 1, 3, 0.6, 1.7, "hash")] * 700, (CLIP, *long, "hash")]
    scan = Recorded([TRACE] * 3, trials, CLOCK, {1: 100, 2: 100, 3: 100})
    async with recorded(tmp_path, scan) as little:
        document = f"""{{ scan({AT}) {{ units {{ nodes {{
          responses(type: CLIP, align: {align}) {{ times reason trials {{ trialIdx times values }} }}
          psth(conditionHash: "hash", align: {align}) {{ mean n repeats reason }} }} }} }} }}"""
        units = (await little.data(document))["scan"]["units"]["nodes"]
    for unit in units:
        told, psth = unit["responses"], unit["psth"]
        assert told["reason"] == psth["reason"] == f"1 {UNFIT}"
        assert told["trials"][-1] == {"trialIdx": 700, "times": None, "values": None}
        assert len(told["trials"]) == 701
        assert close(told["trials"][0]["values"], [1, 2, 3], 1e-6)
        assert close(told["times"], [0.0, 0.5, 1.0])
        assert close(psth["mean"], [1, 2, 3], 1e-6)
        assert (psth["n"], psth["repeats"]) == ([700] * 3, 701)


async def test_a_trace_may_be_shorter_than_a_trial(tmp_path: Path) -> None:
    found = await asked(tmp_path, Recorded([TRACE[:2]], TRIALS, CLOCK), RESPONSES, at=[0])
    assert found["trials"][0]["values"] == [1, None, None]


async def test_some_trials_are_missing(tmp_path: Path) -> None:
    found = await asked(tmp_path, Recorded([TRACE], TRIALS, CLOCK), RESPONSES, at=[99, 0, 5])
    assert [trial["trialIdx"] for trial in found["trials"]] == [0]
    assert found["reason"] == "no such trials: 5, 99"


@pytest.mark.parametrize("clock", [None, np.full(10, np.nan)])
async def test_frames_are_cut_without_a_clock(clock: Any, tmp_path: Path) -> None:
    found = await asked(tmp_path, Recorded([TRACE], TRIALS, clock), RESPONSES, at=[0])
    assert found["trials"][0]["values"] == [1, 2, 3]
    assert found["trials"][0]["times"] == found["times"] == [None, None, None]
    assert "frame times" in found["reason"]


async def test_a_trace_and_a_clock_may_differ_in_length(tmp_path: Path) -> None:
    found = await asked(tmp_path, Recorded([TRACE], TRIALS, CLOCK[:3]), RESPONSES, at=[0])
    assert found["trials"][0]["values"] == [1, 2, 3]
    assert close(found["trials"][0]["times"], [-0.1, 0.4, GAP])


async def test_an_error_stays_with_its_unit(tmp_path: Path) -> None:
    document = f"""{{ scan({AT}) {{ units {{ nodes {{ unitId psth(conditionHash: "hash") {{ mean }} }} }}
      areaPsths(conditionHash: "hash") {{ brainArea mean n units reason }}
      trials(first: 1) {{ nodes {{ areaResponses {{ brainArea mean n units reason }} }} }} }} }}"""
    areas = {1: "V1", 2: "V1", 3: "LM"}
    async with recorded(tmp_path, Recorded([TRACE, b"wrong", None], TRIALS[:2], CLOCK, areas=areas)) as little:
        answer = await little.answer(document)
    first, second, third = answer["data"]["scan"]["units"]["nodes"]
    assert first["psth"] == {"mean": [4.5, 5.5, 3]}
    assert second["psth"] is None
    assert third["psth"] == {"mean": None}
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "BLOB_CORRUPT"
    assert error["path"] == ["scan", "units", "nodes", 1, "psth"]
    lost = "1 of the units can't be read"
    assert answer["data"]["scan"]["areaPsths"] == [
        {"brainArea": "LM", "mean": None, "n": None, "units": 1, "reason": "the unit has no activity trace"},
        {"brainArea": "V1", "mean": [4.5, 5.5, 3], "n": [1, 1, 1], "units": 2, "reason": f"{SHORT}; {lost}"},
    ]
    (trial,) = answer["data"]["scan"]["trials"]["nodes"]
    assert trial["areaResponses"] == [
        {
            "brainArea": "LM",
            "mean": None,
            "n": 0,
            "units": 1,
            "reason": "no unit of the area has a response to the trial",
        },
        {"brainArea": "V1", "mean": 2, "n": 1, "units": 2, "reason": lost},
    ]


async def test_a_damaged_clock_troubles_those_of_its_scan_who_ask_for_it(tmp_path: Path) -> None:
    rows = Recorded([TRACE], TRIALS_OF_3, b"wrong", areas={1: "V1"}).rows()
    for table, others in Recorded([TRACE], TRIALS_OF_3, CLOCK, areas={1: "V1"}).rows().items():
        rows[table] += [{**row, "scan_idx": 3} for row in others]
    document = """{ scans { nodes { scanIdx
      areaPsths(conditionHash: "hash") { n reason }
      trials(first: 1) { nodes { areaResponses { mean n reason } } }
      units { nodes { unitId trialMeans { mean frames reason } psth(conditionHash: "hash") { n }
        frames: responses(type: CLIP) { reason } times: responses(type: CLIP, align: TIME) { reason }
        oracleComputed { reason } } } } } }"""
    async with little_store(tmp_path, rows) as store:
        answer = await Asked(store).answer(document)
    damaged, other = answer["data"]["scans"]["nodes"]
    means = {"mean": [2, 2], "frames": [3, 3], "reason": None}
    (lost,), (fine,) = (scan.pop("units")["nodes"] for scan in (damaged, other))
    assert lost == {
        "unitId": 1,
        "trialMeans": means,
        **dict.fromkeys(("psth", "frames", "times", "oracleComputed")),
    }
    assert (fine["trialMeans"], fine["psth"]) == (means, {"n": [2, 2, 2]})
    assert None not in fine.values()
    for scan in (damaged, other):
        (trial,) = scan["trials"]["nodes"]
        assert trial["areaResponses"] == [{"mean": 2, "n": 1, "reason": None}]
    assert damaged["areaPsths"][0]["reason"].endswith("1 of the units can't be read")
    assert other["areaPsths"] == [{"n": [1, 1, 1], "reason": None}]
    where = {"code": "BLOB_CORRUPT", "table": "scan_times", "column": "frame_times", "key": PLACE}
    assert [error["extensions"] for error in answer["errors"]] == [where] * 4


async def test_an_area_that_a_scan_lacks(tmp_path: Path) -> None:
    scan = Recorded([TRACE], TRIALS[:1], CLOCK, areas={1: "V1"})
    async with recorded(tmp_path, scan) as little:
        found = (await little.data(AREAS, **HERE, k=0, areas=["RL"]))["trial"]["areaResponses"]
    why = "no unit of the area has a response to the trial"
    assert found == [{"brainArea": "RL", "mean": None, "sem": None, "n": 0, "units": 0, "reason": why}]


# --- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "code", "named"),
    [
        ("units(first: 1) { nodes { responses { times } } }", "BAD_USER_INPUT", "conditionHash"),
        ("units(first: 1) { nodes { responses(align: TIME, type: null) { times } } }", "BAD_USER_INPUT", "type"),
        ("conditions(minRepeats: 0) { repeats }", "BAD_USER_INPUT", "minRepeats"),
        ("trials(first: 1) { nodes { areaResponses(units: 0) { n } } }", "BAD_USER_INPUT", "units"),
        ("trials(first: 1) { nodes { areaResponses(units: 1001) { n } } }", "BAD_USER_INPUT", "units"),
        ("units(first: 1) { nodes { psth { n } } }", "GRAPHQL_VALIDATION_FAILED", "conditionHash"),
        (
            f"units(first: 1) {{ nodes {{ responses(trialIdx: {list(range(1001))}) {{ times }} }} }}",
            "LIMIT_EXCEEDED",
            "list_values",
        ),
    ],
)
async def test_nonsense_is_refused(field: str, code: str, named: str, sqlite_client: Client) -> None:
    error = await sqlite_client.error(f"{{ scan(session: 4, scanIdx: 7) {{ {field} }} }}")
    assert error["extensions"]["code"] == code
    assert named in error["message"]


TRIALS_OF_3 = [(CLIP, 1, 3, 0.6, 1.7, "hash")] * 2


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("units { nodes { responses(type: CLIP) { times } } }", 2 * (2 * 2 * 3 + 3)),
        ("units { nodes { responses(type: CLIP, align: TIME) { times } } }", 2 * (2 * 2 * 3 + 3)),
        ('units { nodes { psth(conditionHash: "hash") { mean } } }', 2 * 4 * 3),
        ("units { nodes { trialMeans(type: CLIP) { mean } } }", 2 * 4 * 2),
        ('areaPsths(conditionHash: "hash") { mean }', 4 * 3),
        ("trials { nodes { areaResponses { mean } } }", 2 * 4),
        ("conditions { repeats }", 2),
    ],
)
async def test_every_number_counts(field: str, values: int, tmp_path: Path) -> None:
    scan = Recorded([TRACE] * 2, TRIALS_OF_3, CLOCK, areas={1: "V1", 2: "V1"})
    document = f"{{ scan({AT}) {{ {field} }} }}"
    async with little_store(tmp_path, scan.rows()) as store:
        async with serving(store, limits=Limits(operation_values=values)) as client:
            await client.data(document)
        async with serving(store, limits=Limits(operation_values=values - 1)) as client:
            answer = await client.answer(document)
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"ARRAY_TOO_LARGE"}
    assert not any("use href" in error["message"] for error in answer["errors"])  # these have none


async def test_a_number_given_again_is_no_trial_more(sqlite_client: Client) -> None:
    found = (await sqlite_client.data(RESPONSES, s=4, i=7, u=2, at=[1] * 1001))["unit"]["responses"]
    assert [told["trialIdx"] for told in found["trials"]] == [1]


async def test_so_many_traces_are_averaged_at_once(sqlite_store: SqlStore) -> None:
    document = "{ trial(session: 4, scanIdx: 7, trialIdx: 0) { areaResponses(units: 5) { n } } }"
    async with serving(sqlite_store, limits=Limits(page_max=7)) as client:
        error = await client.error(document)
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "limit": "page_max", "maximum": 7}


async def test_rows_below_a_trial_cost_as_often_as_there_are_trials(sqlite_client: Client) -> None:
    below = "scan { units(first: 10000) { nodes { unitId } } }"
    document = f"{{ units(first: 100) {{ nodes {{ responses(type: CLIP) {{ trials {{ trial {{ {below} }} }} }} }} }} }}"
    error = await sqlite_client.error(document)
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert error["extensions"]["limit"] == "objects"


# --- how -------------------------------------------------------------------------------------------

DOCUMENTS = [
    f'units(first: 40) {{ nodes {{ unitId responses(conditionHash: "{ORACLE}") {{ times reason '
    "trials { trialIdx times values trial { id type } } } } }",
    f'units(first: 9, orderBy: [{{field: UM_X}}]) {{ nodes {{ psth(conditionHash: "{ORACLE}", align: TIME) '
    "{ times mean sem n repeats reason } trialMeans(type: TRIPPY) { trialIdx conditionHash mean frames reason } } }",
    "units(first: 2) { nodes { responses { times } scan { conditions(minRepeats: -1) { repeats } } } }",
    "scans { nodes { conditions(minRepeats: 3) { conditionHash type repeats condition { ... on Clip { id } } } } }",
    f'scans {{ nodes {{ areaPsths(conditionHash: "{ORACLE}", units: 2) '
    "{ brainArea times mean sem n units reason } } }",
    f'condition(hash: "{ORACLE}") {{ ... on Clip {{ trials {{ nodes {{ areaResponses(units: 2) '
    "{ brainArea mean sem n units reason } } } } }",
]


@pytest.mark.parametrize("document", DOCUMENTS)
async def test_a_plan_answers_alike(document: str, sqlite_store: SqlStore) -> None:
    agreement = Agreement(sqlite_store)
    await agreement.check(Case(f"{{ {document} }}", {}))


async def test_units_of_a_page_are_one_pass_and_then_remembered(store: SqlStore, statements: Statements) -> None:
    document = "query ($n: Int!) { scan(session: 4, scanIdx: 7) { units(first: $n) { nodes { %s } } } }"
    fields = f'psth(conditionHash: "{ORACLE}") {{ mean }} responses(trialIdx: 4) {{ times }}'
    async with serving(store) as client:
        await client.data("{ scans { totalCount } }")
        counts = []
        for n in (1, 20, 20):
            statements.clear()
            await client.data(document % fields, n=n)
            counts.append(sum("activity" in statement for statement in statements))
    assert counts[0] == counts[1] > counts[2] == 0


async def test_what_the_recording_tells_takes_no_trace(store: SqlStore, statements: Statements) -> None:
    fields = """psth(conditionHash: "none") { repeats reason } responses(trialIdx: 9999) { reason }
      other: psth(conditionHash: "other", align: TIME) { n reason }"""
    async with serving(store) as client:
        await client.data("{ scan(session: 4, scanIdx: 7) { conditions { repeats } } }")
        statements.clear()
        data = await client.data(
            f"{{ scan(session: 4, scanIdx: 7) {{ units(first: 50) {{ nodes {{ {fields} }} }} }} }}"
        )
    for unit in data["scan"]["units"]["nodes"]:
        assert {field["reason"] for field in unit.values()} == {"the scan has no such trial"}
    assert not any("activity" in statement for statement in statements)


async def test_units_computed_a_few_at_a_time_answer_alike(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = f'{{ units(first: 30) {{ nodes {{ psth(conditionHash: "{ORACLE}") {{ mean n }} }} }} }}'
    answers = []
    for together, held in ((traces.TOGETHER, loaders.HELD_BYTES), (4, 300_000)):
        monkeypatch.setattr(traces, "TOGETHER", together)
        monkeypatch.setattr(loaders, "HELD_BYTES", held)
        async with serving(sqlite_store) as client:
            answers.append(await client.data(document))
    assert answers[0] == answers[1]
