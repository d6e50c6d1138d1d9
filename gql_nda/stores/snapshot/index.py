"""Rows found by the values of some of their columns, without a database."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gql_nda.query import Key

Numbers = NDArray[np.int64]
Rows = slice | pl.Series
"""Numbers of rows: a range of them, or a series of UInt32 in which null is no row."""

_ABSENT = -1
"""The code of a row whose values aren't all there; no key is found by it."""

_NOWHERE = -2
"""The code of a key that no row has."""

_LARGEST = 2**63


class _Integers:
    """Codes of integers: their distance from the smallest."""

    kind = pl.Int64

    def __init__(self, column: pl.Series) -> None:
        self._low = int(column.min() or 0)  # type: ignore[arg-type]
        self.size = int(column.max() or 0) - self._low + 1  # type: ignore[arg-type]

    def one(self, value: Any) -> int:
        """The code of a value; no code where the column doesn't hold it."""
        code: int = value - self._low
        return code if 0 <= code < self.size else _ABSENT

    def each(self, column: pl.Series) -> Numbers:
        """The codes of a column; null has none."""
        codes = column.cast(pl.Int64).fill_null(self._low - 1).to_numpy() - self._low
        return np.where((codes >= 0) & (codes < self.size), codes, _ABSENT)


class _Texts:
    """Codes of texts: their places among all of them."""

    kind = pl.String

    def __init__(self, column: pl.Series) -> None:
        self._codes = {text: code for code, text in enumerate(column.unique().sort())}
        self.size = max(1, len(self._codes))

    def one(self, value: Any) -> int:
        """The code of a value; no code where the column doesn't hold it."""
        return self._codes.get(value, _ABSENT)

    def each(self, column: pl.Series) -> Numbers:
        """The codes of a column; null has none."""
        return np.fromiter(map(self.one, column), np.int64, len(column))


def codes(columns: Sequence[pl.Series]) -> list[_Integers | _Texts]:
    """The codes of some columns. Raises ValueError where 63 bits don't hold one of each."""
    found = [_Texts(column) if column.dtype == pl.String else _Integers(column) for column in columns]
    if math.prod(code.size for code in found) >= _LARGEST:
        raise ValueError(f"the values of {', '.join(column.name for column in columns)} are too far apart")
    return found


class Index:
    """The rows of a frame by some columns: each row's values are packed into one integer, and these sorted.

    Rows of equal values keep the frame's order. Raises ValueError as ``codes``.
    """

    def __init__(self, columns: Sequence[pl.Series]) -> None:
        self._codes = codes(columns)
        packed = self._pack(columns, _ABSENT)
        self._order: pl.Series | None = None
        if np.any(packed[1:] < packed[:-1]):
            order = np.argsort(packed, kind="stable")
            packed, self._order = packed[order], pl.Series(order.astype(np.uint32))
        self._packed = packed

    def _pack(self, columns: Sequence[pl.Series], none: int) -> Numbers:
        packed = np.zeros(len(columns[0]), np.int64)
        absent = np.zeros(len(packed), np.bool_)
        for code, column in zip(self._codes, columns, strict=True):
            codes = code.each(column)
            absent |= codes == _ABSENT
            packed = packed * code.size + codes
        return np.where(absent, none, packed)

    def _pack_one(self, key: Key) -> int:
        packed = 0
        for code, value in zip(self._codes, key, strict=True):
            if (found := code.one(value)) == _ABSENT:
                return _NOWHERE
            packed = packed * code.size + found
        return packed

    def find(self, key: Key) -> int | None:
        """The first row of a key."""
        packed = np.int64(self._pack_one(key))
        at = int(self._packed.searchsorted(packed))
        if at == len(self._packed) or self._packed[at] != packed:
            return None
        return at if self._order is None else int(self._order[at])

    def spans(self, keys: Sequence[Key]) -> tuple[Numbers, Numbers]:
        """Where the rows of each key begin and end; see ``rows``."""
        packed = np.array([self._pack_one(keys[0])]) if len(keys) == 1 else self._pack_each(keys)
        return self._packed.searchsorted(packed), self._packed.searchsorted(packed, "right")

    def _pack_each(self, keys: Sequence[Key]) -> Numbers:
        columns = zip(self._codes, zip(*keys, strict=True), strict=True)
        return self._pack([pl.Series(values, dtype=code.kind, strict=False) for code, values in columns], _NOWHERE)

    def rows(self, starts: Numbers, stops: Numbers) -> Rows:
        """The rows of some spans, one span's after the other's."""
        if self._order is None and len(starts) == 1:
            return slice(int(starts[0]), int(stops[0]))
        sizes = stops - starts
        places = np.arange(sizes.sum()) + np.repeat(starts - (np.cumsum(sizes) - sizes), sizes)
        spread = pl.Series(places.astype(np.uint32))
        return spread if self._order is None else self._order.gather(spread)

    def firsts(self, columns: Sequence[pl.Series]) -> pl.Series:
        """The first row of each key of columns of keys; null where a key has none."""
        packed = self._pack(columns, _NOWHERE)
        at = self._packed.searchsorted(packed)
        inside = np.minimum(at, max(0, len(self._packed) - 1))
        there = (self._packed[inside] == packed) if len(self._packed) else np.zeros(len(packed), np.bool_)
        places = pl.select(pl.when(pl.Series(there)).then(pl.Series(inside.astype(np.uint32)))).to_series()
        return places if self._order is None else self._order.gather(places)

    @property
    def largest(self) -> int:
        """Number of rows of the key that has most."""
        if not len(self._packed):
            return 0
        edges = np.flatnonzero(np.diff(self._packed)) + 1
        return int(np.diff([0, *edges, len(self._packed)]).max())
