"""How reliably units respond to the same movie: the oracle score, and the oracle raster.

The score's estimator is that of ``MovieOracle`` of the laboratory that recorded nda (public siblings:
cajal/neuro_data ``movies/stats.py``, ``OracleMap`` of cajal/pipeline). The raster, and the sampling of
the responses in both, is that of ``utils.fetch_oracle_raster`` of cajal/microns_phase3_nda. The
resampling behind the scores stored in nda isn't published, so a score computed here need not equal a
stored one.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gql_nda.science.reasons import Reasons, joined, reasons
from gql_nda.science.resampling import sample, unclocked
from gql_nda.science.responses import SHORT, repeats_of

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_EPSILON = 1e-8
"""Added to standard deviations, so that a constant unit scores 0."""

_PORTION = 256
"""Units scored at once: their samples, 8 MB a hundred, are the largest arrays here."""

MIN_REPEATS = 3
"""A condition shown less often says nothing about reliability."""

REPEATS = 10
"""How often nda shows each of its six oracle clips: what tells them from all others."""

_NO_TRIALS: Integers = np.empty((0, 0), np.int64)


class Trials(NamedTuple):
    """Columns of a scan's trials (trial,): number, exact condition hash, first and last time (s)."""

    trial_idx: ArrayLike
    hashes: Sequence[str]
    starts: ArrayLike
    ends: ArrayLike


# --- sampling --------------------------------------------------------------------------------------


def sample_count(start: float, end: float, fps: float) -> int:
    """Number of samples taken of a trial from ``start`` to ``end`` (s) at the nominal rate (Hz)."""
    return round(fps * (end - start))


def sample_times(starts: ArrayLike, ends: ArrayLike, fps: float) -> Floats:
    """Times (s) at which the repeats of one condition are sampled: (repeat, sample).

    Each repeat is sampled evenly from its start to its end, both included, ``fps`` (Hz) being the
    scan's nominal rate; all are cut to the shortest repeat.
    """
    grids = _grids(starts, ends, fps)
    shortest = min(map(len, grids), default=0)
    return np.array([grid[:shortest] for grid in grids], float).reshape(len(grids), shortest)


def _grids(starts: ArrayLike, ends: ArrayLike, fps: float) -> list[Floats]:
    """The times (s) of each trial's samples."""
    spans = zip(np.ravel(starts).tolist(), np.ravel(ends).tolist(), strict=True)
    return [np.linspace(start, end, max(sample_count(start, end, fps), 0)) for start, end in spans]


# --- the score of given responses ------------------------------------------------------------------


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
    """Zero mean and unit standard deviation along the last axis.

    Counted from the first value, so that a constant, however large, leaves no rounding error behind.
    """
    x = x - x[..., :1]
    spread = x.std(axis=-1, ddof=1, keepdims=True) + _EPSILON
    spread[np.isinf(spread)] = np.nan  # too large to be squared: dividing by it would make a constant of it
    scaled: Floats = (x - x.mean(axis=-1, keepdims=True)) / spread
    return scaled


def oracle_score(conditions: Sequence[ArrayLike]) -> Floats:
    """Correlation of each response with the mean of its other repeats, pooled: (unit,).

    Each condition is (unit, repeat, sample); those shown fewer than three times are left out. NaN
    when none is left, and for units whose responses aren't all finite.
    """
    responses = [np.asarray(c, float) for c in conditions]
    kept = [r for r in responses if r.shape[1] >= MIN_REPEATS]
    if not kept:
        return np.full(len(responses[0]) if responses else 0, np.nan)
    units = len(kept[0])
    with np.errstate(over="ignore", invalid="ignore"):
        data = np.concatenate([r.reshape(units, -1) for r in kept], axis=1)
        oracle = np.concatenate([leave_one_out(r).reshape(units, -1) for r in kept], axis=1)
        return correlation(data, oracle)


# --- the score of traces ---------------------------------------------------------------------------


class Scores(NamedTuple):
    """Oracle scores (unit,), NaN where ``reasons`` tell why; ``trials`` is how many took part."""

    pearson: Floats
    trials: int
    reasons: Reasons


def scores(traces: ArrayLike, frame_times: ArrayLike, delays_ms: ArrayLike, trials: Trials, fps: float) -> Scores:
    """Oracle scores of traces (unit, frame), over every condition shown three times or more.

    Give the trials that count, nda's are the clips. ``frame_times`` (frame,) in s, ``delays_ms``
    (unit,); responses are sampled as in :func:`sample_times`, ``fps`` (Hz) being the nominal rate. A
    constant unit scores 0. NaN for a unit with a sample that isn't finite or lies beyond the recording.
    """
    values, delays = np.asarray(traces), np.asarray(delays_ms, float)
    starts, ends = np.ravel(trials.starts).astype(float), np.ravel(trials.ends).astype(float)
    groups = list(repeats_of(trials.hashes, MIN_REPEATS).values())
    used = [i for group in groups for i in group]
    problem = None if groups else f"no condition was shown {MIN_REPEATS} times"
    problem = problem or _bad_times(starts[used], ends[used], np.asarray(frame_times, float), fps)
    if problem:
        return Scores(np.full(len(values), np.nan), 0, reasons(len(values), (True, problem)))
    at = [sample_times(starts[g], ends[g], fps) for g in groups]
    portions = [slice(i, i + _PORTION) for i in range(0, len(values), _PORTION)]
    found = [oracle_score([sample(values[p], frame_times, delays[p], t) for t in at]) for p in portions]
    pearson = np.concatenate([np.empty(0), *found])
    told = _missing(pearson, np.concatenate([t.ravel() for t in at]), values.shape[1], frame_times, delays)
    return Scores(pearson, len(used), told)


def _bad_times(starts: Floats, ends: Floats, frames: Floats, fps: float) -> str | None:
    """What is wrong with the times of trials, if anything; else the number of samples is bounded."""
    if problem := unclocked(frames):
        return problem
    longest = np.max(ends - starts, initial=-np.inf)
    if not np.isfinite(longest):
        return "a trial has no finite start and end"
    if longest > frames[-1] - frames[0]:
        return "a trial is longer than the recording"
    if not (fps > 0 and fps * longest <= 2 * len(frames)):
        return "the nominal rate is not that of the frames"
    return None


def _missing(pearson: Floats, times: Floats, frames: int, frame_times: ArrayLike, delays: Floats) -> Reasons:
    """Why scores are NaN, unit by unit: ``times`` (s) are those of all samples."""
    if len(times) < 2:
        return reasons(len(pearson), (True, "the shortest repeats hold fewer than two samples"))
    nan, beyond = np.isnan(pearson), _beyond(np.asarray(frame_times, float)[:frames], times, delays)
    return reasons(
        len(pearson),
        (nan & beyond, "a trial reaches beyond the unit's trace"),
        (nan & ~beyond, "the trace holds values that are not finite, or too large"),
    )


def _beyond(frames: Floats, times: Floats, delays: Floats) -> NDArray[np.bool_]:
    """Whether some of ``times`` (s) lie outside the frames of a unit with that delay (ms): (unit,)."""
    if len(frames) < 2:
        return np.ones(len(delays), bool)
    first, last = times.min() - delays / 1000, times.max() - delays / 1000
    outside: NDArray[np.bool_] = (first < frames[0]) | (last > frames[-1])
    return outside


# --- the raster ------------------------------------------------------------------------------------


class Blocks(NamedTuple):
    """Oracle clips in the raster's order, and which trial shows each: positions (repeat, clip).

    ``reason`` tells why there are none, or what looks like an oracle clip and is left out.
    """

    clips: list[str]
    trials: Integers
    reason: str | None


class Layout(NamedTuple):
    """The axes of a scan's raster, known without any trace: clips in order, and when each is sampled.

    ``trials`` (repeat, clip) are positions in the columns given, ``times`` (s) are (repeat, clip, sample), NaN
    behind the end of a shorter clip. Without a raster there are no clips but a reason; with one, ``reason`` is that
    of :class:`Blocks`.
    """

    clips: list[str]
    trials: Integers
    times: Floats
    reason: str | None


class Raster(NamedTuple):
    """Responses to the oracle clips, (unit, repeat, clip, sample), on all units the same ``times`` (s).

    ``trials`` (repeat, clip) are positions in the columns given. ``normalized`` runs from 0 to 1 over the
    clips and samples of each repeat. NaN are samples behind the end of a shorter clip, whose times are
    NaN, too; and samples beyond the trace or not finite, and in ``normalized`` a repeat that's constant:
    ``reasons`` tell of these, and of a raster that's missing as a whole. Then it has no clips.
    """

    clips: list[str]
    trials: Integers
    times: Floats
    raw: Floats
    normalized: Floats
    reasons: Reasons


def oracle_blocks(trial_idx: ArrayLike, hashes: Sequence[str], repeats: int = REPEATS) -> Blocks:
    """The oracle clips, and their trials block by block.

    Oracle clips are the conditions shown exactly ``repeats`` times; a block is a row of trials that
    shows each once. Clips come in falling order of their hashes whatever their case, as MySQL sorts
    for upstream; hashes that differ by case are different clips. Without such clips, or with anything
    else between them, there are no blocks but a reason. A clip that never stands among the others is
    left out, and told, and so is one, shown less or more often, that stands beside four in five blocks.
    """
    numbers = np.ravel(trial_idx).astype(int)
    shown = {h: at for h, at in repeats_of(hashes, repeats).items() if len(at) == repeats}
    clips = sorted(shown, key=lambda h: (h.lower(), h), reverse=True)
    if not clips:
        return Blocks([], _NO_TRIALS, f"no condition was shown {repeats} times")
    trials = np.array([sorted(shown[h], key=lambda i: numbers[i]) for h in clips], int).T
    apart = _apart(numbers[trials])
    if not apart.all():
        clips, trials = [h for h, alone in zip(clips, apart, strict=True) if not alone], trials[:, ~apart]
    first, last = numbers[trials].min(axis=1), numbers[trials].max(axis=1)
    mixed = last - first != len(clips) - 1
    if mixed.any():
        told = f"repeat {mixed.argmax() + 1} of the oracle clips is no block of {len(clips)} trials in a row"
        return Blocks([], _NO_TRIALS, told)
    odd = len(shown) - len(clips)
    outside = f"{odd} conditions shown {repeats} times stand outside the blocks of oracle clips" if odd else None
    edges = {*(first - 1).tolist(), *(last + 1).tolist()}
    beside = Counter(h for i, h in zip(numbers.tolist(), hashes, strict=True) if i in edges and h not in shown)
    near = [h for h, count in beside.items() if count >= 0.8 * repeats]
    return Blocks(
        clips,
        trials,
        joined(outside, *(f"{h} beside {beside[h]} of the blocks was not shown {repeats} times" for h in near)),
    )


def _apart(numbers: Integers) -> NDArray[np.bool_]:
    """Which clips (clip,) stand by the others in no repeat: ``numbers`` (repeat, clip) are those of their trials."""
    order = np.argsort(numbers, axis=1)
    close = np.diff(np.take_along_axis(numbers, order, axis=1), axis=1) < numbers.shape[1]
    beside = np.pad(close, ((0, 0), (1, 1)))
    near = np.empty(numbers.shape, bool)
    np.put_along_axis(near, order, beside[:, 1:] | beside[:, :-1], axis=1)
    return np.asarray(~near.any(axis=0))


def layout(trials: Trials, frame_times: ArrayLike, fps: float, repeats: int = REPEATS) -> Layout:
    """The axes of a raster: see :func:`oracle_blocks` for ``repeats``, :func:`raster` for the rest."""
    starts, ends = np.ravel(trials.starts).astype(float), np.ravel(trials.ends).astype(float)
    blocks = oracle_blocks(trials.trial_idx, trials.hashes, repeats)
    chosen = blocks.trials
    problem = None if blocks.clips else blocks.reason
    problem = problem or _bad_times(starts[chosen], ends[chosen], np.asarray(frame_times, float), fps)
    if problem:
        return Layout([], _NO_TRIALS, np.empty((0, 0, 0)), problem)
    times = _padded(_grids(starts[chosen], ends[chosen], fps)).reshape(*chosen.shape, -1)
    return Layout(blocks.clips, chosen, times, blocks.reason)


def raster(
    traces: ArrayLike,
    frame_times: ArrayLike,
    delays_ms: ArrayLike,
    trials: Trials,
    fps: float,
    repeats: int = REPEATS,
) -> Raster:
    """Responses of traces (unit, frame) to the oracle clips, as upstream's raster, robust where it breaks.

    ``frame_times`` (frame,) in s, ``delays_ms`` (unit,), ``fps`` (Hz) the nominal rate; see
    :func:`oracle_blocks` for ``repeats``. Clips of unequal length are padded with NaN, not cut.
    """
    values, delays = np.asarray(traces), np.asarray(delays_ms, float)
    clips, chosen, times, note = layout(trials, frame_times, fps, repeats)
    if not clips:
        return _no_raster(len(values), note)
    raw = sample(values, frame_times, delays, times)
    raw[~np.isfinite(raw)] = np.nan
    normalized, flat = normalised(raw)
    lost = np.isnan(raw[..., ~np.isnan(times)]).any(axis=-1)
    told = reasons(
        len(values),
        (bool(note), note or ""),
        (lost, SHORT),
        (flat.any(axis=1), "repeats without any change can't be normalised"),
    )
    return Raster(clips, chosen, times, raw, normalized, told)


def _no_raster(units: int, reason: str | None) -> Raster:
    """A raster without clips."""
    none = np.empty((units, 0, 0, 0))
    return Raster([], _NO_TRIALS, np.empty((0, 0, 0)), none, none, [reason] * units)


def _padded(rows: list[Floats]) -> Floats:
    """Rows of unequal length as (row, longest), NaN behind the shorter."""
    padded = np.full((len(rows), max(map(len, rows), default=0)), np.nan)
    for i, row in enumerate(rows):
        padded[i, : len(row)] = row
    return padded


def normalised(raw: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Each repeat scaled from 0 to 1 over its clips and samples, and whether it's constant.

    (unit, repeat, clip, sample) to the same shape and (unit, repeat). NaN are left out; a repeat that's
    constant, or all NaN, gives NaN.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        shifted = raw - np.fmin.reduce(raw, axis=(2, 3), keepdims=True, initial=np.nan)
        span = np.fmax.reduce(shifted, axis=(2, 3), keepdims=True, initial=np.nan)
        flat = ~(span > 0)
        scaled: Floats = np.where(flat, np.nan, shifted / np.where(flat, 1, span))
    return scaled, flat[:, :, 0, 0]
