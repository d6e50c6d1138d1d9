"""A transform of coregistration evaluated number by number, sharing nothing with the package."""

import math
from itertools import combinations, combinations_with_replacement
from typing import Any

Point = list[float]
Plane = tuple[Point, Point]


def transform(solution: dict[str, Any], point: Point) -> Point:
    """The stages of a transform list, one after the other."""
    return trace(solution, point)[-1]


def trace(solution: dict[str, Any], point: Point) -> list[Point]:
    """A point, and where each stage takes it."""
    assert solution["name"] == "TransformList"
    points = [point]
    for stage in solution["transforms"]:
        points.append(STAGES[stage["name"]](stage, points[-1]))
    return points


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


def from_stack(version: str, point: Point, height: float = 1322) -> Point:
    """Stack um as a transform has them: mm."""
    x, y, z = point
    return [x / 1000, (height - y if version == "phase3" else y) / 1000, z / 1000]


def from_em(version: str, voxel: Point) -> Point:
    """EM voxels as a transform has them: voxels, or nm."""
    x, y, z = voxel
    return voxel if version == "phase3" else [(x + 3072) * 4, (y + 2560) * 4, (z - 7924) * 40]


def to_em(version: str, solution: dict[str, Any], point: Point, height: float = 1322) -> Point:
    """Stack um to EM voxels."""
    x, y, z = transform(solution, from_stack(version, point, height))
    return [x, y, z] if version == "phase3" else [x / 4 - 3072, y / 4 - 2560, z / 40 + 7924]


def to_stack(version: str, solution: dict[str, Any], voxel: Point, height: float = 1322) -> Point:
    """EM voxels to stack um."""
    x, y, z = (1000 * v for v in transform(solution, from_em(version, voxel)))
    return [x, height - y if version == "phase3" else y, z]


def hull(points: list[Point]) -> list[Plane]:
    """The planes through any three points that all others lie on one side of: a point, and the way out."""
    return [plane for three in combinations(points, 3) for plane in _sides(three) if not outside([plane], points)]


def outside(planes: list[Plane], points: list[Point]) -> bool:
    """Whether any of some points lies outside, by more than a part in 10^9 of its place."""
    return any(_depth(plane, point) > 1e-9 * math.hypot(*point) for plane in planes for point in points)


def _sides(three: tuple[Point, ...]) -> list[Plane]:
    a, b, c = three
    (px, py, pz), (qx, qy, qz) = ([end[i] - a[i] for i in range(3)] for end in (b, c))
    normal = [py * qz - pz * qy, pz * qx - px * qz, px * qy - py * qx]
    size = math.hypot(*normal)
    return [(a, [sign * n / size for n in normal]) for sign in (1, -1)] if size else []


def _depth(plane: Plane, point: Point) -> float:
    return sum((p - a) * n for p, a, n in zip(point, *plane, strict=True))
