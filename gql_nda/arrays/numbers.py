"""Numbers as JSON carries them, and what is read out of an array: slices, previews, statistics."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from gql_nda.codec import unpack_array
from gql_nda.errors import BlobCorrupt
from gql_nda.tables import shortest as shortest


def as_list(values: NDArray[Any]) -> list[Any]:
    """The numbers as Python's: float32 in its shortest decimal, NaN and infinities as None, int64 as float."""
    if values.dtype.kind in "iu" and values.dtype.itemsize == 8:
        values = values.astype(np.float64)  # GraphQL's Float holds no more
    flat: list[Any] = orjson.loads(orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY))
    return flat


def finite(value: float) -> float | None:
    """One number as JSON carries it: NaN and infinities are None."""
    return float(value) if np.isfinite(value) else None


def numeric(blob: bytes, limit: int) -> NDArray[Any]:
    """The array of a blob, flattened in C order; booleans as 0 and 1."""
    values: NDArray[Any] = unpack_array(blob, limit=limit).reshape(-1)
    if values.dtype.kind == "b":
        return values.astype(np.uint8)
    if values.dtype.kind not in "iuf":
        raise BlobCorrupt(f"holds {values.dtype}, which has no plain numbers")
    return values


class PreviewPoints(NamedTuple):
    """Least and largest value of successive bins; ``x`` is the index at which a bin starts."""

    x: list[int]
    min: list[float | None]
    max: list[float | None]


class Statistics(NamedTuple):
    """Statistics of the finite values, None where there is none, and the number of NaN."""

    min: float | None
    max: float | None
    mean: float | None
    nan_count: int


@dataclass(frozen=True, slots=True)
class Shifted:
    """Reads with ``shift`` added to every value."""

    shift: float
    read: Callable[[NDArray[Any]], Any]

    def __call__(self, values: NDArray[Any]) -> Any:
        """What is read of one array."""
        return self.read(values + self.shift if self.shift else values)


@dataclass(frozen=True, slots=True)
class Slice:
    """Reads ``values[start:stop:step]``."""

    start: int | None
    stop: int | None
    step: int | None

    def __call__(self, values: NDArray[Any]) -> list[Any]:
        """The values of one array."""
        return as_list(values[self.start : self.stop : self.step])


@dataclass(frozen=True, slots=True)
class Preview:
    """Reads at most ``points`` bins; an array of fewer values comes whole."""

    points: int

    def __call__(self, values: NDArray[Any]) -> PreviewPoints:
        """The bins of one array."""
        if values.size <= self.points:
            whole = as_list(values)
            return PreviewPoints(list(range(values.size)), whole, whole)
        starts = np.arange(self.points, dtype=np.int64) * values.size // self.points
        finite = _finite_or_nan(values)
        low, high = np.fmin.reduceat(finite, starts), np.fmax.reduceat(finite, starts)
        return PreviewPoints(starts.tolist(), as_list(low), as_list(high))


@dataclass(frozen=True, slots=True)
class Summary:
    """Reads the statistics."""

    def __call__(self, values: NDArray[Any]) -> Statistics:
        """The statistics of one array."""
        finite = values[np.isfinite(values)]
        nans = int(np.isnan(values).sum())
        if not finite.size:
            return Statistics(None, None, None, nans)
        low, high = as_list(np.array([finite.min(), finite.max()], finite.dtype))
        return Statistics(low, high, _mean(finite), nans)


@dataclass(frozen=True, slots=True)
class Numeric:
    """Decodes a blob of at most ``limit`` decoded bytes to its numbers."""

    limit: int

    def __call__(self, blob: bytes) -> NDArray[Any]:
        """The numbers of one blob."""
        return numeric(blob, self.limit)


def _mean(values: NDArray[Any]) -> float:
    """The mean; where the sum overflows, of the parts."""
    with np.errstate(over="ignore"):
        mean = float(values.mean(dtype=np.float64))
    return mean if np.isfinite(mean) else float((values.astype(np.float64) / values.size).sum())


def _finite_or_nan(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype.kind != "f":
        return values
    return np.where(np.isfinite(values), values, np.array(np.nan, values.dtype))
