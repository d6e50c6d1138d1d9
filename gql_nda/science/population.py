"""How the activity of units goes together."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gql_nda.science.reasons import Reasons, reasons

Floats = NDArray[np.float64]

_PORTION = 2048
"""Frames taken at once: 8 MB of 500 units."""


class Correlations(NamedTuple):
    """Pearson's r of every pair, (unit, unit), and why a unit's row and column are NaN."""

    r: Floats
    reasons: Reasons


def correlations(traces: ArrayLike) -> Correlations:
    """Correlation matrix of traces (unit, frame), as ``np.corrcoef`` has it, in little memory.

    Symmetric, 1 on the diagonal, never beyond 1. A unit that's constant, or has a value that isn't
    finite, has NaN with all units and itself, and doesn't touch the others: no frame is left out. The
    work grows with the square of the units: bound them.
    """
    values = np.asarray(traces)
    low, high = _range(values)
    with np.errstate(over="ignore", invalid="ignore"):
        finite = np.isfinite(high - low)
    varied = finite & (high > low)
    r = np.full((len(values), len(values)), np.nan)
    r[np.ix_(varied, varied)] = _pearson(values, np.flatnonzero(varied), low, high)
    told = reasons(
        len(values),
        (finite & ~varied, "the trace is constant"),
        (~finite, "the trace is empty, or holds values that are not finite"),
    )
    return Correlations(r, told)


def _range(values: NDArray[Any]) -> tuple[Floats, Floats]:
    """Smallest and largest value of each unit; NaN if there is none, or a NaN among them."""
    if not values.shape[1]:
        return np.full(len(values), np.nan), np.full(len(values), np.nan)
    return values.min(axis=1).astype(float), values.max(axis=1).astype(float)


def _pearson(values: NDArray[Any], units: NDArray[np.intp], low: Floats, high: Floats) -> Floats:
    """Correlations of some units that vary, each first scaled to 0 to 1: no square is too large or small."""
    start, span = low[units, None], high[units, None] - low[units, None]
    frames = range(0, values.shape[1], _PORTION)
    portions = [slice(i, i + _PORTION) for i in frames]
    mean = sum((((values[units, p] - start) / span).sum(axis=1) for p in portions), np.zeros(len(units)))
    mean = mean[:, None] / values.shape[1]
    products = np.zeros((len(units), len(units)))
    for p in portions:
        x = (values[units, p] - start) / span - mean
        products += x @ x.T
    spread = np.sqrt(np.diag(products))
    r: Floats = np.clip(products / np.outer(spread, spread), -1, 1)
    np.fill_diagonal(r, 1)
    return r
