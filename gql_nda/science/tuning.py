"""Direction tuning from the Monet2 stimulus: 16 directions of coherent motion a trial.

Directions are in nda degrees: at 0 a vertical feature moves leftwards, and they run anticlockwise. The
published tables count otherwise: functional_properties_v3 in radians, clockwise from a horizontal bar
moving upwards; digital_twin_properties in degrees, anticlockwise from a vertical bar moving to the right.
An orientation is a direction modulo 180: 0 is a vertical feature, moving either way.

Responses are cut and gOSI and gDSI computed as in cajal/foundation (``tuning/compute/direction.py``).
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gql_nda.science.reasons import Reasons, reasons
from gql_nda.science.responses import averaged, window_means

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_CANCELLED = 1e-9
"""A sum of vectors this small beside the sum of their lengths points nowhere."""

_ALIKE = 1e-12
"""Responses that differ by this share are the same one, rounded differently."""


# --- one trial -------------------------------------------------------------------------------------


class Segments(NamedTuple):
    """The directions of one trial, (segment,) each: degrees, and from when to when (s from its start)."""

    degrees: Floats
    onset: Floats
    offset: Floats


def segments(directions: ArrayLike, onsets: ArrayLike, duration: float) -> Segments:
    """The segments of a trial of ``duration`` (s), in the order shown.

    ``directions`` (degrees) and ``onsets`` (s) are of any shape, nda's are (1, 16). Each lasts to the
    next onset, the last to the trial's end. ValueError if they differ in number or aren't finite.
    """
    degrees, onset = np.ravel(directions).astype(float), np.ravel(onsets).astype(float)
    if len(degrees) != len(onset):
        raise ValueError(f"{len(degrees)} directions have {len(onset)} onsets")
    if not (np.isfinite(degrees).all() and np.isfinite(onset).all() and np.isfinite(duration)):
        raise ValueError("directions, onsets and the duration must be finite")
    order = np.argsort(onset, kind="stable")
    offset = np.append(onset[order][1:], duration)[: len(onset)]
    return Segments(degrees[order], onset[order], np.maximum(offset, onset[order]))


def segment_frames(start: float, shown: Segments, frame_times: ArrayLike, delay_ms: float = 0) -> Integers:
    """Frames of each segment of a trial that starts at ``start`` (s): (segment, 2), first and stop.

    The stop isn't included. ``frame_times`` (frame,) in s; ``delay_ms`` is a unit's, without it they are
    the frames of the first field. Frames beyond the recording aren't counted.
    """
    clock = np.asarray(frame_times, float) + delay_ms / 1000
    edges = np.stack([shown.onset, shown.offset], axis=1) + start
    return np.searchsorted(clock, edges).astype(np.int64)


# --- the tuning curve ------------------------------------------------------------------------------


class Curve(NamedTuple):
    """Responses by direction: ``degrees`` (direction,) rising; mean, sem and n (unit, direction).

    A direction without a response is NaN with n = 0; ``sem`` needs two.
    """

    degrees: Floats
    mean: Floats
    sem: Floats
    n: Integers


def segment_means(
    traces: ArrayLike, frame_times: ArrayLike, delays_ms: ArrayLike, starts: ArrayLike, shown: list[Segments]
) -> tuple[Floats, Floats]:
    """Mean response to every segment of every trial, (unit, segment), and the directions (segment,).

    Traces (unit, frame), ``frame_times`` (frame,) in s, ``delays_ms`` (unit,); trials start at ``starts``
    (trial,) in s and show ``shown``. A segment has the frames whose delayed time lies in it; NaN if none.
    """
    begin = np.repeat(np.ravel(starts).astype(float), [len(s.degrees) for s in shown])
    degrees, onset, offset = (np.concatenate([np.empty(0), *(s[i] for s in shown)]) for i in range(3))
    means, _ = window_means(traces, frame_times, delays_ms, begin + onset, begin + offset)
    return means, degrees


def distinct(shown: Iterable[Segments]) -> Floats:
    """The directions of a curve (degrees), rising, each once."""
    return np.unique(_turned(np.concatenate([np.empty(0), *(of.degrees for of in shown)])))


def curve(responses: ArrayLike, degrees: ArrayLike) -> Curve:
    """Responses (unit, segment) grouped by their direction (segment,), modulo 360; NaN are left out."""
    values = np.asarray(responses, float)
    shown, which = np.unique(_turned(np.ravel(degrees)), return_inverse=True)
    mean, sem, n = np.empty((3, len(values), len(shown)))
    for i in range(len(shown)):
        mean[:, i], sem[:, i], n[:, i] = averaged(values[:, which == i], axis=1)
    return Curve(shown, mean, sem, n.astype(int))


def _turned(degrees: ArrayLike, period: float = 360) -> Floats:
    """Angles within a period, rounded so that equal ones are equal."""
    turned: Floats = np.round(np.mod(np.asarray(degrees, float), period), 6) % period
    return turned


# --- selectivity -----------------------------------------------------------------------------------


class Selectivity(NamedTuple):
    """Indices and preferences of units (unit,); NaN where ``reasons`` tell why.

    ``gosi``, ``gdsi``, ``osi``, ``dsi`` lie between 0 and 1; ``direction`` (0 to 360) and
    ``orientation`` (0 to 180) are nda degrees.
    """

    gosi: Floats
    gdsi: Floats
    osi: Floats
    dsi: Floats
    direction: Floats
    orientation: Floats
    reasons: Reasons


def selectivity(mean: ArrayLike, degrees: ArrayLike) -> Selectivity:
    """How selective mean responses R (unit, direction) are for their directions (direction,), each once.

    Negative R count as 0, as in foundation. With the sums over directions t:
    gOSI = |sum R exp(2it)| / sum R and gDSI = |sum R exp(it)| / sum R; the preferred direction is the
    angle of the latter sum, the preferred orientation half the angle of the former (both assume
    directions evenly spaced). OSI = (P - O) / (P + O), P being the largest response to an orientation
    (the mean of its two directions) and O that to the orientation 90 degrees from it;
    DSI = (P - N) / (P + N), P being the largest response to a direction and N that to its opposite.
    A unit with an unknown response, or none above 0, has none of these.
    """
    at, r = _turned(np.ravel(degrees)), np.asarray(mean, float)
    unknown = ~np.isfinite(r).all(axis=1)
    r = np.where(unknown[:, None], 0, np.maximum(r, 0))
    top = r.max(axis=1, initial=0)
    r = r / np.where(top > 0, top, np.nan)[:, None]
    gosi, orientation = _vector_sum(r, at, 180)
    gdsi, direction = _vector_sum(r, at, 360)
    osi, dsi = _contrast(*_merged(r, at, 180), 180), _contrast(r, at, 360)
    told = reasons(
        len(r),
        (unknown, "the response to a direction is not known"),
        (~unknown & (top <= 0), "no direction has a response above 0"),
        ((top > 0) & np.isnan(direction), "no preferred direction: the responses cancel out"),
        ((top > 0) & np.isnan(orientation), "no preferred orientation: the responses cancel out"),
        ((top > 0) & np.isnan(osi), "no OSI: nothing was shown at 90 degrees to the largest response"),
        ((top > 0) & np.isnan(dsi), "no DSI: nothing was shown opposite to the largest response"),
    )
    return Selectivity(gosi, gdsi, osi, dsi, direction, orientation, told)


def _vector_sum(r: Floats, degrees: Floats, period: float) -> tuple[Floats, Floats]:
    """Length of the sum of responses as vectors, over the sum of their lengths; and its angle (degrees)."""
    angles = np.deg2rad(degrees * (360 / period))
    x, y = (r * np.cos(angles)).sum(axis=1), (r * np.sin(angles)).sum(axis=1)
    total = r.sum(axis=1)
    length = np.minimum(np.hypot(x, y) / np.where(total > 0, total, np.nan), 1)
    angle = np.mod(np.rad2deg(np.arctan2(y, x)) * (period / 360), period)
    return length, np.where(length > _CANCELLED, np.where(angle < period, angle, 0), np.nan)


def _merged(r: Floats, degrees: Floats, period: float) -> tuple[Floats, Floats]:
    """Mean response to the directions that are equal within a period, and these."""
    left, which = np.unique(_turned(degrees, period), return_inverse=True)
    weights = (which[:, None] == np.arange(len(left))) / np.maximum(np.bincount(which, minlength=len(left)), 1)
    return np.einsum("ud,dl->ul", r, weights), left


def _contrast(r: Floats, degrees: Floats, period: float) -> Floats:
    """(P - N) / (P + N), of the largest response P and the one half a period away, N; NaN if there's none.

    Of responses that are alike the first is the largest.
    """
    if not len(degrees):
        return np.full(len(r), np.nan)
    index = {d: i for i, d in enumerate(degrees.tolist())}
    partner = np.array([index.get(d, -1) for d in _turned(degrees + period / 2, period).tolist()])
    best, rows = (r >= r.max(axis=1, keepdims=True) * (1 - _ALIKE)).argmax(axis=1), np.arange(len(r))
    p, n = r[rows, best], np.where(partner[best] < 0, np.nan, r[rows, partner[best]])
    contrast: Floats = (p - n) / (p + n)
    return contrast
