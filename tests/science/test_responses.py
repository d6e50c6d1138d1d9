"""Responses to trials: against plain loops, by hand, and laws."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from gql_nda.science import responses

from . import reference, reference_responses

Floats = NDArray[np.float64]

numbers = st.floats(-100, 100, width=32)
gappy = numbers | st.sampled_from([np.nan, np.inf])
FRAMES = 30
traces = hnp.arrays(np.float32, st.tuples(st.integers(1, 4), st.just(FRAMES)), elements=gappy)
spans = st.lists(st.tuples(st.integers(-5, FRAMES + 5), st.integers(-3, 20)), max_size=6)


@st.composite
def recordings(draw: st.DrawFn) -> tuple[Any, Floats, list[int]]:
    """Traces, the times of their frames, and delays."""
    values = draw(traces)
    steps = draw(hnp.arrays(float, FRAMES, elements=st.floats(0.05, 0.4)))
    delays = draw(st.lists(st.integers(0, 154), min_size=len(values), max_size=len(values)))
    return values, np.cumsum(steps) - steps[0], delays


# --- by frames -------------------------------------------------------------------------------------


@given(traces, spans)
def test_cuts_by_frames_are_those_of_the_plain_formula(values: Any, trials: list[tuple[int, int]]) -> None:
    starts, ends = [s for s, _ in trials], [s + n for s, n in trials]
    found = responses.by_frames(values, starts, ends)
    longest = max([e - s + 1 for s, e in zip(starts, ends, strict=True)] + [0])
    longest = max(longest, 0)
    expected = [
        [reference_responses.cut(v, s, e, longest) for s, e in zip(starts, ends, strict=True)] for v in values.tolist()
    ]
    assert found.values.shape == (len(values), len(trials), longest)
    np.testing.assert_array_equal(found.values, np.reshape(expected, found.values.shape))
    assert found.lengths.samples.tolist() == [max(e - s + 1, 0) for s, e in zip(starts, ends, strict=True)]


def test_the_last_frame_of_a_trial_is_included() -> None:
    found = responses.by_frames([[0, 1, 2, 3, 4, 5]], [1, 3], [2, 5])
    np.testing.assert_array_equal(found.values, [[[1, 2, np.nan], [3, 4, 5]]])
    assert responses.shortest(found).tolist() == [[[1, 2], [3, 4]]]


def test_trials_beyond_the_recording_are_unknown() -> None:
    found = responses.by_frames([[0, 1, 2]], [-1, 2, 7], [0, 3, 8])
    np.testing.assert_array_equal(found.values, [[[np.nan, 0], [2, np.nan], [np.nan, np.nan]]])


@pytest.mark.parametrize("end", [2**32 - 1, responses.LARGEST // 2, -(2**32), np.nan, np.inf])
def test_a_damaged_trial_has_no_samples(end: float) -> None:
    values, lengths = responses.by_frames([[0, 1, 2]], [0, 0], [1, end])
    assert lengths.samples.tolist() == [2, 0]
    assert lengths.unfit.tolist() == [False, True]
    np.testing.assert_equal(values, [[[0, 1], [np.nan, np.nan]]])


def test_a_trial_may_be_longer_than_the_recording() -> None:
    values, lengths = responses.by_frames([[0, 1, 2]], [1], [4])
    np.testing.assert_equal(values, [[[1, 2, np.nan, np.nan]]])
    assert not lengths.unfit.any()


def test_no_trials_and_no_units() -> None:
    assert responses.by_frames(np.zeros((2, 9)), [], []).values.shape == (2, 0, 0)
    assert responses.by_frames(np.zeros((0, 9)), [1], [3]).values.shape == (0, 1, 3)
    assert responses.shortest(responses.by_frames(np.zeros((2, 9)), [], [])).shape == (2, 0, 0)


# --- by times --------------------------------------------------------------------------------------


@given(recordings(), st.lists(st.tuples(st.floats(-1, 6), st.floats(0, 1.4)), min_size=1, max_size=4))
def test_cuts_by_times_are_those_of_the_plain_formula(recording: Any, trials: list[tuple[float, float]]) -> None:
    values, frames, delays = recording
    values = np.nan_to_num(values, posinf=0)
    starts, ends = [s for s, _ in trials], [s + n for s, n in trials]
    found, axis = responses.by_times(values, frames, delays, starts, ends)
    period = responses.frame_period(frames)
    np.testing.assert_allclose(axis, np.arange(len(axis)) * period)
    for unit, trace, delay in zip(found.values, values.tolist(), delays, strict=True):
        for row, start, length in zip(unit, starts, found.lengths.samples, strict=True):
            times = [start + t for t in axis[:length].tolist()]
            expected = reference.sample(trace, frames.tolist(), delay, times)
            off_edge = [abs(t - delay / 1000 - e) > 1e-9 for t in times for e in (frames[0], frames[-1])]
            if all(off_edge):
                np.testing.assert_allclose(row[:length], expected, atol=1e-3)
            assert np.isnan(row[length:]).all()


@given(st.floats(0.1, 0.2), st.integers(2, 60))
def test_the_axis_is_measured_and_reaches_the_end(period: float, samples: int) -> None:
    frames = np.arange(100) * period
    last = (samples - 1) * period
    found, axis = responses.by_times(np.zeros((1, 100)), frames, [0], [0.0, 0.0], [last, last - period / 2])
    assert found.lengths.samples.tolist() == [samples, samples - 1]
    assert axis[-1] == pytest.approx(last)


def test_a_delay_is_made_up_for() -> None:
    frames = np.arange(10.0)
    found, _ = responses.by_times(np.stack([frames, frames + 0.25]), frames, [0, 250], [2.0], [5.0])
    assert found.values[0].tolist() == [[2, 3, 4, 5]]
    np.testing.assert_allclose(found.values[1], found.values[0])


def test_times_that_make_no_sense_are_refused() -> None:
    for end in (np.nan, np.inf, 1e300):
        found, axis = responses.by_times(np.zeros((1, 9)), range(9), [0], [0.0, 0.0], [1.0, end])
        assert found.lengths.unfit.tolist() == [False, True]
        assert axis.tolist() == [0, 1]
        np.testing.assert_equal(found.values, [[[0, 0], [np.nan, np.nan]]])
    for frames in ([], [3.0], [1.0, 1.0], [0.0, np.nan]):
        with pytest.raises(ValueError, match="frame times"):
            responses.by_times(np.zeros((1, len(frames))), frames, [0], [0.0], [1.0])


def test_a_trial_that_ends_before_it_starts_has_no_samples() -> None:
    found, axis = responses.by_times(np.zeros((1, 9)), range(9), [0], [5.0], [1.0])
    assert found.lengths.samples.tolist() == [0]
    assert axis.shape == (0,)


# --- means -----------------------------------------------------------------------------------------


@given(hnp.arrays(float, hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=6), elements=gappy))
def test_a_psth_is_that_of_the_plain_formula(values: Floats) -> None:
    found = responses.psth(values)
    for unit, mean, sem, n in zip(values, found.mean, found.sem, found.n, strict=True):
        for column, m, s, count in zip(unit.T.tolist(), mean, sem, n, strict=True):
            assert count == sum(np.isfinite(column))
            assert m == pytest.approx(reference_responses.mean(column), abs=1e-9, nan_ok=True)
            assert s == pytest.approx(reference_responses.sem(column), abs=1e-9, nan_ok=True)


@given(hnp.arrays(float, (2, 5, 4), elements=gappy), st.permutations(range(5)))
def test_the_order_of_repeats_does_not_matter(values: Floats, order: list[int]) -> None:
    for found, turned in zip(responses.psth(values), responses.psth(values[:, order]), strict=True):
        np.testing.assert_allclose(found, turned, atol=1e-9)


@given(hnp.arrays(float, (2, 5, 4), elements=gappy), st.floats(0.1, 10), st.floats(-10, 10))
def test_a_psth_follows_scale_and_offset(values: Floats, scale: float, offset: float) -> None:
    found, moved = responses.psth(values), responses.psth(values * scale + offset)
    np.testing.assert_allclose(moved.mean, found.mean * scale + offset, atol=1e-7)
    np.testing.assert_allclose(moved.sem, found.sem * scale, atol=1e-6)
    np.testing.assert_array_equal(moved.n, found.n)


def test_a_psth_of_no_repeats_is_unknown() -> None:
    found = responses.psth(np.empty((2, 0, 3)))
    assert np.isnan(found.mean).all()
    assert np.isnan(found.sem).all()
    assert found.n.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_a_psth_worked_out_by_hand() -> None:
    found = responses.psth(np.array([[1, 4], [3, np.nan]]))
    assert found.mean.tolist() == [2, 4]
    assert found.sem[0] == pytest.approx(1)
    assert np.isnan(found.sem[1])
    assert found.n.tolist() == [2, 1]


@given(traces, spans)
def test_trial_means_are_the_means_of_cuts(values: Any, trials: list[tuple[int, int]]) -> None:
    starts, ends = [s for s, _ in trials], [s + n for s, n in trials]
    means, counts = responses.trial_means(values, starts, ends)
    expected = responses.averaged(responses.by_frames(values, starts, ends).values, axis=-1)
    np.testing.assert_allclose(means, expected.mean, atol=1e-9)
    np.testing.assert_array_equal(counts, expected.n)


@given(recordings(), st.lists(st.tuples(st.floats(-1, 6), st.floats(0, 3)), max_size=6))
def test_window_means_are_those_of_the_plain_formula(recording: Any, windows: list[tuple[float, float]]) -> None:
    values, frames, delays = recording
    starts, stops = [s for s, _ in windows], [s + n for s, n in windows]
    means, counts = responses.window_means(values, frames, delays, starts, stops)
    assert means.shape == counts.shape == (len(values), len(windows))
    for u, (trace, delay) in enumerate(zip(values.tolist(), delays, strict=True)):
        for w, (start, stop) in enumerate(zip(starts, stops, strict=True)):
            if min(np.abs(frames + delay / 1000 - edge).min() for edge in (start, stop)) > 1e-9:
                inside = reference_responses.window(trace, frames.tolist(), delay, start, stop)
                assert counts[u, w] == sum(np.isfinite(inside))
                assert means[u, w] == pytest.approx(reference_responses.mean(inside), abs=1e-9, nan_ok=True)


def test_a_window_without_frames_has_no_mean() -> None:
    means, counts = responses.window_means([[1, 2, 3]], [0, 1, 2], [0], [0.1, 5, 1, np.nan], [0.9, 9, 1, 2])
    assert np.isnan(means).all()
    assert counts.tolist() == [[0, 0, 0, 0]]


def test_many_units_are_averaged_as_alone() -> None:
    values = np.random.default_rng(1).normal(size=(150, 40))
    delays = np.arange(150) % 7 * 20
    starts, stops = [0.0, 3.3, 1.7], [2.0, 7.9, 4.0]
    means, _ = responses.window_means(values, np.arange(40) / 6.3, delays, starts, stops)
    alone = [
        responses.window_means([v], np.arange(40) / 6.3, [d], starts, stops)[0][0]
        for v, d in zip(values, delays, strict=True)
    ]
    np.testing.assert_array_equal(means, alone)


@given(hnp.arrays(float, (2, FRAMES), elements=st.floats(), fill=st.floats()))
def test_whatever_traces_hold_is_averaged(values: Floats) -> None:
    """Warnings are errors here."""
    frames = np.arange(FRAMES) / 6
    _, counts = responses.window_means(values, frames, [0, 50], [0.0, 1.0], [2.0, 9.0])
    assert (counts <= FRAMES).all()
    aligned, _ = responses.by_times(values, frames, [0, 50], [0.5, 1.0], [2.0, 3.0])
    assert (responses.psth(aligned.values).n <= 2).all()


# --- conditions ------------------------------------------------------------------------------------


def test_conditions_are_told_apart_by_case_and_come_as_first_shown() -> None:
    hashes = ["b", "A", "a", "b", "a", "b"]
    assert responses.repeats_of(hashes) == {"b": [0, 3, 5], "A": [1], "a": [2, 4]}
    assert list(responses.repeats_of(hashes, 2)) == ["b", "a"]
    assert responses.repeats_of([], 2) == {}
