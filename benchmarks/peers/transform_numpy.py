"""Points through a transform by broadcasting in NumPy, in portions that memory holds."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.transform import answered, points, solution

Floats = NDArray[np.float64]

PORTION = 64
"""Points whose distances are held at once: few enough for the processor's cache, where more take up to three times as
long."""


def answer(variables: Mapping[str, Any]) -> bytes:
    """The points moved."""
    at = points(variables)
    for stage in _stages():
        at = MOVES[stage["name"]](stage, at)
    return answered(at)


@cache
def _stages() -> list[dict[str, Any]]:
    """The stages, with arrays for lists."""
    return [_arrays(stage) for stage in solution()["transforms"]]


def _arrays(stage: dict[str, Any]) -> dict[str, Any]:
    lists: dict[str, Any] = {name: np.array(stage[name]) for name in ("parameters", "control_pts") if name in stage}
    return {**stage, **lists, "transforms": [_arrays(one) for one in stage.get("transforms", [])]}


def _affine(at: Floats, parameters: Floats) -> Floats:
    moved: Floats = parameters[0] + at @ parameters[1:4]
    return moved


def _polynomial(stage: dict[str, Any], at: Floats) -> Floats:
    return _affine(at, stage["parameters"])


def _chunked(stage: dict[str, Any], at: Floats) -> Floats:
    which = np.searchsorted(stage["ranges"], at[:, stage["axis"]])
    moved = np.zeros_like(at)
    for i in range(stage["nchunks"]):
        moved[which == i] = _polynomial(stage["transforms"][i], at[which == i])
    return moved


def _spline(stage: dict[str, Any], at: Floats) -> Floats:
    parts = [at[start : start + PORTION] for start in range(0, len(at), PORTION)]
    return np.vstack([_affine(part, stage["parameters"]) + _bent(stage, part) for part in parts])


def _bent(stage: dict[str, Any], part: Floats) -> Floats:
    distances = np.sqrt(np.square(part[:, None] - stage["control_pts"][None]).sum(axis=-1))
    bent: Floats = distances @ stage["parameters"][4:]
    return bent


MOVES = {"PolynomialModel": _polynomial, "ChunkedModel": _chunked, "SplineModel": _spline}
