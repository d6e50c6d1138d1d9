"""The oracle raster once more, trial by trial in plain loops; interpolation is the plain one."""

import math
from collections.abc import Sequence
from typing import Any

from . import reference

Trace = Sequence[float]


def clip_order(hashes: Sequence[str]) -> list[str]:
    """Hashes as MySQL's ORDER BY ... DESC gives them, which doesn't look at case."""
    return sorted(sorted(hashes, reverse=True), key=str.lower, reverse=True)


def raw(
    trace: Trace, frame_times: Trace, delay: float, block: Sequence[dict[str, Any]], fps: float
) -> list[list[float]]:
    """One repeat: its clips by falling hash, sampled from start to end, NaN behind the shorter."""
    rows = []
    for name in clip_order([t["condition_hash"] for t in block]):
        (trial,) = (t for t in block if t["condition_hash"] == name)
        start, end = trial["start_frame_time"], trial["end_frame_time"]
        times = reference.spaced(start, end, round(fps * (end - start)))
        rows.append(reference.sample(trace, frame_times, delay, times))
    longest = max(map(len, rows))
    return [row + [math.nan] * (longest - len(row)) for row in rows]


def normalized(repeat: Sequence[Trace]) -> list[list[float]]:
    """One repeat from 0 to 1, NaN all over if it can't be."""
    known = [v for row in repeat for v in row if not math.isnan(v)]
    low, high = (min(known), max(known)) if known else (0, 0)
    return [[(v - low) / (high - low) if high > low else math.nan for v in row] for row in repeat]
