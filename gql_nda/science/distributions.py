"""How values are distributed: statistics, percentiles, histograms.

All take the finite values of one column, float32 or not, in one dimension. Sums are taken in float64.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]


class Statistics(NamedTuple):
    """Numbers that describe values; ``std`` is the population's: divided by their number."""

    min: float
    max: float
    mean: float
    std: float


def statistics(values: Values) -> Statistics | None:
    """The statistics, None without values."""
    if not values.size:
        return None
    wide = values.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # what no double holds comes out infinite or NaN
        return Statistics(*map(float, (wide.min(), wide.max(), wide.mean(), wide.std())))


def percentiles(values: Values, at: list[float]) -> NDArray[np.float64] | None:
    """The percentiles (0 to 100), interpolated linearly between neighbouring values; None without values."""
    return np.percentile(values.astype(np.float64), at) if values.size else None


class Histogram(NamedTuple):
    """Counts of half-open bins between ``edges``, the last one closed, and of what lies outside."""

    edges: NDArray[Any]
    counts: NDArray[np.int64]
    below: int
    above: int


def histogram(values: Values, edges: NDArray[Any]) -> Histogram:
    """The histogram over increasing edges of the values' own precision."""
    return _outside(values, *np.histogram(values, edges))


def equal_histogram(values: Values, bins: int, low: float | None, high: float | None) -> Histogram:
    """The histogram over ``bins`` bins of equal width between two bounds.

    A bound left out is the least or largest value on its side of the other; where there is none there
    are no bins. Edges have the values' own precision: of float32 values too close for so many bins there
    are as many as float32 can tell apart.
    """
    inside = values[(values >= _or(low, -np.inf)) & (values <= _or(high, np.inf))]
    if not inside.size and (low is None or high is None):
        below = values.size if high is None else 0
        return Histogram(np.empty(0), np.empty(0, np.int64), below, values.size - below)
    first, last = _apart(values, low, high, inside)
    try:
        counts, edges = np.histogram(values, bins, (first, last))  # three times as fast as over edges
    except ValueError:  # edges that are equal
        edges = np.unique(np.linspace(first, last, bins + 1).astype(_precision(values)))
        counts, edges = np.histogram(values, edges)
    return _outside(values, counts, edges)


def _apart(values: Values, low: float | None, high: float | None, inside: Values) -> tuple[float, float]:
    """The outer edges; around a single value, half a unit away on each side that wasn't given."""
    first = float(inside.min()) if low is None else low
    last = float(inside.max()) if high is None else high
    if first < last:
        return first, last
    half = max(0.5, float(np.spacing(np.abs(_precision(values).type(first)))))
    return first - (half if low is None else 0), last + (half if high is None else 0)


def _precision(values: Values) -> np.dtype[Any]:
    """The type of edges between values."""
    return values.dtype if values.dtype.kind == "f" else np.dtype(np.float64)


def _or(bound: float | None, otherwise: float) -> float:
    return otherwise if bound is None else bound


def _outside(values: Values, counts: NDArray[Any], edges: NDArray[Any]) -> Histogram:
    return Histogram(edges, counts, int((values < edges[0]).sum()), int((values > edges[-1]).sum()))
