"""Transforms of our own in nda's format, and where they take points: vectors for where nda's are absent.

A bending of the stack is sampled at landmarks, and each version and direction fitted to them by
tests/science/fitting.py. tests/science/reference_transform.py moves the points, number by number: nothing
here imports the package. ``python -m tests.science.vectors`` writes the files.
"""

import json
import math
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from tests.science import fitting, reference_transform
from tests.science.fitting import Floats, Json
from tests.science.reference_transform import Point

FOLDER = Path(__file__).parent
UM_HEIGHT = 1322.0
NAMES = [f"{version}_{direction}" for version in ("phase2", "phase3") for direction in ("2PEM", "EM2P")]


def load(name: str) -> Json:
    """A file's contents: the transform, points (in and out), whether each is extrapolated, and all it passes."""
    held: Json = json.loads((FOLDER / f"{name}.json").read_text())
    return held


def write() -> None:
    """All files, a line for each thing in them."""
    for name in NAMES:
        lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in make(name).items()]
        (FOLDER / f"{name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def make(name: str) -> Json:
    """What a file holds."""
    version, direction = name.split("_")
    return moved(version, direction, fit(version, direction))


# --- the fits --------------------------------------------------------------------------------------

CORNERS = [list(map(float, corner)) for corner in product((800, 1360), (30, 1290), (50, 660))]


def scattered(first: int, count: int) -> list[Point]:
    """Points between the corners (um), spread evenly: multiples of 1/x, 1/x^2, 1/x^3 modulo 1, of x^4 = x + 1."""
    steps = 0.8191725134, 0.6710436067, 0.5497004779
    sides = list(zip(*(CORNERS[0], CORNERS[-1]), steps, strict=True))
    return [
        [round(low + (high - low) * (n * step % 1), 2) for low, high, step in sides]
        for n in range(first, first + count)
    ]


LANDMARKS = [*CORNERS, *scattered(1, 32)]
"""Of the stack (um)."""


def bent(point: Point) -> Point:
    """Where a point of the stack (um) lies in EM (whole voxels): turned, mirrored and bent by some um."""
    x, y, z = (v / 1000 for v in point)
    em_x = 82_000 + 220_000 * (UM_HEIGHT / 1000 - y) + 1500 * math.sin(5 * x + 2 * z)
    em_y = 64_000 + 240_000 * z + 1800 * math.cos(4 * y)
    em_z = -2_500 + 22_000 * x + 120 * math.sin(3 * y + z)
    return [float(round(v)) for v in (em_x, em_y, em_z)]


def chunked(source: Floats, target: Floats, axis: int, count: int) -> Json:
    """Polynomials of as many landmarks each, the borders midway between two."""
    at = np.sort(source[:, axis])
    cuts = len(at) * np.arange(1, count) // count
    return fitting.chunked(source, target, axis, ((at[cuts - 1] + at[cuts]) / 2).tolist())


Plan = Callable[[Floats, Floats], Json]

PLANS: dict[str, list[Plan]] = {
    "2PEM": [partial(fitting.polynomial, order=1), partial(chunked, axis=2, count=4)],
    "EM2P": [partial(fitting.polynomial, order=2), partial(chunked, axis=0, count=4)],
}
"""How nda's begin."""

GRIDS = [(2, 2, 2), (3, 2, 2), (3, 3, 2), (3, 3, 3)]

FINER: list[Plan] = [
    partial(chunked, axis=0, count=3),
    *(partial(fitting.gridded, counts=grid) for grid in GRIDS),
    fitting.spline,
]
"""How they go on: splines over finer and finer grids, and at last over the landmarks."""


def fit(version: str, direction: str) -> Json:
    """A transform, each of its stages fitted to what the ones before it left."""
    optical = [reference_transform.from_stack(version, point) for point in LANDMARKS]
    em = [reference_transform.from_em(version, bent(point)) for point in LANDMARKS]
    at, target = map(np.array, (optical, em) if direction == "2PEM" else (em, optical))
    stages: list[Json] = []
    for plan in PLANS[direction] + FINER:
        stages.append(short(plan(at, target)))
        at = np.array([reference_transform.transform(fitting.solution(stages[-1]), point) for point in at.tolist()])
    return fitting.solution(*stages)


def short(value: Any) -> Any:
    """Numbers to 12 digits: the files are half as large."""
    if isinstance(value, dict):
        return {name: short(each) for name, each in value.items()}
    if isinstance(value, list):
        return [short(each) for each in value]
    return float(f"{value:.12g}") if isinstance(value, float) else value


# --- the points ------------------------------------------------------------------------------------

STACK: list[Point] = [
    *LANDMARKS[::4],
    *scattered(100, 6),
    [0, 0, 0],
    [1412, 1322, 670],
    [1340, 661, 335],
    [1380, 661, 335],
]
"""Landmarks, points among them, and points outside (um)."""


def moved(version: str, direction: str, solution: Json) -> Json:
    """A file: the transform, and where it takes points."""
    points = STACK if direction == "2PEM" else [bent(point) for point in STACK]
    go = reference_transform.to_em if direction == "2PEM" else reference_transform.to_stack
    enter = reference_transform.from_stack if direction == "2PEM" else reference_transform.from_em
    passed = [reference_transform.trace(solution, enter(version, point)) for point in points]
    planes = reference_transform.hull(solution["transforms"][-1]["control_pts"])
    return {
        "version": version,
        "direction": direction,
        "um_height": UM_HEIGHT,
        "solution": solution,
        "input": points,
        "output": [go(version, solution, point) for point in points],
        "extrapolated": [reference_transform.outside(planes, [trace[-2]]) for trace in passed],
        "trace": passed,
    }
