"""The rows of ``em_position`` by loops over rows: which stack, which transform, what is missing.

Where a transform takes a point is science's (tests/science); here each unit is moved alone.
"""

from typing import Any

import numpy as np

from gql_nda.codec import pack, unpack
from gql_nda.science.transform import parse, stack_to_em
from tests.science.fitting import polynomial, solution, spline

Row = dict[str, Any]

_LANDMARKS = np.random.default_rng(3).uniform(0, 1.4, (12, 3))
_TURNED = _LANDMARKS @ [[1, 220_000, 3], [-200_000, 5, 0], [9, 7, 22_000]] + [300_000, 90_000, 15_000]
_BENT = _TURNED + _LANDMARKS**2 * 50


def _fitted(*, order: int = 1, splined: bool = True) -> bytes:
    first = polynomial(_LANDMARKS, _BENT, order)
    return pack(solution(first, spline(_BENT, _BENT + _LANDMARKS)) if splined else solution(first))


def _transform(version: str, direction: str, kind: str, solved: bytes | None) -> Row:
    return {"version": version, "direction": direction, "transform_type": kind, "transform_solution": solved}


TRANSFORMS: dict[int, Row] = {
    1: _transform("phase2", "2PEM", "spline", _fitted()),
    2: _transform("phase2", "EM2P", "spline", _fitted()),
    3: _transform("phase3", "2PEM", "spline", None),
    4: _transform("phase3", "2PEM", "linear", _fitted(splined=False)),
    5: _transform("phase3", "2PEM", "spline", _fitted()),
    6: _transform("phase3", "2PEM", "spline", _fitted(order=2)),
    7: _transform("phase3", "EM2P", "spline", _fitted()),
}
"""Transforms of the first stack: 5 is the one, for 3 isn't solved."""

BEST = 5


def em_positions(rows: dict[str, list[Row]]) -> list[Row]:
    """A row for each unit."""
    heights = {(s["stack_session"], s["stack_idx"]): s["um_height"] for s in rows["stack"]}
    best = parse(unpack(TRANSFORMS[BEST]["transform_solution"]))
    return [_row(unit, rows, best, heights) for unit in rows["scan_unit"]]


def _row(unit: Row, rows: dict[str, list[Row]], best: Any, heights: dict[Any, float]) -> Row:
    key = {name: unit[name] for name in ("session", "scan_idx", "unit_id")}
    nothing = dict.fromkeys(("em_transform_id", "em_x", "em_y", "em_z", "em_extrapolated"))
    places = [place for place in rows["stack_unit"] if _same(place, unit)]
    if not places:
        return {**key, **nothing, "em_reason": "the unit has no place in a stack"}
    place = min(places, key=lambda place: (place["stack_session"], place["stack_idx"]))
    stack = (place["stack_session"], place["stack_idx"])
    if stack != (9, 19):
        return {**key, **nothing, "em_reason": "the stack has no transform to the electron-microscopy volume"}
    xyz = [_shown(place[f"stack_{axis}"]) for axis in "xyz"]
    (point,), told = stack_to_em(best, "phase3", [xyz], _shown(heights[stack]))
    assert told is not None
    if not np.isfinite(point).all():
        far = "the transform tells no position so far away"
        return {**key, **nothing, "em_transform_id": BEST, "em_reason": far}
    x, y, z = point.tolist()
    told_of = {"em_transform_id": BEST, "em_x": x, "em_y": y, "em_z": z, "em_extrapolated": bool(told[0])}
    return {**key, **told_of, "em_reason": None}


def _same(place: Row, unit: Row) -> bool:
    return all(place[name] == unit[name] for name in ("session", "scan_idx", "field", "unit_id"))


def _shown(value: float) -> float:
    """A float32 as clients see it."""
    return float(str(np.float32(value)))
