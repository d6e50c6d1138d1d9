"""Behaviour, recorded on its own clock, resampled to the frames of a scan.

The filter is that of cajal/pipeline and of nda's ManualPupil and Treadmill: a Hamming low-pass at
half the target's rate, then linear interpolation.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import convolve1d
from scipy.signal import firwin

Floats = NDArray[np.float64]


def median_rate(times: ArrayLike) -> float:
    """Median sampling rate of a clock (Hz); its NaN are left out."""
    return float(1 / np.nanmedian(np.diff(np.asarray(times, float))))


def lowpass_taps(source_hz: float, target_hz: float) -> Floats:
    """Coefficients of the filter: two seconds of the source, cut off at half the target's rate."""
    count = round(2 * source_hz + 1)
    taps: Floats = firwin(count, cutoff=target_hz / 2, window="hamming", fs=source_hz)
    return taps


def resample(values: ArrayLike, source_times: ArrayLike, target_times: ArrayLike) -> Floats:
    """Values low-passed and interpolated at ``target_times``: (..., sample) to (..., target).

    ``source_times`` (sample,) in s may hold NaN: those samples take part in the filter, not in the
    interpolation. A NaN value spreads over the filter's length, two seconds. NaN outside the source.
    A source no faster than the target is only interpolated: there's nothing to filter. All NaN if
    fewer than two times are known.
    """
    series, source = np.atleast_2d(np.asarray(values, float)), np.asarray(source_times, float)
    target = np.asarray(target_times, float)
    known = ~np.isnan(source)
    if known.sum() < 2:
        return np.full((*np.shape(values)[:-1], len(target)), np.nan)
    smooth = _lowpass(series, median_rate(source), median_rate(target))[..., known]
    at = [np.interp(target, source[known], s, left=np.nan, right=np.nan) for s in smooth]
    return np.array(at).reshape(*np.shape(values)[:-1], len(target))


def _lowpass(series: Floats, source_hz: float, target_hz: float) -> Floats:
    """Each series filtered, reflected at its ends; a filter can't cut off above half its rate."""
    if source_hz <= target_hz:
        return series
    filtered: Floats = convolve1d(series, lowpass_taps(source_hz, target_hz), axis=-1, mode="reflect")
    return filtered
