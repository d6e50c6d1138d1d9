"""Masks once more: pixel by pixel, and upstream's cumulative mass over the whole field."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from contourpy import LineType, contour_generator

Numbers = Sequence[float]


def place(pixel: int, height: int) -> tuple[int, int]:
    """Row and column, from 0, of a pixel counted from 1 by columns."""
    return (pixel - 1) % height, (pixel - 1) // height


def label(ids: Sequence[int], masks: Sequence[dict[tuple[int, int], float]], at: tuple[int, int]) -> int:
    """The mask with the largest weight above 0 at a pixel, the first of equals."""
    best, heaviest = 0, 0.0
    for id_, mask in zip(ids, masks, strict=True):
        if mask.get(at, 0.0) > heaviest:
            best, heaviest = id_, mask[at]
    return best


def energy(weights: Numbers) -> list[float]:
    """Share of the squared weights held by a pixel and all heavier ones."""
    total = sum(w * w for w in weights if w > 0)
    return [(w * w + sum(v * v for v in weights if v > w)) / total if w > 0 else 1.0 for w in weights]


def contours(image: Any, level: float) -> Any:
    """Lines of the cumulative mass of an image, ranked pixel by pixel, as (column, row)."""
    order = np.argsort(image, axis=None)[::-1]
    mass = np.empty(image.size)
    mass[order] = np.cumsum(image.ravel()[order] ** 2) / np.sum(image**2)
    return contour_generator(z=mass.reshape(image.shape), line_type=LineType.Separate).lines(level)


def inside(lines: Any, row: float, column: float) -> bool:
    """Whether a point lies within an odd number of lines of (row, column)."""
    crossings = 0
    for line in lines:
        for (r0, c0), (r1, c1) in pairwise(line):
            if (r0 > row) != (r1 > row) and column < c0 + (row - r0) / (r1 - r0) * (c1 - c0):
                crossings += 1
    return crossings % 2 == 1
