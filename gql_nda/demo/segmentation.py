"""Masks: where the cells of a field lie, and which of them are artifacts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gql_nda.demo.batches import Row, records
from gql_nda.demo.chance import Floats, chance, quantised
from gql_nda.demo.facts import FIELD_PX, Recording

ARTIFACTS = 0.11
"""Share of masks that are no cell bodies."""

_REACH = 5
_BAND = 24
_AXES = {"soma": ((2.1, 3.7), (2.1, 3.2)), "artifact": ((3.2, 5.0), (1.3, 2.0))}


@dataclass(frozen=True, slots=True)
class Masks:
    """The masks of a field: ``weights`` (mask, window), 0 outside the mask, at ``pixels`` (mask, window).

    Pixels are 1-based indices counted down the columns; ``centroid`` (mask, 2) is x, y from 0.
    """

    ids: NDArray[np.int64]
    soma: NDArray[np.bool_]
    pixels: NDArray[np.int64]
    weights: NDArray[np.float32]
    centroid: Floats

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, part: slice) -> "Masks":
        return Masks(self.ids[part], self.soma[part], self.pixels[part], self.weights[part], self.centroid[part])

    def mask(self, i: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Pixels and weights of one mask."""
        inside = self.weights[i] > 0
        return self.pixels[i, inside], self.weights[i, inside]


def field_masks(recording: Recording, field: int, count: int) -> Masks:
    """The masks of one field, numbered from 1 in bands from top to bottom."""
    rng = chance("masks", *recording.key, field)
    width, height = FIELD_PX
    centres = rng.uniform((2.5, 2.5), (width - 3.5, height - 3.5), (count, 2))
    centres = centres[np.argsort(centres[:, 1] // _BAND, kind="stable")]
    soma = rng.random(count) >= ARTIFACTS
    x, y, weights = _windows(rng, centres, soma)
    total = weights.sum(axis=1, dtype=float)
    centroid = np.stack([(weights * x).sum(axis=1) / total, (weights * y).sum(axis=1) / total], axis=1)
    return Masks(np.arange(1, count + 1), soma, x * height + y + 1, weights, centroid)


def _windows(
    rng: np.random.Generator, centres: Floats, soma: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """x, y and weight of every pixel around the centres: fuzzy ellipses, cut at the field's borders."""
    width, height = FIELD_PX
    side = np.arange(-_REACH, _REACH + 1)
    steps = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
    x, y = np.moveaxis(np.rint(centres)[:, None].astype(int) + steps, -1, 0)
    u, v = _turned(rng, x - centres[:, :1], y - centres[:, 1:])
    long, short = _axes(rng, soma)
    reach = (u / long) ** 2 + (v / short) ** 2
    inside = (reach < 1) & (x >= 0) & (y >= 0) & (x < width) & (y < height)
    weights = quantised(np.exp(-reach) * rng.uniform(0.8, 1, reach.shape), 2**-8)
    return np.clip(x, 0, width - 1), np.clip(y, 0, height - 1), np.where(inside, weights, 0).astype(np.float32)


def _turned(rng: np.random.Generator, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Offsets (mask, window) in axes turned at random, one angle a mask."""
    angle = rng.uniform(0, np.pi, (len(x), 1))
    return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)


def _axes(rng: np.random.Generator, soma: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Half axes (mask, 1) of the ellipses (px): cells are round, artifacts drawn out."""
    kinds = np.where(soma[:, None, None], _AXES["soma"], _AXES["artifact"])
    axes = rng.uniform(kinds[..., 0], kinds[..., 1])
    return axes[:, :1], axes[:, 1:]


def segmentation_rows(key: Row, masks: Masks) -> list[Row]:
    """Rows of segmentation: pixels and weights."""
    arrays = [masks.mask(i) for i in range(len(masks))]
    return records(**key, mask_id=masks.ids, pixels=[p for p, _ in arrays], weights=[w for _, w in arrays])


def classification_rows(key: Row, masks: Masks) -> list[Row]:
    """Rows of mask_classification."""
    return records(**key, mask_id=masks.ids, mask_type=np.where(masks.soma, "soma", "artifact"))


def fluorescence_rows(key: Row, masks: Masks, traces: list[object]) -> list[Row]:
    """Rows of fluorescence, one lazy trace a mask."""
    return records(**key, mask_id=masks.ids, trace=traces)
