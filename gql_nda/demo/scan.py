"""The scans and their clocks."""

from functools import lru_cache, partial

import numpy as np

from gql_nda import tables
from gql_nda.demo.batches import Batch
from gql_nda.demo.chance import Floats, chance, quantised
from gql_nda.demo.facts import TRUE_RATE, Recording

TICK = 2.0**-16
"""Resolution of the stimulus clock (s)."""

_JITTER = 1e-4
_SPREAD = 1e-5


@lru_cache(maxsize=2)
def frame_times(recording: Recording) -> Floats:
    """Time of each frame at the first depth (s), from 0.

    The true rate is 0.04 % below the nominal one; single frames come a tenth of a millisecond early
    or late.
    """
    rng = chance("frame_times", *recording.key)
    period = 1 / (recording.fps * TRUE_RATE) * (1 + _SPREAD * rng.standard_normal())
    jitter = _JITTER * rng.uniform(-1, 1, recording.nframes)
    times = quantised(period * np.arange(recording.nframes) + jitter, TICK)
    zeroed: Floats = times - times[0]
    return zeroed


def scan_batches(recording: Recording) -> list[Batch]:
    """The rows of one scan in this room's tables."""
    key = recording.columns
    sizes = {"nframes": recording.nframes, "nfields": recording.nfields, "fps": recording.fps}
    times = {"frame_times": partial(frame_times, recording), "ndepths": recording.ndepths}
    return [
        (tables.scan, [{**key, **sizes}]),
        (tables.scan_include, [{**key}] if recording.included else []),
        (tables.scan_times, [{**key, **times}]),
    ]
