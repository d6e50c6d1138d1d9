"""Transforms of our own: the package moves points as plain loops did, whether or not nda's transforms are at hand."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gql_nda.codec import unpack
from gql_nda.science import transform
from tests.codec import upstream

from . import vectors
from .fitting import Json

GO = {"2PEM": transform.stack_to_em, "EM2P": transform.em_to_stack}


@pytest.fixture(params=vectors.NAMES)
def known(request: pytest.FixtureRequest) -> Json:
    return vectors.load(request.param)


def moved(known: Json, solution: object) -> transform.Moved:
    return GO[known["direction"]](transform.parse(solution), known["version"], known["input"], known["um_height"])


def extrapolated(found: transform.Moved) -> Any:
    return None if found.extrapolated is None else found.extrapolated.tolist()


def test_points_come_to_lie_where_loops_put_them(known: Json) -> None:
    """To 1e-6 voxels, and to 1e-6 um."""
    found = moved(known, known["solution"])
    np.testing.assert_allclose(found.points, known["output"], atol=1e-6, rtol=0)
    assert extrapolated(found) == known["extrapolated"]
    assert set(known["extrapolated"]) == {False, True}


def test_stage_by_stage(known: Json) -> None:
    at, *expected = np.moveaxis(np.array(known["trace"]), 1, 0)
    stages = transform.parse(known["solution"]).stages
    assert len(stages) == len(expected) == 8
    for stage, value in zip(stages, expected, strict=True):
        at = stage(at)
        np.testing.assert_allclose(at, value, atol=1e-6, rtol=0)


def test_as_datajoint_stores_them(known: Json) -> None:
    stored: Any = unpack(upstream.pack(known["solution"]))
    assert stored == known["solution"]
    found, expected = moved(known, stored), moved(known, known["solution"])
    assert found.points.tolist() == expected.points.tolist()
    assert extrapolated(found) == extrapolated(expected)


# --- the vectors themselves ------------------------------------------------------------------------


@pytest.mark.parametrize("name", vectors.NAMES)
def test_the_files_are_what_is_made(name: str) -> None:
    """But for the last digits of a fit, which are the machine's: points move by less than 1e-4 voxels."""
    made, held = dict(leaves(vectors.make(name))), dict(leaves(vectors.load(name)))
    numbers = {path for path, leaf in held.items() if isinstance(leaf, float)}
    assert {path: made[path] for path in made.keys() - numbers} == {path: held[path] for path in held.keys() - numbers}
    again, once = ([tree[path] for path in sorted(numbers)] for tree in (made, held))
    np.testing.assert_allclose(again, once, rtol=1e-6, atol=1e-4)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """What lies at the ends of a tree of mappings and lists, by path."""
    if not isinstance(value, dict | list):
        yield path, value
        return
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        yield from leaves(each, f"{path}/{key}")


def test_transforms_are_of_the_kinds_that_nda_has(known: Json) -> None:
    stages = known["solution"]["transforms"]
    assert [stage["name"][:-5] for stage in stages] == ["Polynomial", "Chunked", "Chunked", *["Spline"] * 5]
    assert [stage["src_is_cntrl"] for stage in stages[3:]] == [False] * 4 + [True]


@pytest.mark.parametrize("version", ["phase2", "phase3"])
def test_landmarks_come_to_lie_on_landmarks(version: str) -> None:
    """As exactly as 12 digits of a parameter can tell: the stack in um, and its landmarks in whole voxels."""
    count = len(vectors.LANDMARKS[::4])
    there, back = (vectors.load(f"{version}_{direction}") for direction in ("2PEM", "EM2P"))
    np.testing.assert_allclose(there["output"][:count], back["input"][:count], atol=1e-3, rtol=0)
    np.testing.assert_allclose(back["output"][:count], there["input"][:count], atol=1e-3, rtol=0)


def test_the_two_directions_are_no_inverses() -> None:
    there, back = (vectors.load(f"phase3_{direction}") for direction in ("2PEM", "EM2P"))
    again = transform.em_to_stack(transform.parse(back["solution"]), "phase3", there["output"], 1322).points
    lost: NDArray[np.float64] = np.linalg.norm(again - there["input"], axis=1)
    assert lost.max() > 1


def test_a_vector_sees_a_wrong_number() -> None:
    known = vectors.load("phase3_2PEM")
    for stage in known["solution"]["transforms"]:
        held = (stage["transforms"][1] if "transforms" in stage else stage)["parameters"][-1]
        held[2] += 1e-3
        wrong = np.abs(moved(known, known["solution"]).points - known["output"]).max()
        assert wrong > 1e-6, stage["name"]
        held[2] -= 1e-3
