"""Transforms between the stack and the electron-microscopy volume, as nda's Coregistration holds them.

A transform is a list of stages, each taking the points that the one before gave: polynomials,
polynomials in chunks along an axis, and splines. The format and its formulas are those of
AllenInstitute/em_coregistration; the frames on both sides are those of ``utils.coreg_transform`` of
cajal/microns_phase3_nda.

The two directions of nda are fits of their own, no inverses of each other: from the stack to the EM
volume and back a point comes to lie some um away, and hundreds of um where a transform extrapolates.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import cdist

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
_Json = Mapping[str, Any]

VOXEL_NM = (4.0, 4.0, 40.0)
"""Size of an EM voxel along x, y, z (nm)."""

_TERMS = [axes for order in range(4) for axes in combinations_with_replacement(range(3), order)]
"""The coordinates that each term of a polynomial multiplies: 1; x, y, z; xx, xy, xz, yy ... zzz."""

_BLOCK = 64
"""Points whose distances are at hand at once: 1.5 MB to the 2,934 control points of nda's largest spline.

Small enough for the processor's cache, and for BLAS to keep to one thread. All blocks are as large, the
last one filled up, so BLAS adds all of them up in the same order: a point comes to lie at the same
place, to the last bit, whatever points it's asked with.
"""

_HULL_BLOCK = 512
"""Points held against the planes of a hull at once, 146 in nda: as many as BLAS keeps to one thread for."""

_GRACE = 1e-8
"""How far outside a hull, in units of its extent, a point still counts as inside."""


# --- stages ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Polynomials:
    """Polynomials along an axis: the first one up to the first border and on it, and so on.

    ``borders`` (chunk - 1,) ascend; ``parameters`` (chunk, term, 3) are a row of three outputs for each
    of 4, 10 or 20 terms (order 1, 2 or 3).
    """

    axis: int
    borders: Floats
    parameters: Floats

    def __call__(self, points: Floats) -> Floats:
        """The points moved, (n, 3) both."""
        chunk = np.searchsorted(self.borders, points[:, self.axis], side="left")
        moved = np.zeros_like(points)
        for i, axes in enumerate(_TERMS[: self.parameters.shape[1]]):
            term = math.prod((points[:, axis] for axis in axes), start=np.ones(len(points)))
            moved += term[:, None] * self.parameters[chunk, i]
        return moved


@dataclass(frozen=True, slots=True, eq=False)
class Spline:
    """An affine map, and the distances to control points (m, 3) times their weights (m, 3).

    The distance itself is the kernel: that of three dimensions, not r^2 log r. The control points are
    ``landmarks``, or a grid of the fit's own.
    """

    affine: Polynomials
    control: Floats
    weights: Floats
    landmarks: bool

    def __call__(self, points: Floats) -> Floats:
        """The points moved, (n, 3) both."""
        moved = self.affine(points)
        distances = np.zeros((_BLOCK, len(self.control)))
        for start in range(0, len(points), _BLOCK):
            part = points[start : start + _BLOCK]
            cdist(part, self.control, out=distances[: len(part)])
            moved[start : start + _BLOCK] += (distances @ self.weights)[: len(part)]
        return moved


Stage = Polynomials | Spline


class Hull:
    """The convex hull of points (m, 3), as the half-spaces that it lies in.

    ValueError if the points span no volume.
    """

    def __init__(self, points: Floats) -> None:
        try:
            planes = ConvexHull(points).equations
        except QhullError:
            raise ValueError("the points span no volume") from None
        self._normals, self._offsets = planes[:, :3].T, planes[:, 3]
        self._grace = _GRACE * float(np.ptp(points, axis=0).max())

    def contains(self, points: Floats) -> Mask:
        """Whether each of (n, 3) lies inside, or on the surface; not so where it isn't finite."""
        inside = np.zeros(len(points), bool)
        for start in range(0, len(points), _HULL_BLOCK):
            part = slice(start, start + _HULL_BLOCK)
            depth = points[part] @ self._normals + self._offsets
            inside[part] = (depth <= self._grace).all(axis=1)
        return inside


# --- transforms ------------------------------------------------------------------------------------


class Moved(NamedTuple):
    """Points (n, 3) that a transform gave, NaN where it can't tell, and which of them (n,) it extrapolates.

    A point is extrapolated if it lies outside the landmarks that the transform was fitted to. They
    aren't stored, but the control points of the last spline, if it says so (``src_is_cntrl``), are the
    landmarks as the earlier stages carried them: their hull is asked, at that stage. None if the
    transform has no such hull.
    """

    points: Floats
    extrapolated: Mask | None


def _same(points: Floats) -> Floats:
    return points


@dataclass(frozen=True, slots=True, eq=False)
class Transform:
    """The stages in the order they act, and the hull of the landmarks, the last spline's control points."""

    stages: tuple[Stage, ...]
    hull: Hull | None

    def __call__(
        self,
        points: ArrayLike,
        enter: Callable[[Floats], Floats] = _same,
        leave: Callable[[Floats], Floats] = _same,
    ) -> Moved:
        """Points (n, 3), or one (3,), taken into the transform's own frame, moved, and taken out of it.

        A point that isn't finite, or so far off that a number overflows, gives NaN, extrapolated.
        ValueError if ``points`` have another shape.
        """
        at = _points(points)
        moved, extrapolated = np.full(at.shape, np.nan), np.ones(len(at), bool)
        finite = np.isfinite(at).all(axis=1)
        with np.errstate(over="ignore", invalid="ignore"):
            result, extrapolated[finite] = self._move(enter(at[finite]))
            result = leave(result)
        moved[finite] = np.where(np.isfinite(result).all(axis=1, keepdims=True), result, np.nan)
        return Moved(moved, extrapolated if self.hull else None)

    def _move(self, at: Floats) -> tuple[Floats, Mask]:
        """Points (n, 3) moved, and whether the last spline met them outside the hull."""
        outside = np.zeros(len(at), bool)
        last = _last_spline(self.stages)
        for stage in self.stages:
            if stage is last and self.hull:
                outside = ~self.hull.contains(at)
            at = stage(at)
        return at, outside


def _last_spline(stages: Sequence[Stage]) -> Spline | None:
    return next((stage for stage in reversed(stages) if isinstance(stage, Spline)), None)


def _points(points: ArrayLike) -> Floats:
    """Points as (n, 3); ValueError if they have another shape."""
    at = np.asarray(points, float)
    at = np.empty((0, 3)) if at.shape == (0,) else np.atleast_2d(at)
    if at.ndim != 2 or at.shape[1] != 3:
        raise ValueError(f"points have the shape (n, 3), not {np.shape(points)}")
    return at


# --- frames ----------------------------------------------------------------------------------------


class _Frames(NamedTuple):
    """The frames of a version's transforms: mm on the stack's side, its y mirrored or not, and EM's own.

    ``voxel`` is the size of a voxel in EM's frame, ``corner`` where that frame begins (voxels).
    """

    mirrored: bool
    voxel: tuple[float, float, float]
    corner: tuple[float, float, float]

    def mirror(self, stack: Floats, um_height: float) -> Floats:
        return stack * (1, -1, 1) + (0, um_height, 0) if self.mirrored else stack

    def to_voxels(self, em: Floats) -> Floats:
        return em / self.voxel - self.corner

    def from_voxels(self, voxels: Floats) -> Floats:
        return (voxels + self.corner) * self.voxel


_VERSIONS = {
    "phase2": _Frames(mirrored=False, voxel=VOXEL_NM, corner=(3072, 2560, -7924)),
    "phase3": _Frames(mirrored=True, voxel=(1, 1, 1), corner=(0, 0, 0)),
}

VERSIONS = frozenset(_VERSIONS)
"""The versions whose frames are known."""


def stack_to_em(transform: Transform, version: str, stack: ArrayLike, um_height: float) -> Moved:
    """EM voxels (n, 3) of points of the stack (um), by a transform of direction 2PEM.

    ``version`` is phase2 or phase3, else ValueError; ``um_height`` is the stack's. No inverse of
    :func:`em_to_stack`.
    """
    frames = _frames(version)
    return transform(stack, lambda at: frames.mirror(at, um_height) / 1000, frames.to_voxels)


def em_to_stack(transform: Transform, version: str, voxels: ArrayLike, um_height: float) -> Moved:
    """Position in the stack (um), (n, 3), of EM voxels, by a transform of direction EM2P.

    ``version`` is phase2 or phase3, else ValueError; ``um_height`` is the stack's. No inverse of
    :func:`stack_to_em`.
    """
    frames = _frames(version)
    return transform(voxels, frames.from_voxels, lambda at: frames.mirror(at * 1000, um_height))


def _frames(version: str) -> _Frames:
    if version not in _VERSIONS:
        raise ValueError(f"a transform's version is {' or '.join(_VERSIONS)}, not {version!r}")
    return _VERSIONS[version]


def voxels_to_nm(voxels: ArrayLike) -> Floats:
    """Position of EM voxels in nm, (n, 3) both: what distances are measured in."""
    nm: Floats = np.asarray(voxels, float) * VOXEL_NM
    return nm


# --- parsing ---------------------------------------------------------------------------------------


def parse(solution: object) -> Transform:
    """A transform from its ``transform_solution``, as DataJoint or JSON give it.

    ValueError says which stage is malformed, and how.
    """
    found = _named(solution, ("TransformList",), "the transform")["transforms"]
    stages = tuple(_stage(stage, f"stage {i}") for i, stage in enumerate(_some(found, 1, "the transform")))
    return Transform(stages, _hull(_last_spline(stages)))


def _hull(spline: Spline | None) -> Hull | None:
    """The hull of a spline's control points, if they are landmarks and have one."""
    try:
        return Hull(spline.control) if spline and spline.landmarks else None
    except ValueError:
        return None


def _stage(stage: object, where: str) -> Stage:
    found = _named(stage, tuple(_PARSERS), where)
    return _PARSERS[found["name"]](found, f"{where} ({found['name']})")


def _polynomial(stage: _Json, where: str) -> Polynomials:
    return Polynomials(0, _frozen(np.empty(0)), _frozen(_coefficients(stage, where)[None]))


def _coefficients(stage: _Json, where: str) -> Floats:
    """A polynomial's parameters (term, 3)."""
    order = _integer(stage, "order", 1, 3, where)
    return _numbers(stage, "parameters", (math.comb(order + 3, 3), 3), where)


def _chunked(stage: _Json, where: str) -> Polynomials:
    """Polynomials of ``nchunks`` chunks. The list holds one more, which is never used: it isn't looked at."""
    axis = _integer(stage, "axis", 0, 2, where)
    count = _integer(stage, "nchunks", 1, None, where)
    borders = _numbers(stage, "ranges", (count - 1,), where)
    if np.any(np.diff(borders) < 0):
        raise ValueError(f"{where}: ranges must ascend")
    chunks = _some(stage["transforms"], count, where)[:count]
    fits = [_chunk(chunk, f"{where}, chunk {i}") for i, chunk in enumerate(chunks)]
    parameters = np.zeros((count, max(map(len, fits)), 3))
    for whole, fit in zip(parameters, fits, strict=True):
        whole[: len(fit)] = fit
    return Polynomials(axis, _frozen(borders), _frozen(parameters))


def _chunk(chunk: object, where: str) -> Floats:
    return _coefficients(_named(chunk, ("PolynomialModel",), where), where)


def _spline(stage: _Json, where: str) -> Spline:
    control = _numbers(stage, "control_pts", (None, 3), where)
    counts = _numbers(stage, "ncntrl", (None,), where)
    if counts.prod() != len(control):
        raise ValueError(f"{where}: ncntrl {stage['ncntrl']!r:.40} doesn't make {len(control)} control_pts")
    parameters = _frozen(_numbers(stage, "parameters", (len(control) + 4, 3), where))
    affine = Polynomials(0, _frozen(np.empty(0)), parameters[None, :4])
    return Spline(affine, _frozen(control), parameters[4:], stage.get("src_is_cntrl") in (True, 1))


_NAMES = {
    "TransformList": ("transforms",),
    "PolynomialModel": ("order", "parameters"),
    "ChunkedModel": ("nchunks", "axis", "transforms", "ranges"),
    "SplineModel": ("ncntrl", "control_pts", "parameters"),
}
"""What is read of each kind."""

_PARSERS: dict[str, Callable[[_Json, str], Stage]] = {
    "PolynomialModel": _polynomial,
    "ChunkedModel": _chunked,
    "SplineModel": _spline,
}


def _named(value: object, names: Sequence[str], where: str) -> _Json:
    """A mapping of one of some kinds, with all that is read of it."""
    kind = value.get("name") if isinstance(value, Mapping) else type(value).__name__
    if not isinstance(value, Mapping) or kind not in names:
        raise ValueError(f"{where} must be a {' or '.join(names)}, not {kind!r:.40}")
    missing = [name for name in _NAMES[str(kind)] if name not in value]
    if missing:
        raise ValueError(f"{where} ({kind}) has no {' and no '.join(missing)}")
    return value


def _some(value: object, count: int, where: str) -> Sequence[object]:
    """A list of ``count`` transforms or more."""
    if not isinstance(value, list | tuple) or len(value) < count:
        held = len(value) if isinstance(value, list | tuple) else type(value).__name__
        raise ValueError(f"{where}: transforms must be a list of {count} or more, not {held}")
    return value


def _integer(stage: _Json, name: str, low: int, high: int | None, where: str) -> int:
    value = _array(stage[name])
    if value.shape or value.dtype.kind not in "iu" or value < low or (high is not None and value > high):
        wanted = f"{low} or more" if high is None else f"{low} to {high}"
        raise ValueError(f"{where}: {name} must be a whole number of {wanted}, not {stage[name]!r:.40}")
    return int(value)


def _numbers(stage: _Json, name: str, shape: tuple[int | None, ...], where: str) -> Floats:
    """Finite numbers of a shape, of which None leaves a size open (but not 0)."""
    found = _array(stage[name])
    fits = len(found.shape) == len(shape) and all(
        held == wanted or (wanted is None and held > 0) for held, wanted in zip(found.shape, shape, strict=True)
    )
    if found.dtype.kind not in "iuf" or not fits:
        sizes = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(f"{where}: {name} must be numbers of shape ({sizes}), not {found.dtype} of {found.shape}")
    if not np.isfinite(found).all():
        raise ValueError(f"{where}: {name} must be finite")
    return found.astype(float)


def _array(value: object) -> NDArray[Any]:
    """A list of lists as an array; a ragged one as an array of objects."""
    try:
        return np.asarray(value)
    except ValueError:
        return np.asarray(None, object)


def _frozen(values: Floats) -> Floats:
    values.flags.writeable = False
    return values
