"""What is said of all rows of a connection after ``where``, whatever its page, or of groups of them.

A connection's columns come in one fetch, shared by all that is asked of it and of others alike; then
NumPy counts. Both stores give the same rows in the same order, so that the answers are the same bits.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from graphql.pyutils import Path

from gql_nda.apart import apart
from gql_nda.arrays.numbers import as_list, shortest
from gql_nda.context import Context
from gql_nda.errors import BadUserInput, LimitExceeded
from gql_nda.frames import dtype
from gql_nda.limits import Limits
from gql_nda.query import Planned, Ref
from gql_nda.science import distributions
from gql_nda.science.distributions import Values

BINS = 20
"""Bins of a histogram unless told otherwise."""


class By(NamedTuple):
    """A value to group by: its name in the key, and its column; with ``presence``, whether it has a value."""

    name: str
    ref: Ref
    presence: bool = False

    @property
    def value(self) -> pl.Expr:
        """The value of each row."""
        column = pl.col(self.ref.label)
        return (column.is_not_null() if self.presence else column).alias(self.name)


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of a connection that are equal in ``key``: their number, and columns of them by label."""

    key: dict[str, Any]
    count: int
    columns: dict[str, pl.Series]


@dataclass(frozen=True, slots=True)
class Statistics:
    """Numbers about the finite values of a column, None without any; ``nulls`` counts all other rows."""

    values: Values
    count: int
    nulls: int
    min: float | None = None
    max: float | None = None
    mean: float | None = None
    std: float | None = None


class Histogram(NamedTuple):
    """Counts of half-open bins, the last one closed, and of the rows that are in none."""

    edges: list[float]
    counts: list[int]
    below: int
    above: int
    nulls: int


# --- groups ----------------------------------------------------------------------------------------


async def groups(planned: Planned, by: Sequence[By], refs: Sequence[Ref], context: Context, at: Path) -> list[Group]:
    """The combinations of values that occur, sorted, NULL last; each group has the columns ``refs``.

    Here and below the field ``at`` a path tells what is counted towards a limit.
    """
    if not by:
        raise BadUserInput("by: names no field", argument="by")
    by = list(dict.fromkeys(by))
    rows = await context.loaders.columns(planned, [*(one.ref for one in by), *refs])
    found = await apart(rows.height, _grouped, rows, by, refs)
    context.spend_groups(found.height, at)
    keys, counts = found.select(one.name for one in by).rows(named=True), found[_COUNT]
    columns = {ref.label: found[f"{_VALUES}{ref.label}"] for ref in refs}
    return [
        Group(key, counts[i], {label: values[i] for label, values in columns.items()}) for i, key in enumerate(keys)
    ]


_COUNT, _VALUES = "#", "="
"""Begin names of columns that no key has."""


def _grouped(rows: pl.DataFrame, by: Sequence[By], refs: Sequence[Ref]) -> pl.DataFrame:
    """A row for each group: its key, its count, and lists of its values."""
    names = [one.name for one in by]
    values = [pl.col(ref.label).alias(f"{_VALUES}{ref.label}") for ref in refs]
    grouped = rows.select(*(one.value for one in by), *values).group_by(names)
    return grouped.agg(pl.len().alias(_COUNT), pl.exclude(names)).sort(names, nulls_last=True)


# --- numbers ---------------------------------------------------------------------------------------


async def statistics(source: Planned | Group, ref: Ref, context: Context) -> Statistics:
    """The statistics of a column."""
    column = await _column(source, ref, context)
    return await apart(len(column), _statistics, column)


def _statistics(column: pl.Series) -> Statistics:
    values = _finite(column)
    found = distributions.statistics(values) or ()
    return Statistics(values, values.size, len(column) - values.size, *(_shown(number, values) for number in found))


async def percentiles(
    found: Statistics, percents: Sequence[float], context: Context, at: Path
) -> list[float | None] | None:
    """Percentiles of the values of statistics, in the order of ``percents``; None without values."""
    for percent in percents:
        if not 0 <= percent <= 100:  # NaN is not, either
            raise BadUserInput(f"at: {percent} is not from 0 to 100", argument="at")
    _few(len(percents), "percentiles", context.limits)
    context.spend_values(len(percents), at)
    numbers = await apart(found.count, distributions.percentiles, found.values, list(percents))
    return None if numbers is None else [_shown(number, found.values) for number in numbers.tolist()]


async def histogram(source: Planned | Group, ref: Ref, bins: "Bins", context: Context, at: Path) -> Histogram:
    """The histogram of a column."""
    count = bins.reading(ref, context.limits)
    column = await _column(source, ref, context)
    found = await apart(len(column), _histogram, column, count)
    context.spend_values(len(found.counts), at)
    return found


def _histogram(column: pl.Series, count: Callable[[Values], distributions.Histogram]) -> Histogram:
    values = _finite(column)
    edges, counts, below, above = count(values)
    return Histogram(as_list(edges), counts.tolist(), below, above, len(column) - values.size)


@dataclass(frozen=True, slots=True)
class Bins:
    """The bins that a client asks for: their edges, or their number between two bounds."""

    bins: int | None = None
    min: float | None = None
    max: float | None = None
    edges: list[float] | None = None

    def reading(self, ref: Ref, limits: Limits) -> Callable[[Values], distributions.Histogram]:
        """How they are counted in a column: what's no valid bins of it is told before anything is fetched."""
        kind = np.float32 if dtype(ref.column) is pl.Float32 else np.float64
        if self.edges is not None:
            return partial(distributions.histogram, edges=self._edges(self.edges, kind, limits))
        bins = BINS if self.bins is None else self.bins
        if bins < 1:
            raise BadUserInput(f"bins: {bins} is less than 1", argument="bins")
        _few(bins, "bins", limits)
        low, high = _bound("min", self.min, kind), _bound("max", self.max, kind)
        if low is not None and high is not None and not 0 < high - low < np.inf:
            raise BadUserInput(f"max: {high} is not above min, {low}, or too far from it", argument="max")
        return partial(distributions.equal_histogram, bins=bins, low=low, high=high)

    def _edges(self, edges: list[float], kind: Any, limits: Limits) -> Values:
        if any(given is not None for given in (self.bins, self.min, self.max)):
            raise BadUserInput("edges: give either edges, or bins, min and max", argument="edges")
        _few(len(edges) - 1, "bins", limits)
        rounded = np.array([_bound("edges", edge, kind) for edge in edges], kind)
        if len(edges) < 2 or not (rounded[1:] > rounded[:-1]).all():
            raise BadUserInput(f"edges: not two or more increasing numbers of a {kind.__name__}", argument="edges")
        return rounded


def _bound(argument: str, given: float | None, kind: Any) -> float | None:
    """A bound as a column of that kind can hold it: so filters round their operands, too."""
    if given is None:
        return None
    with np.errstate(over="ignore"):
        bound = float(kind(given))
    if not isfinite(bound):
        raise BadUserInput(f"{argument}: {given} is no {kind.__name__}", argument=argument)
    return bound


def _few(count: int, things: str, limits: Limits) -> None:
    if count > limits.bins:
        message = f"bins: {count} {things} asked for, at most {limits.bins}"
        raise LimitExceeded(message, limit="bins", maximum=limits.bins)


# --- values ----------------------------------------------------------------------------------------


async def _column(source: Planned | Group, ref: Ref, context: Context) -> pl.Series:
    if isinstance(source, Group):
        return source.columns[ref.label]
    rows = await context.loaders.columns(source, [ref])
    return rows[ref.label]


def _finite(column: pl.Series) -> Values:
    """The values that are there: no database holds others than finite ones, but SQLite."""
    values = column.drop_nulls().to_numpy()
    return values[np.isfinite(values)] if values.dtype.kind == "f" else values


def _shown(number: float, values: Values) -> float | None:
    """A number about values: float32's are shown in their shortest form; None what no double holds."""
    if values.dtype == np.float32 and float(np.float32(number)) == number:
        return shortest(number)
    return number if isfinite(number) else None
