"""The made-up transforms: the format of the real ones, and something like their geometry."""

import json
import math
from itertools import product
from typing import Any

import pytest

from tests.science.golden import DATA, golden
from tests.science.reference_transform import to_em, to_stack

from .nda import Nda

INSIDE = [[float(x), float(y), float(z)] for x, y, z in product((850, 1080, 1300), (100, 660, 1220), (100, 355, 610))]
"""Points of the stack (um) that the EM volume covers."""

REAL = {5: "inverse_phase3_staged_transform", 6: "phase3_staged_transform"}


@pytest.fixture(scope="module")
def transforms(nda: Nda) -> dict[int, dict[str, Any]]:
    rows = nda.dicts("SELECT * FROM coregistration")
    blobs = {name: nda.blobs(f"SELECT {name} FROM coregistration") for name in ("transform_args", "transform_solution")}
    decoded = [dict(zip(blobs, pair, strict=True)) for pair in zip(*blobs.values(), strict=True)]
    return {row["transform_id"]: {**row, **pair} for row, pair in zip(rows, decoded, strict=True)}


def through(transforms: Any, number: int, point: list[float]) -> list[float]:
    """A point through a transform, in stack um and EM voxels."""
    row = transforms[number]
    go = to_em if row["direction"] == "2PEM" else to_stack
    return go(row["version"], row["transform_solution"], point)


@pytest.mark.parametrize("there", [1, 3, 5, 7])
def test_em_coordinates_lie_in_the_published_volume(transforms: Any, there: int) -> None:
    for point in INSIDE:
        x, y, z = through(transforms, there, point)
        assert 70_000 < x < 400_000
        assert 60_000 < y < 250_000
        assert 14_000 < z < 28_500


def test_axes_run_along_each_other(transforms: Any) -> None:
    """Across the stack: x along EM z, flipped y along EM x, depth along EM y."""
    low, high = [1080.0, 660.0, 355.0], [1081.0, 661.0, 356.0]
    for there in (1, 3, 5, 7):
        steps = []
        for axis in range(3):
            point = [h if i == axis else v for i, (v, h) in enumerate(zip(low, high, strict=True))]
            pairs = zip(through(transforms, there, point), through(transforms, there, low), strict=True)
            steps.append([(b - a) * nm for (b, a), nm in zip(pairs, (4, 4, 40), strict=True)])
        assert steps[0][2] == pytest.approx(900, abs=150)
        assert steps[1][0] == pytest.approx(-900, abs=150)
        assert steps[2][1] == pytest.approx(1000, abs=150)


@pytest.mark.parametrize(("there", "back", "worst"), [(1, 2, 15), (3, 4, 25), (5, 6, 15), (7, 8, 25)])
def test_the_two_directions_undo_each_other_roughly(transforms: Any, there: int, back: int, worst: float) -> None:
    errors = [math.dist(p, through(transforms, back, through(transforms, there, p))) for p in INSIDE]
    assert 0.01 < max(errors) < worst


def test_the_linear_transform_is_near_the_spline(transforms: Any) -> None:
    for there in (1, 5):
        for point in INSIDE:
            pairs = zip(through(transforms, there, point), through(transforms, there + 2, point), strict=True)
            nm = math.hypot(*((a - b) * size for (a, b), size in zip(pairs, (4, 4, 40), strict=True)))
            assert 10 < nm < 30_000


def test_phase2_lies_where_phase3_does(transforms: Any) -> None:
    for point in INSIDE:
        pairs = zip(through(transforms, 1, point), through(transforms, 5, point), strict=True)
        nm = math.hypot(*((a - b) * size for (a, b), size in zip(pairs, (4, 4, 40), strict=True)))
        assert nm < 20_000


def test_stages_have_as_many_parameters_as_terms(transforms: Any) -> None:
    for row in transforms.values():
        for stage in row["transform_solution"]["transforms"]:
            if stage["name"] == "PolynomialModel":
                assert len(stage["parameters"]) == len(stage["regularization"]) == (4, 10)[stage["order"] - 1]
            if stage["name"] == "ChunkedModel":
                assert len(stage["transforms"]) - 1 == len(stage["ranges"]) + 1 == stage["nchunks"]
                assert stage["transforms"][-1]["parameters"][1:] == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
            if stage["name"] == "SplineModel":
                assert len(stage["parameters"]) == len(stage["regularization"]) == len(stage["control_pts"]) + 4
                assert len(stage["control_pts"]) == math.prod(stage["ncntrl"])


def test_linear_transforms_are_one_polynomial(transforms: Any) -> None:
    for number, row in transforms.items():
        stages = row["transform_solution"]["transforms"]
        names = {"linear": ["PolynomialModel"], "spline": [s["name"] for s in stages]}[row["transform_type"]]
        assert [s["name"] for s in stages] == names
        assert (len(stages) == 1) == (number in (3, 4, 7, 8))
        if row["transform_type"] == "spline":
            assert {"PolynomialModel", "ChunkedModel", "SplineModel"} == set(names)
            assert stages[-1]["src_is_cntrl"] is True


@pytest.mark.parametrize("number", REAL)
def test_the_format_is_that_of_the_real_ones(transforms: Any, number: int) -> None:
    """The same names hold the same types, in solutions and settings."""
    solution = golden(f"em_coregistration/{REAL[number]}_solution.json")
    settings = json.loads((DATA / f"em_coregistration/{REAL[number]}_args.json").read_text())
    assert skeleton(transforms[number]["transform_solution"]) <= skeleton(solution)
    assert skeleton(transforms[number]["transform_args"]["data"]) == skeleton(settings["data"])
    assert set(transforms[number]["transform_args"]) == set(settings)


def skeleton(value: Any, path: str = "") -> set[str]:
    """Every path of names in a JSON value, with the type it leads to; lists stand for their members."""
    if isinstance(value, dict):
        name = value.get("name", "")
        return {p for key, v in value.items() for p in skeleton(v, f"{path}/{name}.{key}")}
    if isinstance(value, list):
        return {p for v in value for p in skeleton(v, f"{path}[]")}
    return {f"{path}: {'number' if isinstance(value, int | float) and value is not True else type(value).__name__}"}
