"""The tools the rooms share: rows of columns, blobs on their way, randomness, textures."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gql_nda import tables
from gql_nda.codec import unpack
from gql_nda.demo.batches import Batch, empty, packed, records
from gql_nda.demo.chance import chance, quantised
from gql_nda.demo.textures import blend, paint, texture


def test_columns_become_rows() -> None:
    assert records(session=4, unit_id=np.array([1, 2]), name=["a", "b"]) == [
        {"session": 4, "unit_id": 1, "name": "a"},
        {"session": 4, "unit_id": 2, "name": "b"},
    ]
    assert records(session=4, unit_id=np.array([], int)) == []


def test_columns_of_several_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="unpack"):
        records(a=[1, 2], b=[1])


def batches(asked: list[int]) -> Iterator[Batch]:
    """Nine scans, their frame times worked out on demand."""
    for i in range(9):
        yield tables.scan_times, [{"session": 1, "scan_idx": i, "frame_times": partial(work, asked, i), "ndepths": 4}]


def work(asked: list[int], i: int) -> NDArray[np.float64]:
    """Frame times, and a note that they were asked for."""
    asked.append(i)
    return np.full(i, 0.5)


def test_blobs_are_packed_in_order_and_not_far_ahead() -> None:
    asked: list[int] = []
    for i, (table, (row,)) in enumerate(packed(batches(asked), traces=True)):
        assert table is tables.scan_times
        assert row["scan_idx"] == i
        assert len(asked) <= i + 3
        blob = row["frame_times"]
        assert isinstance(blob, bytes)
        assert np.array_equal(np.asarray(unpack(blob)), np.full(i, 0.5))


def test_arrays_that_nobody_wants_are_not_worked_out() -> None:
    asked: list[int] = []
    rows = [row for _, batch in packed(batches(asked), traces=False) for row in batch]
    assert asked == []
    assert {row["frame_times"] for row in rows} == {empty("scan_times", "frame_times")}


def test_what_cannot_be_packed_is_told() -> None:
    batch = (tables.scan_times, [{"session": 1, "scan_idx": 1, "frame_times": object(), "ndepths": 4}])
    with pytest.raises(TypeError):
        list(packed([batch], traces=True))


def test_chance_depends_on_name_and_key_alone() -> None:
    first = chance("noise", 4, 7).integers(0, 2**32, 3).tolist()
    assert chance("noise", 4, 7).integers(0, 2**32, 3).tolist() == first
    assert chance("noise", 4, 8).integers(0, 2**32, 3).tolist() != first
    assert chance("sound", 4, 7).integers(0, 2**32, 3).tolist() != first
    assert first == [2160959558, 2089478324, 3979162249]


@given(st.floats(-1e6, 1e6), st.integers(-10, 3))
def test_quantised_values_are_the_nearest_multiples(value: float, power: int) -> None:
    step = 2.0**power
    (found,) = quantised(np.array([value]), step)
    assert (found / step).is_integer()
    assert abs(found - value) <= step / 2


@given(st.floats(-0.95, 0.95))
def test_blended_pictures_correlate_exactly_so(correlation: float) -> None:
    one, other = (texture(chance("test", i), 44, 25, 6) for i in (1, 2))
    mixed = blend(3 + 2 * one, other, correlation)
    assert np.corrcoef(mixed.ravel(), one.ravel())[0, 1] == pytest.approx(correlation, abs=1e-9)


def test_pixels_are_painted_down_the_columns() -> None:
    found = paint(np.zeros((3, 2)), np.array([1, 2, 4, 4]), np.array([1.0, 2, 3, 4]))
    assert found.tolist() == [[1, 7], [2, 0], [0, 0]]
