"""A transform of coregistration evaluated number by number, sharing nothing with the package."""

import math
from itertools import combinations_with_replacement
from typing import Any

Point = list[float]


def transform(solution: dict[str, Any], point: Point) -> Point:
    """The stages of a transform list, one after the other."""
    assert solution["name"] == "TransformList"
    for stage in solution["transforms"]:
        point = STAGES[stage["name"]](stage, point)
    return point


def polynomial(stage: dict[str, Any], point: Point) -> Point:
    """1; x, y, z; xx, xy, xz, yy, yz, zz; and so on, times their coefficients."""
    terms = [
        math.prod(point[axis] for axis in axes)
        for order in range(stage["order"] + 1)
        for axes in combinations_with_replacement(range(3), order)
    ]
    return [sum(t * row[i] for t, row in zip(terms, stage["parameters"], strict=True)) for i in range(3)]


def chunked(stage: dict[str, Any], point: Point) -> Point:
    """The polynomial of the chunk that the point lies in; a border belongs to the lower one."""
    which = sum(border < point[stage["axis"]] for border in stage["ranges"])
    assert which < stage["nchunks"]
    return polynomial(stage["transforms"][which], point)


def spline(stage: dict[str, Any], point: Point) -> Point:
    """p0 + y . p[1:4] + sum of |y - c| p[4 + j]."""
    terms = [1.0, *point, *(math.dist(point, control) for control in stage["control_pts"])]
    return [sum(t * row[i] for t, row in zip(terms, stage["parameters"], strict=True)) for i in range(3)]


STAGES = {"PolynomialModel": polynomial, "ChunkedModel": chunked, "SplineModel": spline}


def to_em(version: str, solution: dict[str, Any], point: Point, height: float = 1322) -> Point:
    """Stack um to EM voxels."""
    x, y, z = point
    if version == "phase3":
        return transform(solution, [x / 1000, (height - y) / 1000, z / 1000])
    nm = transform(solution, [x / 1000, y / 1000, z / 1000])
    return [nm[0] / 4 - 3072, nm[1] / 4 - 2560, nm[2] / 40 + 7924]


def to_stack(version: str, solution: dict[str, Any], voxel: Point, height: float = 1322) -> Point:
    """EM voxels to stack um."""
    if version == "phase3":
        x, y, z = (1000 * v for v in transform(solution, voxel))
        return [x, height - y, z]
    nm = [(voxel[0] + 3072) * 4, (voxel[1] + 2560) * 4, (voxel[2] - 7924) * 40]
    return [1000 * v for v in transform(solution, nm)]
