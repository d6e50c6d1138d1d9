"""Statistics, percentiles and histograms, compared with NumPy's and with plain Python."""

from itertools import pairwise
from statistics import fmean, pstdev
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from gql_nda.science.distributions import equal_histogram, histogram, percentiles, statistics

FLOATS = st.floats(-1e6, 1e6, width=32)
VALUES = (
    arrays(np.float32, st.integers(0, 60), elements=FLOATS)
    | arrays(np.float64, st.integers(0, 60), elements=FLOATS)
    | arrays(np.int16, st.integers(0, 60))
)


@given(VALUES.filter(len))
def test_statistics_are_those_of_float64(values: NDArray[Any]) -> None:
    plain = [float(value) for value in values]
    found = statistics(values)
    assert found is not None
    assert (found.min, found.max) == (min(plain), max(plain))
    assert found.mean == pytest.approx(fmean(plain), rel=1e-12, abs=1e-6)
    assert found.std == pytest.approx(pstdev(plain), rel=1e-9, abs=1e-6)


def test_nothing_has_no_statistics() -> None:
    assert statistics(np.empty(0, np.float32)) is None
    assert percentiles(np.empty(0), [50]) is None


def test_a_sum_beyond_all_doubles_is_infinite() -> None:
    found = statistics(np.array([1e308, 1e308, -1e308]))
    assert found is not None
    assert (found.min, found.max, found.std) == (-1e308, 1e308, np.inf)


@given(VALUES.filter(len), st.floats(0, 100))
def test_percentiles_lie_between_the_two_nearest_values(values: NDArray[Any], percent: float) -> None:
    found = percentiles(values, [percent, 0, 100])
    assert found is not None
    ranked = sorted(float(value) for value in values)
    at = percent / 100 * (len(ranked) - 1)
    low, high = ranked[int(at)], ranked[min(int(at) + 1, len(ranked) - 1)]
    assert found[0] == pytest.approx(low + (high - low) * (at - int(at)), rel=1e-9, abs=1e-6)
    assert (found[1], found[2]) == (ranked[0], ranked[-1])


def plain_counts(values: NDArray[Any], edges: NDArray[Any]) -> list[int]:
    """How many values lie in each half-open bin, the last one closed."""
    bins = list(pairwise(edges))
    counts = [sum(low <= value < high for value in values) for low, high in bins]
    if bins:
        counts[-1] += sum(value == edges[-1] for value in values)
    return counts


@given(VALUES, st.sets(FLOATS, min_size=2, max_size=12))
def test_bins_hold_their_left_edge(values: NDArray[Any], edges: set[float]) -> None:
    increasing = np.array(sorted(edges), values.dtype if values.dtype == np.float32 else np.float64)
    assume((np.diff(increasing) > 0).all())
    found = histogram(values, increasing)
    assert found.counts.tolist() == plain_counts(values, increasing)
    assert found.counts.sum() + found.below + found.above == values.size


@given(VALUES, st.integers(1, 40), st.none() | FLOATS, st.none() | FLOATS)
@example(np.array([3.0], np.float32), 20, None, None)
@example(np.array([3e7, 3e7], np.float32), 20, None, None)
@example(np.array([1e-45], np.float32), 3, 0.0, None)
@example(np.array([5, 5], np.int16), 3, 5.0, None)
@example(np.array([5, 5], np.int16), 3, None, 5.0)
@example(np.array([1, 2], np.float32), 3, 5.0, None)
@example(np.array([7, 9], np.int16), 3, None, 5.0)
@example(np.array([1, np.nextafter(np.float32(1), np.float32(2))], np.float32), 20, None, None)
def test_equal_bins_hold_all_between_their_bounds(
    values: NDArray[Any], bins: int, low: float | None, high: float | None
) -> None:
    assume(low is None or high is None or low < high)
    found = equal_histogram(values, bins, low, high)
    edges = found.edges
    assert found.counts.tolist() == plain_counts(values, edges)
    assert found.counts.sum() + found.below + found.above == values.size
    if not edges.size:
        assert not any((low is None or v >= low) and (high is None or v <= high) for v in values)
        return
    assert len(edges) == len(found.counts) + 1 <= bins + 1
    assert (np.diff(edges) > 0).all()
    assert low is None or edges[0] == low
    assert high is None or edges[-1] == high
    assert edges.dtype == (np.float32 if values.dtype == np.float32 else np.float64)
    wide = np.linspace(float(edges[0]), float(edges[-1]), bins + 1)
    apart = np.spacing(np.abs(edges).max())
    if len(edges) == bins + 1:
        assert np.abs(edges - wide).max() <= 2 * apart
    else:
        assert wide[1] - wide[0] < 2 * apart


@given(VALUES.filter(lambda values: len(set(values.tolist())) > 1), st.integers(1, 40))
def test_equal_bins_span_the_values(values: NDArray[Any], bins: int) -> None:
    found = equal_histogram(values, bins, None, None)
    assert (found.edges[0], found.edges[-1]) == (values.min(), values.max())
    assert found.counts.sum() == values.size
