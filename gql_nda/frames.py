"""Rows as Polars frames: one column for each reference, under its label.

A frame of a query holds, for every row of every key, the columns that name the key, those that the rows
are sorted by, and those that were asked for. Its types are the tables': float32 stays float32.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl
from sqlalchemy import Column, Double, Integer, Numeric, SmallInteger
from sqlalchemy.dialects import mysql

from gql_nda.query import Query, Ref
from gql_nda.tables import Float32


def dtype(column: Column[Any]) -> type[pl.DataType]:
    """The Polars type of a column's values."""
    kind = column.type
    if isinstance(kind, Float32):
        return pl.Float32
    if isinstance(kind, SmallInteger):
        return pl.Int16
    if isinstance(kind, Integer):
        return pl.Int64 if _unsigned(column) else pl.Int32
    return pl.Float64 if isinstance(kind, Double | Numeric) else pl.String


def _unsigned(column: Column[Any]) -> bool:
    variant = column.type.dialect_impl(mysql.dialect())
    return bool(getattr(variant, "unsigned", False))


def held(query: Query, refs: Iterable[Ref]) -> tuple[Ref, ...]:
    """The columns of a query's frame, each once: its key's, its order's, and those asked for."""
    keys = [Ref(query.table.c[name]) for name in query.on]
    found = {ref.label: ref for ref in [*keys, *(order.ref for order in query.ordering), *refs]}
    return tuple(found.values())


def schema(refs: Iterable[Ref]) -> dict[str, type[pl.DataType]]:
    """The types of a frame's columns, by label."""
    return {ref.label: dtype(ref.column) for ref in refs}


def frame(refs: Sequence[Ref], records: Sequence[Sequence[Any]]) -> pl.DataFrame:
    """The frame of a statement's records, whose values stand in the order of ``refs``.

    Raises TypeError or a Polars error where a value isn't of its column's type.
    """
    columns: Iterable[Sequence[Any]] = zip(*records, strict=True) if records else ([] for _ in refs)
    return pl.DataFrame([pl.Series(r.label, v, dtype(r.column)) for r, v in zip(refs, columns, strict=True)])
