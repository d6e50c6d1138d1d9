"""Responses to trials once more, number by number in plain loops."""

import math
from collections.abc import Sequence

Trace = Sequence[float]


def cut(trace: Trace, start: int, end: int, longest: int) -> list[float]:
    """Frames ``start`` to ``end``, both included, NaN where there are none, and NaN up to ``longest``."""
    inside = [trace[i] if 0 <= i < len(trace) else math.nan for i in range(start, end + 1)]
    return inside + [math.nan] * (longest - len(inside))


def mean(values: Trace) -> float:
    """Mean of the finite values."""
    known = [v for v in values if math.isfinite(v)]
    return math.fsum(known) / len(known) if known else math.nan


def sem(values: Trace) -> float:
    """Standard error of the mean of the finite values."""
    known = [v for v in values if math.isfinite(v)]
    if len(known) < 2:
        return math.nan
    middle = mean(known)
    variance = math.fsum((v - middle) ** 2 for v in known) / (len(known) - 1)
    return math.sqrt(variance / len(known))


def window(trace: Trace, frame_times: Trace, delay_ms: float, start: float, stop: float) -> list[float]:
    """The frames whose delayed time lies in a window, its stop not included."""
    return [v for v, t in zip(trace, frame_times, strict=False) if start <= t + delay_ms / 1000 < stop]
