"""Traces at other times, and behaviour at frames: against plain loops, SciPy's own steps, and laws."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from gql_nda.science import resampling

from . import reference, reference_resampling

Floats = NDArray[np.float64]

numbers = st.floats(-100, 100, width=32)
series = hnp.arrays(float, st.integers(25, 60), elements=st.floats(-50, 50) | st.just(np.nan))


def clock(count: int, hz: float, start: float = 0.0) -> Floats:
    return start + np.arange(count) / hz


# --- traces ----------------------------------------------------------------------------------------


@given(
    hnp.arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(2, 12)), elements=numbers),
    st.lists(st.floats(-1, 4), max_size=5),
    st.data(),
)
def test_samples_are_those_of_the_plain_formula(traces: Any, times: list[float], data: st.DataObject) -> None:
    units, count = traces.shape
    delays = data.draw(st.lists(st.integers(0, 154), min_size=units, max_size=units))
    steps = data.draw(st.lists(st.floats(0.05, 0.4), min_size=count, max_size=count))
    frames = np.cumsum(steps) - steps[0]
    found = resampling.sample(traces, frames, delays, times)
    for row, trace, delay in zip(found, traces, delays, strict=True):
        expected = reference.sample(trace.tolist(), frames.tolist(), delay, times)
        np.testing.assert_allclose(row, expected, atol=1e-3)


def test_a_sample_at_a_delayed_frame_is_that_frame() -> None:
    found = resampling.sample([[1, 5, 3], [2, 0, 8]], [0, 1, 2], [500, 250], [[0.5, 1.5], [0.25, 2.3]])
    np.testing.assert_allclose(found[0], np.array([[1, 5], [np.nan, 3 + 2 * 0.2]]))
    assert found.shape == (2, 2, 2)
    assert found[1, 1, 0] == 2


@pytest.mark.parametrize(
    ("frames", "why"),
    [
        ([], "the scan has no frame times"),
        ([1.0], "the scan has fewer than two frame times"),
        ([1.0, 1.0], "the frame times don't increase"),
        ([0.0, np.nan, 1.0], "the frame times don't increase"),
        ([-np.inf, 0.0], "the frame times don't increase"),
        ([0.0, 0.1], None),
    ],
)
def test_frame_times_that_cannot_be_used(frames: list[float], why: str | None) -> None:
    assert resampling.unclocked(frames) == why


def test_nothing_is_sampled_of_less_than_two_frames() -> None:
    assert np.isnan(resampling.sample(np.zeros((2, 1)), [0.0], [0, 0], [0.0, 1.0])).all()
    assert resampling.sample(np.zeros((2, 0)), [], [0, 0], [0.0]).shape == (2, 1)


def test_frames_without_a_value_or_a_time_end_the_trace() -> None:
    times = [0.0, 1.0, 1.5, 2.0, 2.5]
    assert resampling.sample([[1, 3]], [0, 1, 2], [0], times)[0, :2].tolist() == [1, 3]
    assert np.isnan(resampling.sample([[1, 3]], [0, 1, 2], [0], times)[0, 2:]).all()
    assert resampling.sample([[1, 3, 5]], [0, 1], [0], times)[0, :2].tolist() == [1, 3]
    assert np.isnan(resampling.sample([[1, 3, 5]], [0, 1], [0], times)[0, 2:]).all()


def test_what_is_not_finite_stays_where_it_is() -> None:
    found = resampling.sample([[0, 1, np.nan, 3, 4, np.inf]], range(6), [0], [0.5, 1.5, 2.5, 3.5, 4.5, np.nan, np.inf])
    assert np.isfinite(found[0]).tolist() == [True, False, False, True, False, False, False]
    assert found[0, 3] == 3.5


def test_two_frames_at_one_time_are_no_error() -> None:
    found = resampling.sample([[1, 2, 3, 4]], [0, 1, 1, 2], [0], [0.5, 1.0, 1.5])
    assert found.tolist() == [[1.5, 3, 3.5]]
    assert np.isnan(resampling.sample([[1, 2, 3]], [0, 1, 1], [0], [1.0])).all()


# --- behaviour -------------------------------------------------------------------------------------


@given(series, st.floats(7.0, 12.0), st.floats(-0.5, 0.5), st.integers(0, 3))
def test_resampled_values_are_those_of_the_plain_formula(values: Any, hz: float, start: float, unknown: int) -> None:
    source, target = clock(len(values), hz, start), clock(20, 6.29)
    source[:unknown] = np.nan
    found = resampling.resample(values, source, target)
    np.testing.assert_allclose(found, reference.resample(values.tolist(), source.tolist(), target.tolist()), atol=1e-9)


@given(st.floats(7, 130), st.floats(1, 6.9))
def test_the_filter_is_that_of_the_plain_formula(source_hz: float, target_hz: float) -> None:
    found = resampling.lowpass_taps(source_hz, target_hz)
    np.testing.assert_allclose(found, reference.taps(source_hz, target_hz), atol=1e-12)


@given(hnp.arrays(float, (3, 50), elements=st.floats(-50, 50)))
def test_series_are_resampled_together_as_alone(values: Floats) -> None:
    source, target = clock(50, 20), clock(12, 6)
    together = resampling.resample(values, source, target)
    alone = [resampling.resample(v, source, target) for v in values]
    np.testing.assert_array_equal(together, alone)


@given(hnp.arrays(float, 50, elements=st.floats(-50, 50)), st.floats(-3, 3))
def test_resampling_is_linear(values: Floats, factor: float) -> None:
    source, target = clock(50, 20), clock(12, 6)
    once, more = (resampling.resample(v, source, target) for v in (values, factor * values + 1))
    np.testing.assert_allclose(more, factor * once + 1, atol=1e-9)


def test_one_lost_sample_loses_two_seconds() -> None:
    values = np.ones(400)
    values[200] = np.nan
    target = clock(180, 9.7)
    found = resampling.resample(values, clock(400, 20), target)
    lost = np.isnan(found)
    np.testing.assert_array_equal(lost, (target > 8.95) & (target < 11.05))
    np.testing.assert_allclose(found[~lost], 1)


def test_nothing_is_known_outside_the_source() -> None:
    found = resampling.resample(np.ones(100), clock(100, 20, 1.0), clock(40, 6))
    inside = (clock(40, 6) >= 1) & (clock(40, 6) <= 1 + 99 / 20)
    np.testing.assert_array_equal(np.isnan(found), ~inside)
    np.testing.assert_allclose(found[inside], 1)


def test_samples_of_unknown_time_take_part_in_the_filter_only() -> None:
    source = clock(100, 20)
    source[:3] = np.nan
    found = resampling.resample(np.arange(100.0), source, clock(20, 5))
    assert np.isnan(found[0])
    assert found[8] == pytest.approx(1.6 * 20, abs=0.5)


def test_a_slow_source_is_only_interpolated() -> None:
    found = resampling.resample([0.0, 1, 4], [0.0, 1, 2], [0.0, 0.5, 1.0, 1.5])
    assert found.tolist() == [0, 0.5, 1, 2.5]


def test_a_source_without_times_tells_nothing() -> None:
    found = resampling.resample(np.ones((2, 4)), [np.nan, np.nan, np.nan, 1.0], [0.0, 1.0, 2.0])
    assert np.isnan(found).all()
    assert found.shape == (2, 3)


def test_the_rate_is_the_median_one_and_skips_what_is_unknown() -> None:
    assert resampling.median_rate([np.nan, 0.0, 0.1, 0.2, 0.3, 5.0]) == pytest.approx(10)


def test_a_rate_that_is_not_known_is_nan() -> None:
    assert np.isnan(resampling.median_rate([]))
    assert np.isnan(resampling.median_rate([0.0, np.nan, 1.0]))
    assert np.isnan(resampling.median_rate([1.0, 1.0, 1.0]))


def test_clocks_without_a_rate_are_only_interpolated() -> None:
    assert resampling.resample(np.arange(100.0), clock(100, 20), [1.025]).tolist() == pytest.approx([20.5])
    assert resampling.resample([0.0, 7, 4], [0.0, np.nan, 2.0], [0.5, 1.0]).tolist() == [1, 2]
    assert resampling.resample([0.0, 7, 4], [0.0, 1.0, 2.0], []).shape == (0,)


def test_values_without_their_times_are_refused() -> None:
    with pytest.raises(ValueError, match="3 samples have 2 times"):
        resampling.resample([1.0, 2.0, 3.0], [0.0, 1.0], [0.5])


@pytest.mark.parametrize("hz", [1001.0, 1e9, 1e300, np.inf])
def test_a_clock_too_fast_for_any_device_is_refused_and_not_filtered_for_ever(hz: float) -> None:
    with pytest.raises(ValueError, match="faster than any at 1000 Hz"):
        resampling.lowpass_taps(hz, 6.3)
    assert len(resampling.lowpass_taps(1000, 6.3)) == 2001


@pytest.mark.parametrize(("source_hz", "target_hz"), [(19.93, 6.29845), (64.1, 8.6139), (100.0, 6.29845)])
def test_real_rates_go_the_way_of_the_pipeline(source_hz: float, target_hz: float) -> None:
    """One minute, some of it lost, and a clock that starts unknown: SciPy's steps as upstream takes them."""
    rng = np.random.default_rng(5)
    count = round(60 * source_hz)
    source, target = clock(count, source_hz, -0.7) + rng.uniform(0, 1e-4, count), clock(400, target_hz)
    values = rng.normal(40, 8, count)
    values[count // 3 : count // 3 + 9] = np.nan
    source[:2] = np.nan
    found = resampling.resample(values, source, target)
    expected = reference_resampling.resample(values, source, target)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    lost = np.isnan(expected)
    assert 0 < lost[: len(lost) // 2].sum() * 1 / target_hz == pytest.approx(2 + 9 / source_hz, abs=0.4)
