"""A transform as large as nda's: its stages, with made-up numbers, and points of the stack to be moved."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Json = dict[str, Any]

CONTROL_POINTS = (27, 125, 1000, 1728, 2934)
"""Of the splines, one after the other: 5,814 distances a point."""

STACK_MM = (1.412, 1.322, 0.67)


def points(variables: Mapping[str, Any]) -> Floats:
    """Points of the stack (mm), (n, 3): others for each ``seed``."""
    return np.random.default_rng(variables["seed"]).uniform(0, STACK_MM, (variables["points"], 3))


def answered(moved: Floats) -> bytes:
    """The points as an answer."""
    return orjson.dumps({"data": moved.tolist()})


@cache
def solution() -> Json:
    """The stages of phase3's transform to EM: a polynomial, two kinds of chunks, five splines."""
    rng = np.random.default_rng(1)
    chunks = [_chunked(rng, count, axis) for count, axis in ((4, 2), (20, 0))]
    stages = [_polynomial(rng), *chunks, *(_spline(rng, count) for count in CONTROL_POINTS)]
    return {"name": "TransformList", "transforms": stages}


def _affine(rng: np.random.Generator) -> Floats:
    """Hardly any change."""
    return np.vstack([np.zeros(3), np.eye(3)]) + rng.normal(0, 1e-3, (4, 3))


def _polynomial(rng: np.random.Generator) -> Json:
    return {"name": "PolynomialModel", "order": 1, "parameters": _affine(rng).tolist()}


def _chunked(rng: np.random.Generator, count: int, axis: int) -> Json:
    ranges = np.linspace(0, STACK_MM[axis], count + 1)[1:-1].tolist()
    chunks = [_polynomial(rng) for _ in range(count)]
    return {"name": "ChunkedModel", "nchunks": count, "axis": axis, "ranges": ranges, "transforms": chunks}


def _spline(rng: np.random.Generator, count: int) -> Json:
    control = rng.uniform(0, STACK_MM, (count, 3))
    parameters = np.vstack([_affine(rng), rng.normal(0, 1e-4, (count, 3))])
    named = {"control_pts": control.tolist(), "parameters": parameters.tolist()}
    return {"name": "SplineModel", "ncntrl": [count], **named}
