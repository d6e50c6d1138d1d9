"""Transforms between stack and EM: against plain loops, upstream's numbers, and laws."""

import copy
import csv
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from gql_nda.codec import pack, unpack
from gql_nda.demo.stack import coregistration_rows
from gql_nda.science import transform

from . import fitting, reference_transform
from .fitting import solution
from .golden import golden

Floats = NDArray[np.float64]
Json = dict[str, Any]

POLYNOMIAL: Json = {"name": "PolynomialModel", "order": 1, "parameters": [[1, 2, 3], [1, 0, 0], [0, 1, 0], [0, 0, 1]]}
"""Moves by (1, 2, 3)."""

RNG = np.random.default_rng(4_7)
CORNERS = np.array([[x, y, z] for x in (0.0, 1) for y in (0.0, 1) for z in (0.0, 1)])
LANDMARKS = np.concatenate([CORNERS, RNG.uniform(0, 1, (40, 3))])
BENT = LANDMARKS * (100, -80, 30) + 5 * np.sin(3 * LANDMARKS[:, ::-1])


def bending() -> Json:
    """The kinds of stages that nda's transforms have, fitted to the landmarks one after the other."""
    first = fitting.polynomial(LANDMARKS, BENT, 2)
    at = placed(solution(first), LANDMARKS)
    second = fitting.chunked(at, BENT, 0, [40.0, 70.0])
    at = placed(solution(second), at)
    return solution(first, second, fitting.spline(at, BENT))


def placed(json: Json, points: Any) -> Floats:
    return transform.parse(json)(points).points


@pytest.fixture(scope="module")
def bent() -> Json:
    return bending()


# --- against plain loops ---------------------------------------------------------------------------

coordinates = st.floats(-20, 20)
points = hnp.arrays(float, st.tuples(st.integers(0, 9), st.just(3)), elements=coordinates)


def arrays(*shape: int) -> st.SearchStrategy[Any]:
    return hnp.arrays(float, shape, elements=st.floats(-10, 10)).map(np.ndarray.tolist)


polynomials = st.integers(1, 3).flatmap(
    lambda order: st.fixed_dictionaries(
        {
            "name": st.just("PolynomialModel"),
            "order": st.just(order),
            "parameters": arrays((4, 10, 20)[order - 1], 3),
            "regularization": st.just([]),
        }
    )
)
chunks = st.integers(1, 4).flatmap(
    lambda count: st.fixed_dictionaries(
        {
            "name": st.just("ChunkedModel"),
            "nchunks": st.just(count),
            "axis": st.integers(0, 2),
            "ranges": st.lists(coordinates, min_size=count - 1, max_size=count - 1).map(sorted),
            "transforms": st.lists(polynomials, min_size=count, max_size=count + 1),
        }
    )
)
splines = st.integers(1, 8).flatmap(
    lambda count: st.fixed_dictionaries(
        {
            "name": st.just("SplineModel"),
            "ncntrl": st.just([count]),
            "control_pts": arrays(count, 3),
            "parameters": arrays(count + 4, 3),
            "regularization": st.just([]),
            "src_is_cntrl": st.booleans(),
        }
    )
)


@given(polynomials | chunks | splines, points)
def test_a_stage_is_the_plain_formula(stage: Json, points: Floats) -> None:
    expected = [reference_transform.transform(solution(stage), p) for p in points.tolist()]
    np.testing.assert_allclose(placed(solution(stage), points), np.reshape(expected, (-1, 3)), rtol=1e-9, atol=1e-6)


@given(hnp.arrays(float, st.tuples(st.integers(0, 9), st.just(3)), elements=st.floats(-0.5, 1.5)))
def test_stages_act_one_after_the_other(points: Floats) -> None:
    bent = bending()
    expected = [reference_transform.transform(bent, p) for p in points.tolist()]
    np.testing.assert_allclose(placed(bent, points), np.reshape(expected, (-1, 3)), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("version", ["phase2", "phase3"])
@pytest.mark.parametrize("height", [1322.0, 900.0])
def test_both_versions_in_both_directions_are_the_plain_formula(bent: Json, version: str, height: float) -> None:
    parsed, stack = transform.parse(bent), LANDMARKS * 1000
    em = transform.stack_to_em(parsed, version, stack, height).points
    back = transform.em_to_stack(parsed, version, em, height).points
    expected = [reference_transform.to_em(version, bent, p, height) for p in stack.tolist()]
    np.testing.assert_allclose(em, expected, rtol=1e-9)
    expected = [reference_transform.to_stack(version, bent, p, height) for p in em.tolist()]
    np.testing.assert_allclose(back, expected, rtol=1e-9, atol=1e-6)


# --- by hand ---------------------------------------------------------------------------------------


def test_terms_of_a_polynomial_in_their_order() -> None:
    """At (2, 3, 5) each term is a number of its own: its parameter picks it out."""
    terms = [1, 2, 3, 5, 4, 6, 10, 9, 15, 25, 8, 12, 20, 18, 30, 50, 27, 45, 75, 125]
    for order, count in ((1, 4), (2, 10), (3, 20)):
        for i, term in enumerate(terms[:count]):
            parameters = np.zeros((count, 3))
            parameters[i] = 1, 10, 0
            stage = {"name": "PolynomialModel", "order": order, "parameters": parameters.tolist()}
            assert placed(solution(stage), [2, 3, 5]).tolist() == [[term, 10 * term, 0]]


def chunked(axis: int = 1, **more: Any) -> Json:
    """Up to 10 points move by (1, 2, 3), then up to 20 they're squared, then they're zero."""
    rows = np.zeros((10, 3))
    rows[[4, 7, 9], [0, 1, 2]] = 1
    squares = {"name": "PolynomialModel", "order": 2, "parameters": rows.tolist()}
    zero = {**POLYNOMIAL, "parameters": [[0, 0, 0]] * 4}
    body = {"nchunks": 3, "axis": axis, "ranges": [10, 20], "transforms": [POLYNOMIAL, squares, zero, {}]}
    return {"name": "ChunkedModel", **body, **more}


def test_a_border_belongs_to_the_chunk_below_it() -> None:
    above = np.nextafter(10, 11)
    found = placed(solution(chunked()), [[0, 10, 0], [0, above, 0], [0, 20, 1], [50, 20.5, 50], [9, -9, 9]])
    assert found.tolist() == [[1, 12, 3], [0, above**2, 0], [0, 400, 1], [0, 0, 0], [10, -7, 12]]
    assert placed(solution(chunked(axis=0)), [[11, 0, 0]]).tolist() == [[121, 0, 0]]


def test_the_kernel_of_a_spline_is_the_distance() -> None:
    """Control points 5 and 13 away from the origin; the affine part moves by (1, 2, 3)."""
    stage = {
        "name": "SplineModel",
        "ncntrl": [2, 1, 1],
        "control_pts": [[3, 4, 0], [0, 5, 12]],
        "parameters": [*POLYNOMIAL["parameters"], [1, 0, 10], [0, 1, 100]],
    }
    assert placed(solution(stage), [0, 0, 0]).tolist() == [[6, 15, 1353]]
    assert placed(solution(stage), [3, 4, 0])[0].tolist() == pytest.approx([4, 6 + 154**0.5, 3 + 100 * 154**0.5])


def test_positions_by_hand() -> None:
    """A transform that adds (1, 2, 3) to mm, or to voxels; or to nm, of which 4 x 4 x 40 make a voxel."""
    parsed, point = transform.parse(solution(POLYNOMIAL)), [1000.0, 300.0, 5000.0]
    assert transform.stack_to_em(parsed, "phase3", point, 1300).points.tolist() == [[2, 3, 8]]
    assert transform.em_to_stack(parsed, "phase3", [1, 1, 2], 1300).points.tolist() == [[2000, -1700, 5000]]
    voxels = transform.stack_to_em(parsed, "phase2", [3000, 6000, 77_000], 1300).points
    assert voxels.tolist() == [[1 - 3072, 2 - 2560, 2 + 7924]]
    assert transform.em_to_stack(parsed, "phase2", voxels, 1300).points.tolist() == [[5000, 10_000, 83_000]]


def test_voxels_are_flat() -> None:
    assert transform.voxels_to_nm([[1, 2, 3], [10, 20, 30]]).tolist() == [[4, 8, 120], [40, 80, 1200]]


def test_versions_that_are_unknown_are_refused() -> None:
    parsed = transform.parse(solution(POLYNOMIAL))
    with pytest.raises(ValueError, match="version is phase2 or phase3, not 'phase4'"):
        transform.stack_to_em(parsed, "phase4", [0, 0, 0], 1322)
    with pytest.raises(ValueError, match="not 'Phase3'"):
        transform.em_to_stack(parsed, "Phase3", [0, 0, 0], 1322)


# --- laws ------------------------------------------------------------------------------------------


@given(hnp.arrays(float, (4, 3), elements=st.floats(-10, 10)), points, st.integers(1, 3))
def test_a_polynomial_of_any_order_learns_an_affine_map(affine: Floats, points: Floats, order: int) -> None:
    stage = fitting.polynomial(LANDMARKS, fitting.kernel(LANDMARKS, 1) @ affine, order)
    np.testing.assert_allclose(placed(solution(stage), points), fitting.kernel(points, 1) @ affine, atol=1e-5)


def test_a_spline_goes_through_its_landmarks(bent: Json) -> None:
    np.testing.assert_allclose(placed(bent, LANDMARKS), BENT, atol=1e-9)


@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 128, 200])
def test_a_point_lies_where_it_lies_whatever_points_it_comes_with(bent: Json, count: int) -> None:
    many = RNG.uniform(-0.2, 1.2, (300, 3))
    parsed, order = transform.parse(bent), RNG.permutation(300)[:count]
    whole, some = parsed(many), parsed(many[order])
    assert some.points.tolist() == whole.points[order].tolist()
    assert some.extrapolated is not None
    assert whole.extrapolated is not None
    assert some.extrapolated.tolist() == whole.extrapolated[order].tolist()


def test_memory_is_bounded_by_points_and_control_points_apart() -> None:
    """5,000 points to 1,000 control points are 40 MB of distances, were they all at hand."""
    parsed = transform.parse(solution(fitting.gridded_spline((10, 10, 10), RNG.normal(size=(1004, 3)))))
    many = RNG.uniform(0, 1, (5000, 3))
    tracemalloc.start()
    try:
        parsed(many)
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()


# --- odd points ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(0,), (0, 3)])
@pytest.mark.parametrize("dtype", [float, np.float32])
def test_no_points_give_none(bent: Json, shape: Any, dtype: Any) -> None:
    found = transform.parse(bent)(np.empty(shape, dtype))
    assert found.points.shape == (0, 3)
    assert found.points.dtype == np.float64
    assert found.extrapolated is not None
    assert found.extrapolated.shape == (0,)


def test_one_point_is_a_row(bent: Json) -> None:
    alone = placed(bent, [0.5, 0.25, 1])
    assert alone.shape == (1, 3)
    assert alone.tolist() == placed(bent, [[0.5, 0.25, 1]]).tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.int64, object])
def test_points_of_any_type_are_moved_as_doubles(bent: Json, dtype: Any) -> None:
    whole = np.array([[0, 1, 0], [1, 0, 1]])
    found = placed(bent, whole.astype(dtype))
    assert found.dtype == np.float64
    assert found.tolist() == placed(bent, whole.astype(float)).tolist()


@pytest.mark.parametrize("shape", [(1, 2), (4,), (3, 2), (2, 2, 3), (), (0, 2)])
def test_points_of_another_shape_are_refused(bent: Json, shape: Any) -> None:
    with pytest.raises(ValueError) as caught:
        placed(bent, np.zeros(shape))
    assert str(caught.value) == f"points have the shape (n, 3), not {shape}"


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, None, 1e300, -1e308])
@pytest.mark.parametrize("version", ["phase2", "phase3"])
def test_points_that_lie_nowhere_are_nan_and_harm_no_other(bent: Json, odd: float | None, version: str) -> None:
    parsed = transform.parse(bent)
    mixed: list[list[Any]] = [[100, 200, 300], [odd, 0, 0], [0, 0, odd], [500, odd, 600], [700, 800, 900]]
    for go in transform.stack_to_em, transform.em_to_stack:
        found = go(parsed, version, mixed, 1322)
        assert np.isnan(found.points).all(axis=1).tolist() == [False, True, True, True, False]
        assert found.points[[0, 4]].tolist() == go(parsed, version, [mixed[0], mixed[4]], 1322).points.tolist()
        assert found.extrapolated is not None
        assert found.extrapolated[1:4].all()


def test_a_row_with_one_number_too_large_is_nan_as_a_whole() -> None:
    found = transform.em_to_stack(transform.parse(solution(POLYNOMIAL)), "phase3", [[1e307, 0, 0], [0.0, 0, 0]], 1322)
    assert np.isnan(found.points).tolist() == [[True] * 3, [False] * 3]


# --- the hull --------------------------------------------------------------------------------------


def fitted(spline: Json) -> Json:
    """The spline as one that was fitted to its control points."""
    return {**spline, "src_is_cntrl": True}


def cube(*before: Json) -> transform.Transform:
    """A spline whose landmarks fill the unit cube."""
    return transform.parse(solution(*before, fitted(fitting.gridded_spline((3, 3, 3), np.zeros((31, 3))))))


@pytest.mark.parametrize("flag", [{"src_is_cntrl": False}, {"src_is_cntrl": None}, {}])
def test_nothing_is_known_of_a_grid_that_holds_no_landmarks(flag: Json) -> None:
    spline = {name: v for name, v in fitting.gridded_spline((3, 3, 3), np.zeros((31, 3))).items() if name in _READ}
    assert transform.parse(solution({**spline, **flag}))([[5.0, 5, 5]]).extrapolated is None


_READ = ("name", "ncntrl", "control_pts", "parameters")


def test_points_outside_the_control_points_are_extrapolated() -> None:
    inside: list[list[float]] = [[0.5, 0.5, 0.5], [0, 0, 0], [1, 1, 1], [1, 0.5, 0], [0.001, 0.999, 0.5]]
    outside: list[list[float]] = [
        [1.001, 0.5, 0.5],
        [-0.001, 0, 0],
        [0.5, 0.5, 2],
        [1e9, 0, 0],
        [np.nan, 0, 0],
        [0, np.inf, 0],
    ]
    found = cube()([*inside, *outside]).extrapolated
    assert found is not None
    assert found.tolist() == [False] * len(inside) + [True] * len(outside)


def test_the_hull_is_asked_where_the_earlier_stages_carried_the_point() -> None:
    found = cube(POLYNOMIAL)([[0.5, 0.5, 0.5], [-0.5, -1.5, -2.5]]).extrapolated
    assert found is not None
    assert found.tolist() == [True, False]


def test_the_last_spline_decides() -> None:
    small = fitting.gridded_spline((2, 2, 2), np.concatenate([POLYNOMIAL["parameters"], np.zeros((8, 3))]))
    far = cube(fitting.gridded_spline((2, 2, 2), np.zeros((12, 3))))([[5, 5, 5]])
    near = cube(small, POLYNOMIAL)([[0.5, 0.5, 0.5], [-1.5, -3.5, -5.5]])
    assert far.extrapolated is not None
    assert near.extrapolated is not None
    assert (far.extrapolated.tolist(), near.extrapolated.tolist()) == ([False], [True, False])


@given(hnp.arrays(float, (6, 3), elements=st.integers(-4, 12).map(lambda n: n / 8)))
def test_what_lies_between_points_inside_lies_inside(points: Floats) -> None:
    parsed = transform.parse(solution(fitted(fitting.gridded_spline((2, 3, 2), np.zeros((16, 3))))))
    ends, middle = parsed(points).extrapolated, parsed((points[:3] + points[3:]) / 2).extrapolated
    assert ends is not None
    assert middle is not None
    assert not (middle & ~ends[:3] & ~ends[3:]).any()
    np.testing.assert_array_equal(ends, ((points < 0) | (points > 1)).any(axis=1))


def test_the_landmarks_themselves_are_not_extrapolated(bent: Json) -> None:
    found = transform.parse(bent)(LANDMARKS).extrapolated
    assert found is not None
    assert not found.any()


@pytest.mark.parametrize(
    "stage",
    [
        POLYNOMIAL,
        fitted(fitting.gridded_spline((3, 3, 1), np.zeros((13, 3)))),
        fitted(fitting.gridded_spline((2, 1, 1), np.zeros((6, 3)))),
        fitted(fitting.gridded_spline((1, 1, 1), np.zeros((5, 3)))),
    ],
    ids=["linear", "plane", "line", "point"],
)
def test_without_a_volume_of_control_points_nobody_knows(stage: Json) -> None:
    found = transform.parse(solution(stage))([[0.0, 0, 0], [np.nan, 0, 0]])
    assert found.extrapolated is None


# --- malformed -------------------------------------------------------------------------------------

ARRAYS = {"parameters", "control_pts", "ranges"}
SPLINE = fitting.gridded_spline((2, 2, 2), np.zeros((12, 3)))
CHUNKED = chunked()
RAGGED = [[1, 2, 3], [1, 2], [0], []]


def without(stage: Json, name: str) -> Json:
    return {key: value for key, value in stage.items() if key != name}


@pytest.mark.parametrize(
    ("json", "message"),
    [
        (None, "the transform must be a TransformList, not 'NoneType'"),
        ([POLYNOMIAL], "the transform must be a TransformList, not 'list'"),
        (POLYNOMIAL, "the transform must be a TransformList, not 'PolynomialModel'"),
        ({"transforms": []}, "the transform must be a TransformList, not None"),
        ({"name": "TransformList"}, "(TransformList) has no transforms"),
        (solution(), "the transform: transforms must be a list of 1 or more, not 0"),
        ({"name": "TransformList", "transforms": "abc"}, "must be a list of 1 or more, not str"),
        (solution(POLYNOMIAL, {"name": "Affine"}), "stage 1 must be a PolynomialModel or "),
        (solution({"name": ["PolynomialModel"]}), "stage 0 must be a PolynomialModel or "),
        (solution(POLYNOMIAL, solution(POLYNOMIAL)), "not 'TransformList'"),
        (solution(without(POLYNOMIAL, "order")), "stage 0 (PolynomialModel) has no order"),
        (
            solution({**POLYNOMIAL, "order": 0}),
            "stage 0 (PolynomialModel): order must be a whole number of 1 to 3, not 0",
        ),
        (solution({**POLYNOMIAL, "order": 4}), "order must be a whole number of 1 to 3, not 4"),
        (solution({**POLYNOMIAL, "order": 1.0}), "not 1.0"),
        (solution({**POLYNOMIAL, "order": True}), "not True"),
        (solution({**POLYNOMIAL, "order": "1"}), "not '1'"),
        (solution({**POLYNOMIAL, "order": [1]}), "not [1]"),
        (solution({**POLYNOMIAL, "order": RAGGED}), "order must be a whole number"),
        (solution({**POLYNOMIAL, "order": 2**70}), "order must be a whole number"),
        (solution({**POLYNOMIAL, "order": 2}), "parameters must be numbers of shape (10, 3), not int64 of (4, 3)"),
        (solution({**POLYNOMIAL, "parameters": RAGGED}), "parameters must be numbers of shape (4, 3), not object"),
        (
            solution({**POLYNOMIAL, "parameters": [["1"] * 3] * 4}),
            "parameters must be numbers of shape (4, 3), not <U1",
        ),
        (solution({**POLYNOMIAL, "parameters": [[True] * 3] * 4}), "parameters must be numbers"),
        (solution({**POLYNOMIAL, "parameters": [[1j] * 3] * 4}), "parameters must be numbers"),
        (solution({**POLYNOMIAL, "parameters": [[None] * 3] * 4}), "parameters must be numbers"),
        (solution({**POLYNOMIAL, "parameters": [[np.nan] * 3] * 4}), "parameters must be finite"),
        (solution({**POLYNOMIAL, "parameters": [[10**400] * 3] * 4}), "parameters must be numbers"),
        (solution({**CHUNKED, "axis": 3}), "stage 0 (ChunkedModel): axis must be a whole number of 0 to 2, not 3"),
        (solution({**CHUNKED, "axis": -1}), "axis must be"),
        (solution({**CHUNKED, "nchunks": 0}), "nchunks must be a whole number of 1 or more, not 0"),
        (solution({**CHUNKED, "nchunks": 4}), "ranges must be numbers of shape (3), not int64 of (2,)"),
        (solution({**CHUNKED, "nchunks": 10**18}), "ranges must be numbers of shape"),
        (solution({**CHUNKED, "ranges": [20, 10]}), "ranges must ascend"),
        (solution({**CHUNKED, "ranges": [10, np.inf]}), "ranges must be finite"),
        (solution({**CHUNKED, "transforms": [POLYNOMIAL] * 2}), "transforms must be a list of 3 or more, not 2"),
        (solution({**CHUNKED, "transforms": {}}), "transforms must be a list of 3 or more, not dict"),
        (solution({**CHUNKED, "transforms": [POLYNOMIAL, SPLINE, POLYNOMIAL]}), "chunk 1 must be a PolynomialModel"),
        (
            solution(POLYNOMIAL, {**CHUNKED, "transforms": [POLYNOMIAL, POLYNOMIAL, {**POLYNOMIAL, "order": 3}]}),
            "stage 1 (ChunkedModel), chunk 2: parameters must be numbers of shape (20, 3)",
        ),
        (
            solution({**SPLINE, "ncntrl": [2, 2, 3]}),
            "stage 0 (SplineModel): ncntrl [2, 2, 3] doesn't make 8 control_pts",
        ),
        (solution({**SPLINE, "ncntrl": []}), "ncntrl must be numbers of shape (any), not float64 of (0,)"),
        (solution({**SPLINE, "control_pts": []}), "control_pts must be numbers of shape (any, 3)"),
        (solution({**SPLINE, "control_pts": [[1, 2]] * 8}), "control_pts must be numbers of shape (any, 3)"),
        (solution({**SPLINE, "parameters": [[0, 0, 0]] * 8}), "parameters must be numbers of shape (12, 3)"),
        (solution({**SPLINE, "parameters": [[0, 0, np.inf]] * 12}), "parameters must be finite"),
        (solution(without(without(SPLINE, "ncntrl"), "control_pts")), "has no ncntrl and no control_pts"),
    ],
)
def test_a_malformed_transform_is_refused_by_name(json: Any, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        transform.parse(json)
    assert message in str(caught.value)


def test_arrays_and_tuples_serve_as_well_as_lists(bent: Json) -> None:
    """As DataJoint may give them."""
    other = copy.deepcopy(bent)
    for stage in other["transforms"]:
        stage.update({name: np.array(v) for name, v in stage.items() if name in ("parameters", "control_pts", "axis")})
        stage.update({name: tuple(v) for name, v in stage.items() if name in ("ranges", "transforms", "ncntrl")})
    assert placed(other, LANDMARKS).tolist() == placed(bent, LANDMARKS).tolist()


def test_a_parsed_transform_does_not_change() -> None:
    json = bending()
    for stage in json["transforms"]:
        stage.update(
            {name: np.array(v) for name, v in stage.items() if name in ("parameters", "control_pts", "ranges")}
        )
    parsed = transform.parse(json)
    before = parsed(LANDMARKS).points
    for stage in json["transforms"]:
        for name in ARRAYS & set(stage):
            stage[name] += 1
    assert parsed(LANDMARKS).points.tolist() == before.tolist()
    for stage in parsed.stages:
        arrays = [value for name in stage.__slots__ if isinstance(value := getattr(stage, name), np.ndarray)]
        assert arrays
        assert not any(array.flags.writeable for array in arrays)


# --- the demo's and the real ones ------------------------------------------------------------------


def test_the_demo_transforms_are_the_plain_formula() -> None:
    rows = coregistration_rows()
    stack = np.array([[800, 30, 50], [1080.5, 661, 355.25], [1360, 1290, 660], [100, 100, 600]])
    em = transform.stack_to_em(transform.parse(rows[4]["transform_solution"]), "phase3", stack, 1322).points
    assert len(rows) == 8
    for row in rows:
        go, slowly, at = (
            (transform.stack_to_em, reference_transform.to_em, stack)
            if row["direction"] == "2PEM"
            else (transform.em_to_stack, reference_transform.to_stack, em)
        )
        json: Any = unpack(pack(row["transform_solution"]))
        version = str(row["version"])
        found = go(transform.parse(json), version, at, 1322)
        expected = [slowly(version, json, point) for point in at.tolist()]
        np.testing.assert_allclose(found.points, expected, atol=1e-6, rtol=0)
        extrapolated = None if found.extrapolated is None else found.extrapolated.tolist()
        assert extrapolated == (None if row["transform_type"] == "linear" else [False, False, False, True])


@pytest.fixture(scope="module")
def pairs(shared: Path) -> Json:
    found: Json = golden("transform_pairs.json")
    return found


@pytest.fixture(scope="module")
def real(pairs: Json) -> dict[int, transform.Transform]:
    """The published transforms by their number."""
    files = {int(name.split()[0]): file for name, file in pairs["files"].items()}
    return {number: transform.parse(golden(f"em_coregistration/{file}")) for number, file in files.items()}


def test_published_transforms_give_upstream_numbers(pairs: Json, real: dict[int, transform.Transform]) -> None:
    """To 1e-6 voxels, and to 1e-6 um."""
    assert {known["transform_id"] for known in pairs["sets"]} == {1, 2, 5, 6}
    for known in pairs["sets"]:
        go = transform.stack_to_em if known["direction"] == "2PEM" else transform.em_to_stack
        found = go(real[known["transform_id"]], known["version"], known["input"], 1322)
        np.testing.assert_allclose(found.points, known["output"], atol=1e-6, rtol=0)


def test_published_transforms_give_upstream_numbers_stage_by_stage(
    pairs: Json, real: dict[int, transform.Transform]
) -> None:
    at, *expected = (np.array([value]) for value in pairs["stage_trace"]["values"])
    for stage, value in zip(real[5].stages, expected, strict=True):
        at = stage(at)
        np.testing.assert_allclose(at, value, atol=1e-6, rtol=0)


def test_readme_numbers(pairs: Json, real: dict[int, transform.Transform]) -> None:
    """The raw transform, mm in and nm out, as its README prints it."""
    known = pairs["readme_check"]
    np.testing.assert_allclose(real[1](known["input_mm"]).points, known["output_nm"], atol=1e-6, rtol=0)


def test_affine_numbers(pairs: Json) -> None:
    known = pairs["affine_only_2PEM"]
    stage = {"name": "PolynomialModel", "order": 1, "parameters": known["parameters"]}
    found = transform.stack_to_em(transform.parse(solution(stage)), "phase3", known["input_stack_um"], 1322)
    np.testing.assert_allclose(found.points, known["output_em_vox"], atol=1e-6, rtol=0)


@pytest.fixture(scope="module")
def landmarks(shared: Path) -> tuple[Floats, Floats]:
    """The landmarks that phase3 was fitted to: of the stack (um), and of EM (voxels)."""
    with (shared / "em_coregistration" / "17797_2Pfix_EMmoving_Phase3.csv").open() as lines:
        rows = [row for row in csv.reader(lines) if row[1].strip().lower() == "true"]
    em, optical = (np.array([row[part] for row in rows], float) for part in (slice(2, 5), slice(5, 8)))
    return optical * 1000 * (1, -1, 1) + (0, 1322, 0), em


def test_real_landmarks_are_not_extrapolated(landmarks: Any, real: dict[int, transform.Transform]) -> None:
    stack, em = landmarks
    assert len(stack) == 2934
    there = transform.stack_to_em(real[5], "phase3", stack, 1322).extrapolated
    back = transform.em_to_stack(real[6], "phase3", em, 1322).extrapolated
    assert there is not None
    assert back is not None
    assert not there.any()
    assert not back.any()


def test_the_hull_is_nearly_that_of_the_landmarks(landmarks: Any, real: dict[int, transform.Transform]) -> None:
    """NDA.md: 98.4 % of points agree, and 29.5 % of the stack lies inside."""
    within = np.random.default_rng(1).uniform(0, (1412, 1322, 670), (4000, 3))
    outside = transform.stack_to_em(real[5], "phase3", within, 1322).extrapolated
    assert outside is not None
    assert np.mean(outside == ~transform.Hull(landmarks[0]).contains(within)) > 0.97
    assert np.mean(~outside) == pytest.approx(0.295, abs=0.03)


def test_the_two_directions_are_no_inverses(pairs: Json, landmarks: Any, real: dict[int, transform.Transform]) -> None:
    """Round trips of the landmarks lose as many um as upstream's do."""
    stack, _ = landmarks
    em = transform.stack_to_em(real[5], "phase3", stack, 1322).points
    lost = np.linalg.norm(transform.em_to_stack(real[6], "phase3", em, 1322).points - stack, axis=1)
    known = pairs["roundtrip_error_um"]["at_landmarks"]
    found = lost.mean(), np.median(lost), np.percentile(lost, 95), lost.max()
    assert found == pytest.approx([known[name] for name in ("mean", "median", "p95", "max")], abs=0.01)
