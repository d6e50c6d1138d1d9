"""Sampling and the oracle score: against plain loops, upstream's numbers, and laws."""

from itertools import groupby
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from gql_nda.science import oracle

from . import reference
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
    found = oracle.sample(traces, frames, delays, times)
    for row, trace, delay in zip(found, traces, delays, strict=True):
        expected = reference.sample(trace.tolist(), frames.tolist(), delay, times)
        np.testing.assert_allclose(row, expected, atol=1e-3)


def test_a_sample_at_a_delayed_frame_is_that_frame() -> None:
    found = oracle.sample([[1, 5, 3], [2, 0, 8]], [0, 1, 2], [500, 250], [[0.5, 1.5], [0.25, 2.3]])
    np.testing.assert_allclose(found[0], np.array([[1, 5], [np.nan, 3 + 2 * 0.2]]))
    assert found.shape == (2, 2, 2)
    assert found[1, 1, 0] == 2


def test_nothing_is_sampled_of_less_than_two_frames() -> None:
    assert np.isnan(oracle.sample(np.zeros((2, 1)), [0.0], [0, 0], [0.0, 1.0])).all()
    assert oracle.sample(np.zeros((2, 0)), [], [0, 0], [0.0]).shape == (2, 1)


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


def test_upstream_raster() -> None:
    known = golden("golden_examples.json")["oracle_raster"]
    by_hash = sorted(known["trials"], key=lambda t: (t["condition_hash"], t["trial_idx"]))
    trials = {name: list(group) for name, group in groupby(by_hash, key=lambda t: t["condition_hash"])}
    for i, name in enumerate(known["clip_order"]):
        starts, ends = ([t[edge] for t in trials[name]] for edge in ("start_frame_time", "end_frame_time"))
        times = oracle.sample_times(starts, ends, known["fps"])
        found = oracle.sample([known["trace"]], known["frame_times"], [known["ms_delay"]], times)
        np.testing.assert_allclose(found[0], np.array(known["raw"])[:, i], atol=1e-6)
