"""Rows as Polars frames: one column for each reference, under its label.

A frame of a query holds, for every row of every key, the columns that name the key, those that the rows
are sorted by, and those that were asked for. Its types are the tables': float32 stays float32.
"""

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import Any

import polars as pl
from sqlalchemy import Boolean, Column, Double, Integer, Numeric, SmallInteger, Table
from sqlalchemy.dialects import mysql

from gql_nda.query import Order, Query, Ref
from gql_nda.tables import Float32, narrow


@cache
def dtype(column: Column[Any]) -> type[pl.DataType]:
    """The Polars type of a column's values."""
    kind = column.type
    if isinstance(kind, Float32):
        return pl.Float32
    if isinstance(kind, SmallInteger):
        return pl.Int16
    if isinstance(kind, Integer):
        return pl.Int64 if _unsigned(column) else pl.Int32
    if isinstance(kind, Boolean):
        return pl.Boolean
    return pl.Float64 if isinstance(kind, Double | Numeric) else pl.String


def _unsigned(column: Column[Any]) -> bool:
    variant = column.type.dialect_impl(mysql.dialect())
    return bool(getattr(variant, "unsigned", False))


def held(query: Query, refs: Iterable[Ref]) -> tuple[Ref, ...]:
    """The columns of a query's frame, each once: its key's, its order's, and those asked for."""
    return once([*own_refs(query.table, query.on), *(order.ref for order in query.ordering), *refs])


def own(query: Query, refs: Sequence[Ref]) -> tuple[Ref, ...]:
    """The columns of a query's whole rows, each once: the table's, the order's, and those asked for."""
    return _own(query.table, query.order, tuple(refs))


@lru_cache(256)
def _own(table: Table, order: tuple[Order, ...], refs: tuple[Ref, ...]) -> tuple[Ref, ...]:
    return once([*map(Ref, narrow(table)), *(each.ref for each in order), *refs])


def own_refs(table: Table, names: Iterable[str]) -> list[Ref]:
    """Columns of a table itself, by name."""
    return [Ref(table.c[name]) for name in names]


def once(refs: Iterable[Ref]) -> tuple[Ref, ...]:
    """The references, each once."""
    return tuple({ref.label: ref for ref in refs}.values())


def schema(refs: Iterable[Ref]) -> dict[str, type[pl.DataType]]:
    """The types of a frame's columns, by label."""
    return {ref.label: dtype(ref.column) for ref in refs}


def frame(refs: Sequence[Ref], records: Sequence[Sequence[Any]]) -> pl.DataFrame:
    """The frame of a statement's records, whose values stand in the order of ``refs``.

    Raises Mistyped where a value isn't of its column's type.
    """
    columns: Iterable[Sequence[Any]] = zip(*records, strict=True) if records else ([] for _ in refs)
    return pl.DataFrame([_series(ref, values) for ref, values in zip(refs, columns, strict=True)])


class Mistyped(ValueError):
    """A column holds what its type can't: SQLite takes anything anywhere."""


def _series(ref: Ref, values: Sequence[Any]) -> pl.Series:
    try:
        return pl.Series(ref.label, values, dtype(ref.column))
    except (TypeError, OverflowError, pl.exceptions.PolarsError) as error:
        raise Mistyped(f"{ref.column}: {str(error).splitlines()[0]}") from error


def keyed(query: Query) -> pl.DataFrame:
    """The query's keys, each once, under the names of ``on``, and their positions; none that no row can have."""
    keys = list(dict.fromkeys(query.keys))
    columns = zip(*keys, strict=True) if keys else ([] for _ in query.on)
    types = schema(own_refs(query.table, query.on))
    # cast, for a number that the type can't hold is to become null, and a frame of tuples would refuse it
    series = (pl.Series(name, values) for name, values in zip(query.on, columns, strict=True))
    return pl.DataFrame([each.cast(types[each.name], strict=False) for each in series]).with_row_index(POSITION)


POSITION = "#"
"""The column that holds the position of a row's key."""


def arranged(rows: pl.DataFrame, query: Query) -> pl.DataFrame:
    """The rows of a query's keys, in their order, and no more than the query's limit of each.

    Rows of one key with a limit are in order already: no database cuts what it hasn't sorted.
    """
    by = [order.ref.label for order in query.ordering]
    descending = [order.descending for order in query.ordering]
    if len(query.keys) == 1:
        in_order = query.limit is not None or not by
        return rows if in_order else rows.sort(by, descending=descending, nulls_last=True)
    rows = rows.join(keyed(query), list(query.on), "inner")
    rows = rows.sort([POSITION, *by], descending=[False, *descending], nulls_last=True)
    if query.limit is not None:
        rows = rows.filter(pl.int_range(pl.len()).over(POSITION) < query.limit)
    return rows.drop(POSITION)


def sizes(rows: pl.DataFrame, query: Query) -> list[int]:
    """Number of rows of each of the query's keys, in the keys' order."""
    if len(query.keys) == 1:
        return [rows.height]
    counted = dict.fromkeys(query.keys, 0)
    for *key, size in rows.group_by(query.on).len().rows():
        counted[tuple(key)] = size
    return [counted[key] for key in query.keys]
