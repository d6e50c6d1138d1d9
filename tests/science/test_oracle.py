"""Sampling, the oracle score and the raster: against plain loops, upstream's numbers, and laws."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from gql_nda.science import oracle

from . import reference, reference_raster
from .golden import golden

Floats = NDArray[np.float64]

numbers = st.floats(-100, 100, width=32)


@st.composite
def condition(draw: st.DrawFn, units: int) -> Floats:
    shape = (units, draw(st.integers(3, 5)), draw(st.integers(1, 6)))
    return draw(hnp.arrays(float, shape, elements=numbers))


conditions = st.integers(1, 3).flatmap(lambda units: st.lists(condition(units), min_size=1, max_size=3))


# --- the score -------------------------------------------------------------------------------------


@given(conditions)
def test_the_score_is_that_of_the_plain_formula(responses: list[Floats]) -> None:
    expected = [reference.oracle_score([c[u].tolist() for c in responses]) for u in range(len(responses[0]))]
    np.testing.assert_allclose(oracle.oracle_score(responses), expected, atol=1e-6)


@given(conditions, st.randoms(use_true_random=False))
def test_the_order_of_repeats_and_conditions_does_not_matter(responses: list[Floats], random: Any) -> None:
    turned = [c[:, random.sample(range(c.shape[1]), c.shape[1])] for c in responses]
    random.shuffle(turned)
    np.testing.assert_allclose(oracle.oracle_score(turned), oracle.oracle_score(responses), atol=1e-6)


@given(conditions)
def test_a_unit_scores_alone_what_it_scores_among_others(responses: list[Floats]) -> None:
    together = oracle.oracle_score(responses)
    alone = [oracle.oracle_score([c[u : u + 1] for c in responses])[0] for u in range(len(responses[0]))]
    np.testing.assert_allclose(together, alone, atol=1e-9)


@given(conditions)
def test_a_score_is_a_correlation(responses: list[Floats]) -> None:
    assert np.all(np.abs(oracle.oracle_score(responses)) <= 1)


def test_a_perfectly_reliable_unit_scores_one_but_for_the_estimator() -> None:
    trial = np.sin(np.arange(50))
    n = 10 * 50
    assert oracle.oracle_score([np.tile(trial, (1, 10, 1))])[0] == pytest.approx((n - 1) / n, abs=1e-6)


def test_a_constant_unit_scores_nothing() -> None:
    assert oracle.oracle_score([np.full((2, 3, 7), 0.1)]).tolist() == pytest.approx([0, 0], abs=1e-6)


def test_conditions_shown_less_than_three_times_are_left_out() -> None:
    often, twice = np.arange(24.0).reshape(2, 3, 4) % 7, np.arange(16.0).reshape(2, 2, 4) % 3
    assert oracle.oracle_score([often, twice]).tolist() == oracle.oracle_score([often]).tolist()
    assert np.isnan(oracle.oracle_score([twice])).tolist() == [True, True]
    assert oracle.oracle_score([]).shape == (0,)


def test_responses_without_samples_have_no_score() -> None:
    assert np.isnan(oracle.oracle_score([np.zeros((1, 3, 0))])).all()


def test_a_score_worked_out_by_hand() -> None:
    """Repeats 0 1, 0 1, 1 0: data 0 1 0 1 1 0 against 0.5 0.5, 0.5 0.5, 0 1: covariance -1/12."""
    responses = np.array([[[0.0, 1], [0, 1], [1, 0]]])
    r = (-1 / 12) / (0.5 * np.sqrt(1 / 12))
    assert oracle.oracle_score([responses])[0] == pytest.approx(r * 5 / 6, abs=1e-6)


def test_upstream_scores() -> None:
    known = golden("golden_examples.json")["oracle_score"]
    responses = [np.moveaxis(np.array(clip), 2, 0) for clip in known["clips"]]
    np.testing.assert_allclose(oracle.oracle_score(responses), known["score_pipeline"], rtol=1e-12)


# --- sampling --------------------------------------------------------------------------------------


def test_repeats_are_sampled_evenly_and_cut_to_the_shortest() -> None:
    times = oracle.sample_times([10.0, 30.0], [20.0, 39.8], 6.3009)
    assert times.shape == (2, 62)
    np.testing.assert_allclose(times[0], reference.spaced(10, 20, 63)[:62])
    np.testing.assert_allclose(times[1], reference.spaced(30, 39.8, 62))


def test_no_repeats_and_repeats_of_no_length_give_no_samples() -> None:
    assert oracle.sample_times([], [], 6.3).shape == (0, 0)
    assert oracle.sample_times([5.0, 6.0], [5.0, 9.0], 6.3).shape == (2, 0)


@pytest.mark.parametrize(("fps", "count"), [(6.3009, 63), (8.61754, 86)])
def test_a_clip_has_its_published_number_of_samples(fps: float, count: int) -> None:
    assert oracle.sample_count(0, 9.9665, fps) == count


# --- the score of traces ---------------------------------------------------------------------------

FPS = 6.0
CLIP = 2.0
SHOWN = list("abxabaybabxba")
"""Condition of each trial, 2.5 s apart: a and b often enough, x and y not."""


def trials_of(hashes: list[str], clip: float = CLIP) -> oracle.Trials:
    starts = 1 + 2.5 * np.arange(len(hashes))
    return oracle.Trials(range(len(hashes)), hashes, starts, starts + clip)


def recording(units: int, seconds: float = 40, seed: int = 3) -> tuple[Any, Floats, NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    frames = np.arange(round(seconds * 6.2)) / 6.2
    return rng.gamma(1, 2, (units, len(frames))).astype(np.float32), frames, rng.integers(0, 155, units)


def plain_score(trace: list[float], frames: list[float], delay: float, trials: oracle.Trials) -> float:
    """The score of one unit in plain loops: sampled at the nominal rate, cut to the shortest repeat."""
    starts, ends = np.ravel(trials.starts).tolist(), np.ravel(trials.ends).tolist()
    conditions = []
    for name in sorted(set(trials.hashes)):
        at = [i for i, h in enumerate(trials.hashes) if h == name]
        grids = [reference.spaced(starts[i], ends[i], round(FPS * (ends[i] - starts[i]))) for i in at]
        shortest = min(map(len, grids))
        conditions.append([reference.sample(trace, frames, delay, grid[:shortest]) for grid in grids])
    return reference.oracle_score(conditions)


def test_scores_of_traces_are_those_of_the_plain_formula() -> None:
    traces, frames, delays = recording(5)
    starts = np.ravel(trials_of(SHOWN).starts)
    trials = trials_of(SHOWN)._replace(ends=starts + CLIP + np.arange(len(SHOWN)) % 3 * 0.1)
    found = oracle.scores(traces, frames, delays, trials, FPS)
    expected = [
        plain_score(t, frames.tolist(), d, trials) for t, d in zip(traces.tolist(), delays.tolist(), strict=True)
    ]
    np.testing.assert_allclose(found.pearson, expected, atol=1e-6)
    assert found.trials == 10
    assert found.reasons == [None] * 5


@given(st.permutations(range(len(SHOWN))), st.floats(0.5, 20), st.floats(-10, 10))
def test_scores_follow_no_order_scale_or_offset(order: list[int], scale: float, offset: float) -> None:
    traces, frames, delays = recording(3)
    trials = trials_of(SHOWN)
    starts, ends = np.asarray(trials.starts)[order], np.asarray(trials.ends)[order]
    turned = oracle.Trials(order, [SHOWN[i] for i in order], starts, ends)
    found = oracle.scores(traces, frames, delays, trials, FPS).pearson
    moved = oracle.scores(traces.astype(float) * scale + offset, frames, delays, turned, FPS).pearson
    np.testing.assert_allclose(found, moved, atol=1e-6)


def test_scores_of_many_units_are_those_of_each() -> None:
    traces, frames, delays = recording(oracle._PORTION + 3)
    found = oracle.scores(traces, frames, delays, trials_of(SHOWN), FPS).pearson
    for u in (0, oracle._PORTION - 1, oracle._PORTION, oracle._PORTION + 2):
        alone = oracle.scores(traces[u : u + 1], frames, delays[u : u + 1], trials_of(SHOWN), FPS).pearson
        np.testing.assert_allclose(found[u], alone[0], rtol=1e-12)


def test_a_constant_trace_however_large_scores_nothing() -> None:
    _, frames, delays = recording(3)
    traces = np.repeat([[0.0], [1 / 3], [1e12 / 3]], len(frames), axis=1)
    found = oracle.scores(traces, frames, delays, trials_of(SHOWN), FPS)
    assert found.pearson.tolist() == pytest.approx([0, 0, 0], abs=1e-3)
    assert found.reasons == [None] * 3


def test_units_without_a_score_are_told_why() -> None:
    traces, frames, _ = recording(4)
    traces[1, 30] = np.nan
    traces[2, 30] = np.inf
    traces[3, -1] = np.nan  # after the last trial
    found = oracle.scores(traces, frames, [0, 0, 0, 0], trials_of(SHOWN), FPS)
    assert np.isnan(found.pearson).tolist() == [False, True, True, False]
    assert found.reasons == [None, *["the trace holds values that are not finite, or too large"] * 2, None]


def test_a_unit_whose_delay_puts_a_trial_outside_has_no_score() -> None:
    traces, frames, _ = recording(2)
    trials = trials_of(SHOWN)
    trials = trials._replace(starts=np.ravel(trials.starts) - 0.95, ends=np.ravel(trials.ends) - 0.95)
    found = oracle.scores(traces, frames, [0, 100], trials, FPS)
    assert found.reasons == [None, "a trial reaches beyond the unit's trace"]
    assert np.isnan(found.pearson).tolist() == [False, True]


def test_a_trace_shorter_than_the_trials_has_no_score() -> None:
    traces, frames, delays = recording(2)
    for short in (traces[:, :100], traces[:, :1], traces[:, :0]):
        found = oracle.scores(short, frames, delays, trials_of(SHOWN), FPS)
        assert np.isnan(found.pearson).all()
        assert found.reasons == ["a trial reaches beyond the unit's trace"] * 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"hashes": list("abcdefghijklm")}, "no condition was shown 3 times"),
        ({"ends": np.full(len(SHOWN), np.nan)}, "a trial has no finite start and end"),
        ({"ends": np.full(len(SHOWN), 1e9)}, "a trial is longer than the recording"),
        ({"ends": np.zeros(len(SHOWN))}, "the shortest repeats hold fewer than two samples"),
    ],
)
def test_scans_without_scores_are_told_why(change: Any, reason: str) -> None:
    traces, frames, delays = recording(2)
    found = oracle.scores(traces, frames, delays, trials_of(SHOWN)._replace(**change), FPS)
    assert np.isnan(found.pearson).all()
    assert found.reasons == [reason] * 2


def test_a_recording_of_one_frame_and_one_of_no_units() -> None:
    found = oracle.scores(np.zeros((1, 1)), [0.0], [0], trials_of(SHOWN), FPS)
    assert found.reasons == ["the scan has fewer than two frame times"]
    traces, frames, _ = recording(1)
    assert oracle.scores(traces[:0], frames, [], trials_of(SHOWN), FPS).pearson.shape == (0,)


def test_hashes_that_differ_by_case_are_different_conditions() -> None:
    traces, frames, delays = recording(1)
    found = oracle.scores(traces, frames, delays, trials_of(["a", "A"] * 3), FPS)
    expected = plain_score(traces[0].tolist(), frames.tolist(), int(delays[0]), trials_of(["a", "A"] * 3))
    assert found.pearson[0] == pytest.approx(expected, abs=1e-6)


# --- the raster ------------------------------------------------------------------------------------

BLOCKS = list("fBaCgCBafaCBh")
"""Three blocks of a, B and C, never twice in one order, among others."""


def test_blocks_hold_each_clip_once_in_falling_order_whatever_the_case() -> None:
    found = oracle.oracle_blocks(range(20, 20 + len(BLOCKS)), BLOCKS, repeats=3)
    assert found.clips == ["C", "B", "a"] == reference_raster.clip_order(["a", "B", "C"])
    assert found.trials.tolist() == [[3, 1, 2], [5, 6, 7], [10, 11, 9]]
    assert found.reason is None


@given(st.permutations(range(len(BLOCKS))))
def test_trials_may_come_in_any_order(order: list[int]) -> None:
    found = oracle.oracle_blocks(order, [BLOCKS[i] for i in order], repeats=3)
    assert np.array(order)[found.trials].tolist() == [[3, 1, 2], [5, 6, 7], [10, 11, 9]]


@pytest.mark.parametrize(
    ("hashes", "reason"),
    [
        ("abcabc", "no condition was shown 3 times"),
        ("", "no condition was shown 3 times"),
        ("aBCaBfCaBC", "repeat 2 of the oracle clips is no block of 3 trials in a row"),
        ("aaaBBBCCC", "repeat 1 of the oracle clips is no block of 3 trials in a row"),
    ],
)
def test_without_blocks_there_is_a_reason(hashes: str, reason: str) -> None:
    found = oracle.oracle_blocks(range(len(hashes)), list(hashes), repeats=3)
    assert (found.clips, found.reason) == ([], reason)
    shown = oracle.raster(*recording(2), trials_of(list(hashes)), FPS, repeats=3)
    assert shown.reasons == [reason] * 2
    assert (shown.clips, shown.raw.shape, shown.normalized.shape) == ([], (2, 0, 0, 0), (2, 0, 0, 0))


def test_a_trace_too_large_to_be_squared_has_no_score() -> None:
    traces, frames, delays = recording(2)
    found = oracle.scores([traces[0], traces[1].astype(float) * 1e300], frames, delays, trials_of(BLOCKS), FPS)
    assert np.isfinite(found.pearson).tolist() == [True, False]
    assert found.reasons == [None, "the trace holds values that are not finite, or too large"]


@pytest.mark.parametrize(
    ("hashes", "clips", "reason"),
    [
        (
            "z....aBC....z....BCa....z....CaB",
            "CBa",
            "1 conditions shown 3 times stand outside the blocks of oracle clips",
        ),
        ("aBCd..BCad..CaB", "CBa", None),
        ("aBCd..BCad..daCB..d", "CBa", "d beside 3 of the blocks was not shown 3 times"),
        ("a.....a.....a", "a", None),
    ],
)
def test_what_looks_like_an_oracle_clip_is_told(hashes: str, clips: str, reason: str | None) -> None:
    named = [f".{i}" if h == "." else h for i, h in enumerate(hashes)]
    found = oracle.oracle_blocks(range(len(named)), named, repeats=3)
    assert (found.clips, found.reason) == (list(clips), reason)
    assert ["".join(sorted(named[i] for i in block)) for block in found.trials] == ["".join(sorted(clips))] * 3
    shown = oracle.raster(*recording(2), trials_of(named), FPS, repeats=3)
    assert shown.clips == list(clips)
    assert all((told or "").startswith(reason or "") for told in shown.reasons)


def plain_raster(traces: Any, frames: Floats, delays: Any, trials: oracle.Trials) -> Floats:
    """The raw raster in plain loops, from the blocks as they were written down."""
    columns = zip(trials.hashes, np.ravel(trials.starts).tolist(), np.ravel(trials.ends).tolist(), strict=True)
    rows = [{"condition_hash": h, "start_frame_time": s, "end_frame_time": e} for h, s, e in columns]
    blocks = [rows[1:4], rows[5:8], rows[9:12]]
    raw = [
        [reference_raster.raw(trace, frames.tolist(), delay, block, FPS) for block in blocks]
        for trace, delay in zip(traces.tolist(), np.ravel(delays).tolist(), strict=True)
    ]
    return np.array(raw)


@pytest.mark.parametrize("less", [0.0, 0.3])
def test_a_raster_is_that_of_the_plain_formula(less: float) -> None:
    """Clips of one length, and clips of unequal ones: these are padded."""
    traces, frames, delays = recording(4)
    trials = trials_of(BLOCKS)
    trials = trials._replace(ends=np.ravel(trials.ends) - np.array([0, less, 0])[np.array(list(map(ord, BLOCKS))) % 3])
    found = oracle.raster(traces, frames, delays, trials, FPS, repeats=3)
    raw = plain_raster(traces, frames, delays, trials)
    normalized = [[reference_raster.normalized(repeat) for repeat in unit] for unit in raw.tolist()]
    np.testing.assert_allclose(found.raw, raw, atol=1e-9)
    np.testing.assert_allclose(found.normalized, normalized, atol=1e-9)
    assert found.raw.shape == (4, 3, 3, 12)
    assert np.isnan(found.raw).any() == (less > 0)
    assert found.times[1, 0, 0] == np.ravel(trials.starts)[5]
    assert found.reasons == [None] * 4


@given(st.floats(0.1, 10), st.floats(-5, 5))
def test_a_normalised_raster_knows_no_scale_or_offset(scale: float, offset: float) -> None:
    traces, frames, delays = recording(2)
    found = oracle.raster(traces, frames, delays, trials_of(BLOCKS), FPS, repeats=3)
    moved = oracle.raster(traces.astype(float) * scale + offset, frames, delays, trials_of(BLOCKS), FPS, repeats=3)
    np.testing.assert_allclose(moved.normalized, found.normalized, atol=1e-9)
    assert found.normalized.min(axis=(2, 3)).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert found.normalized.max(axis=(2, 3)).tolist() == [[1, 1, 1], [1, 1, 1]]


def test_a_repeat_without_change_is_told_and_not_normalised() -> None:
    traces, frames, _ = recording(2)
    traces[1, (frames > 3) & (frames < 11.5)] = 4
    found = oracle.raster(traces, frames, [0, 0], trials_of(BLOCKS), FPS, repeats=3)
    assert np.isnan(found.normalized[1]).all(axis=(1, 2)).tolist() == [True, False, False]
    assert (found.raw[1, 0] == 4).all()
    assert found.reasons == [None, "repeats without any change can't be normalised"]


def test_samples_beyond_the_recording_are_unknown_and_the_rest_is_normalised() -> None:
    traces, frames, _ = recording(3)
    some = frames < np.ravel(trials_of(BLOCKS).starts)[10]
    traces[1, 40] = np.inf
    found = oracle.raster(traces[:, some], frames, [0, 0, 0], trials_of(BLOCKS), FPS, repeats=3)
    assert np.isnan(found.raw[0, 2]).all(axis=1).tolist() == [True, True, False]
    assert np.nanmax(found.normalized[0, 2]) == 1
    assert np.isnan(found.raw[1]).sum() > np.isnan(found.raw[0]).sum()
    assert found.reasons == ["some samples lie beyond the trace or are not finite"] * 3
    gone = oracle.raster(traces[:, :0], frames, [0, 0, 0], trials_of(BLOCKS), FPS, repeats=3)
    assert np.isnan(gone.raw).all()
    assert np.isnan(gone.normalized).all()


def test_trials_that_make_no_sense_have_no_raster() -> None:
    trials = trials_of(BLOCKS)._replace(ends=np.full(len(BLOCKS), 1e9))
    assert oracle.raster(*recording(1), trials, FPS, repeats=3).reasons == ["a trial is longer than the recording"]
    empty = trials_of(BLOCKS)._replace(ends=np.zeros(len(BLOCKS)))
    assert oracle.raster(*recording(1), empty, FPS, repeats=3).raw.shape == (1, 3, 3, 0)
    traces, frames, _ = recording(1)
    assert oracle.raster(traces[:0], frames, [], trials_of(BLOCKS), FPS, repeats=3).raw.shape == (0, 3, 3, 12)


def test_upstream_raster() -> None:
    known = golden("golden_examples.json")["oracle_raster"]
    columns = (
        [t[name] for t in known["trials"]]
        for name in ("trial_idx", "condition_hash", "start_frame_time", "end_frame_time")
    )
    found = oracle.raster(
        [known["trace"]], known["frame_times"], [known["ms_delay"]], oracle.Trials(*columns), known["fps"], repeats=3
    )
    assert found.clips == known["clip_order"]
    np.testing.assert_allclose(found.raw[0], known["raw"], atol=1e-6)
    np.testing.assert_allclose(found.normalized[0], known["normalized"], atol=1e-6)
    assert found.reasons == [None]


@given(hnp.arrays(float, (2, 248), elements=st.floats(), fill=st.floats()))
def test_whatever_traces_hold_is_scored_and_shown_or_told(traces: Floats) -> None:
    """Warnings are errors here."""
    _, frames, delays = recording(2)
    scores = oracle.scores(traces, frames, delays, trials_of(SHOWN), FPS)
    assert [reason is None for reason in scores.reasons] == np.isfinite(scores.pearson).tolist()
    shown = oracle.raster(traces, frames, delays, trials_of(BLOCKS), FPS, repeats=3)
    assert [reason is None for reason in shown.reasons] == np.isfinite(shown.normalized).all(axis=(1, 2, 3)).tolist()


def test_the_axes_of_a_raster_are_known_without_traces() -> None:
    traces, frames, delays = recording(1)
    found = oracle.layout(trials_of(BLOCKS), frames, FPS, repeats=3)
    shown = oracle.raster(traces, frames, delays, trials_of(BLOCKS), FPS, repeats=3)
    assert (found.clips, found.reason) == (shown.clips, None)
    np.testing.assert_array_equal(found.trials, shown.trials)
    np.testing.assert_array_equal(found.times, shown.times)
    assert oracle.layout(trials_of(list("abc")), frames, FPS, repeats=3).reason == "no condition was shown 3 times"


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 0.0])
def test_frame_times_that_do_not_increase_give_nothing(wrong: float) -> None:
    traces, frames, delays = recording(2)
    frames[[7, -1]] = wrong
    reasons = ["the frame times don't increase"] * 2
    assert oracle.scores(traces, frames, delays, trials_of(SHOWN), FPS).reasons == reasons
    assert oracle.raster(traces, frames, delays, trials_of(BLOCKS), FPS, repeats=3).reasons == reasons


@pytest.mark.parametrize("fps", [0.0, -6.3, np.nan, np.inf, 1e12])
def test_a_rate_that_makes_no_sense_gives_nothing(fps: float) -> None:
    reason = ["the nominal rate is not that of the frames"]
    assert oracle.scores(*recording(1), trials_of(SHOWN), fps).reasons == reason
    assert oracle.raster(*recording(1), trials_of(BLOCKS), fps, repeats=3).reasons == reason
