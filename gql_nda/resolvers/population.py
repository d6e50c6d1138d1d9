"""How the activity of chosen units goes together."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gql_nda import tables as t
from gql_nda.context import Context
from gql_nda.errors import ArrayTooLarge, BadUserInput, LimitExceeded, PublicError
from gql_nda.keys import parse_key
from gql_nda.query import Key, Planned, by_key
from gql_nda.resolvers import connections
from gql_nda.resolvers.arrays import header_of
from gql_nda.resolvers.computed import Computed
from gql_nda.resolvers.traces import TRACE, UNTRACED, decoded
from gql_nda.science import population
from gql_nda.science.reasons import Reasons
from gql_nda.tables import Array

UNIT = by_key(t.scan_unit)
R = Array(("unit", "unit"), "float64")


class Matrix(NamedTuple):
    """Pearson's r (unit, unit), and why a unit's row and column are NaN."""

    r: NDArray[np.float64]
    reasons: Reasons


@dataclass(frozen=True)
class Correlation:
    """The correlation of units of one scan: those of the ``keys`` asked for that exist are ``known``."""

    keys: tuple[Key, ...]
    known: tuple[Key, ...]
    context: Context

    @property
    def units(self) -> Planned:
        """The units as a connection, in order."""
        return connections.plan(UNIT, self.keys, self.context.limits, first=len(self.keys), listed=True)

    @property
    def r(self) -> Computed | None:
        """The matrix by reference; None without units."""
        if not self.known:
            return None
        session, scan_idx, _ = self.known[0]
        path = ".".join(map(str, (session, scan_idx, *(unit for *_, unit in self.known))))
        size = len(self.known)
        return Computed(f"scan_unit/{path}/activity_correlation", (size, size), R, self._r)

    async def reasons(self) -> Reasons:
        """What is missing of each unit."""
        return (await self._matrix()).reasons if self.known else []

    async def _r(self) -> NDArray[Any]:
        return (await self._matrix()).r

    async def _matrix(self) -> Matrix:
        """Computed once, whatever is asked of it at once, and kept in the cache."""
        cache = self.context.cache
        name = ("activity correlation", self.known)
        return await cache.one(name, lambda: cache.large.run(self._traces, _correlated))

    async def _traces(self) -> "Traces":
        """The traces, read in portions."""
        traces = await _empty(self.known, self.context)
        for portion in await self.context.loaders.portions(list(traces.rows), TRACE):
            await self._read(traces, portion)
        return traces

    async def _read(self, traces: "Traces", portion: list[Key]) -> None:
        """Read and decode a portion: its blobs are gone before the next one's come."""
        blobs = await self.context.loaders.ask(self.context.store.blobs, TRACE, portion)
        await asyncio.to_thread(traces.fill, blobs, self.context.limits.decoded_bytes)


async def correlation(keys: Sequence[Key], context: Context) -> Correlation:
    """The correlation of the units with these keys, each once; BAD_USER_INPUT unless they are of one scan."""
    keys, most = tuple(dict.fromkeys(keys)), context.limits.correlated_units
    if len(keys) > most:
        raise LimitExceeded(f"correlated_units: at most {most} units", limit="correlated_units", maximum=most)
    scans = sorted({key[:2] for key in keys})
    if len(scans) > 1:
        named = " and ".join("_".join(map(str, scan)) for scan in scans[:2])
        message = f"units: of scans {named}; units of different scans were not recorded at the same time"
        raise BadUserInput(message, argument="units")
    rows = await context.loaders.row(UNIT).load_many(keys)
    return Correlation(keys, tuple(key for key, row in zip(keys, rows, strict=True) if row is not None), context)


async def at(text: str, query: Mapping[str, str], context: Context) -> Computed | None:  # noqa: ARG001
    """The matrix of an address: ``session.scan_idx.unit_id.unit_id...``; None where one of the units isn't there."""
    session, scan_idx, *units = _parts(text)
    found = await correlation([parse_key(t.scan_unit, f"{session}.{scan_idx}.{unit}") for unit in units], context)
    return found.r if found.known == found.keys else None


def _parts(text: str) -> list[str]:
    parts = text.split(".")
    if len(parts) < 3:
        form = "session.scan_idx.unit_id.unit_id..."
        raise BadUserInput(f"key: {text[:80]!r} is not of the form {form}", argument="key")
    return parts


# --- traces ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Traces:
    """Traces (unit, frame) of one length; ``rows`` says whose is which, ``lacking`` why others stay NaN."""

    values: NDArray[np.floating[Any]]
    rows: Mapping[Key, int]
    lacking: dict[int, str]

    def fill(self, blobs: Mapping[Key, bytes], most: int) -> None:
        """Decode some traces; one that can't be is lacking."""
        for key, blob in blobs.items():
            match decoded(key, blob, most):
                case PublicError() as error:
                    self.lacking[self.rows[key]] = error.message
                case BaseException() as error:
                    raise error
                case trace:
                    self.values[self.rows[key]] = trace


async def _empty(keys: Sequence[Key], context: Context) -> Traces:
    """Room for the traces, as exact as they are, of as many frames as most have. What their headers tell is lacking."""
    lengths: dict[int, int] = {}
    dtypes: set[np.dtype[Any]] = {np.dtype(np.float32)}
    lacking: dict[int, str] = {}
    heads = await context.loaders.head(TRACE).load_many(keys)
    for row, (key, head) in enumerate(zip(keys, heads, strict=True)):
        try:
            if head is None:
                lacking[row] = UNTRACED
            else:
                header = header_of(TRACE, key, head, context.limits.decoded_bytes)
                lengths[row] = prod(header.shape)
                dtypes.add(np.dtype(header.dtype))
        except PublicError as error:
            lacking[row] = error.message
    frames = max(Counter(lengths.values()).items(), key=lambda item: item[::-1], default=(0, 0))[0]
    other = {row: length for row, length in lengths.items() if length != frames}
    lacking |= {row: f"the trace has {length} samples, those of the others {frames}" for row, length in other.items()}
    rows = {keys[row]: row for row, length in lengths.items() if length == frames}
    dtype = np.result_type(*(dtype for dtype in dtypes if dtype.kind in "biuf"))
    return Traces(_room(len(keys), frames, dtype, context), rows, lacking)


def _room(units: int, frames: int, dtype: np.dtype[Any], context: Context) -> NDArray[np.floating[Any]]:
    most = context.limits.blob_bytes
    if dtype.itemsize * units * frames > most:
        message = f"blob_bytes: {units} traces of {frames} samples are more than {most} bytes; ask for fewer units"
        raise ArrayTooLarge(message, limit="blob_bytes", maximum=most)
    return np.full((units, frames), np.nan, dtype)


def _correlated(traces: Traces) -> Matrix:
    found = population.correlations(traces.values)
    return Matrix(found.r, [traces.lacking.get(row, reason) for row, reason in enumerate(found.reasons)])
