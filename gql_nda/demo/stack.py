"""The stack, where each field lies in it, and the transforms to the electron-microscopy volume."""

from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from gql_nda import tables
from gql_nda.demo.batches import Batch, Row
from gql_nda.demo.chance import Floats, chance, quantised
from gql_nda.demo.facts import (
    FIELD_CENTRES,
    FIELD_PX,
    FIELD_UM,
    STACK_KEY,
    STACK_MOTOR,
    STACK_PX,
    STACK_SURFACE,
    STACK_UM,
    Recording,
)
from gql_nda.demo.field import average_image
from gql_nda.demo.segmentation import Masks
from gql_nda.demo.textures import blend, texture
from gql_nda.demo.transforms import TRANSFORMS, transform
from gql_nda.science import coordinates

PUBLISHED = {
    (4, 7, 4): (
        (1.00784, -0.00337667, -0.017749, -0.0231734, 0.994399, 0.00351191),
        (94.7115, -276.434, 217.736),
        0.646221,
    )
}
"""Registrations that are known: a11 a21 a31 a12 a22 a32, reg_x reg_y reg_z, score."""

_SHIFT = (0.0, -41.0, -2.0)
_SPREAD = (4.0, 5.0, 3.0)


@dataclass(frozen=True, slots=True)
class Registered:
    """The affine location of a field: ``matrix`` (3, 2), ``origin`` (3,) in um, and its score."""

    matrix: Floats
    origin: Floats
    score: float


@cache
def registration(recording: Recording, field: int) -> Registered:
    """Where a field was found: near its nominal place, hardly turned or scaled; rounded to float32."""
    known = PUBLISHED.get((*recording.key, field))
    slopes, origin, score = known or _drawn(recording, field)
    return Registered(_float32(slopes).reshape(2, 3).T, _float32(origin), float(np.float32(score)))


def _drawn(recording: Recording, field: int) -> tuple[Floats, Floats, float]:
    """A registration made up: slopes along x then y, origin (um), score."""
    rng = chance("registration", *recording.key, field)
    slopes = np.array([[1, 0, 0], [0, 1, 0]]) + rng.normal(0, (0.004, 0.006, 0.012), (2, 3))
    nominal = (*FIELD_CENTRES[(field - 1) % 2], recording.field_z(field))
    origin = np.array(nominal) + _SHIFT + np.clip(rng.normal(0, 1, 3), -2, 2) * _SPREAD
    return slopes.ravel(), origin, rng.uniform(0.4, 0.8)


def _float32(values: object) -> Floats:
    """Values as a FLOAT column keeps them."""
    return np.asarray(values, np.float32).astype(float)


def positions(recording: Recording, field: int, px: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Motor and stack coordinates (um), each (unit, 3), of whole pixels (unit, 2)."""
    placed = registration(recording, field)
    offset = coordinates.centred_um(px, FIELD_PX, FIELD_UM)
    motor = coordinates.motor_um(offset, placed.matrix, placed.origin)
    return motor, coordinates.stack_um(motor, _float32(STACK_MOTOR), STACK_UM)


def stack_batches() -> list[Batch]:
    """The one stack, and its transforms."""
    names = ("motor_x", "motor_y", "motor_z", "um_width", "um_height", "um_depth")
    sizes = dict(zip(names, (*STACK_MOTOR, *STACK_UM), strict=True))
    pixels = dict(zip(("px_width", "px_height", "px_depth"), STACK_PX, strict=True))
    row: Row = {**STACK_KEY, **sizes, **pixels, "surf_z": STACK_SURFACE}
    return [(tables.stack, [row]), (tables.coregistration, coregistration_rows())]


def coregistration_rows() -> list[Row]:
    """The eight transforms: settings and fitted stages."""
    return [
        {
            **STACK_KEY,
            "transform_id": t.transform_id,
            "version": t.version,
            "direction": t.direction,
            "transform_type": t.kind,
            "transform_args": transform(t).settings,
            "transform_solution": transform(t).solution,
        }
        for t in TRANSFORMS
    ]


def registration_row(recording: Recording, field: int, masks: Masks) -> Row:
    """One row of registration."""
    placed = registration(recording, field)
    names = ("a11", "a21", "a31", "a12", "a22", "a32")
    slopes = dict(zip(names, placed.matrix.T.ravel().tolist(), strict=True))
    origin = dict(zip(("reg_x", "reg_y", "reg_z"), placed.origin.tolist(), strict=True))
    key = {**STACK_KEY, **recording.columns, "field": field}
    slice_ = {"reg_field": partial(stack_slice, recording, field, masks)}
    return {**key, **slopes, **origin, "score": placed.score, **slice_}


def stack_slice(recording: Recording, field: int, masks: Masks) -> NDArray[np.float32]:
    """The slice of the stack (y, x) that shows a field: it correlates with the average by the score."""
    width, height = FIELD_PX
    other = texture(chance("reg_field", *recording.key, field), height, width, 24)
    mixed = blend(average_image(recording, field, masks), other, registration(recording, field).score)
    return quantised(mixed * 0.25 + 1, 2**-4).astype(np.float32)
