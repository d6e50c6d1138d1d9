"""Pixel to motor to stack: against plain loops, published rows, and laws."""

from typing import Any

import numpy as np
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
