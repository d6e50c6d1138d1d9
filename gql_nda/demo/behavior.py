"""Pupil and treadmill: on their own clocks, and resampled to the frames of the scan."""

import math
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from gql_nda import tables
from gql_nda.demo.batches import Batch, Row
from gql_nda.demo.chance import Floats, chance, quantised, wander
from gql_nda.demo.facts import Recording
from gql_nda.demo.scan import frame_times
from gql_nda.science.resampling import resample

EYE_HZ = 20.0
TREADMILL_HZ = (64.0, 80.0, 100.0)
TREADMILL_SHARES = (0.7, 0.2, 0.1)
"""Most scans sampled the treadmill at the slowest of these rates."""

BEHAVIOUR_HZ = 10.0
"""Rate at which the running of the mouse itself is described."""

BEFORE, AFTER = 1.0, 2.0
"""How long behaviour was recorded before and after the frames (s), about."""

SPREAD = 1.025
"""How far a lost sample reaches through the resampling filter (s)."""

FIRST_SEEN = 0.18
"""When the pupil is first found (s)."""

_CLOCK_STEP = 2.0**-12


# --- the mouse -------------------------------------------------------------------------------------


@lru_cache(maxsize=2)
def running(recording: Recording) -> Floats:
    """Speed of the mouse (cm/s) at BEHAVIOUR_HZ from ``-BEFORE`` on: bouts of some seconds, rests between."""
    rng = chance("running", *recording.key)
    length = _length(recording)
    rests, bouts = rng.exponential(40, 400) + 2, rng.exponential(12, 400) + 2
    edges = np.cumsum(np.stack([rests, bouts], axis=1).ravel())
    speeds = np.stack([np.zeros(400), rng.gamma(4, 4, 400)], axis=1).ravel()
    steps = speeds[np.searchsorted(edges, np.arange(length) / BEHAVIOUR_HZ)]
    smooth: Floats = np.convolve(steps, np.hanning(17) / np.hanning(17).sum(), mode="same")
    return smooth


def behaviour_clock(recording: Recording) -> Floats:
    """Times of :func:`running` (s)."""
    return np.arange(_length(recording)) / BEHAVIOUR_HZ - BEFORE


def _length(recording: Recording) -> int:
    return round((float(frame_times(recording)[-1]) + 2 * BEFORE + 2 * AFTER) * BEHAVIOUR_HZ)


def _clock(recording: Recording, name: str, hz: float) -> Floats:
    """A device's clock (s): it starts before the first frame, and in every other scan with NaN."""
    rng = chance(f"{name} clock", *recording.key)
    start = -BEFORE * rng.uniform(0.7, 1)
    count = round((frame_times(recording)[-1] + AFTER - start) * hz)
    times = quantised(start + np.arange(count) / hz, _CLOCK_STEP)
    times[: 3 * rng.integers(0, 2)] = np.nan
    return times


# --- treadmill -------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def treadmill(recording: Recording) -> tuple[Floats, Floats]:
    """Velocity (cm/s) and its times (s), (sample,) each."""
    rng = chance("treadmill", *recording.key)
    times = _clock(recording, "treadmill", float(rng.choice(TREADMILL_HZ, p=TREADMILL_SHARES)))
    speed = np.interp(np.nan_to_num(times), behaviour_clock(recording), running(recording))
    shake = 0.06 * speed * rng.standard_normal(len(times), dtype=np.float32)
    return quantised(speed + shake, 2**-3), times


def synced_treadmill(recording: Recording) -> Floats:
    """Velocity at each frame (cm/s)."""
    return resample(*treadmill(recording), frame_times(recording))


# --- pupil -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pupil:
    """What the eye camera saw (px), (sample,) each, and when (s)."""

    min_r: Floats
    maj_r: Floats
    x: Floats
    y: Floats
    times: Floats


@lru_cache(maxsize=1)
def pupil(recording: Recording) -> Pupil:
    """The pupil: it widens when the mouse runs, wanders, and is lost now and then."""
    rng = chance("pupil", *recording.key)
    times = _clock(recording, "pupil", EYE_HZ)
    speed = np.interp(np.nan_to_num(times), behaviour_clock(recording), running(recording))
    slow, narrow, x, y = wander(rng, 4, len(times), 90)
    maj = np.clip(44 + 0.9 * speed + 7 * slow, 28, 97)
    values = (
        maj * np.clip(0.93 + 0.02 * narrow, 0.8, 1),
        maj,
        np.clip(1210 + 45 * x, 1064, 1359),
        np.clip(690 + 35 * y, 575, 815),
    )
    lost = _lost(recording, times)
    min_r, maj_r, x, y = (np.where(lost, np.nan, quantised(v, 2**-3)) for v in values)
    return Pupil(min_r, maj_r, x, y, times)


def _lost(recording: Recording, times: Floats) -> NDArray[np.bool_]:
    """Samples in which the pupil isn't seen, so that its published share of frames is lost.

    Each loss takes away SPREAD more on either side when it's resampled: it's planned at that width.
    """
    span = frame_times(recording)[-1]
    dark = recording.pupil_lost * span - FIRST_SEEN - SPREAD
    light = (1 - recording.pupil_lost) * span
    count = int(min(dark / (2 * SPREAD + 0.6), light / 4))
    rng = chance("lost", *recording.key)
    losses = _lengths(rng, count, dark, at_least=2 * SPREAD + 1.2 / EYE_HZ)
    pauses = _lengths(rng, count, light, at_least=0.2)
    ends = FIRST_SEEN + SPREAD + np.cumsum(pauses + losses)
    at = np.nan_to_num(times, nan=-BEFORE)
    which = np.minimum(np.searchsorted(ends - SPREAD, at), count - 1)
    lost: NDArray[np.bool_] = (at < FIRST_SEEN) | (
        (at > (ends - losses + SPREAD)[which]) & (at < (ends - SPREAD)[which])
    )
    return lost


def _lengths(rng: np.random.Generator, count: int, total: float, at_least: float) -> Floats:
    """Random lengths that add up to a total."""
    parts = rng.exponential(1, count)
    lengths: Floats = at_least + parts / parts.sum() * (total - count * at_least)
    return lengths


def _as_list(values: Floats) -> list[object]:
    """A list as upstream fills it: float NaN, and 0-d arrays for what was seen."""
    seen = {v: np.array(v) for v in np.unique(values[~np.isnan(values)]).tolist()}
    return [seen.get(v, math.nan) for v in values.tolist()]


@lru_cache(maxsize=1)
def synced_pupil(recording: Recording) -> Floats:
    """min_r, maj_r, x and y at each frame (px), (4, frame)."""
    seen = pupil(recording)
    return resample([seen.min_r, seen.maj_r, seen.x, seen.y], seen.times, frame_times(recording))


# --- rows ------------------------------------------------------------------------------------------


def behavior_batches(recording: Recording) -> list[Batch]:
    """The rows of one scan in this room's tables."""
    return [
        (tables.raw_manual_pupil, [_raw_pupil_row(recording)]),
        (tables.manual_pupil, [_pupil_row(recording)]),
        (tables.raw_treadmill, [_raw_treadmill_row(recording)]),
        (tables.treadmill, [{**recording.columns, "treadmill_velocity": partial(synced_treadmill, recording)}]),
    ]


def _raw_pupil_row(recording: Recording) -> Row:
    return {
        **recording.columns,
        "pupil_min_r": lambda: pupil(recording).min_r,
        "pupil_maj_r": lambda: pupil(recording).maj_r,
        "pupil_x": lambda: _as_list(pupil(recording).x),
        "pupil_y": lambda: _as_list(pupil(recording).y),
        "pupil_times": lambda: pupil(recording).times,
    }


def _pupil_row(recording: Recording) -> Row:
    names = ("pupil_min_r", "pupil_maj_r", "pupil_x", "pupil_y")
    return {**recording.columns, **{n: partial(_synced, recording, i) for i, n in enumerate(names)}}


def _synced(recording: Recording, i: int) -> Floats:
    values: Floats = synced_pupil(recording)[i]
    return values


def _raw_treadmill_row(recording: Recording) -> Row:
    return {
        **recording.columns,
        "treadmill_velocity": lambda: treadmill(recording)[0],
        "treadmill_timestamps": lambda: treadmill(recording)[1],
    }
