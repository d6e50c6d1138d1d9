"""How reliably units respond to the same movie: resampled responses, and the oracle score.

The estimator is that of ``MovieOracle`` of the laboratory that recorded nda (public siblings:
cajal/neuro_data ``movies/stats.py``, ``OracleMap`` of cajal/pipeline); the sampling of the responses
is that of ``utils.fetch_oracle_raster`` of cajal/microns_phase3_nda. The resampling behind the scores
stored in nda isn't published, so a score computed here need not equal a stored one.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_EPSILON = 1e-8
"""Added to standard deviations, so that a constant unit scores 0."""

MIN_REPEATS = 3
"""A condition shown less often says nothing about reliability."""


def sample_count(start: float, end: float, fps: float) -> int:
    """Number of samples taken of a trial from ``start`` to ``end`` (s) at the nominal rate (Hz)."""
    return round(fps * (end - start))


def sample_times(starts: ArrayLike, ends: ArrayLike, fps: float) -> Floats:
    """Times (s) at which the repeats of one condition are sampled: (repeat, sample).

    Each repeat is sampled evenly from its start to its end, both included, ``fps`` (Hz) being the
    scan's nominal rate; all are cut to the shortest repeat.
    """
    spans = list(zip(np.atleast_1d(starts), np.atleast_1d(ends), strict=True))
    counts = [max(sample_count(start, end, fps), 0) for start, end in spans]
    shortest = min(counts, default=0)
    grids = [np.linspace(start, end, count)[:shortest] for (start, end), count in zip(spans, counts, strict=True)]
    return np.array(grids, float).reshape(len(grids), shortest)


def sample(traces: ArrayLike, frame_times: ArrayLike, delays_ms: ArrayLike, times: ArrayLike) -> Floats:
    """Traces interpolated linearly at ``times`` (s) of any shape: one row of that shape a unit.

    ``traces`` (unit, frame) were taken at ``frame_times`` (frame,) in s, each unit ``delays_ms``
    (unit,) later. NaN where ``times`` lie outside, and everywhere if there are fewer than two frames.
    """
    values, frames, at = np.asarray(traces), np.asarray(frame_times, float), np.asarray(times, float)
    if len(frames) < 2:
        return np.full((len(values), *at.shape), np.nan)
    delays, of_unit = np.unique(np.asarray(delays_ms, float), return_inverse=True)
    wanted = at.ravel()[None] - delays[:, None] / 1000
    before = np.clip(np.searchsorted(frames, wanted, side="right") - 1, 0, len(frames) - 2)
    share = (wanted - frames[before]) / (frames[before + 1] - frames[before])
    share = np.where((wanted < frames[0]) | (wanted > frames[-1]), np.nan, share)
    left, share = before[of_unit], share[of_unit]
    lower = np.take_along_axis(values, left, axis=1).astype(float)
    upper = np.take_along_axis(values, left + 1, axis=1).astype(float)
    sampled: Floats = (lower + (upper - lower) * share).reshape(len(values), *at.shape)
    return sampled


def leave_one_out(responses: ArrayLike) -> Floats:
    """Mean of the other repeats, for each repeat: (unit, repeat, sample) to the same shape."""
    x = np.asarray(responses, float)
    repeats = x.shape[1]
    others: Floats = (x.sum(axis=1, keepdims=True) - x) / (repeats - 1)
    return others


def correlation(a: ArrayLike, b: ArrayLike) -> Floats:
    """Correlation along the last axis as upstream computes it: Pearson's r times (n - 1) / n.

    Standardises by std(ddof=1) + 1e-8 and averages the products: a constant gives 0. Fewer than two
    values give NaN.
    """
    if np.shape(a)[-1] < 2:
        return np.full(np.shape(a)[:-1], np.nan)
    x, y = _standardised(np.asarray(a, float)), _standardised(np.asarray(b, float))
    r: Floats = (x * y).mean(axis=-1)
    return r


def _standardised(x: Floats) -> Floats:
    """Zero mean and unit standard deviation along the last axis."""
    scaled: Floats = (x - x.mean(axis=-1, keepdims=True)) / (x.std(axis=-1, ddof=1, keepdims=True) + _EPSILON)
    return scaled


def oracle_score(conditions: Sequence[ArrayLike]) -> Floats:
    """Correlation of each response with the mean of its other repeats, pooled: (unit,).

    Each condition is (unit, repeat, sample); those shown fewer than three times are left out. NaN
    when none is left.
    """
    responses = [np.asarray(c, float) for c in conditions]
    kept = [r for r in responses if r.shape[1] >= MIN_REPEATS]
    if not kept:
        return np.full(len(responses[0]) if responses else 0, np.nan)
    units = len(kept[0])
    data = np.concatenate([r.reshape(units, -1) for r in kept], axis=1)
    oracle = np.concatenate([leave_one_out(r).reshape(units, -1) for r in kept], axis=1)
    return correlation(data, oracle)
