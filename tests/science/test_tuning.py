"""Direction tuning: against plain loops, numbers made with upstream's code, and laws."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from gql_nda.science import tuning

from . import reference_responses, reference_tuning
from .golden import golden

Floats = NDArray[np.float64]

SIXTEEN = np.arange(16) * 22.5
DURATION = 15.0
responses = hnp.arrays(float, st.tuples(st.integers(1, 4), st.just(16)), elements=st.floats(-10, 100))


def angles_apart(a: Any, b: Any, period: float) -> Any:
    """How far angles lie apart on a circle."""
    difference = np.abs(np.asarray(a) - np.asarray(b)) % period
    return np.minimum(difference, period - difference)


# --- one trial -------------------------------------------------------------------------------------


def test_a_segment_lasts_to_the_next_onset_and_the_last_to_the_end() -> None:
    found = tuning.segments([[0, 90, 180]], [[0.5, 1.5, 2.25]], 4)
    assert found.degrees.tolist() == [0, 90, 180]
    assert found.onset.tolist() == [0.5, 1.5, 2.25]
    assert found.offset.tolist() == [1.5, 2.25, 4]


def test_segments_come_in_the_order_shown() -> None:
    found = tuning.segments([0, 90, 180], [2.0, 0.0, 1.0], 3)
    assert np.stack(found, axis=1).tolist() == [[90, 0, 1], [180, 1, 2], [0, 2, 3]]


def test_segments_that_make_no_sense() -> None:
    with pytest.raises(ValueError, match="3 directions have 2 onsets"):
        tuning.segments([0, 90, 180], [0, 1], 3)
    for bad in ([0.0, math.nan], [0.0, math.inf]):
        with pytest.raises(ValueError, match="must be finite"):
            tuning.segments([0, 90], bad, 3)
        with pytest.raises(ValueError, match="must be finite"):
            tuning.segments(bad, [0, 1], 3)
    assert tuning.segments([], [], 3).offset.shape == (0,)
    assert tuning.segments([0.0], [5.0], 3).offset.tolist() == [5]  # an onset after the end: of no length


@given(st.permutations(SIXTEEN.tolist()), st.floats(0, 70), st.floats(6, 9), st.integers(0, 154))
def test_frames_of_segments_are_those_taken_in_them(order: list[float], start: float, hz: float, delay: int) -> None:
    shown = tuning.segments([order], [np.arange(16) * DURATION / 16], DURATION)
    frames = np.arange(800) / hz
    found = tuning.segment_frames(start, shown, frames, delay)
    taken = frames + delay / 1000
    for (first, stop), onset, offset in zip(found.tolist(), shown.onset, shown.offset, strict=True):
        inside = np.flatnonzero((taken >= start + onset) & (taken < start + offset))
        assert (first, stop) == (inside[0], inside[-1] + 1)
    assert found[1:, 0].tolist() == found[:-1, 1].tolist()


def test_a_published_trial_has_95_frames_in_sixteen_segments() -> None:
    shown = tuning.segments([SIXTEEN], [np.arange(16) * 0.9375], DURATION)
    counts = np.diff(tuning.segment_frames(8.70, shown, np.arange(40_000) / 6.29845), axis=1)
    assert counts.sum() in (94, 95)
    assert set(counts.ravel().tolist()) <= {5, 6}


def test_segments_beyond_the_recording_have_no_frames() -> None:
    shown = tuning.segments([0, 90], [0, 1], 2)
    assert tuning.segment_frames(-5, shown, np.arange(10.0)).tolist() == [[0, 0], [0, 0]]
    assert tuning.segment_frames(9, shown, np.arange(10.0)).tolist() == [[9, 10], [10, 10]]


# --- the tuning curve ------------------------------------------------------------------------------


def test_curves_are_those_of_the_plain_formula() -> None:
    rng = np.random.default_rng(2)
    frames = np.arange(500) / 6.2
    traces = rng.gamma(1, 2, (3, 500)).astype(np.float32)
    traces[1, 40:60] = np.nan
    delays, starts = [0, 77, 154], [2.0, 30.0, 52.03, 66.0]  # the last one runs out of the recording
    onsets = np.arange(16) * 0.9375
    orders = [rng.permutation(SIXTEEN) for _ in starts]
    shown = [tuning.segments([order], [onsets], DURATION) for order in orders]
    means, degrees = tuning.segment_means(traces, frames, delays, starts, shown)
    found = tuning.curve(means, degrees)
    plain = [
        (s, reference_tuning.segments(o.tolist(), onsets.tolist(), DURATION))
        for s, o in zip(starts, orders, strict=True)
    ]
    assert found.degrees.tolist() == SIXTEEN.tolist()
    for u in range(3):
        groups = reference_tuning.grouped(traces[u].tolist(), frames.tolist(), delays[u], plain)
        assert found.n[u].tolist() == [len(group) for group in groups.values()]
        np.testing.assert_allclose(found.mean[u], [reference_responses.mean(g) for g in groups.values()])
        np.testing.assert_allclose(found.sem[u], [reference_responses.sem(g) for g in groups.values()])
    assert found.n.min() < found.n.max()


def test_directions_are_grouped_modulo_a_turn_and_a_hair() -> None:
    found = tuning.curve([[1.0, 2, 4, np.nan, 5]], [0, 360, -1e-9, 90, 719.9999999999])
    assert found.degrees.tolist() == [0, 90]
    assert found.mean[0, 0] == 3
    assert np.isnan(found.mean[0, 1])
    assert found.n.tolist() == [[4, 0]]


def test_no_trials_and_no_units() -> None:
    means, degrees = tuning.segment_means(np.zeros((2, 9)), range(9), [0, 0], [], [])
    found = tuning.curve(means, degrees)
    assert found.mean.shape == found.n.shape == (2, 0)
    told = tuning.selectivity(found.mean, found.degrees)
    assert np.isnan(told[:6]).all()
    assert told.reasons == ["no direction has a response above 0"] * 2
    assert tuning.selectivity(np.empty((0, 16)), SIXTEEN).gosi.shape == (0,)


# --- selectivity -----------------------------------------------------------------------------------


@given(responses)
def test_indices_are_those_of_the_plain_formula(r: Floats) -> None:
    found = tuning.selectivity(r, SIXTEEN)
    for u, row in enumerate(r.tolist()):
        if max(row) <= 1e-6:
            continue
        plain = dict(zip(SIXTEEN.tolist(), row, strict=True))
        (gosi, orientation), (gdsi, direction) = (reference_tuning.vector(plain, n) for n in (2, 1))
        assert found.gosi[u] == pytest.approx(gosi, abs=1e-9)
        assert found.gdsi[u] == pytest.approx(gdsi, abs=1e-9)
        assert found.osi[u] == pytest.approx(reference_tuning.osi(plain), abs=1e-9)
        assert found.dsi[u] == pytest.approx(reference_tuning.dsi(plain), abs=1e-9)
        if gosi > 1e-6:
            assert angles_apart(found.orientation[u], orientation, 180) < 1e-5
        if gdsi > 1e-6:
            assert angles_apart(found.direction[u], direction, 360) < 1e-5


@given(responses)
def test_indices_and_angles_keep_their_bounds(r: Floats) -> None:
    found = tuning.selectivity(r, SIXTEEN)
    for index in found[:4]:
        assert np.all(np.isnan(index) | ((index >= 0) & (index <= 1)))
    assert np.all(np.isnan(found.direction) | ((found.direction >= 0) & (found.direction < 360)))
    assert np.all(np.isnan(found.orientation) | ((found.orientation >= 0) & (found.orientation < 180)))
    for u, reason in enumerate(found.reasons):
        assert (reason is None) == np.isfinite([column[u] for column in found[:6]]).all()


@given(responses, st.floats(1e-3, 1e3), st.permutations(range(16)))
def test_indices_know_no_scale_and_no_order(r: Floats, scale: float, order: list[int]) -> None:
    r = np.round(r, 2)
    found, turned = tuning.selectivity(r, SIXTEEN), tuning.selectivity(r[:, order] * scale, SIXTEEN[order])
    for name in ("gosi", "gdsi", "dsi"):
        if name != "dsi" or all(len(set(row)) == 16 for row in r.tolist()):
            np.testing.assert_allclose(getattr(found, name), getattr(turned, name), atol=1e-9)


@given(hnp.arrays(float, (1, 16), elements=st.floats(0, 100)), st.integers(1, 15))
def test_turned_responses_turn_the_preferences(r: Floats, steps: int) -> None:
    found, turned = tuning.selectivity(r, SIXTEEN), tuning.selectivity(np.roll(r, steps, axis=1), SIXTEEN)
    for index in ("gosi", "gdsi"):
        np.testing.assert_allclose(getattr(turned, index), getattr(found, index), atol=1e-9)
    if found.gdsi[0] > 1e-6:
        assert angles_apart(turned.direction[0], found.direction[0] + 22.5 * steps, 360) < 1e-5
    if found.gosi[0] > 1e-6:
        assert angles_apart(turned.orientation[0], found.orientation[0] + 22.5 * steps, 180) < 1e-5


@given(hnp.arrays(float, (2, 16), elements=st.floats(), fill=st.floats()))
def test_whatever_responses_are_the_indices_keep_their_bounds(r: Floats) -> None:
    """Warnings are errors here."""
    found = tuning.selectivity(r, SIXTEEN)
    assert np.all(np.isnan(found[:4]) | ((np.array(found[:4]) >= 0) & (np.array(found[:4]) <= 1)))
    assert np.isnan(found.gosi).tolist() == [not np.isfinite(row).all() or row.max() <= 0 for row in r]


def test_a_unit_of_one_direction_is_as_selective_as_can_be() -> None:
    found = tuning.selectivity(np.eye(16)[3:4] * 1e-300, SIXTEEN)
    assert [column[0] for column in found[:6]] == pytest.approx([1, 1, 1, 1, 67.5, 67.5])
    assert found.reasons == [None]


def test_a_unit_of_one_orientation_has_no_direction() -> None:
    r = np.zeros((1, 16))
    r[0, [6, 14]] = 2
    found = tuning.selectivity(r, SIXTEEN)
    assert [c[0] for c in found[:4]] == pytest.approx([1, 0, 1, 0])
    assert found.orientation[0] == pytest.approx(135)
    assert np.isnan(found.direction[0])
    assert found.reasons == ["no preferred direction: the responses cancel out"]


def test_a_unit_that_likes_all_alike_prefers_none() -> None:
    found = tuning.selectivity(np.full((1, 16), 0.3), SIXTEEN)
    assert [c[0] for c in found[:4]] == pytest.approx([0, 0, 0, 0])
    assert np.isnan([found.direction[0], found.orientation[0]]).all()
    assert "direction" in str(found.reasons[0])
    assert "orientation" in str(found.reasons[0])


def test_undefined_units_are_told_why_and_leave_others_alone() -> None:
    r = np.vstack([np.zeros(16), np.full(16, -1.0), np.arange(16.0), np.arange(16.0)])
    r[3, 2] = np.nan
    found = tuning.selectivity(r, SIXTEEN)
    assert np.isnan(np.array(found[:6])).all(axis=0).tolist() == [True, True, False, True]
    silent = "no direction has a response above 0"
    assert found.reasons == [silent, silent, None, "the response to a direction is not known"]


def test_directions_without_an_opposite_or_orthogonal_one() -> None:
    found = tuning.selectivity([[1.0, 3, 2]], [0, 120, 240])
    assert np.isnan([found.osi[0], found.dsi[0]]).all()
    assert found.gdsi[0] == pytest.approx(math.sqrt(3) / 6)
    assert found.reasons == [
        "no OSI: nothing was shown at 90 degrees to the largest response; "
        "no DSI: nothing was shown opposite to the largest response"
    ]


def test_indices_worked_out_by_hand() -> None:
    """Directions 0, 90, 180, 270 with 4, 1, 2, -7: orientations 3 and 0.5, clipped sum 7."""
    found = tuning.selectivity([[4.0, 1, 2, -7]], [0, 90, 180, 270])
    assert found.gosi[0] == pytest.approx((4 + 2 - 1) / 7)
    assert found.gdsi[0] == pytest.approx(math.hypot(2, 1) / 7)
    assert found.osi[0] == pytest.approx(2.5 / 3.5)
    assert found.dsi[0] == pytest.approx(2 / 6)
    assert found.direction[0] == pytest.approx(math.degrees(math.atan2(1, 2)))
    assert found.orientation[0] == pytest.approx(0, abs=1e-9)


def test_upstream_tuning() -> None:
    known = golden("golden_examples.json")["direction_tuning"]
    found = tuning.selectivity([known["response"]], known["directions_deg"])
    assert found.gosi[0] == pytest.approx(known["gOSI"], rel=1e-12)
    assert found.gdsi[0] == pytest.approx(known["gDSI"], rel=1e-12)
    assert found.orientation[0] == pytest.approx(math.degrees(known["vector_pref_ori_rad"]))
    assert found.direction[0] == pytest.approx(math.degrees(known["vector_pref_dir_rad"]))


def test_a_units_tuning_is_the_same_alone_and_among_others() -> None:
    rng = np.random.default_rng(1)
    responses, degrees = rng.gamma(1, 1, (40, 641)), rng.permutation(np.resize(np.arange(16) * 22.5, 641))
    together = tuning.curve(responses, degrees)
    every = tuning.selectivity(together.mean, together.degrees)
    for unit in range(40):
        alone = tuning.curve(responses[unit : unit + 1], degrees)
        np.testing.assert_array_equal(alone.mean[0], together.mean[unit])
        np.testing.assert_array_equal(alone.sem[0], together.sem[unit])
        assert tuning.selectivity(alone.mean, alone.degrees).gosi[0] == every.gosi[unit]
