"""What cells do while the mouse watches: activity that follows the stimulus, and its fluorescence.

Each cell adds up what drives it (features of clips and Trippy, directions of Monet2, running) and
noise of its own; what exceeds its threshold is activity. Its ``reliability`` is the share of the
stimulus in the variance below the threshold, which sets its oracle score.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from gql_nda.demo.behavior import BEFORE, BEHAVIOUR_HZ, running
from gql_nda.demo.chance import Floats, chance, quantised
from gql_nda.demo.conditions import DIRECTIONS, FEATURE_RATE, FEATURES, SEGMENT, Condition, directions, features
from gql_nda.demo.facts import Recording
from gql_nda.demo.scan import frame_times
from gql_nda.demo.segmentation import Masks
from gql_nda.demo.stimulus import schedule

Traces = NDArray[np.float32]
"""(unit, frame)"""

DECAY = 0.7
"""Time constant of the calcium indicator (s)."""

RELIABLE = 0.006
"""Share of cells that respond to movies very reliably."""

_ACTIVITY_STEP = 2**-5


@dataclass(frozen=True, slots=True)
class Tuning:
    """What drives each unit: ``weights`` (unit, driver) of the drivers in :func:`drivers`' order."""

    reliability: Floats
    weights: NDArray[np.float32]
    threshold: Floats
    gain: Floats

    def __getitem__(self, part: slice) -> "Tuning":
        return Tuning(self.reliability[part], self.weights[part], self.threshold[part], self.gain[part])


def tuning(recording: Recording, field: int, masks: Masks) -> Tuning:
    """The tuning of all units of a field; artifacts have none."""
    rng = chance("tuning", *recording.key, field)
    count = len(masks)
    reliability = np.where(masks.soma, _reliability(rng, count), 0)
    likes = rng.standard_normal((count, FEATURES))
    likes *= np.sqrt(reliability)[:, None] / np.linalg.norm(likes, axis=1, keepdims=True)
    turns = _direction_tuning(rng, count) * masks.soma[:, None]
    runs = rng.normal(0.2, 0.25, (count, 1))
    weights = np.concatenate([likes, turns, runs], axis=1).astype(np.float32)
    return Tuning(reliability, weights, rng.uniform(0.5, 1.3, count), rng.lognormal(0, 0.4, count))


def _reliability(rng: np.random.Generator, count: int) -> Floats:
    """Reliability of cells (unit,): low for most, high for a few."""
    common, rare = rng.beta(1.3, 7.5, count), rng.uniform(0.5, 0.9, count)
    return np.where(rng.random(count) < RELIABLE, rare, common)


def _direction_tuning(rng: np.random.Generator, count: int) -> Floats:
    """Drive by each of the 16 directions (unit, 16): two bumps pi apart, of different height."""
    preferred, width, opposite = rng.uniform((0, 0.8, 0), (2 * np.pi, 3, 1), (count, 3)).T[..., None]
    strength = rng.gamma(1.2, 0.8, (count, 1))
    turn = np.deg2rad(DIRECTIONS)[None] - preferred
    bump = np.exp(width * (np.cos(turn) - 1)) + opposite * np.exp(width * (-np.cos(turn) - 1))
    drive: Floats = strength * bump
    return drive


@lru_cache(maxsize=1)
def drivers(recording: Recording) -> NDArray[np.float32]:
    """What drives cells (driver, sample), on the clock of running: features, directions, running."""
    speed = running(recording)
    drive = np.zeros((FEATURES + len(DIRECTIONS) + 1, len(speed)), np.float32)
    plan = schedule(recording)
    for condition, flips in zip(plan.conditions, plan.flips, strict=True):
        first = int(np.ceil((flips[0] + BEFORE) * BEHAVIOUR_HZ))
        samples = np.arange(first, first + int(condition.duration * BEHAVIOUR_HZ))
        shown = _shown(condition, samples / BEHAVIOUR_HZ - BEFORE - flips[0])
        drive[: len(shown), samples] = shown
    drive[-1] = np.clip(speed / 10, 0, 2)
    return drive


def _shown(condition: Condition, since: Floats) -> Floats:
    """Features and directions (driver, sample), ``since`` s after a condition began."""
    if condition.kind == "Monet2":
        turn = directions(condition)[np.minimum((since / SEGMENT).astype(int), len(DIRECTIONS) - 1)]
        return np.concatenate([np.zeros((FEATURES, len(since))), turn == np.arange(len(DIRECTIONS))[:, None]])
    before = (since * FEATURE_RATE).astype(int)
    share = since * FEATURE_RATE - before
    there = features(condition)
    seen: Floats = there[:, before] * (1 - share) + there[:, before + 1] * share
    return seen


def activity(recording: Recording, units: NDArray[np.int64], delays: NDArray[np.int64], tuned: Tuning) -> Traces:
    """Activity of units (unit, frame), never negative; each is sampled ``delays`` (ms) after the frame times."""
    drive = _sampled(tuned.weights @ drivers(recording), frame_times(recording), delays)
    noise = np.array([_noise(recording, unit) for unit in units.tolist()]).reshape(drive.shape)
    level = drive + noise * np.sqrt(1 - tuned.reliability)[:, None].astype(np.float32)
    above = np.clip(level - tuned.threshold[:, None].astype(np.float32), 0, None)
    return quantised(above * tuned.gain[:, None].astype(np.float32), _ACTIVITY_STEP).astype(np.float32)


def _noise(recording: Recording, unit: int) -> NDArray[np.float32]:
    return chance("noise", *recording.key, unit).standard_normal(recording.nframes, dtype=np.float32)


def _sampled(drive: NDArray[np.float32], times: Floats, delays: NDArray[np.int64]) -> NDArray[np.float32]:
    """The drive of each unit (unit, sample) at its own frame times (unit, frame)."""
    at = (times[None] + delays[:, None] / 1000 + BEFORE) * BEHAVIOUR_HZ
    before = at.astype(np.int64)
    share = (at - before).astype(np.float32)
    lower, upper = (np.take_along_axis(drive, before + i, axis=1) for i in (0, 1))
    sampled: NDArray[np.float32] = lower + (upper - lower) * share
    return sampled


def fluorescence(recording: Recording, units: NDArray[np.int64], active: Traces) -> Traces:
    """Fluorescence (unit, frame): activity through the indicator, on a bright ground, with noise."""
    kept = np.exp(-1 / (DECAY * recording.fps))
    calcium = lfilter([1.0], [1.0, -kept], active, axis=1)
    shots = [_shots(recording, unit, trace) for unit, trace in zip(units.tolist(), calcium, strict=True)]
    return np.array(shots, np.float32).reshape(active.shape)


def _shots(recording: Recording, unit: int, calcium: Floats) -> Floats:
    """The fluorescence of one unit, even counts."""
    rng = chance("shots", *recording.key, unit)
    ground, gain = rng.uniform(80, 500), rng.uniform(12, 30)
    return quantised(ground + gain * calcium + 3 * rng.standard_normal(len(calcium), dtype=np.float32), 2)
