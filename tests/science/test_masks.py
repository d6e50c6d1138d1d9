"""Masks as pixels, images and contours: against plain loops, upstream's contours, and laws."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gql_nda.codec import unpack
from gql_nda.science import masks

from . import reference_masks
from .golden import DATA

Floats = NDArray[np.float64]

HEIGHT, WIDTH = 9, 6
weights = st.floats(-1, 5, width=32) | st.sampled_from([0.0, 1.0, 2.0])


@st.composite
def columns(draw: st.DrawFn) -> tuple[list[int], list[float]]:
    """Pixels and weights as nda holds them."""
    pixels = draw(st.lists(st.integers(1, HEIGHT * WIDTH), unique=True, max_size=20))
    return pixels, draw(st.lists(weights, min_size=len(pixels), max_size=len(pixels)))


def mask_of(column: tuple[list[int], list[float]]) -> masks.Sparse:
    return masks.sparse(*column, HEIGHT, WIDTH)


def blob(height: int = 44, width: int = 25, at: tuple[float, float] = (20.3, 11.6), seed: int = 1) -> Floats:
    """A cell: an uneven heap of weights, no two equal, 0 outside it."""
    row, column = np.mgrid[:height, :width]
    distance = np.hypot(row - at[0], (column - at[1]) * 1.3)
    noise = np.random.default_rng(seed).uniform(0.8, 1.2, (height, width))
    image: Floats = np.where(distance < 7, np.exp(-((distance / 4) ** 2)) * noise, 0)
    return image


def sparse_of(image: Floats) -> masks.Sparse:
    pixels = np.flatnonzero(image.ravel(order="F")) + 1
    return masks.sparse(pixels, image.ravel(order="F")[pixels - 1], *image.shape)


# --- pixels and images -----------------------------------------------------------------------------


@given(columns())
def test_pixels_count_from_one_and_by_columns(column: Any) -> None:
    found = mask_of(column)
    places = [reference_masks.place(p, HEIGHT) for p in column[0]]
    assert list(zip(found.row.tolist(), found.column.tolist(), strict=True)) == places
    assert found.weight.tolist() == column[1]


def test_corners_of_a_field() -> None:
    found = masks.sparse([[1, 2, 440, 441, 440 * 248]], np.ones((5, 1)), 440, 248)
    assert found.row.tolist() == [0, 1, 439, 0, 439]
    assert found.column.tolist() == [0, 0, 0, 1, 247]


@pytest.mark.parametrize("dtype", ["f4", "f8", "u1"])
def test_weights_stay_as_they_are_stored(dtype: str) -> None:
    assert masks.sparse([1, 2], np.array([1, 2], dtype), 4, 4).weight.dtype == dtype


def test_pixels_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="2 pixels have 3 weights"):
        masks.sparse([1, 2], [1, 2, 3], 4, 4)
    for bad in (0, 17, -1, 2.5, np.nan, 2**62):
        with pytest.raises(ValueError, match="outside a field of 4 x 4"):
            masks.sparse([1, bad], [1, 2], 4, 4)
    assert masks.sparse([3.0], [1], 4, 4).row.tolist() == [2]


@given(st.lists(columns(), max_size=4))
def test_dense_masks_hold_the_weights_and_nothing_else(many: Any) -> None:
    found = masks.dense([mask_of(c) for c in many], HEIGHT, WIDTH)
    assert found.shape == (len(many), HEIGHT, WIDTH)
    for image, (pixels, weight) in zip(found, many, strict=True):
        flat = image.ravel(order="F")
        assert flat[np.array(pixels, int) - 1].tolist() == np.float32(weight).tolist()
        assert not np.delete(flat, np.array(pixels, int) - 1).any()


@given(st.lists(columns(), max_size=4))
def test_labels_are_those_of_the_plain_formula(many: Any) -> None:
    ids = list(range(7, 7 + len(many)))
    found = masks.label_image(ids, [mask_of(c) for c in many], HEIGHT, WIDTH)
    plain = [{reference_masks.place(p, HEIGHT): w for p, w in zip(*c, strict=True)} for c in many]
    expected = [[reference_masks.label(ids, plain, (r, c)) for c in range(WIDTH)] for r in range(HEIGHT)]
    assert found.tolist() == expected


def test_the_larger_weight_wins_and_the_first_of_equals() -> None:
    one, two = masks.sparse([1, 2, 3], [0.5, 1, 2], 2, 2), masks.sparse([1, 2, 4], [0.6, 1, np.nan], 2, 2)
    assert masks.label_image([1, 2], [one, two], 2, 2).tolist() == [[2, 1], [1, 0]]
    assert masks.label_image([2, 1], [two, one], 2, 2).tolist() == [[2, 1], [2, 0]]


def test_of_a_pixel_listed_twice_the_last_weight_counts_in_every_image() -> None:
    one, two = masks.sparse([1, 2, 1], [9, 1, 0.5], 2, 2), masks.sparse([1, 2, 2], [0.7, 5, 0], 2, 2)
    assert masks.label_image([1, 2], [one, two], 2, 2).tolist() == [[2, 0], [1, 0]]
    assert masks.dense([one, two], 2, 2)[:, :, 0].tolist() == [[0.5, 1], [np.float32(0.7), 0]]


# --- energy ----------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 5, width=32) | st.sampled_from([0.0, 1.0, 2.0, -1.0]), max_size=12))
def test_energy_is_that_of_the_plain_formula(weight: list[float]) -> None:
    weight = [w if w > 1e-6 else min(w, 0.0) for w in weight]
    expected = reference_masks.energy(weight) if any(w > 0 for w in weight) else [1.0] * len(weight)
    np.testing.assert_allclose(masks.energy(weight), expected, atol=1e-12)


@given(st.lists(st.floats(0.1, 5), min_size=1, max_size=12), st.floats(1e-3, 1e3), st.randoms(use_true_random=False))
def test_energy_knows_no_scale_and_no_order(weight: list[float], scale: float, random: Any) -> None:
    weight = [round(w, 2) for w in weight]
    order = random.sample(range(len(weight)), len(weight))
    found, turned = masks.energy(weight), masks.energy([weight[i] * scale for i in order])
    np.testing.assert_allclose(found[order], turned, atol=1e-9)


def test_energy_of_nothing_is_everywhere_outside() -> None:
    assert masks.energy([0.0, -1.0, np.nan]).tolist() == [1, 1, 1]
    assert masks.energy([]).shape == (0,)
    assert masks.energy([1e200, 1e-200, np.inf]).tolist() == [1, 1, 1]


# --- contours --------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [0.5, 0.9, 0.97])
def test_contours_are_those_of_upstream(level: float) -> None:
    """Upstream draws over the whole field; the image here keeps its cell off the edges."""
    image = blob()
    found, expected = masks.contour(sparse_of(image), level), reference_masks.contours(image, level)
    assert len(found) == len(expected) >= 1
    key = lambda line: tuple(np.sort(line, axis=0)[0])  # noqa: E731
    for ours, theirs in zip(sorted(found, key=key), sorted((x[:, ::-1] for x in expected), key=key), strict=True):
        assert sorted(map(tuple, np.round(ours[:-1], 9))) == sorted(map(tuple, np.round(theirs[:-1], 9)))


@given(columns(), st.sampled_from([0.5, 0.9, 0.97]))
def test_contours_hold_the_heaviest_pixels_that_hold_the_level(column: Any, level: float) -> None:
    mask = mask_of(column)
    lines = masks.contour(mask, level)
    share = dict(zip(zip(mask.row.tolist(), mask.column.tolist(), strict=True), masks.energy(mask.weight), strict=True))
    for at in ((r, c) for r in range(HEIGHT) for c in range(WIDTH)):
        if abs(share.get(at, 1.0) - level) > 1e-9:
            assert reference_masks.inside(lines, *at) == (share.get(at, 1.0) < level)


def test_contours_of_a_cell_hold_nearly_all_its_energy() -> None:
    image = blob()
    lines = masks.contour(sparse_of(image))
    held = sum(image[r, c] ** 2 for r, c in np.ndindex(image.shape) if reference_masks.inside(lines, r, c))
    assert held / (image**2).sum() == pytest.approx(0.97, abs=0.005)


@given(st.sampled_from([(0.0, 0.0), (43.0, 24.0), (20.0, 0.0)]), st.integers(0, 5))
def test_lines_close_at_the_edges_of_the_field_too(at: tuple[float, float], seed: int) -> None:
    for line in masks.contour(sparse_of(blob(at=at, seed=seed))):
        assert line[0].tolist() == line[-1].tolist()
        assert line.min() > -1
        assert (line.max(axis=0) < (44, 25)).all()


@given(st.lists(st.floats(), min_size=1, max_size=20), st.sampled_from([0.01, 0.97, 0.999999]))
def test_whatever_weights_are_lines_close(weight: list[float], level: float) -> None:
    """Warnings are errors here."""
    share = masks.energy(weight)
    assert ((share > 0) & (share <= 1)).all()
    for line in masks.contour(masks.sparse(range(1, len(weight) + 1), weight, HEIGHT, WIDTH), level):
        assert line[0].tolist() == line[-1].tolist()


def test_equal_weights_are_outlined_whole() -> None:
    (line,) = masks.contour(masks.sparse([1, 2, 3, 10, 11, 12], np.ones(6), HEIGHT, WIDTH))
    assert all(reference_masks.inside([line], r, c) for r in range(3) for c in range(2))
    np.testing.assert_allclose([line.min(), line.max()], [-0.9641, 2.9641], atol=1e-3)


def test_masks_without_a_line() -> None:
    assert masks.contour(masks.sparse([], [], HEIGHT, WIDTH)) == []
    assert masks.contour(masks.sparse([3], [1], HEIGHT, WIDTH)) == []
    assert masks.contour(masks.sparse([3, 4], [0, np.nan], HEIGHT, WIDTH)) == []


@pytest.mark.parametrize("level", [0, 1, -0.1, 97, np.nan])
def test_levels_outside_zero_to_one_are_refused(level: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        masks.contour(masks.sparse([3], [1], HEIGHT, WIDTH), level)


def test_columns_as_datajoint_writes_them() -> None:
    """The blobs of one mask of 60 pixels."""
    names = ("pixels_i64_60.bin", "weights_f32_60.bin")
    if not (DATA / "blobs").is_dir():
        pytest.skip("../shared/data is absent")
    pixels, weight = (np.asarray(unpack((DATA / "blobs" / n).read_bytes())) for n in names)
    mask = masks.sparse(pixels, weight, 440, 248)
    image = masks.dense([mask], 440, 248)[0]
    assert image.ravel(order="F")[np.ravel(pixels) - 1].tolist() == np.ravel(weight).tolist()
    assert len(mask.row) == 60
