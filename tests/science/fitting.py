"""Small transforms fitted by least squares, in nda's format."""

import math
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Json = dict[str, Any]


def solution(*stages: Json) -> Json:
    """A transform list of some stages."""
    return {"name": "TransformList", "transforms": list(stages)}


def kernel(points: Floats, order: int) -> Floats:
    """The terms of a polynomial at points: (point, term)."""
    axes = [a for degree in range(order + 1) for a in combinations_with_replacement(range(3), degree)]
    return np.stack([np.prod(points[:, list(a)], axis=1) for a in axes], axis=1)


def least_squares(terms: Floats, target: Floats) -> Floats:
    """The parameters of the terms that come nearest, the terms brought to one size: squared voxels are 10^11."""
    size = np.abs(terms).max(axis=0)
    parameters: Floats = np.linalg.lstsq(terms / size, target)[0] / size[:, None]
    return parameters


def polynomial(source: Floats, target: Floats, order: int = 1) -> Json:
    """The polynomial that takes the source nearest to the target."""
    parameters = least_squares(kernel(source, order), target)
    body = {"order": order, "parameters": parameters.tolist(), "regularization": [0.0] * len(parameters)}
    return {"name": "PolynomialModel", **body}


def chunked(source: Floats, target: Floats, axis: int, borders: list[float]) -> Json:
    """A polynomial between each two borders, and the unused one that nda's fits have."""
    chunk = np.searchsorted(borders, source[:, axis])
    fits = [polynomial(source[chunk == i], target[chunk == i]) for i in range(len(borders) + 1)]
    unused = polynomial(source, source)
    body = {"nchunks": len(fits), "axis": axis, "ranges": borders}
    return {"name": "ChunkedModel", **body, "transforms": [*fits, unused]}


def spline(source: Floats, target: Floats) -> Json:
    """The spline through all landmarks: as many conditions on its weights as it has affine parameters."""
    distances = np.linalg.norm(source[:, None] - source, axis=-1)
    affine = kernel(source, 1)
    whole = np.block([[affine, distances], [np.zeros((4, 4)), affine.T]])
    parameters = least_squares(whole, np.concatenate([target, np.zeros((4, 3))]))
    return {"name": "SplineModel", "ncntrl": [len(source)], **_spline(source, parameters), "src_is_cntrl": True}


def gridded(source: Floats, target: Floats, counts: tuple[int, int, int]) -> Json:
    """The spline over a grid around the source that takes it nearest to the target."""
    low, high = source.min(axis=0), source.max(axis=0)
    control = low + _grid(counts) * (high - low)
    distances = np.linalg.norm(source[:, None] - control, axis=-1)
    return _gridded(counts, control, least_squares(np.hstack([kernel(source, 1), distances]), target))


def gridded_spline(counts: tuple[int, int, int], parameters: Floats) -> Json:
    """A spline of given parameters over a grid in the unit cube."""
    return _gridded(counts, _grid(counts), parameters)


def _gridded(counts: tuple[int, int, int], control: Floats, parameters: Floats) -> Json:
    return {"name": "SplineModel", "ncntrl": list(counts), **_spline(control, parameters), "src_is_cntrl": False}


def _grid(counts: tuple[int, int, int]) -> Floats:
    axes = [np.linspace(0, 1, count) for count in counts]
    control = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    assert len(control) == math.prod(counts)
    return control


def _spline(control: Floats, parameters: Floats) -> Json:
    zeros = [0.0] * len(parameters)
    return {"control_pts": control.tolist(), "parameters": parameters.tolist(), "regularization": zeros}
