"""The fields of a scan: where they were taken, how they moved, what they look like."""

from functools import partial

import numpy as np

from gql_nda import tables
from gql_nda.demo.batches import Batch, Row
from gql_nda.demo.chance import Floats, chance, quantised, wander
from gql_nda.demo.facts import FIELD_CENTRES, FIELD_PX, FIELD_UM, Recording
from gql_nda.demo.segmentation import Masks
from gql_nda.demo.textures import paint, texture

_SHIFT_STEP = 2**-3
_CELL_GAIN = 3.0


def field_row(recording: Recording, field: int) -> Row:
    """One row of field: two fields side by side at each depth."""
    centre = FIELD_CENTRES[(field - 1) % 2]
    names = ("px_width", "px_height", "um_width", "um_height", "field_x", "field_y")
    sizes = dict(zip(names, (*FIELD_PX, *FIELD_UM, *centre), strict=True))
    return {**_key(recording, field), **sizes, "field_z": recording.field_z(field)}


def _key(recording: Recording, field: int) -> dict[str, int]:
    return {**recording.columns, "field": field}


def raster_row(recording: Recording, field: int) -> Row:
    """One row of raster_correction."""
    phase = chance("raster", *recording.key, field).normal(0, 0.003)
    return {**_key(recording, field), "raster_phase": phase}


def shifts(recording: Recording, field: int) -> Floats:
    """How far each frame was moved along y and x (px), (2, frame): slow drift and small jumps."""
    rng = chance("motion", *recording.key, field)
    drift = wander(rng, 2, recording.nframes, 500)
    jumps = rng.standard_normal((2, recording.nframes), dtype=np.float32)
    return quantised(0.6 * drift + 0.15 * jumps, _SHIFT_STEP)


def motion_row(recording: Recording, field: int) -> Row:
    """One row of motion_correction: the deviations are those of the shifts."""
    y, x = shifts(recording, field)
    deviations = {"y_std": float(np.float32(y.std())), "x_std": float(np.float32(x.std()))}
    return {**_key(recording, field), "y_shifts": y, "x_shifts": x, **deviations}


def intensities(recording: Recording, field: int) -> Floats:
    """Mean brightness of each frame (frame,): it bleaches slowly and flickers."""
    rng = chance("intensity", *recording.key, field)
    bright = rng.uniform(80, 400)
    bleaching = np.linspace(1, rng.uniform(0.85, 0.98), recording.nframes)
    flicker = 0.01 * rng.standard_normal(recording.nframes, dtype=np.float32)
    return quantised(bright * (bleaching + flicker), 1)


def average_image(recording: Recording, field: int, masks: Masks) -> Floats:
    """Mean brightness of each pixel (y, x): tissue, and the cells in it."""
    rng = chance("average", *recording.key, field)
    tissue = 300 + 60 * texture(rng, FIELD_PX[1], FIELD_PX[0], 16)
    return quantised(_with_cells(tissue, masks, 60 * _CELL_GAIN), 16)


def correlation_image(recording: Recording, field: int, masks: Masks) -> Floats:
    """Correlation of each pixel with its neighbours (y, x), 0 to 1: high where cells are active."""
    rng = chance("correlation", *recording.key, field)
    tissue = 0.15 + 0.03 * texture(rng, FIELD_PX[1], FIELD_PX[0], 16)
    return quantised(np.clip(_with_cells(tissue, masks, 0.5), 0, 1), 2**-6)


def _with_cells(picture: Floats, masks: Masks, gain: float) -> Floats:
    """A picture with the masks painted in."""
    inside = masks.weights > 0
    return paint(picture, masks.pixels[inside], gain * masks.weights[inside])


def images_row(recording: Recording, field: int, masks: Masks) -> Row:
    """One row of summary_images."""
    pictures = {
        "correlation": partial(correlation_image, recording, field, masks),
        "average": partial(average_image, recording, field, masks),
    }
    return {**_key(recording, field), **pictures}


def field_batches(recording: Recording, masks: dict[int, Masks]) -> list[Batch]:
    """The rows of one scan's fields in this room's tables."""
    fields = recording.fields
    bright: list[Row] = [{**_key(recording, f), "intensities": partial(intensities, recording, f)} for f in fields]
    return [
        (tables.field, [field_row(recording, f) for f in fields]),
        (tables.raster_correction, [raster_row(recording, f) for f in fields]),
        (tables.motion_correction, [motion_row(recording, f) for f in fields]),
        (tables.mean_intensity, bright),
        (tables.summary_images, [images_row(recording, f, masks[f]) for f in fields]),
    ]
