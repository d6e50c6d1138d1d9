"""Correlations between units: against NumPy's, number by number, and laws."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from gql_nda.science import population

Floats = NDArray[np.float64]

traces = hnp.arrays(
    np.float32,
    st.tuples(st.integers(0, 5), st.integers(1, 9)),
    elements=st.integers(-50, 50).map(float) | st.just(math.nan),
)


def pearson(a: list[float], b: list[float]) -> float:
    """Pearson's r in plain loops; NaN for constants and what isn't finite."""
    x, y = ([v - math.fsum(s) / len(s) for v in s] for s in (a, b))
    if not all(map(math.isfinite, a + b)) or len(set(a)) == 1 or len(set(b)) == 1:
        return math.nan
    return math.fsum(p * q for p, q in zip(x, y, strict=True)) / math.sqrt(
        math.fsum(p * p for p in x) * math.fsum(q * q for q in y)
    )


@given(traces)
def test_correlations_are_those_of_the_plain_formula(values: Any) -> None:
    found = population.correlations(values)
    expected = [[pearson(a, b) for b in values.tolist()] for a in values.tolist()]
    np.testing.assert_allclose(found.r, np.reshape(expected, found.r.shape), atol=1e-9)
    for row, reason in zip(found.r, found.reasons, strict=True):
        assert (reason is None) == np.isfinite(row).any()


@given(traces)
def test_a_matrix_is_symmetric_and_bounded(values: Any) -> None:
    r = population.correlations(values).r
    np.testing.assert_array_equal(r, r.T)
    assert np.all(np.isnan(r) | (np.abs(r) <= 1))
    assert set(np.diag(r)[~np.isnan(np.diag(r))].tolist()) <= {1.0}


@given(traces, st.floats(0.5, 20), st.floats(-10, 10), st.randoms(use_true_random=False))
def test_correlations_know_no_scale_offset_or_order_of_frames(
    values: Any, scale: float, offset: float, random: Any
) -> None:
    order = random.sample(range(values.shape[1]), values.shape[1])
    moved = values[:, order].astype(float)
    moved[::2] = moved[::2] * scale + offset
    np.testing.assert_allclose(population.correlations(moved).r, population.correlations(values).r, atol=1e-9)


def test_many_frames_are_taken_in_portions_as_numpy_takes_them_at_once() -> None:
    rng = np.random.default_rng(4)
    shared = rng.normal(size=2 * population._PORTION + 77)
    values = (1000 + shared * rng.uniform(-1, 1, (40, 1)) + rng.normal(size=(40, len(shared)))).astype(np.float32)
    found = population.correlations(values)
    np.testing.assert_allclose(found.r, np.corrcoef(values.astype(float)), atol=1e-12)
    assert found.reasons == [None] * 40


def test_units_that_tell_nothing_are_told_apart_and_leave_others_alone() -> None:
    values = np.array([[1, 2, 3], [0.1, 0.1, 0.1], [3, 1, 2], [1, np.nan, 3], [1, np.inf, 3]], np.float32)
    found = population.correlations(values)
    assert found.r[0, 2] == pytest.approx(-0.5)
    assert np.isnan(found.r[[1, 3, 4]]).all()
    assert np.isnan(found.r[:, [1, 3, 4]]).all()
    lost = "the trace is empty, or holds values that are not finite"
    assert found.reasons == [None, "the trace is constant", None, lost, lost]


def test_traces_tiny_and_huge() -> None:
    values = np.array([[1e-44, 2e-44, 4e-44], [1e38, 2e38, 3e38]], np.float32)
    assert population.correlations(values).r[0, 1] == pytest.approx(0.982, abs=1e-2)
    assert population.correlations(np.array([[0, 1e-300, 3e-300], [0, 1e300, 3e300]])).r[0, 1] == pytest.approx(1)


def test_no_units_no_frames_and_one_frame() -> None:
    assert population.correlations(np.empty((0, 5))).r.shape == (0, 0)
    assert np.isnan(population.correlations(np.empty((2, 0))).r).all()
    assert population.correlations(np.ones((2, 1))).reasons == ["the trace is constant"] * 2
    assert np.isnan(population.correlations(np.ones((2, 1))).r).all()


@given(hnp.arrays(float, (3, 5), elements=st.floats(), fill=st.floats()))
def test_whatever_traces_hold_is_correlated_or_told(values: Floats) -> None:
    """Warnings are errors here."""
    found = population.correlations(values)
    assert [reason is None for reason in found.reasons] == np.isfinite(np.diag(found.r)).tolist()
