"""Behaviour to frames once more, by SciPy's own steps as the laboratory's pipeline takes them."""

from typing import Any

import numpy as np
from scipy.interpolate import interp1d
from scipy.signal import firwin


def resample(values: Any, source: Any, target: Any) -> Any:
    """The Hamming filter of firwin, each output summed by hand over the mirrored series, then interp1d."""
    source_hz, target_hz = (1 / np.nanmedian(np.diff(t)) for t in (source, target))
    weights = firwin(round(2 * source_hz + 1), cutoff=target_hz / 2, window="hamming", fs=source_hz)
    half = len(weights) // 2
    mirrored = np.concatenate([values[:half][::-1], values, values[-half:][::-1]])
    windows = [mirrored[i : i + len(weights)] for i in range(len(mirrored) - len(weights) + 1)]
    smooth = np.array([np.dot(w[::-1], weights) for w in windows])[-len(values) :]
    known = ~np.isnan(source)
    return interp1d(source[known], smooth[known], bounds_error=False, fill_value=np.nan)(target)
