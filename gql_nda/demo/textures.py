"""Pictures of tissue: smooth random textures, quantised so that they compress."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from gql_nda.demo.chance import Floats


def texture(rng: np.random.Generator, height: int, width: int, cell: int) -> Floats:
    """A smooth picture (height, width) of zero mean and unit scale, with grains of ``cell`` pixels."""
    rows, columns = height // cell + 2, width // cell + 2
    knots = rng.standard_normal((rows, columns))
    picture: Floats = between(height, rows, cell) @ knots @ between(width, columns, cell).T
    centred = picture - picture.mean()
    scaled: Floats = centred / centred.std()
    return scaled


@cache
def between(length: int, knots: int, step: float) -> Floats:
    """Weights (length, knots) of linear interpolation between knots ``step`` apart."""
    distance = np.abs(np.arange(length)[:, None] / step - np.arange(knots)[None])
    weights: Floats = np.clip(1 - distance, 0, None)
    return weights


def blend(picture: Floats, other: Floats, correlation: float) -> Floats:
    """A standardised picture that correlates with ``picture`` exactly so, the rest being ``other``."""
    first = (picture - picture.mean()) / picture.std()
    rest = other - other.mean()
    rest = rest - (rest * first).mean() * first
    mixed: Floats = correlation * first + np.sqrt(1 - correlation**2) * rest / rest.std()
    return mixed


def paint(picture: Floats, pixels: NDArray[np.int64], weights: NDArray[np.floating]) -> Floats:
    """The picture with weights added at pixels, 1-based indices counted down the columns."""
    column_major = picture.ravel(order="F")
    np.add.at(column_major, pixels - 1, weights)
    return column_major.reshape(picture.shape, order="F")
