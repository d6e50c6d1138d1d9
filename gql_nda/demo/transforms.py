"""Made-up transforms between the stack and the electron-microscopy volume, in the real format.

A smooth bending of the stack is sampled at landmarks; each transform is fitted to them stage by
stage, as AllenInstitute/em_coregistration does: a polynomial, chunks along an axis, splines of 3-D
biharmonic kernel ``r``. Since both directions are fits of their own, they're inverse to each other
only roughly, like the real ones. No number of the real transforms is used but the published extent
of the volumes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gql_nda.demo.chance import Floats, chance, quantised
from gql_nda.demo.facts import STACK_UM

Stage = dict[str, Any]
Plan = Sequence[Stage]

_LANDMARKS = 120
_PHASE2_CORNER = np.array([3072, 2560, -7924])
_VOXEL_NM = np.array([4, 4, 40])


class Transform(NamedTuple):
    """One row of coregistration."""

    transform_id: int
    version: str
    direction: str
    kind: str


TRANSFORMS = tuple(
    Transform(i + 1, version, direction, kind)
    for i, (version, kind, direction) in enumerate(
        (version, kind, direction)
        for version in ("phase2", "phase3")
        for kind in ("spline", "linear")
        for direction in ("2PEM", "EM2P")
    )
)

PLANS: dict[str, Plan] = {
    "linear": ({"name": "PolynomialModel", "order": 1},),
    "2PEM": (
        {"name": "PolynomialModel", "order": 1},
        {"name": "ChunkedModel", "order": 1, "nchunks": 4, "axis": 2},
        {"name": "ChunkedModel", "order": 1, "nchunks": 3, "axis": 0},
        {"name": "SplineModel", "ncntrl": [3, 3, 3]},
        {"name": "SplineModel", "src_is_cntrl": True},
    ),
    "EM2P": (
        {"name": "PolynomialModel", "order": 2},
        {"name": "ChunkedModel", "order": 1, "nchunks": 4, "axis": 0},
        {"name": "SplineModel", "ncntrl": [3, 3, 3]},
        {"name": "SplineModel", "src_is_cntrl": True},
    ),
}


@dataclass(frozen=True, slots=True)
class Fitted:
    """A transform's settings and solution, as the JSON that nda stores."""

    settings: dict[str, Any]
    solution: dict[str, Any]


@cache
def transform(row: Transform) -> Fitted:
    """One transform, fitted to the landmarks."""
    plan = PLANS["linear" if row.kind == "linear" else row.direction]
    optical, em = _sides(row.version)
    source, target = (optical, em) if row.direction == "2PEM" else (em, optical)
    return Fitted(_settings(row, plan), {"name": "TransformList", "transforms": fit(plan, source, target)})


def _settings(row: Transform, plan: Plan) -> dict[str, Any]:
    """What the fit was asked for."""
    sides = ("opt", "em") if row.direction == "2PEM" else ("em", "opt")
    header = ["label", "flag", *(side + axis for side in ("em", "opt") for axis in "xyz")]
    data = {"landmark_file": f"demo_landmarks_{row.version}.csv", "header": header, "actions": []}
    stages = [dict(stage) for stage in plan]
    return {
        "data": {**data, "sd_set": dict(zip(("src", "dst"), sides, strict=True))},
        "transform": {"name": "TransformList", "transforms": stages},
    }


@cache
def landmarks() -> Floats:
    """Points in the part of the stack that electron microscopy covers (um), (landmark, 3)."""
    corners = np.array([[x, y, z] for x in (795, 1364) for y in (24, 1298) for z in (43, 668)], float)
    inner = chance("landmarks").uniform((795, 24, 43), (1364, 1298, 668), (_LANDMARKS - len(corners), 3))
    return np.concatenate([corners, inner])


def em_voxels(stack: Floats) -> Floats:
    """Where a point of the stack (um) lies in the EM volume (voxels of 4 x 4 x 40 nm).

    Depth runs along EM y, the flipped y along EM x, x along EM z; waves of some um bend it.
    """
    x, y, z = (stack / 1000).T
    flipped = STACK_UM[1] / 1000 - y
    bend = 0.006 * np.sin(4 * flipped + 1), 0.008 * np.sin(5 * x + 2 * z), 0.005 * np.cos(6 * flipped)
    em_x = 80_000 + 225_000 * (flipped + bend[0]) + 9_000 * (z - 0.35)
    em_y = 66_000 + 250_000 * (z + bend[1]) - 15_000 * (flipped - 0.65)
    em_z = -3_000 + 22_700 * (x + bend[2])
    return np.stack([em_x, em_y, em_z], axis=1)


def _sides(version: str) -> tuple[Floats, Floats]:
    """The landmarks in the units that a version's transforms take on both sides.

    phase3 flips y (mm) and speaks voxels; phase2 does neither: its EM side is nm from another corner.
    """
    stack, em = landmarks(), em_voxels(landmarks())
    if version == "phase2":
        return stack / 1000, (em + _PHASE2_CORNER) * _VOXEL_NM
    return np.stack([stack[:, 0], STACK_UM[1] - stack[:, 1], stack[:, 2]], axis=1) / 1000, em


def fit(plan: Plan, source: Floats, target: Floats) -> list[Stage]:
    """The stages of a plan, each fitted to what the ones before it left."""
    stages, at = [], source
    for wanted in plan:
        stage, at = _FITS[wanted["name"]](wanted, at, target)
        stages.append(stage)
    return stages


def _solve(kernel: Floats, target: Floats, weights: NDArray[np.floating] | float = 0.0) -> Floats:
    """Least squares with a weight on each parameter, rounded: the same numbers on every machine."""
    scale = _power(np.abs(kernel).max(axis=0))
    held = np.diag(np.sqrt(np.broadcast_to(weights, scale.shape)))
    rows, wanted = np.vstack([kernel / scale, held]), np.vstack([target, np.zeros((len(held), 3))])
    return _rounded(np.linalg.lstsq(rows, wanted)[0]) / scale[:, None]


def _power(values: Floats) -> Floats:
    """The powers of two above values."""
    powers: Floats = 2.0 ** np.ceil(np.log2(values))
    return powers


def _rounded(values: Floats) -> Floats:
    """Values rounded to a 2^30th of the largest, more coarsely than machines differ."""
    return quantised(values, float(_power(np.abs(values).max())) * 2**-30)


def _monomials(points: Floats, order: int) -> Floats:
    """1; x, y, z; then the products of two coordinates: (point, 4 or 10)."""
    columns = [np.ones(len(points)), *points.T]
    if order > 1:
        columns += [points[:, i] * points[:, j] for i, j in combinations_with_replacement(range(3), 2)]
    return np.stack(columns, axis=1)


def _polynomial(stage: Stage, source: Floats, target: Floats) -> tuple[Stage, Floats]:
    kernel = _monomials(source, stage["order"])
    parameters = _solve(kernel, target, 1e-12)
    return _polynomial_json(stage["order"], parameters), kernel @ parameters


def _polynomial_json(order: int, parameters: Floats) -> Stage:
    zeros = [0.0] * len(parameters)
    return {"name": "PolynomialModel", "order": order, "parameters": parameters.tolist(), "regularization": zeros}


def _chunked(stage: Stage, source: Floats, target: Floats) -> tuple[Stage, Floats]:
    """Polynomials along an axis. ``nchunks`` counts one less than asked; the last one is never used."""
    axis, asked = stage["axis"], stage["nchunks"]
    ranges = _rounded(np.linspace(source[:, axis].min(), source[:, axis].max(), asked)[1:-1])
    which = np.searchsorted(ranges, source[:, axis])
    fits = [_shift(source[which == i], target[which == i]) for i in range(asked - 1)]
    moved = source + np.array(fits)[which]
    stages = [_polynomial_json(1, _moving(by)) for by in (*fits, np.zeros(3))]
    body = {"nchunks": asked - 1, "axis": axis, "transforms": stages, "ranges": ranges.tolist()}
    return {"name": "ChunkedModel", **body}, moved


def _shift(source: Floats, target: Floats) -> Floats:
    """Half of the mean residual: chunks meet without much of a step."""
    return _rounded((target - source).mean(axis=0) / 2)


def _moving(by: Floats) -> Floats:
    """The parameters of a first-order polynomial that only moves."""
    return np.concatenate([by[None], np.eye(3)])


def _spline(stage: Stage, source: Floats, target: Floats) -> tuple[Stage, Floats]:
    """p0 + y . p[1:4] + sum of |y - c| p[4 + j] over the control points c."""
    control = _control_points(stage, source)
    distance = np.linalg.norm(source[:, None] - control[None], axis=-1)
    kernel = np.concatenate([_monomials(source, 1), distance], axis=1)
    weights = np.array([1e-10] * 4 + [1e-4] * len(control))
    parameters = _solve(kernel, target, weights)
    ncntrl = stage.get("ncntrl", [len(control)])
    fitted = {"control_pts": control.tolist(), "parameters": parameters.tolist(), "regularization": weights.tolist()}
    at_source = stage.get("src_is_cntrl", False)
    return {"name": "SplineModel", "ncntrl": ncntrl, **fitted, "src_is_cntrl": at_source}, kernel @ parameters


def _control_points(stage: Stage, source: Floats) -> Floats:
    """The points themselves, or a grid over them."""
    if stage.get("src_is_cntrl"):
        return _rounded(source)
    sides = zip(source.min(axis=0), source.max(axis=0), stage["ncntrl"], strict=True)
    axes = [np.linspace(low, high, count) for low, high, count in sides]
    return _rounded(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3))


_FITS = {"PolynomialModel": _polynomial, "ChunkedModel": _chunked, "SplineModel": _spline}
