"""Direction tuning once more, number by number with complex vectors."""

import cmath
import math
from collections.abc import Sequence

from . import reference_responses

Numbers = Sequence[float]


def segments(directions: Numbers, onsets: Numbers, duration: float) -> list[tuple[float, float, float]]:
    """Direction, onset and offset of each segment of a trial."""
    return [
        (d, onset, min([o for o in onsets if o > onset] + [duration]))
        for d, onset in zip(directions, onsets, strict=True)
    ]


def grouped(
    trace: Numbers, frames: Numbers, delay: float, trials: Sequence[tuple[float, Sequence[tuple[float, float, float]]]]
) -> dict[float, list[float]]:
    """Mean response to every showing of a direction, the known ones."""
    found: dict[float, list[float]] = {}
    for start, shown in trials:
        for direction, onset, offset in shown:
            inside = reference_responses.window(trace, frames, delay, start + onset, start + offset)
            mean = reference_responses.mean(inside)
            found.setdefault(direction, []).extend([] if math.isnan(mean) else [mean])
    return dict(sorted(found.items()))


def vector(responses: dict[float, float], times: int) -> tuple[float, float]:
    """Length of the sum of vectors over the sum of lengths, and its angle in degrees."""
    clipped = {d: max(r, 0.0) for d, r in responses.items()}
    total = sum(r * cmath.exp(1j * times * math.radians(d)) for d, r in clipped.items())
    angle = math.degrees(cmath.phase(total)) % 360 / times
    return abs(total) / sum(clipped.values()), angle % (360 / times)


def largest(responses: dict[float, float]) -> float:
    """The first of the largest responses, rounding aside."""
    return next(d for d, r in responses.items() if r >= max(responses.values()) * (1 - 1e-12))


def osi(responses: dict[float, float]) -> float:
    """(P - O) / (P + O) over orientations."""
    clipped = {d: max(r, 0.0) for d, r in responses.items()}
    by_orientation = {o: (clipped[o] + clipped[o + 180]) / 2 for o in clipped if o < 180}
    best = largest(by_orientation)
    p, o = by_orientation[best], by_orientation[(best + 90) % 180]
    return (p - o) / (p + o)


def dsi(responses: dict[float, float]) -> float:
    """(P - N) / (P + N) over directions."""
    clipped = {d: max(r, 0.0) for d, r in responses.items()}
    best = largest(clipped)
    p, n = clipped[best], clipped[(best + 180) % 360]
    return (p - n) / (p + n)
