"""Responses to trials: traces cut at trials by frame or by time, and averaged over repeats.

By frames is how nda's users cut: ``start_idx`` to ``end_idx``, which is included. It ignores a unit's
delay (up to 154 ms) and what ``start_idx`` was rounded by. By times is how cajal/foundation reads
traces: at the frames' measured times plus the unit's delay, never at the nominal rate, which drifts by
seconds over a scan.

What wasn't recorded is NaN, and left out of every mean; the counts beside the means tell.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gql_nda.science.resampling import sample, unclocked

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_Windows = tuple[Integers, Integers, Integers]
"""Some units, and the first and the stop frame of each window, the stop not included."""

_PORTION = 64
"""Traces averaged at once: 20 MB of 40,000 frames."""


SHORT = "some samples lie beyond the trace or are not finite"
"""Why samples of a response are missing."""

HUGE = "a mean is larger than a number can be"
"""Why a mean of known samples is missing."""

LARGEST = 2**17
"""Samples of a unit's responses, the shorter padded, at most: three recordings of 40,000 frames, 1 MB."""


class Lengths(NamedTuple):
    """Number of samples of trials, and which are ``unfit``, (trial,) both: these have none.

    Unfit is what has no finite start and end, and what is so long that all, padded to it, would be more than
    ``LARGEST``: a damaged row must not cost gigabytes, and takes nothing from the others.
    """

    samples: Integers
    unfit: NDArray[np.bool_]

    @property
    def longest(self) -> int:
        """Samples of the longest."""
        return int(self.samples.max(initial=0))


class Aligned(NamedTuple):
    """Responses (unit, trial, sample) and how long trials are; NaN behind the shorter."""

    values: Floats
    lengths: Lengths


class Means(NamedTuple):
    """Means, their standard errors and how many values each is of, all of one shape.

    A mean of nothing is NaN, and so is the standard error of fewer than two.
    """

    mean: Floats
    sem: Floats
    n: Integers


def repeats_of(hashes: Sequence[str], at_least: int = 1) -> dict[str, list[int]]:
    """Positions of the trials of each condition shown ``at_least`` times, in order of first showing.

    Hashes are compared exactly: base64 hashes that differ by case are different, which MySQL ignores.
    """
    shown: dict[str, list[int]] = {}
    for i, hash_ in enumerate(hashes):
        shown.setdefault(hash_, []).append(i)
    return {hash_: at for hash_, at in shown.items() if len(at) >= at_least}


# --- alignment -------------------------------------------------------------------------------------


def frame_lengths(starts: ArrayLike, ends: ArrayLike) -> Lengths:
    """How long trials are from frame ``starts`` to ``ends`` (trial,), both included."""
    return _lengths(np.ravel(ends).astype(float) - np.ravel(starts).astype(float) + 1)


def time_lengths(frame_times: ArrayLike, starts: ArrayLike, ends: ArrayLike) -> Lengths:
    """How long trials are from ``starts`` to ``ends`` (trial,) in s, sampled at a measured frame period."""
    lasts = np.ravel(ends).astype(float) - np.ravel(starts).astype(float)
    return _lengths(np.floor(lasts / frame_period(frame_times) + 1e-9) + 1)


def _lengths(counts: Floats) -> Lengths:
    unfit = ~(np.abs(counts) <= LARGEST // max(len(counts), 1))
    return Lengths(np.where(unfit, 0, np.maximum(counts, 0)).astype(int), unfit)


def by_frames(traces: ArrayLike, starts: ArrayLike, ends: ArrayLike) -> Aligned:
    """Traces (unit, frame) cut from frame ``starts`` to ``ends`` (trial,), both included.

    NaN for frames that weren't recorded.
    """
    values, lengths = np.asarray(traces), frame_lengths(starts, ends)
    first = np.where(lengths.unfit, 0, np.ravel(starts).astype(float)).astype(int)
    step = np.arange(lengths.longest)
    at = first[:, None] + step
    there = (step < lengths.samples[:, None]) & (at >= 0) & (at < values.shape[1])
    cut = np.full((len(values), *at.shape), np.nan)
    cut[:, there] = values[:, at[there]]
    return Aligned(cut, lengths)


def by_times(
    traces: ArrayLike, frame_times: ArrayLike, delays_ms: ArrayLike, starts: ArrayLike, ends: ArrayLike
) -> tuple[Aligned, Floats]:
    """Traces (unit, frame) interpolated from ``starts`` to ``ends`` (trial,) in s, and the samples' times.

    The times, (sample,) in s from the start of a trial, are a measured frame period apart; the units'
    ``delays_ms`` (unit,) are made up for. NaN outside the recording. ValueError if the frame times can't
    be used.
    """
    frames, begin = np.asarray(frame_times, float), np.ravel(starts).astype(float)
    lengths = time_lengths(frames, begin, ends)
    step = np.arange(lengths.longest)
    axis = step.astype(float) * frame_period(frames)
    times = np.where(step < lengths.samples[:, None], begin[:, None] + axis, np.nan)
    return Aligned(sample(traces, frames, delays_ms, times), lengths), axis


def frame_period(frame_times: ArrayLike) -> float:
    """Measured time between frames (s), the mean. ValueError if they can't be used."""
    frames = np.asarray(frame_times, float)
    if problem := unclocked(frames):
        raise ValueError(problem)
    return float((frames[-1] - frames[0]) / (len(frames) - 1))


def shortest(aligned: Aligned) -> Floats:
    """Responses cut to the shortest trial: (unit, trial, sample) without padding."""
    return aligned.values[..., : aligned.lengths.samples.min(initial=aligned.values.shape[-1])]


# --- means -----------------------------------------------------------------------------------------


def averaged(values: ArrayLike, axis: int) -> Means:
    """Mean, standard error (std with n - 1, over the root of n) and n along an axis, NaN left out."""
    # laid out one way, so that a mean is the same to the last bit, whatever it is computed beside
    x = np.ascontiguousarray(np.moveaxis(np.asarray(values, float), axis, -1))
    known = np.isfinite(x)
    n = known.sum(axis=-1)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        mean = np.where(known, x, 0).sum(axis=-1) / n
        spread = np.where(known, x - mean[..., None], 0)
        sem = np.sqrt((spread**2).sum(axis=-1) / np.where(n > 1, n - 1, np.nan) / n)
    return Means(mean, sem, n)


def psth(responses: ArrayLike) -> Means:
    """Mean response over the repeats of a condition: (..., repeat, sample) to (..., sample)."""
    return averaged(responses, axis=-2)


def trial_means(traces: ArrayLike, starts: ArrayLike, ends: ArrayLike) -> tuple[Floats, Integers]:
    """Mean of traces (unit, frame) from frame ``starts`` to ``ends`` (trial,), both included.

    Gives the means and how many frames each is of, (unit, trial) both.
    """
    values, first, stop = np.asarray(traces), np.ravel(starts).astype(int), np.ravel(ends).astype(int) + 1
    return _means(values, [(np.arange(len(values)), first, stop)], len(first))


def window_means(
    traces: ArrayLike, frame_times: ArrayLike, delays_ms: ArrayLike, starts: ArrayLike, stops: ArrayLike
) -> tuple[Floats, Integers]:
    """Mean of the frames of traces (unit, frame) taken from ``starts`` on and before ``stops`` (window,).

    A frame is taken at its ``frame_times`` (s, which increase) plus the unit's ``delays_ms`` (unit,).
    Gives the means and how many frames each is of, (unit, window) both.
    """
    values, frames = np.asarray(traces), np.asarray(frame_times, float)
    delays, of_unit = np.unique(np.asarray(delays_ms, float), return_inverse=True)
    begin, end = np.ravel(starts).astype(float), np.ravel(stops).astype(float)
    windows = (
        (np.flatnonzero(of_unit == i), np.searchsorted(frames, begin - delay), np.searchsorted(frames, end - delay))
        for i, delay in enumerate(delays / 1000)
    )
    return _means(values, windows, len(begin))


def _means(values: NDArray[Any], windows: Iterable[_Windows], count: int) -> tuple[Floats, Integers]:
    """Mean and number of the frames in windows that groups of units have alike, a few units at a time."""
    means, counts = np.full((len(values), count), np.nan), np.zeros((len(values), count), int)
    for group, first, stop in windows:
        for i in range(0, len(group), _PORTION):
            units = group[i : i + _PORTION]
            means[units], counts[units] = _frame_means(values[units], first, stop)
    return means, counts


def _frame_means(values: NDArray[Any], first: Integers, stop: Integers) -> tuple[Floats, Integers]:
    """Mean and number of the finite frames from ``first`` on and before ``stop``: (unit, window) both."""
    first = np.clip(first, 0, values.shape[1])
    edges = np.stack([first, np.clip(stop, first, values.shape[1])], axis=1).ravel()
    known = np.isfinite(values)
    counts = _sums(known, edges).astype(int) * (np.diff(edges)[::2] > 0)
    with np.errstate(over="ignore", invalid="ignore"):
        sums = _sums(np.where(known, values, 0), edges)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan), counts


def _sums(values: NDArray[Any], edges: Integers) -> Floats:
    """Sums of rows between pairs of edges, (row, pair); of an empty pair, anything."""
    padded = np.zeros((len(values), values.shape[1] + 1))  # an edge may lie behind the last frame
    padded[:, :-1] = values
    sums: Floats = np.add.reduceat(padded, edges, axis=1)[:, ::2]
    return sums
