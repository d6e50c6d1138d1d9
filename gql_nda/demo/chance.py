"""Randomness that depends on nothing but what it's for: every draw is seeded by a name and a key."""

from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def chance(name: str, *key: int) -> np.random.Generator:
    """The generator of one purpose and one key, the same on every run."""
    return np.random.default_rng([crc32(name.encode()), *key])


def quantised(values: NDArray[np.floating], step: float) -> Floats:
    """Values rounded to multiples of a step, a power of two: fewer distinct bytes to compress."""
    rounded: Floats = np.rint(np.asarray(values, float) / step) * step
    return rounded


def wander(rng: np.random.Generator, count: int, length: int, per_knot: int) -> Floats:
    """Smooth random curves (count, length) around 0 of unit scale: lines between random knots."""
    knots = rng.standard_normal((count, length // per_knot + 2))
    at = np.arange(length) / per_knot
    curves: Floats = np.array([np.interp(at, np.arange(k.size), k) for k in knots]).reshape(count, length)
    return curves
