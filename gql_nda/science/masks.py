"""The masks of segmented cells: pixels, images of a field, and contours.

nda counts a mask's pixels from 1 and by columns, as MATLAB does: pixel 2 lies below pixel 1.
``utils.get_all_masks`` of cajal/microns_phase3_nda makes the same dense masks, and the same contours
of cumulative energy, which are CaImAn's.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from contourpy import LineType, contour_generator
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Sparse(NamedTuple):
    """The pixels of a mask, (pixel,) each: row and column counted from 0, and weight as it is stored."""

    row: Integers
    column: Integers
    weight: NDArray[Any]


def sparse(pixels: ArrayLike, weights: ArrayLike, height: int, width: int) -> Sparse:
    """A mask of a field of ``height`` x ``width`` pixels from nda's columns, of any shape.

    ValueError if they differ in number, or a pixel isn't a whole number that lies in the field.
    """
    at, weight = np.ravel(pixels), np.ravel(weights)
    if len(at) != len(weight):
        raise ValueError(f"{len(at)} pixels have {len(weight)} weights")
    wrong = ~((at >= 1) & (at <= height * width) & (np.mod(at, 1) == 0))
    if wrong.any():
        raise ValueError(f"pixel {at[wrong][0]} lies outside a field of {height} x {width}")
    column, row = np.divmod(at.astype(np.int64) - 1, height)
    return Sparse(row, column, weight)


def dense(masks: Sequence[Sparse], height: int, width: int) -> NDArray[np.float32]:
    """Weights of every pixel of the field: (mask, height, width), 0 outside the mask.

    Of a pixel that a mask has twice the last weight counts, as upstream.
    """
    images = np.zeros((len(masks), height, width), np.float32)
    for image, mask in zip(images, masks, strict=True):
        image[mask.row, mask.column] = mask.weight
    return images


def label_image(ids: Sequence[int], masks: Sequence[Sparse], height: int, width: int) -> Integers:
    """Which mask each pixel of a field belongs to: (height, width) of ``ids`` (above 0), 0 for none.

    Where masks overlap the larger weight wins, of equal ones the mask that comes first. Weights that
    aren't above 0 claim nothing. Of a pixel that a mask has twice the last weight counts.
    """
    image = np.zeros((height, width), np.int64)
    single = zip(ids, (_single(mask, width) for mask in masks), strict=True)
    rows = [(m.row, m.column, m.weight, np.full(len(m.row), id_)) for id_, m in single]
    if not rows:
        return image
    row, column, weight, label = (np.concatenate(parts)[::-1] for parts in zip(*rows, strict=True))
    order = np.argsort(weight, kind="stable")  # the last assignment to a pixel stays
    order = order[weight[order] > 0]
    image[row[order], column[order]] = label[order]
    return image


def _single(mask: Sparse, width: int) -> Sparse:
    """The mask with each pixel once, as it stands last."""
    _, last = np.unique((mask.row * width + mask.column)[::-1], return_index=True)
    kept = len(mask.row) - 1 - last
    return Sparse(mask.row[kept], mask.column[kept], mask.weight[kept])


def energy(weights: ArrayLike) -> Floats:
    """Share of the energy (squared weights) held by each pixel and all heavier ones, between 0 and 1.

    Equal pixels don't count each other, so the order of pixels doesn't matter; among different weights
    it's upstream's cumulative sum. 1 for pixels whose weight isn't above 0.
    """
    weight = np.asarray(weights, float)
    weight = np.where(np.isfinite(weight), np.maximum(weight, 0), 0)
    top = weight.max(initial=0)
    if not top > 0:
        return np.ones(weight.shape)
    squared = (weight / top) ** 2
    values, which, counts = np.unique(squared, return_inverse=True, return_counts=True)
    held = np.cumsum((values * counts)[::-1])[::-1]
    share: Floats = np.minimum((held - values * (counts - 1)) / held[0], 1)
    return np.where(weight > 0, share[which].reshape(weight.shape), 1)


def contour(mask: Sparse, level: float = 0.97) -> list[Floats]:
    """Lines around the heaviest pixels that hold ``level`` of the energy: (point, 2) each, row and column.

    Drawn by marching squares between the centres of pixels (whole numbers, counted from 0) where
    :func:`energy` crosses ``level``, 1 being outside the mask; each is closed, its first point is its
    last. A hole has a line of its own, and so has every part. Beyond the field the outside goes on: a line
    may run up to a pixel beyond the edge. No line if one pixel alone holds more than ``level``. ValueError
    unless ``level`` is between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"a level of energy lies between 0 and 1, not at {level}")
    if not len(mask.row):
        return []
    top, left = mask.row.min() - 1, mask.column.min() - 1
    weights = np.zeros((mask.row.max() - top + 2, mask.column.max() - left + 2))
    weights[mask.row - top, mask.column - left] = mask.weight
    lines: list[Floats] = contour_generator(z=energy(weights), line_type=LineType.Separate).lines(level)  # type: ignore[assignment]
    return [line[:, ::-1] + (top, left) for line in lines]
