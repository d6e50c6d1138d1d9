"""Behaviour resampled to frames: against plain loops, and laws."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from gql_nda.science import resampling

from . import reference

Floats = NDArray[np.float64]

series = hnp.arrays(float, st.integers(25, 60), elements=st.floats(-50, 50) | st.just(np.nan))


def clock(count: int, hz: float, start: float = 0.0) -> Floats:
    return start + np.arange(count) / hz


@settings(deadline=None, max_examples=60)
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
