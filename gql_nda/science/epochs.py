"""When the mouse ran, and when its pupil was seen: epochs of behaviour on an axis of times.

An axis is a device's own clock (raw) or the frame times of a scan (synchronised); :func:`on_axis` takes
epochs found on one to another, where they can be intersected.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Epochs(NamedTuple):
    """Epochs in samples and in seconds, (epoch, 2) both: first and stop, the stop not included."""

    samples: Integers
    seconds: Floats


def running(velocity: ArrayLike, threshold: float) -> Mask:
    """Whether the treadmill was faster than ``threshold`` (cm/s), sample by sample; NaN is not.

    The sign counts: give the absolute velocity for running in either direction.
    """
    mask: Mask = np.asarray(velocity, float) > threshold
    return mask


def resting(velocity: ArrayLike, threshold: float) -> Mask:
    """Whether the treadmill was slower than ``threshold`` (cm/s), sample by sample; NaN is not."""
    mask: Mask = np.asarray(velocity, float) < threshold
    return mask


def known(*series: ArrayLike) -> Mask:
    """Whether none of some series (sample,), the pupil's radii and place say, is NaN."""
    mask: Mask = ~np.any([np.isnan(np.asarray(s, float)) for s in series], axis=0)
    return mask


def runs(mask: ArrayLike) -> Integers:
    """The runs of true samples of a mask (sample,): (run, 2), first and stop."""
    padded = np.concatenate([[False], np.asarray(mask, bool), [False]])
    return np.flatnonzero(padded[1:] != padded[:-1]).reshape(-1, 2)


def epochs(mask: ArrayLike, times: ArrayLike, min_duration: float = 0) -> Epochs:
    """Runs of true samples (sample,) that last ``min_duration`` (s) at least; intersect masks with ``&``.

    A sample lasts until the next one, but no longer than the median step of the clock: so the last
    sample has a length, and a gap in the clock none (nor has the only sample of a clock). ``times``
    (sample,) in s increase but may hold NaN: samples of unknown time belong to no epoch. ValueError if
    mask and times differ in length.
    """
    at = np.asarray(times, float)
    if np.size(mask) != len(at):
        raise ValueError(f"{np.size(mask)} samples have {len(at)} times")
    found = runs(np.asarray(mask, bool) & ~np.isnan(at))
    seconds = np.stack([at[found[:, 0]], _ends(at)[found[:, 1] - 1]], axis=1)
    # half a microsecond of grace: ten samples of 0.1 s last 1 s
    long = seconds[:, 1] - seconds[:, 0] >= min_duration - 5e-7
    return Epochs(found[long], seconds[long])


def _ends(times: Floats) -> Floats:
    """When each sample ends (s)."""
    steps = np.diff(times)
    measured = steps[~np.isnan(steps)]
    step = float(np.median(measured)) if measured.size else 0.0
    ends: Floats = np.fmin(np.append(times[1:], np.nan)[: len(times)], times + step)
    return ends


def on_axis(seconds: ArrayLike, times: ArrayLike) -> Mask:
    """Whether each of ``times`` (sample,) in s lies in one of some epochs (epoch, 2), stops not included.

    The epochs are in order and don't overlap, as :func:`epochs` gives them; NaN lies in none.
    """
    spans, at = np.asarray(seconds, float).reshape(-1, 2), np.asarray(times, float)
    begun, over = (np.searchsorted(edge, at, side="right") for edge in spans.T)
    mask: Mask = (begun > over) & ~np.isnan(at)
    return mask
