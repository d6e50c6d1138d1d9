"""A small nda whose every value is awkward: for all 29 tables, in the order in which rows can go in.

Keys at the ends of their types, floats that no decimal of six digits tells apart, arrays of every
dtype and shape that the release is known (or feared) to hold, and satellites that are missing.
"""

from collections.abc import Iterator
from itertools import cycle
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Row: TypeAlias = dict[str, Any]
Rows: TypeAlias = dict[str, list[Row]]
"""Rows by the name of their DataJoint class."""

_CHANCE = np.random.default_rng(20)

# --- values --------------------------------------------------------------------------------------

_LARGEST, _SMALLEST, _LEAST = 3.4028234663852886e38, 1.1754943508222875e-38, 1e-45
FLOATS = (
    *(0.1, -0.3, 1 / 3, 1234.56787109375, 8.617541313171387, -485.0, 0.0, 0.623745, 1e-3, 99999.95, 123456.5),
    *(16777217.0, _LARGEST, -_LARGEST, _SMALLEST, _LEAST, 0.30000001192092896, 2.5, -0.135572, 6.3009, 1e20),
)
"""What FLOAT columns are given: float32 holds few of them exactly, six digits fewer."""

_floats: Iterator[float] = cycle(FLOATS)


def _floating(*names: str) -> Row:
    return {name: next(_floats) for name in names}


def _awkward(dtype: str) -> NDArray[Any]:
    """The values of a float type that text or JSON would lose."""
    info = np.finfo(dtype)
    values = [0.1, -0.0, np.nan, np.inf, -np.inf, info.max, info.tiny, info.smallest_subnormal, 1 / 3]
    return np.array(values, dtype)


def _noise(dtype: str, *shape: int) -> NDArray[Any]:
    """Bytes that don't compress."""
    return _CHANCE.standard_normal(shape).astype(dtype)


def _ramp(dtype: str, *shape: int) -> NDArray[Any]:
    """Bytes that do, no two along any axis alike."""
    return (np.arange(np.prod(shape)) % 251).reshape(shape).astype(dtype)


_frame_times = np.arange(40_000) / 6.29845
_traces = cycle(
    [
        _noise("f4", 40_000),
        np.repeat(_noise("f4", 50), 800),
        _awkward("f4"),
        np.zeros(0, "f4"),
        _noise("f8", 7, 1),
        _ramp("i2", 1, 300),
        _noise("f4", 249),  # 996 bytes of values: close to where DataJoint begins to compress
    ]
)
_series = cycle([_awkward("f8"), np.r_[[np.nan] * 9, _noise("f8", 2_000)], _ramp("f8", 1, 400), np.zeros(0)])
_images = cycle([_noise("f8", 44, 25), _ramp("f4", 440, 248), _awkward("f8").reshape(3, 3), np.zeros((0, 5))])
_pixels = cycle([_ramp("i8", 60) + 1, np.array([[109_120], [1]]), np.array([2**62, 1]), _ramp("u2", 1, 12) + 1])
_weights = cycle([_noise("f4", 60), _awkward("f4"), np.array([[0.5, 0.25]]), _ramp("f4", 3, 1)])
_stim_times = cycle([_ramp("f8", 1, 300) / 30, _noise("f8", 1, 900), np.array([[np.nan, 1.5]]), _ramp("f8", 12)])
_movies = cycle([_ramp("u1", 9, 16, 50), _ramp("u1", 4, 6, 1), np.ones((3, 2, 4), bool), np.zeros((9, 16, 0), "u1")])


def _seen(*values: float) -> list[Any]:
    """A track as upstream's fill code leaves it: a list of plain NaN and of arrays without dimensions."""
    return [float("nan") if np.isnan(value) else np.array(value) for value in values]


# --- rows ----------------------------------------------------------------------------------------

_LAST = 32767
_scans = [(1, 1), (-1, 2), (_LAST, _LAST), (1, 2)]
_with_arrays = _scans[:3]
_fields = [(1, 1, 1), (1, 1, 2), (-1, 2, -_LAST - 1), (_LAST, _LAST, _LAST), (1, 2, 1)]
_masks = [*((1, 1, 1, mask) for mask in (1, 2, 3, 4)), (1, 1, 2, 1), (-1, 2, -_LAST - 1, 0), (*_fields[3], _LAST)]
_units = [
    ((1, 1, 1), 3),
    ((1, 1, 2), 1),
    ((1, 1, 3), 2),
    ((1, 1, 7), 4),
    ((-1, 2, -5), 5),
    ((*_scans[2], 2**31 - 1), 6),
]
_stack = {"stack_session": 9, "stack_idx": 19}

_STAGES = {
    "name": "TransformList",
    "transforms": [
        {"name": "PolynomialModel", "order": 1, "parameters": [[0.1, -2.5e-9, 1e300]] * 4, "regularization": []},
        {"name": "ChunkedModel", "nchunks": 2, "axis": 1, "transforms": [], "ranges": [0.25]},
        {"name": "SplineModel", "control_pts": np.arange(12.0).reshape(4, 3), "parameters": [[1.0, 2.0, 3.0]] * 8},
    ],
}
_ARGUMENTS = {"transform": _STAGES, "regularization": {"translation": 1e-15, "linear": None}, "µ": (1, True, "x")}


def _scan_key(key: tuple[int, ...]) -> Row:
    return dict(zip(("session", "scan_idx"), key, strict=False))


def _field_key(key: tuple[int, ...]) -> Row:
    return dict(zip(("session", "scan_idx", "field"), key, strict=False))


def _mask_key(key: tuple[int, ...]) -> Row:
    return dict(zip(("session", "scan_idx", "field", "mask_id"), key, strict=True))


def _unit_key(key: tuple[int, ...]) -> Row:
    return dict(zip(("session", "scan_idx", "unit_id"), key, strict=True))


def rows() -> Rows:
    """All of it."""
    return {**_recordings(), **_segmented(), **_named(), **_stacked(), **_shown(), **_behaved()}


def _recordings() -> Rows:
    scans = [_scan_key(key) for key in _scans]
    counts = [(40_000, 8), (0, -128), (2**31 - 1, 127), (-1, 0)]
    fields = [_field_key(key) for key in _fields]
    sizes = {"px_width": 248, "px_height": -_LAST - 1}
    return {
        "Scan": [
            {**s, "nframes": n, "nfields": f, **_floating("fps")} for s, (n, f) in zip(scans, counts, strict=True)
        ],
        "ScanInclude": scans[1:3],
        "Field": [
            {**f, **sizes, **_floating("um_width", "um_height", "field_x", "field_y", "field_z")} for f in fields
        ],
        "RasterCorrection": [{**f, **_floating("raster_phase")} for f in fields[:4]],
        "MotionCorrection": [
            {**f, "y_shifts": next(_series), "x_shifts": next(_series), **_floating("y_std", "x_std")}
            for f in fields[:4]
        ],
        "ScanTimes": [
            {**scans[0], "frame_times": _frame_times, "ndepths": 4},
            {**scans[1], "frame_times": np.zeros(0), "ndepths": -1},
            {**scans[2], "frame_times": np.array([[-1.5, 0.25, 1e9]]), "ndepths": _LAST},
        ],
        "MeanIntensity": [{**f, "intensities": next(_series)} for f in fields[:4]],
        "SummaryImages": [{**f, "correlation": next(_images), "average": next(_images)} for f in fields[:4]],
    }


def _segmented() -> Rows:
    masks = [_mask_key(key) for key in _masks]
    places = [{"um_x": -778, "um_y": _LAST, "um_z": 80, "px_x": 0, "px_y": -1, "ms_delay": n} for n in range(6)]
    return {
        "Segmentation": [{**m, "pixels": next(_pixels), "weights": next(_weights)} for m in masks],
        "Fluorescence": [{**m, "trace": next(_traces)} for m in masks],
        "MaskClassification": [
            {**m, "mask_type": kind} for m, kind in zip(masks[1:], cycle(["soma", "artifact"]), strict=False)
        ],
        "ScanUnit": [
            {**_unit_key(key), "field": _masks[mask][2], "mask_id": _masks[mask][3], **place}
            for (key, mask), place in zip(_units, places, strict=True)
        ],
    }


def _named() -> Rows:
    units = [_unit_key(key) for key, _ in _units]
    return {
        "UnitHash": [{**u, "hash": f"{i:x}'\\\"%_é", "str_key": f"key {i}"} for i, u in enumerate(units[:4])],
        "Activity": [{**u, "trace": next(_traces)} for u in units],
        "AreaMembership": [{**u, "brain_area": area} for u, area in zip(units, ("V1", "LM", "AL", "RL"), strict=False)],
        "Oracle": [{**u, "trials": 2**31 - 1 - i, **_floating("pearson")} for i, u in enumerate(units[1:])],
    }


def _stacked() -> Rows:
    sizes = {"px_depth": 335, "px_height": 661, "px_width": -1}
    affine = ("a11", "a21", "a31", "a12", "a22", "a32", "reg_x", "reg_y", "reg_z", "score")
    placed = [(_unit_key(key), _fields.index(_masks[mask][:3])) for key, mask in _units[:5]]
    places = ("motor_x", "motor_y", "motor_z", "stack_x", "stack_y", "stack_z")
    return {
        "Stack": [
            {**_stack, **_floating("motor_z", "motor_y", "motor_x"), **sizes}
            | _floating("um_depth", "um_height", "um_width", "surf_z")
        ],
        "Registration": [
            {**_stack, **_field_key(f), **_floating(*affine), "reg_field": next(_images)} for f in _fields[:4]
        ],
        "Coregistration": [
            _transform(1, "phase3", "2PEM", "spline", _ARGUMENTS, _STAGES),
            _transform(2**31 - 1, "v" * 256, "EM2P", "linear", None, None),
            _transform(-7, "üñï", "2PEM", " lead and trail ", {"transforms": []}, None),
        ],
        "StackUnit": [{**_stack, **u, "field": _fields[f][2], **_floating(*places)} for u, f in placed],
    }


def _transform(number: int, version: str, direction: str, kind: str, arguments: Any, solution: Any) -> Row:
    names = {"version": version, "direction": direction, "transform_type": kind}
    return {**_stack, "transform_id": number, **names, "transform_args": arguments, "transform_solution": solution}


_CLIPS = ("KXdTNAGMo1gCWz2Ge8zr", "5zQTb77qI+ig8rigx1XU", "Oup5uAZxF2G7zEJkT+ui", "short")
_MONET2, _TRIPPY = ("GHn0W57E+2PS+Qr5yD2r", "////////////////////"), ("++++++++++++++++++++", "a/b+c")


def _shown() -> Rows:
    return {
        "Stimulus": [{**_scan_key(key), "movie": next(_movies)} for key in _with_arrays],
        "Trial": [
            *_trials((1, 1), "stimulus.Clip", *_CLIPS, _CLIPS[0], _CLIPS[0].lower(), _CLIPS[0].upper(), "absent"),
            *_trials((-1, 2), "stimulus.Monet2", *_MONET2, _MONET2[0].swapcase()),
            *_trials((_LAST, _LAST), "stimulus.Trippy", *_TRIPPY),
        ],
        "Clip": [
            _clip(
                _CLIPS[0], "fury \u2013 Amélie\u2019s \u201cñandú\u201d", "0.001", _noise("f8", 30, 14, 25), "Cinematic"
            ),
            _clip(_CLIPS[1], "100%_of\\the \"rows\" 'quoted'", "9999.999", _awkward("f8").reshape(1, 3, 3), "sports1m"),
            _clip(_CLIPS[2], "basketball " + "€" * 230, "-0.500", _ramp("u1", 30, 9, 16), "Rendered"),
            _clip(_CLIPS[3], "", "10.000", np.zeros((0, 9, 16)), ""),
        ],
        "Monet2": [_monet2(_MONET2[0], "hamming", 8.0), _monet2(_MONET2[1], "%_\\'\"`?;--", 5e-324)],
        "Trippy": [_trippy(_TRIPPY[0], 1.7976931348623157e308), _trippy(_TRIPPY[1], -0.1)],
    }


def _trials(key: tuple[int, int], kind: str, *hashes: str) -> Iterator[Row]:
    for index, name in enumerate(hashes):
        indices = {"trial_idx": index - 1, "type": kind, "start_idx": index, "end_idx": 2**31 - 1 - index}
        times = {"start_frame_time": 202.05525159835815 + index / 3, "end_frame_time": -1 / 3 - index}
        yield {**_scan_key(key), **indices, **times, "stim_times": next(_stim_times), "condition_hash": name}


def _clip(name: str, movie: str, duration: str, clip: NDArray[Any], kind: str) -> Row:
    texts = {"condition_hash": name, "movie_name": movie, "short_movie_name": kind}
    return {**texts, "duration": duration, "clip": clip, **_floating("fps")}


def _monet2(name: str, kernel: str, seed: float) -> Row:
    decimals = {"fps": "60.000", "duration": "999.999", "temp_bandwidth": "4.00", "ori_coherence": "-99.99"}
    arrays = {
        "directions": np.arange(16.0)[None] * 22.5,
        "onsets": _noise("f8", 1, 16),
        "movie": _ramp("u1", 4, 6, 1, 10),
    }
    whole = {"pattern_width": 72, "n_dirs": 16, "rng_seed": seed, "temp_kernel": kernel}
    saturation = {"blue_green_saturation": "-1.005"} if seed < 1 else {}  # the other takes the default
    floats = _floating("pattern_aspect", "ori_fraction", "ori_mix", "speed")
    return {"condition_hash": name, **decimals, **whole, **saturation, **floats, **arrays}


def _trippy(name: str, seed: float) -> Row:
    whole = {"tex_ydim": 144, "tex_xdim": 256, "xnodes": 12, "ynodes": -128, "up_factor": 127, "temp_kernel_length": 61}
    arrays = {"packed_phase_movie": _noise("f4", 84, 20), "movie": _ramp("u1", 9, 16, 30)}
    floats = _floating("duration", "temp_freq", "spatial_freq")
    return {"condition_hash": name, "fps": "59.940", "rng_seed": seed, **whole, **floats, **arrays}


def _behaved() -> Rows:
    scans = [_scan_key(key) for key in _with_arrays]
    nan = float("nan")
    tracks = [_seen(nan, nan, 1064.25, 1 / 3, nan), _seen(nan, nan), [1.5, -2.5]]
    radii = ("pupil_min_r", "pupil_maj_r")
    return {
        "RawManualPupil": [
            {**s, **{name: next(_series) for name in (*radii, "pupil_times")}, "pupil_x": track, "pupil_y": track[::-1]}
            for s, track in zip(scans, tracks, strict=True)
        ],
        "ManualPupil": [{**s, **{name: next(_series) for name in (*radii, "pupil_x", "pupil_y")}} for s in scans[:2]],
        "RawTreadmill": [
            {**s, "treadmill_velocity": next(_series), "treadmill_timestamps": np.r_[np.nan, -3.5, _noise("f8", 500)]}
            for s in scans
        ],
        "Treadmill": [{**s, "treadmill_velocity": next(_series)} for s in scans[1:]],
    }
