"""Which points lie near a place: a k-d tree over the points of units."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FAR = 1e100
"""Where no point lies: squares of larger numbers would overflow."""


class Near(NamedTuple):
    """Points near a place, the nearest first: their rows and distances, (n,) both."""

    rows: Integers
    distances: Floats


class Neighbours:
    """Points (n, 3) in a frame whose axes have one unit: um of the stack, or nm of EM, but no EM voxels.

    Points that aren't finite lie nowhere; the others keep their rows. It may be shared between threads. ValueError
    if the points have another shape.
    """

    def __init__(self, points: ArrayLike) -> None:
        at = np.asarray(points, float)
        if at.ndim != 2 or at.shape[1] != 3:
            raise ValueError(f"points have the shape (n, 3), not {at.shape}")
        self._rows: Integers = np.flatnonzero((np.abs(at) < FAR).all(axis=1))
        self._points = at[self._rows]
        self._tree = cKDTree(self._points)

    def near(self, place: ArrayLike, radius: float, first: int | None = None) -> Near:
        """Points no farther than ``radius`` from a ``place`` (3,), at most the ``first`` of them.

        Of points at the same distance the one of the lower row comes first. ValueError unless the place
        is finite, and ``radius`` (it may be infinite) and ``first`` are above 0.
        """
        centre = np.asarray(place, float)
        if centre.shape != (3,) or not (np.abs(centre) < FAR).all():
            raise ValueError(f"a place is three finite numbers, not {np.array2string(centre, threshold=3)}")
        if not radius > 0:
            raise ValueError(f"a radius is above 0, not {radius}")
        if first is not None and first < 1:
            raise ValueError(f"the first 1 or more can be asked for, not {first}")
        found = self._ball(centre, self._reach(centre, radius, first))
        distances = np.sqrt(np.square(self._points[found] - centre).sum(axis=1))
        order = np.lexsort((found, distances))
        order = order[distances[order] <= radius][:first]
        return Near(self._rows[found[order]], distances[order])

    def _reach(self, centre: Floats, radius: float, first: int | None) -> float:
        """The radius, or how far away the last of the first points is."""
        if first is None or first >= len(self._rows):
            return radius
        return min(radius, float(self._tree.query(centre, k=[first])[0][0]))

    def _ball(self, centre: Floats, radius: float) -> Integers:
        """Points within a radius, and a little beyond: the tree rounds otherwise than we do."""
        reach = min(radius * (1 + 1e-9), 10 * FAR)
        return np.array(self._tree.query_ball_point(centre, reach), np.int64)
