"""Epochs of behaviour once more, sample by sample."""

import math
from collections.abc import Sequence
from itertools import pairwise


def epochs(mask: Sequence[bool], times: Sequence[float], min_duration: float) -> list[tuple[int, int, float, float]]:
    """First and stop sample, start and end in seconds."""
    steps = sorted(b - a for a, b in pairwise(times) if not math.isnan(b - a))
    half = len(steps) // 2
    median = 0.0 if not steps else steps[half] if len(steps) % 2 else (steps[half - 1] + steps[half]) / 2
    found: list[tuple[int, int, float, float]] = []
    begun = None
    for i in range(len(times) + 1):
        inside = i < len(times) and mask[i] and not math.isnan(times[i])
        if inside and begun is None:
            begun = i
        if not inside and begun is not None:
            end = times[i - 1] + median
            if i < len(times) and times[i] < end:
                end = times[i]
            found.append((begun, i, times[begun], end))
            begun = None
    return [e for e in found if e[3] - e[2] >= min_duration - 5e-7]
