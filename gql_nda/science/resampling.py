"""Values at times other than those they were recorded at: traces of units, and behaviour.

Traces are interpolated at their own delayed times, as ``utils.fetch_oracle_raster`` of
cajal/microns_phase3_nda does. Behaviour, recorded on its own clock, comes to the frames of a scan
through the filter of cajal/pipeline and of nda's ManualPupil and Treadmill: a Hamming low-pass at
half the target's rate, then linear interpolation.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import convolve1d
from scipy.signal import firwin

Floats = NDArray[np.float64]


# --- traces ----------------------------------------------------------------------------------------


def unclocked(frame_times: ArrayLike) -> str | None:
    """Why a scan's frame times (s) can't be used, if so."""
    frames = np.asarray(frame_times, float)
    if not len(frames):
        return "the scan has no frame times"
    if len(frames) < 2:
        return "the scan has fewer than two frame times"
    rising = np.isfinite(frames).all() and (frames[1:] > frames[:-1]).all()
    return None if rising else "the frame times don't increase"


def sample(traces: ArrayLike, frame_times: ArrayLike, delays_ms: ArrayLike, times: ArrayLike) -> Floats:
    """Traces interpolated linearly at ``times`` (s) of any shape: one row of that shape a unit.

    ``traces`` (unit, frame) were taken at ``frame_times`` (frame,) in s, which increase, each unit
    ``delays_ms`` (unit,) later; if one is shorter than the other, the rest of the longer is ignored.
    NaN where ``times`` lie outside or are NaN, and everywhere if there are fewer than two frames; what
    isn't finite in a trace stays between its neighbours.
    """
    values, frames, at = np.asarray(traces), np.asarray(frame_times, float), np.asarray(times, float)
    frames = frames[: values.shape[1]]
    if len(frames) < 2:
        return np.full((len(values), *at.shape), np.nan)
    delays, of_unit = np.unique(np.asarray(delays_ms, float), return_inverse=True)
    wanted = at.ravel()[None] - delays[:, None] / 1000
    before = np.clip(np.searchsorted(frames, wanted, side="right") - 1, 0, len(frames) - 2)
    with np.errstate(divide="ignore", invalid="ignore"):  # two frames at one time
        share = (wanted - frames[before]) / (frames[before + 1] - frames[before])
    share = np.where((wanted >= frames[0]) & (wanted <= frames[-1]), share, np.nan)
    left, share = before[of_unit], share[of_unit]
    lower = np.take_along_axis(values, left, axis=1).astype(float)
    upper = np.take_along_axis(values, left + 1, axis=1).astype(float)
    with np.errstate(over="ignore", invalid="ignore"):  # infinities in a trace
        sampled: Floats = (lower + (upper - lower) * share).reshape(len(values), *at.shape)
    return sampled


# --- behaviour -------------------------------------------------------------------------------------


FASTEST = 1000.0
"""Rate (Hz) above which no clock of behaviour runs: treadmill and camera give 100 samples a second at most."""


def median_rate(times: ArrayLike) -> float:
    """Median sampling rate of a clock (Hz); its NaN are left out.

    NaN if no two neighbours are known, or if the median step isn't positive.
    """
    steps = np.diff(np.asarray(times, float))
    known = steps[~np.isnan(steps)]
    step = float(np.median(known)) if known.size else np.nan
    return 1 / step if step > 0 else np.nan


def lowpass_taps(source_hz: float, target_hz: float) -> Floats:
    """Coefficients of the filter: two seconds of the source, cut off at half the target's rate.

    ValueError for a source faster than ``FASTEST``: of a broken clock there may be too many to hold.
    """
    if source_hz > FASTEST:
        raise ValueError(f"a clock runs at {source_hz:g} Hz, faster than any at {FASTEST:g} Hz")
    count = round(2 * source_hz + 1)
    taps: Floats = firwin(count, cutoff=target_hz / 2, window="hamming", fs=source_hz)
    return taps


def resample(values: ArrayLike, source_times: ArrayLike, target_times: ArrayLike) -> Floats:
    """Values low-passed and interpolated at ``target_times``: (..., sample) to (..., target).

    ``source_times`` (sample,) in s may hold NaN: those samples take part in the filter, not in the
    interpolation; the others increase. A NaN value spreads over the filter's length, two seconds. NaN
    outside the source. A source no faster than the target, or of two clocks one without a rate (a
    single target, say), is only interpolated: there's nothing to filter. All NaN if fewer than two
    times are known. ValueError if values and source times differ in length, or the source's clock is
    faster than ``FASTEST``.
    """
    series, source = np.atleast_2d(np.asarray(values, float)), np.asarray(source_times, float)
    target = np.asarray(target_times, float)
    if series.shape[-1] != len(source):
        raise ValueError(f"{series.shape[-1]} samples have {len(source)} times")
    known = ~np.isnan(source)
    if known.sum() < 2:
        return np.full((*np.shape(values)[:-1], len(target)), np.nan)
    smooth = _lowpass(series, median_rate(source), median_rate(target))[..., known]
    at = [np.interp(target, source[known], s, left=np.nan, right=np.nan) for s in smooth]
    return np.array(at).reshape(*np.shape(values)[:-1], len(target))


def _lowpass(series: Floats, source_hz: float, target_hz: float) -> Floats:
    """Each series filtered, reflected at its ends; a filter can't cut off above half its rate."""
    if not source_hz > target_hz:
        return series
    filtered: Floats = convolve1d(series, lowpass_taps(source_hz, target_hz), axis=-1, mode="reflect")
    return filtered
