"""The formulas once more, number by number in plain loops: slow, and sharing nothing with the package."""

import math
from collections.abc import Sequence
from itertools import pairwise

Trace = Sequence[float]
Repeats = Sequence[Trace]

# --- coordinates -----------------------------------------------------------------------------------


def motor(px: Sequence[float], field: dict[str, float], registration: dict[str, float]) -> list[float]:
    """Pixel to motor um."""
    dx = (px[0] - (field["px_width"] - 1) / 2) * field["um_width"] / field["px_width"]
    dy = (px[1] - (field["px_height"] - 1) / 2) * field["um_height"] / field["px_height"]
    return [
        registration[f"a{i}1"] * dx + registration[f"a{i}2"] * dy + registration[f"reg_{axis}"]
        for i, axis in ((1, "x"), (2, "y"), (3, "z"))
    ]


def stack(position: Sequence[float], volume: dict[str, float]) -> list[float]:
    """Motor to stack um."""
    sizes = {"x": "um_width", "y": "um_height", "z": "um_depth"}
    return [
        round(value - volume[f"motor_{axis}"] + volume[size] / 2, 2)
        for value, (axis, size) in zip(position, sizes.items(), strict=True)
    ]


def unregistered(px: Sequence[float], field: dict[str, float]) -> list[int]:
    """Centroid to motor um before registration, whole numbers."""
    sides = (("x", "width"), ("y", "height"))
    return [
        round(field[f"field_{axis}"] + (p - field[f"px_{side}"] / 2) * field[f"um_{side}"] / field[f"px_{side}"])
        for p, (axis, side) in zip(px, sides, strict=True)
    ]


# --- interpolation ---------------------------------------------------------------------------------


def interpolate(x: float, knots: Sequence[float], values: Sequence[float]) -> float:
    """Linear interpolation; NaN outside. At a knot only that knot's value counts, whatever its neighbours are."""
    if not knots[0] <= x <= knots[-1]:
        return math.nan
    for i in range(len(knots) - 1):
        if knots[i] < x < knots[i + 1]:
            share = (x - knots[i]) / (knots[i + 1] - knots[i])
            return values[i] + (values[i + 1] - values[i]) * share
    return values[knots.index(x)]


def sample(trace: Trace, frame_times: Trace, delay_ms: float, times: Trace) -> list[float]:
    """A delayed trace at some times."""
    shifted = [t + delay_ms / 1000 for t in frame_times]
    return [interpolate(t, shifted, trace) for t in times]


def spaced(start: float, end: float, count: int) -> list[float]:
    """Evenly spaced numbers, both ends included."""
    return [start + (end - start) * i / max(count - 1, 1) for i in range(count)]


# --- oracle ----------------------------------------------------------------------------------------


def oracle_score(conditions: Sequence[Repeats]) -> float:
    """Score of one unit: its responses by condition, repeat and sample."""
    data, oracle = [], []
    for repeats in conditions:
        if len(repeats) < 3:
            continue
        for i, repeat in enumerate(repeats):
            others = [other for j, other in enumerate(repeats) if j != i]
            data += list(repeat)
            oracle += [sum(other[t] for other in others) / len(others) for t in range(len(repeat))]
    return pipeline_correlation(data, oracle) if data else math.nan


def pipeline_correlation(a: Trace, b: Trace) -> float:
    """Mean product of values standardised with n - 1 and 1e-8."""
    x, y = _standardised(a), _standardised(b)
    return sum(p * q for p, q in zip(x, y, strict=True)) / len(x)


def _standardised(values: Trace) -> list[float]:
    mean = math.fsum(values) / len(values)
    deviation = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1))
    return [(v - mean) / (deviation + 1e-8) for v in values]


# --- resampling ------------------------------------------------------------------------------------


def median_rate(times: Trace) -> float:
    """Reciprocal of the median step between neighbours that are known."""
    steps = sorted(b - a for a, b in pairwise(times) if not math.isnan(b - a))
    half = len(steps) // 2
    return 1 / (steps[half] if len(steps) % 2 else (steps[half - 1] + steps[half]) / 2)


def taps(source_hz: float, target_hz: float) -> list[float]:
    """A sinc cut off at half the target's rate, under a Hamming window, that sums to 1."""
    count = round(2 * source_hz + 1)
    cutoff = target_hz / source_hz
    weights = []
    for i in range(count):
        at = cutoff * (i - (count - 1) / 2)
        sinc = math.sin(math.pi * at) / (math.pi * at) if at else 1.0
        weights.append(sinc * (0.54 - 0.46 * math.cos(2 * math.pi * i / (count - 1))))
    return [w / math.fsum(weights) for w in weights]


def filtered(values: Trace, weights: Trace, i: int) -> float:
    """The filter's output at one sample; the series is mirrored beyond its ends, which count twice."""
    middle = len(weights) // 2
    return sum(w * values[_mirrored(i + middle - j, len(values))] for j, w in enumerate(weights))


def _mirrored(i: int, length: int) -> int:
    i %= 2 * length
    return i if i < length else 2 * length - 1 - i


def resample(values: Trace, source: Trace, target: Trace) -> list[float]:
    """Filter, then interpolation between the samples whose time is known."""
    weights = taps(median_rate(source), median_rate(target))
    smooth = [filtered(values, weights, i) for i in range(len(values))]
    known = [i for i, t in enumerate(source) if not math.isnan(t)]
    return [interpolate(t, [source[i] for i in known], [smooth[i] for i in known]) for t in target]
