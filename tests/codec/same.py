"""Equality that sees types, dtypes, shapes, NaN and the sign of zero."""

import struct
from typing import Any

import numpy as np


def same(one: object, other: object) -> bool:
    """Whether two values are alike to the bit. MATLAB's classes pass for NumPy's."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return _same_arrays(one, other)
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return _alike(one, other)
    if isinstance(one, dict):
        return _alike(list(one.items()), list(other.items()))  # type: ignore[attr-defined]
    if isinstance(one, set):
        return _alike(sorted(one, key=repr), sorted(other, key=repr))  # type: ignore[call-overload]
    return _plain(one) == _plain(other)


def _alike(one: Any, other: Any) -> bool:
    return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))


def _same_arrays(one: Any, other: Any) -> bool:
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    if one.dtype.names:
        return all(_same_arrays(np.asarray(one[name]), np.asarray(other[name])) for name in one.dtype.names)
    if one.dtype == object:
        return _alike(one.ravel().tolist(), other.ravel().tolist())
    return bool(one.tobytes() == other.tobytes())


def _plain(value: Any) -> object:
    if isinstance(value, np.generic):
        return value.dtype, value.tobytes()
    if isinstance(value, float):
        return struct.pack("<d", value)
    if isinstance(value, complex):
        return struct.pack("<dd", value.real, value.imag)
    return repr(value)
