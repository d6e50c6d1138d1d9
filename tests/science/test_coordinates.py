"""Pixel to motor to stack: against plain loops, published rows, and laws."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gql_nda.science import coordinates

from . import reference
from .golden import golden

FIELD = {"px_width": 248, "px_height": 440, "um_width": 620.0, "um_height": 1100.0, "field_x": -485, "field_y": -235}
STACK = {"motor_x": -230.5, "motor_y": -170.25, "motor_z": 310, "um_width": 1400, "um_height": 1320, "um_depth": 660}
SIZE_PX, SIZE_UM = (248, 440), (620.0, 1100.0)
STACK_MOTOR, STACK_UM = (-230.5, -170.25, 310.0), (1400.0, 1320.0, 660.0)

columns = st.lists(st.tuples(st.integers(0, 247), st.integers(0, 439)), min_size=1, max_size=20)
slopes = st.floats(-2, 2)
origins = st.floats(-1000, 1000)
registrations = st.fixed_dictionaries(
    {f"a{i}{j}": slopes for i in (1, 2, 3) for j in (1, 2)} | {f"reg_{axis}": origins for axis in "xyz"}
)


def matrix(registration: dict[str, float]) -> list[list[float]]:
    return [[registration[f"a{i}1"], registration[f"a{i}2"]] for i in (1, 2, 3)]


def origin(registration: dict[str, float]) -> list[float]:
    return [registration[f"reg_{axis}"] for axis in "xyz"]


def motor(px: Any, registration: dict[str, float]) -> NDArray[np.float64]:
    offset = coordinates.centred_um(px, SIZE_PX, SIZE_UM)
    return coordinates.motor_um(offset, matrix(registration), origin(registration))


@given(columns, registrations)
def test_registered_positions_are_those_of_the_plain_formula(px: Any, registration: dict[str, float]) -> None:
    found = motor(px, registration)
    placed = coordinates.stack_um(found, STACK_MOTOR, STACK_UM)
    expected = [reference.motor(p, FIELD, registration) for p in px]
    np.testing.assert_allclose(found, expected, atol=1e-9)
    np.testing.assert_allclose(placed, [reference.stack(m, STACK) for m in expected], atol=0.0101)
    np.testing.assert_allclose(placed, found - np.array(STACK_MOTOR) + np.array(STACK_UM) / 2, atol=0.00501)


@given(columns)
def test_unregistered_positions_are_those_of_the_plain_formula(px: Any) -> None:
    found = coordinates.unregistered_um(px, SIZE_PX, SIZE_UM, (-485, -235))
    assert found.tolist() == [reference.unregistered(p, FIELD) for p in px]


@given(columns, registrations)
def test_one_row_of_parameters_a_point_gives_what_shared_parameters_give(px: Any, registration: Any) -> None:
    many = (len(px), 1)
    offset = coordinates.centred_um(px, np.tile(SIZE_PX, many), np.tile(SIZE_UM, many))
    rows = np.tile(matrix(registration), (len(px), 1, 1)), np.tile(origin(registration), many)
    np.testing.assert_array_equal(coordinates.motor_um(offset, *rows), motor(px, registration))


@given(columns, registrations)
def test_equal_steps_in_the_field_are_equal_steps_in_the_motor_frame(px: Any, registration: Any) -> None:
    there, back = motor(np.add(px, 3), registration), motor(np.subtract(px, 3), registration)
    np.testing.assert_allclose((there + back) / 2, motor(px, registration), atol=1e-9)


def test_the_middle_of_the_field_lies_at_the_origin() -> None:
    registration = {"a11": 1.1, "a21": 0.2, "a31": 0.3, "a12": -0.1, "a22": 0.9, "a32": 0.4}
    centre = motor([(123.5, 219.5)], registration | {"reg_x": 7, "reg_y": 8, "reg_z": 9})
    assert centre.tolist() == [[7, 8, 9]]


def test_a_row_worked_out_by_hand() -> None:
    registration = {"a11": 1, "a21": 0, "a31": 0.5, "a12": 0, "a22": 2, "a32": 0, "reg_x": 95, "reg_y": 0, "reg_z": 200}
    found = motor([(133.5, 209.5)], registration)
    assert found.tolist() == [[120, -50, 212.5]]
    assert coordinates.stack_um(found, STACK_MOTOR, STACK_UM).tolist() == [[1050.5, 780.25, 232.5]]


def test_unregistered_positions_lie_half_a_pixel_off() -> None:
    assert coordinates.unregistered_um([(124.4, 220.4)], SIZE_PX, SIZE_UM, (-485, -235)).tolist() == [[-484, -234]]
    assert coordinates.centred_um([(124, 220)], SIZE_PX, SIZE_UM).tolist() == [[1.25, 1.25]]


@given(columns, st.lists(registrations, min_size=20, max_size=20))
def test_units_of_many_fields_are_placed_at_once(px: Any, fields: list[dict[str, float]]) -> None:
    """Fields of different sizes, too: the second half is half as large."""
    chosen = fields[: len(px)]
    scale = np.where(np.arange(len(px)) < 10, 1, 2)[:, None]
    names = ("a11", "a21", "a31", "a12", "a22", "a32")
    matrices = coordinates.registration_matrix(*([field[name] for field in chosen] for name in names))
    offset = coordinates.centred_um(px, np.divide(SIZE_PX, scale), np.divide(SIZE_UM, scale))
    found = coordinates.motor_um(offset, matrices, [origin(field) for field in chosen])
    halved = {**FIELD, **{name: FIELD[name] / 2 for name in ("px_width", "px_height", "um_width", "um_height")}}
    expected = [
        reference.motor(p, FIELD if i < 10 else halved, field)
        for i, (p, field) in enumerate(zip(px, chosen, strict=True))
    ]
    np.testing.assert_allclose(found, expected, atol=1e-9)


@given(columns, registrations)
def test_the_stack_leads_back_to_the_motor_frame(px: Any, registration: dict[str, float]) -> None:
    found = motor(px, registration)
    exact = coordinates.motor_to_stack(found, STACK_MOTOR, STACK_UM)
    np.testing.assert_allclose(coordinates.stack_to_motor(exact, STACK_MOTOR, STACK_UM), found, atol=1e-9)
    placed = coordinates.stack_um(found, STACK_MOTOR, STACK_UM)
    np.testing.assert_allclose(coordinates.stack_to_motor(placed, STACK_MOTOR, STACK_UM), found, atol=0.00501)
    assert placed.tolist() == np.round(exact, 2).tolist()


def test_no_units_and_units_nowhere_have_their_places() -> None:
    registration = coordinates.registration_matrix(1, 0, 0, 0, 1, 0)
    assert coordinates.registration_matrix(*[[]] * 6).shape == (0, 3, 2)
    offset = coordinates.centred_um(np.empty((0, 2)), SIZE_PX, SIZE_UM)
    assert coordinates.stack_um(coordinates.motor_um(offset, registration, [0, 0, 0]), [0] * 3, [0] * 3).shape == (0, 3)
    missing = coordinates.centred_um([[3, np.nan], [123.5, 219.5]], SIZE_PX, SIZE_UM)
    placed = coordinates.stack_um(coordinates.motor_um(missing, registration, [1, 2, 3]), [0] * 3, [0] * 3)
    assert np.isnan(placed[0]).any()
    assert placed[1].tolist() == [1, 2, 3]


# --- the plane of a field --------------------------------------------------------------------------


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0.1, 5), st.floats(0.1, 5))
def test_at_its_own_resolution_the_grid_is_the_pixels(width: int, height: int, x_um: float, y_um: float) -> None:
    size_px, size_um = (width, height), (width * x_um, height * y_um)
    grid = coordinates.grid(size_px, size_um)
    assert grid.shape == (height, width)
    pixels = [[(x, y) for x in range(width)] for y in range(height)]
    np.testing.assert_allclose(grid.offsets(), coordinates.centred_um(pixels, size_px, size_um), atol=1e-9)


@given(st.floats(1, 700), st.floats(1, 700), st.floats(0.5, 300), st.integers(1, 9))
def test_a_grid_is_centred_evenly_spaced_and_covers_the_field(width: float, height: float, um: float, n: int) -> None:
    grid = coordinates.grid((10, 10), (width, height), um)
    points = grid.offsets()
    assert points.shape == (*grid.shape, 2)
    np.testing.assert_allclose(points + points[::-1, ::-1], 0, atol=1e-9)
    np.testing.assert_allclose(np.diff(points[..., 0], axis=1), um)
    np.testing.assert_allclose(np.diff(points[..., 1], axis=0), um)
    for count, size in zip(grid.shape, (height, width), strict=True):
        assert abs(count * um - size) <= um / 2 + 1e-9 or (count == 1 and size < um / 2)
    strided = coordinates.grid((10, 10), (width, height), um, n)
    assert strided.offsets().tolist() == points[::n, ::n].tolist()
    assert strided.shape == points[::n, ::n].shape[:2]


def test_a_grid_worked_out_by_hand() -> None:
    """Upstream rounds halves to even: 5 um at 2 um a point are 2 points, 7 um are 4."""
    assert coordinates.grid((4, 4), (5, 7), 2).offsets()[..., 0].tolist() == [[-1, 1]] * 4
    assert coordinates.grid((4, 4), (5, 7), 2).offsets()[:, 0, 1].tolist() == [-3, -1, 1, 3]
    assert coordinates.grid(SIZE_PX, SIZE_UM, 1).shape == (1100, 620)
    assert coordinates.grid(SIZE_PX, SIZE_UM, 5000).offsets().tolist() == [[[0, 0]]]


def test_a_shape_is_told_before_any_point_is_made() -> None:
    assert coordinates.grid(SIZE_PX, SIZE_UM, 0.001).shape == (1_100_000, 620_000)
    assert coordinates.grid(SIZE_PX, SIZE_UM, 0.001, 1000).shape == (1100, 620)


@given(registrations)
def test_a_grid_is_registered_as_its_pixels_are(registration: dict[str, float]) -> None:
    grid = coordinates.grid(SIZE_PX, SIZE_UM, stride=40).offsets()
    found = coordinates.motor_um(grid, matrix(registration), origin(registration))
    assert found.shape == (11, 7, 3)
    np.testing.assert_allclose(found[3, 2], reference.motor((80, 120), FIELD, registration), atol=1e-9)
    placed = coordinates.motor_to_stack(found, STACK_MOTOR, STACK_UM)
    np.testing.assert_allclose(placed[3, 2], reference.stack(found[3, 2], STACK), atol=0.00501)


@pytest.mark.parametrize("um", [0, -1, np.nan, np.inf, 1e-320, 0.0009])
def test_resolutions_that_make_no_grid_are_refused(um: float) -> None:
    with pytest.raises(ValueError, match=r"the resolution of a grid is finite and 0.001 um or more, not"):
        coordinates.grid(SIZE_PX, SIZE_UM, um)


@pytest.mark.parametrize("stride", [0, -1])
def test_strides_that_lead_nowhere_are_refused(stride: int) -> None:
    with pytest.raises(ValueError, match="the stride of a grid is 1 or more, not"):
        coordinates.grid(SIZE_PX, SIZE_UM, 1, stride)


def test_the_outline_runs_along_the_outer_edges() -> None:
    assert coordinates.outline_um((620, 1100)).tolist() == [[-310, -550], [310, -550], [310, 550], [-310, 550]]
    by_hand = [[-2, -1], [0, -1], [2, -1], [2, 0], [2, 1], [0, 1], [-2, 1], [-2, 0]]
    assert coordinates.outline_um((4, 2), 2).tolist() == by_hand


@given(st.integers(1, 30))
def test_every_corner_is_on_the_outline_and_its_points_are_evenly_spaced(points: int) -> None:
    outline = coordinates.outline_um((12, 12), points)
    assert outline[::points].tolist() == [[-6, -6], [6, -6], [6, 6], [-6, 6]]
    steps = np.linalg.norm(np.roll(outline, -1, axis=0) - outline, axis=1)
    np.testing.assert_allclose(steps, 12 / points)
    np.testing.assert_allclose(np.abs(outline).max(axis=1), 6)


def test_an_outline_without_points_is_refused() -> None:
    with pytest.raises(ValueError, match="an edge has 1 point or more, not 0"):
        coordinates.outline_um((1, 1), 0)


def test_published_units() -> None:
    known = golden("golden_examples.json")["registration"]
    px = [(u["px_x"], u["px_y"]) for u in known["units"]]
    found = motor(px, known["registration"])
    volume = known["stack"]
    centre, size = ([volume[n] for n in names] for names in (MOTOR_NAMES, SIZE_NAMES))
    np.testing.assert_allclose(found, [u["motor"] for u in known["units"]], atol=1e-3)
    np.testing.assert_allclose(
        coordinates.stack_um(found, centre, size), [u["stack"] for u in known["units"]], atol=0.005
    )


MOTOR_NAMES = ("motor_x", "motor_y", "motor_z")
SIZE_NAMES = ("um_width", "um_height", "um_depth")
