"""From a pixel of a field to micrometres: the motor frame, then the frame of the stack, and back to motor.

The frames are those of cajal/pipeline, whose registration places each field in the stack by an
affine map of the field's own plane; ``utils.get_grid`` of cajal/microns_phase3_nda draws the same
grid. Every function takes columns of points, and parameters that broadcast against them: one field
for all points, or one row of parameters a point, so units of many fields are placed at once.

What is NaN gives NaN.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def centred_um(px: ArrayLike, size_px: ArrayLike, size_um: ArrayLike) -> Floats:
    """Offset of pixels from the centre of their field (um).

    ``px`` (n, 2) are x and y counted from 0, whole numbers at the centres of pixels; ``size_px``
    and ``size_um`` (2,) or (n, 2) are the width and height of the field. Gives (n, 2).
    """
    size = np.asarray(size_px, float)
    offset: Floats = (np.asarray(px, float) - (size - 1) / 2) * np.asarray(size_um, float) / size
    return offset


def registration_matrix(
    a11: ArrayLike, a21: ArrayLike, a31: ArrayLike, a12: ArrayLike, a22: ArrayLike, a32: ArrayLike
) -> Floats:
    """The matrices of :func:`motor_um` from nda's columns, in the order Registration has them.

    Numbers give (3, 2), columns (n,) give (n, 3, 2).
    """
    columns = np.array([[a11, a12], [a21, a22], [a31, a32]], float)
    return np.moveaxis(columns, (0, 1), (-2, -1))


def motor_um(offset: ArrayLike, matrix: ArrayLike, origin: ArrayLike) -> Floats:
    """Registered position in the motor frame (um): motor = matrix . offset + origin.

    ``offset`` (n, 2) is that of :func:`centred_um`, or of a grid (row, column, 2); ``matrix`` (3, 2)
    or (n, 3, 2) is that of :func:`registration_matrix`, ``[[a11, a12], [a21, a22], [a31, a32]]``;
    ``origin`` (3,) or (n, 3) is ``reg_x, reg_y, reg_z``.
    Gives (n, 3), or (row, column, 3).
    """
    turned = np.einsum("...ij,...j->...i", np.asarray(matrix, float), np.asarray(offset, float))
    moved: Floats = turned + np.asarray(origin, float)
    return moved


def stack_um(motor: ArrayLike, centre: ArrayLike, size: ArrayLike) -> Floats:
    """Position from the corner of the stack (um), rounded to two decimals as nda's StackUnit is.

    Takes what :func:`motor_to_stack` does. Gives (n, 3).
    """
    return np.round(motor_to_stack(motor, centre, size), 2)


def motor_to_stack(motor: ArrayLike, centre: ArrayLike, size: ArrayLike) -> Floats:
    """Position from the corner of the stack (um), as exact as the motor's.

    ``motor`` (n, 3) is that of :func:`motor_um`; ``centre`` (3,) is ``motor_x, motor_y, motor_z``
    of the stack, ``size`` (3,) its ``um_width, um_height, um_depth``. Gives (n, 3).
    """
    moved: Floats = np.asarray(motor, float) - _corner(centre, size)
    return moved


def stack_to_motor(stack: ArrayLike, centre: ArrayLike, size: ArrayLike) -> Floats:
    """Motor position (um) of points of the stack: the inverse of :func:`motor_to_stack`. (n, 3) both."""
    moved: Floats = np.asarray(stack, float) + _corner(centre, size)
    return moved


def _corner(centre: ArrayLike, size: ArrayLike) -> Floats:
    """Where the stack begins in the motor frame (um)."""
    corner: Floats = np.asarray(centre, float) - np.asarray(size, float) / 2
    return corner


def unregistered_um(px: ArrayLike, size_px: ArrayLike, size_um: ArrayLike, centre: ArrayLike) -> Floats:
    """Position of pixels in the motor frame before registration (um), as nda's ScanUnit holds it.

    Measures from ``size_px / 2``, half a pixel away from :func:`centred_um`: so does upstream.
    ``px`` (n, 2) may be fractions of pixels (the centroid of a mask); ``centre`` (2,) or (n, 2) is
    ``field_x, field_y``. Gives (n, 2) whole numbers.
    """
    size = np.asarray(size_px, float)
    offset = (np.asarray(px, float) - size / 2) * np.asarray(size_um, float) / size
    rounded: Floats = np.rint(np.asarray(centre, float) + offset)
    return rounded


# --- the plane of a field --------------------------------------------------------------------------


_FINEST = 0.001
"""The finest resolution of a grid (um)."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Points that cover a field, centred on it: every ``stride``-th of those a ``step`` (um) apart.

    Both pairs are along x and y. The step is exact, so at the edges up to half a step stays uncovered, or is
    covered in vain: so does upstream.
    """

    size_um: tuple[float, float]
    step: tuple[float, float]
    stride: int

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns; no point is made to know it."""
        columns, rows = (-(-count // self.stride) for count in self._counts)
        return rows, columns

    @property
    def _counts(self) -> tuple[int, ...]:
        """Number of columns and rows of stride 1; a field smaller than half a step has a point, too."""
        return tuple(max(round(size / step), 1) for size, step in zip(self.size_um, self.step, strict=True))

    def offsets(self) -> Floats:
        """Offset of the points from the centre of the field (um): (row, column, 2), for :func:`motor_um`."""
        pairs = zip(self._counts, self.step, strict=True)
        x, y = ((np.arange(0, count, self.stride) - (count - 1) / 2) * step for count, step in pairs)
        return np.stack(np.meshgrid(x, y), axis=-1)


def grid(size_px: ArrayLike, size_um: ArrayLike, resolution_um: float | None = None, stride: int = 1) -> Grid:
    """A grid over a field, at ``resolution_um`` per point; without it the field's own pixels.

    ``size_px`` and ``size_um`` (2,) are the width and height of the field. ValueError unless the
    resolution is finite and a nanometre or more, and the stride 1 or more.
    """
    width, height = np.asarray(size_um, float).tolist()
    x, y = np.divide(size_um, size_px).tolist() if resolution_um is None else (resolution_um, resolution_um)
    if not (_FINEST <= x < math.inf and _FINEST <= y < math.inf):
        raise ValueError(f"the resolution of a grid is finite and {_FINEST} um or more, not {resolution_um}")
    if stride < 1:
        raise ValueError(f"the stride of a grid is 1 or more, not {stride}")
    return Grid((width, height), (x, y), stride)


def outline_um(size_um: ArrayLike, points: int = 1) -> Floats:
    """Offset of a field's outline from its centre (um): (4 * points, 2), for :func:`motor_um`.

    Runs along the outer edges of the outer pixels, from the corner of the first pixel along x; a polygon
    whose last point isn't its first. Each edge gives ``points``, its first corner among them: more than one
    let it follow the bends of a transform to EM. ValueError unless they're 1 or more.
    """
    if points < 1:
        raise ValueError(f"an edge has 1 point or more, not {points}")
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2
    share = np.arange(points)[:, None] / points
    edges = corners[:, None] + share * (np.roll(corners, -1, axis=0) - corners)[:, None]
    offsets: Floats = edges.reshape(-1, 2) * np.asarray(size_um, float)
    return offsets
