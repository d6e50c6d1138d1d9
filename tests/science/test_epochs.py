"""Epochs of running and of a seen pupil: against plain loops, by hand, and laws."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from gql_nda.science import epochs

from . import reference_epochs

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

masks = hnp.arrays(bool, st.integers(0, 40))


@st.composite
def recordings(draw: st.DrawFn) -> tuple[Mask, Floats]:
    """A mask, and a clock that may start unknown and stop for a while."""
    mask = draw(masks)
    steps = draw(hnp.arrays(float, len(mask), elements=st.sampled_from([0.05, 0.1, 0.11, 3.0])))
    times = np.cumsum(steps) - 1.0
    times[: draw(st.integers(0, 3))] = np.nan
    return mask, times


# --- masks -----------------------------------------------------------------------------------------


def test_running_and_resting_leave_the_unknown_and_the_threshold_out() -> None:
    velocity = [-3.0, 0.0, 1.0, 2.0, np.nan, np.inf]
    assert epochs.running(velocity, 1).tolist() == [False, False, False, True, False, True]
    assert epochs.resting(velocity, 1).tolist() == [True, True, False, False, False, False]


def test_known_is_where_nothing_is_nan() -> None:
    assert epochs.known([1, np.nan, 3, 4], [np.nan, 2, 3, 4]).tolist() == [False, False, True, True]
    assert epochs.known([np.nan, 1]).tolist() == [False, True]


# --- epochs ----------------------------------------------------------------------------------------


@given(recordings(), st.sampled_from([0.0, 0.1, 0.25, 1.0]))
def test_epochs_are_those_of_the_plain_formula(recording: Any, min_duration: float) -> None:
    mask, times = recording
    found = epochs.epochs(mask, times, min_duration)
    expected = reference_epochs.epochs(mask.tolist(), times.tolist(), min_duration)
    assert found.samples.tolist() == [[e[0], e[1]] for e in expected]
    np.testing.assert_allclose(found.seconds, np.reshape([[e[2], e[3]] for e in expected], (-1, 2)), atol=1e-12)


@given(masks)
def test_runs_tell_the_mask(mask: Mask) -> None:
    again = np.zeros(len(mask), bool)
    for first, stop in epochs.runs(mask):
        assert not again[first : stop + 1].any()
        again[first:stop] = True
    np.testing.assert_array_equal(again, mask)


@given(recordings())
def test_epochs_cover_the_samples_they_are_made_of(recording: Any) -> None:
    """And no sample else, whatever the clock does: seconds tell what samples tell."""
    mask, times = recording
    assume(np.isfinite(np.diff(times)).any())  # a clock of one time has no step, its sample no length
    on = epochs.on_axis(epochs.epochs(mask, times).seconds, times)
    np.testing.assert_array_equal(on, mask & ~np.isnan(times))


@given(recordings(), st.floats(0, 1), st.floats(0, 1))
def test_a_longer_minimum_keeps_fewer(recording: Any, one: float, other: float) -> None:
    mask, times = recording
    longer, all_ = (epochs.epochs(mask, times, d).samples.tolist() for d in (max(one, other), min(one, other)))
    assert [span for span in all_ if span in longer] == longer


@given(hnp.arrays(bool, (2, 30)))
def test_an_intersection_on_one_axis_is_that_of_the_masks(both: Mask) -> None:
    times = np.arange(30) / 6.3
    spans = [epochs.epochs(mask, times).seconds for mask in both]
    shared = epochs.on_axis(spans[0], times) & epochs.on_axis(spans[1], times)
    assert epochs.epochs(shared, times).samples.tolist() == epochs.runs(both[0] & both[1]).tolist()


def test_running_on_its_own_clock_meets_the_pupil_on_its() -> None:
    """Runs from 1 to 3 s on a 10 Hz clock; the pupil is lost from 2 to 2.5 s on a 4 Hz one; frames at 2 Hz."""
    treadmill, eye, frames = np.arange(50) / 10, np.arange(20) / 4, np.arange(10) / 2
    ran = epochs.epochs(epochs.running(np.where((treadmill >= 1) & (treadmill < 3), 9.0, 0), 1), treadmill)
    seen = epochs.epochs(epochs.known(np.where((eye >= 2) & (eye < 2.5), np.nan, 30)), eye)
    np.testing.assert_allclose(ran.seconds, [[1.0, 3.0]])
    np.testing.assert_allclose(seen.seconds, [[0.0, 2.0], [2.5, 5.0]])
    found = epochs.epochs(epochs.on_axis(ran.seconds, frames) & epochs.on_axis(seen.seconds, frames), frames)
    assert found.samples.tolist() == [[2, 4], [5, 6]]
    np.testing.assert_allclose(found.seconds, [[1.0, 2.0], [2.5, 3.0]])


def test_ten_samples_of_a_tenth_last_a_second() -> None:
    found = epochs.epochs([True] * 10, np.arange(10) * 0.1, 1)
    assert found.samples.tolist() == [[0, 10]]
    assert found.seconds[0, 1] == pytest.approx(1)
    assert epochs.epochs([True] * 9, np.arange(9) * 0.1, 1).samples.shape == (0, 2)


def test_a_gap_of_the_clock_is_no_running() -> None:
    found = epochs.epochs([True, True, False, True], [0.0, 1.0, 60.0, 61.0], 2)
    assert found.seconds.tolist() == [[0, 2]]
    assert found.samples.tolist() == [[0, 2]]


def test_clocks_that_tell_nothing() -> None:
    assert epochs.epochs([], []).samples.shape == (0, 2)
    assert epochs.epochs([True], [3.0]).seconds.tolist() == [[3, 3]]
    assert epochs.epochs([True] * 2, [np.nan] * 2).samples.shape == (0, 2)
    assert epochs.on_axis(np.empty((0, 2)), [0.0, np.nan]).tolist() == [False, False]
    assert epochs.on_axis([[0, 1]], []).shape == (0,)
    with pytest.raises(ValueError, match="2 samples have 3 times"):
        epochs.epochs([True, False], [0.0, 1.0, 2.0])
