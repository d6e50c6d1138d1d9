"""Views of the EM volume in Neuroglancer: states, and links that open them.

No server is asked for anything: a link carries its whole state behind the ``#``, which a browser keeps to
itself. States are those of mainline Neuroglancer, which its Python package (2.41) reads as well. Positions
are EM voxels of 4 x 4 x 40 nm, as CAVE's tables hold and :func:`gql_nda.science.transform.stack_to_em` gives
them.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gql_nda.science.transform import VOXEL_NM

Floats = NDArray[np.float64]
Layout = Literal["xy", "xz", "yz", "3d", "xy-3d", "xz-3d", "yz-3d", "4panel"]
"""Which panels are seen."""
_Json = dict[str, Any]

SITES = {
    "spelunker": "https://spelunker.cave-explorer.org/",
    "neuroglancer-demo": "https://neuroglancer-demo.appspot.com/",
}
"""Where links lead, by name: all of these read the same states."""

_MINNIE65 = "precomputed://https://bossdb-open-data.s3.amazonaws.com/iarpa_microns/minnie/minnie65"
IMAGE = f"{_MINNIE65}/em"
"""The EM images."""

NUCLEI = f"{_MINNIE65}/nuclei"
"""The nuclei: their segments are nucleus ids."""

SEGMENTATIONS = {1300: "precomputed://gs://iarpa_microns/minnie/minnie65/seg_m1300"}
"""Flat segmentations, which need no login, by materialization version: those that are known to exist.

Their segments are the root ids of that version, and of no other.
"""

_PANEL_PX = 500
"""Width or height of a small panel, which everything shall fit in."""

_ROOM = 1.25
"""How much more than everything a panel shows. The 3-D view opens at 45 degrees: 1.08 is the least it needs."""

_LEAST = {"crossSectionScale": 1.0, "projectionScale": 30_000.0}
"""The scales of a single point: 2 um of images across a panel, and 120 um of space."""

_DIGITS = 1
"""Digits of coordinates: 0.4 nm, or 4 nm in z. Neuroglancer keeps float32, hardly finer in this volume."""

_FARTHEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """A layer of annotations in one colour (``#rrggbb``).

    Each has an id of its own, a description, and a shape in EM voxels: (3,) is a point, (corner, 3) an outline,
    closed if it isn't yet. So ``shapes`` is (n, 3) for n points, and a list for outlines or for both.
    """

    name: str
    colour: str
    ids: Sequence[str]
    descriptions: Sequence[str]
    shapes: Sequence[ArrayLike] | Floats


def state(
    marks: Sequence[Marks] = (),
    *,
    segments: Sequence[str] | None = None,
    version: int = 1300,
    nuclei: Sequence[str] | None = None,
    layout: Layout = "xy-3d",
) -> _Json:
    """A state, as plain JSON: the images, and over them the layers asked for; the last one is selected.

    ``segments`` (root ids as of ``version``) and ``nuclei`` (nucleus ids) are decimal texts, for root ids exceed
    2^53; either layer is left out where they are None, and selects nothing where there are none. The view is
    centred in the box around all marks and shows all of it; without any mark it's Neuroglancer's own.

    ValueError says which version is unknown, or which name, colour, id or position is no good.
    """
    layers: list[_Json] = [{"type": "image", "name": "em", "source": IMAGE}]
    if segments is not None:
        source = _known(SEGMENTATIONS, version, "a flat segmentation's version")
        layers.append(_segmentation("segmentation", source, segments))
    if nuclei is not None:
        layers.append(_segmentation("nuclei", NUCLEI, nuclei))
    shapes = [_shapes(each) for each in marks]
    layers += [_annotations(*each) for each in zip(marks, shapes, strict=True)]
    _distinct([layer["name"] for layer in layers], "names of layers")
    return {
        "dimensions": _dimensions(),
        **_view([shape for each in shapes for shape in each]),
        "layers": layers,
        "selectedLayer": {"layer": layers[-1]["name"], "visible": True},
        "layout": layout,
    }


def link(state: Mapping[str, Any], site: str = "spelunker") -> str:
    """A link that opens a state on one of :data:`SITES`; ValueError for another.

    Its length has no bound, which is the caller's to set: 400 characters for the images and for each further
    layer, 170 a point and 35 a corner of an outline. 1,000 units make 160,000; what a browser opens ends at
    1 or 2 million, what a chat or mail takes much sooner.
    """
    text = json.dumps(state, separators=(",", ":"), allow_nan=False)
    return f"{_known(SITES, site, 'a site')}#!{quote(text, safe=',:/')}"


# --- layers ----------------------------------------------------------------------------------------


def _dimensions() -> _Json:
    return {axis: [nm / 1e9, "m"] for axis, nm in zip("xyz", VOXEL_NM, strict=True)}


def _segmentation(name: str, source: str, ids: Sequence[str]) -> _Json:
    for each in ids:
        if not re.fullmatch("[0-9]{1,20}", each) or int(each) >= 2**64:
            raise ValueError(f"a segment of {name} is a whole number below 2^64 as text, not {each!r:.40}")
    return {"type": "segmentation", "name": name, "source": source, "segments": list(ids)}


def _annotations(marks: Marks, shapes: Sequence[Floats]) -> _Json:
    if not re.fullmatch("#[0-9a-fA-F]{6}", marks.colour):
        raise ValueError(f"{marks.name}: a colour is #rrggbb, not {marks.colour!r:.40}")
    source = {"url": "local://annotations", "transform": {"outputDimensions": _dimensions()}}
    described = zip(marks.ids, marks.descriptions, shapes, strict=True)
    return {
        "type": "annotation",
        "name": marks.name,
        "source": source,
        "annotationColor": marks.colour,
        "annotations": [{"id": i, "description": text, **_geometry(shape)} for i, text, shape in described],
    }


def _geometry(shape: Floats) -> _Json:
    if shape.ndim == 1:
        return {"type": "point", "point": shape.tolist()}
    end = shape[:0] if (shape[0] == shape[-1]).all() else shape[:1]
    return {"type": "polyline", "points": np.concatenate([shape, end]).tolist()}


def _shapes(marks: Marks) -> list[Floats]:
    """The shapes of a layer as arrays, rounded."""
    _distinct(marks.ids, f"{marks.name}: ids")  # of two marks with one id, Neuroglancer drops the first
    return [_shape(shape, f"{marks.name} {i}") for i, shape in zip(marks.ids, marks.shapes, strict=True)]


def _shape(shape: ArrayLike, where: str) -> Floats:
    at = np.asarray(shape, float)
    if at.shape != (3,) and not (at.ndim == 2 and at.shape[1] == 3 and len(at) > 1):
        raise ValueError(f"{where}: a point is (3,), an outline (2 or more, 3), not {at.shape}")
    if not (np.abs(at) <= _FARTHEST).all():
        raise ValueError(f"{where}: its position isn't finite")
    rounded: Floats = np.round(at, _DIGITS)
    return rounded


# --- the view --------------------------------------------------------------------------------------


def _view(shapes: Sequence[Floats]) -> _Json:
    """Where the view is centred, and its scales: voxels of 4 nm a pixel, and such voxels a 3-D panel's height."""
    if not shapes:
        return {}
    at = np.concatenate([np.atleast_2d(shape) for shape in shapes])
    low, high = at.min(axis=0), at.max(axis=0)
    size = (high - low) * VOXEL_NM / min(VOXEL_NM) * _ROOM
    scales = {"crossSectionScale": float(size.max()) / _PANEL_PX, "projectionScale": float(np.linalg.norm(size))}
    return {
        "position": (low + (high - low) / 2).tolist(),
        **{name: max(least, scales[name]) for name, least in _LEAST.items()},
    }


# --- checks ----------------------------------------------------------------------------------------


def _known(table: Mapping[Any, str], key: int | str, what: str) -> str:
    if key not in table:
        raise ValueError(f"{what} is {' or '.join(map(str, table))}, not {key!r:.40}")
    return table[key]


def _distinct(names: Sequence[str], what: str) -> None:
    if "" in names or len(set(names)) < len(names):
        raise ValueError(f"{what} must be distinct, and none empty")
