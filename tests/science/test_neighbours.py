"""Points near a place: against a sorted list of all distances."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_nda.science.neighbours import Neighbours

coordinate = st.integers(-3, 3).map(float)
place = st.tuples(coordinate, coordinate, coordinate)
"""On a small lattice many points lie equally far away."""

nowhere = st.sampled_from([(math.nan, 0, 0), (0, math.inf, 0), (math.nan,) * 3])
points = st.lists(place | nowhere, min_size=1, max_size=60)


def plainly(points: Any, place: Any, radius: float, first: int | None) -> list[tuple[float, int]]:
    """Distance and row of the points within a radius, sorted."""
    distances = [(math.dist(point, place), row) for row, point in enumerate(points)]
    return sorted(pair for pair in distances if pair[0] <= radius)[:first]


@given(points, place, st.integers(1, 120).map(math.sqrt) | st.just(math.inf), st.none() | st.integers(1, 70))
def test_near_is_what_a_sorted_list_of_distances_begins_with(
    points: Any, place: Any, radius: float, first: int | None
) -> None:
    found = Neighbours(points).near(place, radius, first)
    assert list(zip(found.distances.tolist(), found.rows.tolist(), strict=True)) == [
        pair for pair in plainly(points, place, radius, first) if math.isfinite(pair[0])
    ]


@given(st.integers(0, 2**32), st.floats(0.001, 2), st.integers(1, 300))
def test_places_off_a_lattice(seed: int, radius: float, first: int) -> None:
    scattered = np.random.default_rng(seed).uniform(-1, 1, (200, 3))
    centre, *others = scattered.tolist()
    found = Neighbours(others).near(centre, radius, first)
    expected = plainly(others, centre, radius, first)
    assert found.rows.tolist() == [row for _, row in expected]
    np.testing.assert_allclose(found.distances, [distance for distance, _ in expected])


def test_a_point_at_the_radius_is_near() -> None:
    assert Neighbours([[3.0, 4, 0], [3.0, 4, 1e-6]]).near([0, 0, 0], 5).rows.tolist() == [0]


def test_of_equally_far_points_the_lower_rows_come_first() -> None:
    same = Neighbours([[9.0, 0, 0], *[[1.0, 0, 0]] * 50, [0.0, 1, 0]])
    assert same.near([0, 0, 0], 2, 3).rows.tolist() == [1, 2, 3]
    assert same.near([0, 0, 0], 2).rows.tolist() == list(range(1, 52))


def test_rows_are_those_given_whatever_is_missing_among_them() -> None:
    found = Neighbours([[np.nan] * 3, [1.0, 0, 0], [0, np.inf, 0], [0.0, 0, 0], [1e200, 0, 0]]).near([0, 0, 0], np.inf)
    assert (found.rows.tolist(), found.distances.tolist()) == ([3, 1], [0, 1])


@pytest.mark.parametrize("count", [0, 2])
def test_nothing_is_near_where_nothing_is(count: int) -> None:
    for first in (None, 1):
        found = Neighbours(np.full((count, 3), np.nan)).near([0, 0, 0], np.inf, first)
        assert found.rows.shape == found.distances.shape == (0,)
        assert found.rows.dtype == np.int64


def test_later_changes_of_the_points_change_nothing() -> None:
    points = np.zeros((3, 3))
    neighbours = Neighbours(points)
    points += 100
    assert neighbours.near([0, 0, 0], 1).rows.tolist() == [0, 1, 2]


@pytest.mark.parametrize("radius", [0, -1, np.nan, -np.inf])
def test_a_radius_is_above_nothing(radius: float) -> None:
    with pytest.raises(ValueError, match="a radius is above 0, not"):
        Neighbours([[0, 0, 0]]).near([0, 0, 0], radius)


@pytest.mark.parametrize("first", [0, -1])
def test_the_first_none_cannot_be_asked_for(first: int) -> None:
    with pytest.raises(ValueError, match="the first 1 or more"):
        Neighbours([[0, 0, 0]]).near([0, 0, 0], 1, first)


@pytest.mark.parametrize("place", [[0, 0], [0, 0, 0, 0], [[0, 0, 0]], [0, np.nan, 0], [np.inf, 0, 0], [0, 0, 1e200]])
def test_a_place_is_three_finite_numbers(place: Any) -> None:
    with pytest.raises(ValueError, match="a place is three finite numbers, not"):
        Neighbours([[0, 0, 0]]).near(place, 1)


@pytest.mark.parametrize("shape", [(0,), (3,), (3, 2), (1, 1, 3)])
def test_points_have_three_coordinates(shape: Any) -> None:
    with pytest.raises(ValueError, match=r"points have the shape \(n, 3\), not"):
        Neighbours(np.zeros(shape))
