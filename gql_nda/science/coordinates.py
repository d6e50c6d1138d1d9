"""From a pixel of a field to micrometres: the motor frame, then the frame of the stack.

The frames are those of cajal/pipeline, whose registration places each field in the stack by an
affine map of the field's own plane; ``utils.get_grid`` of cajal/microns_phase3_nda draws the same
grid. Every function takes columns of points, and parameters that broadcast against them: one field
for all points, or one row of parameters a point.
"""

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


def motor_um(offset: ArrayLike, matrix: ArrayLike, origin: ArrayLike) -> Floats:
    """Registered position in the motor frame (um): motor = matrix . offset + origin.

    ``offset`` (n, 2) is that of :func:`centred_um`; ``matrix`` (3, 2) or (n, 3, 2) holds
    ``[[a11, a12], [a21, a22], [a31, a32]]``; ``origin`` (3,) or (n, 3) is ``reg_x, reg_y, reg_z``.
    Gives (n, 3).
    """
    turned = np.einsum("...ij,...j->...i", np.asarray(matrix, float), np.asarray(offset, float))
    moved: Floats = turned + np.asarray(origin, float)
    return moved


def stack_um(motor: ArrayLike, centre: ArrayLike, size: ArrayLike) -> Floats:
    """Position from the corner of the stack (um), rounded to two decimals as nda's StackUnit is.

    ``motor`` (n, 3) is that of :func:`motor_um`; ``centre`` (3,) is ``motor_x, motor_y, motor_z``
    of the stack, ``size`` (3,) its ``um_width, um_height, um_depth``. Gives (n, 3).
    """
    corner = np.asarray(centre, float) - np.asarray(size, float) / 2
    return np.round(np.asarray(motor, float) - corner, 2)


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
