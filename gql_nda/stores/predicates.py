"""Predicates as Polars expressions over columns named by their labels, with SQL's three-valued logic."""

from collections.abc import Callable
from functools import reduce
from operator import and_, or_
from typing import Any

import polars as pl
from sqlalchemy import Column

from gql_nda.frames import dtype
from gql_nda.query import And, Compare, Not, Or, Order, Predicate, Query
from gql_nda.tables import Float32


def expression(predicate: Predicate) -> pl.Expr:
    """Whether the predicate holds of a row; null where that is unknown."""
    match predicate:
        case And(parts):
            return reduce(and_, map(expression, parts)) if parts else pl.lit(True)
        case Or(parts):
            return reduce(or_, map(expression, parts)) if parts else pl.lit(False)
        case Not(part):
            return ~expression(part)
        case Compare():
            return _compare(predicate)


def _compare(compare: Compare) -> pl.Expr:
    column = pl.col(compare.ref.label)
    if compare.op == "isNull":
        return column.is_null() if compare.value else column.is_not_null()
    wide = _wide(compare.ref.column)
    value = compare.value
    operands = [_operand(compare.ref.column, v) for v in (value if isinstance(value, tuple) else (value,))]
    if compare.op in ("in", "notIn"):
        among = column.cast(wide).is_in(pl.Series(operands, dtype=wide).implode())
        known = among if compare.op == "in" else ~among
        return pl.when(column.is_not_null()).then(known)
    return _OPERATORS[compare.op](column.cast(wide), pl.lit(operands[0], wide))


def _wide(column: Column[Any]) -> type[pl.DataType]:
    """The type in which values meet their operands: exact for both, whatever the operand."""
    narrow = dtype(column)
    if narrow in (pl.String, pl.Boolean):
        return narrow
    return pl.Float64 if narrow in (pl.Float32, pl.Float64) else pl.Int64


def _operand(column: Column[Any], value: Any) -> Any:
    """An operand, rounded as its column."""
    if isinstance(column.type, Float32):
        return column.type.process_bind_param(value, None)
    return value


_OPERATORS: dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "eq": lambda column, value: column == value,
    "ne": lambda column, value: column != value,
    "lt": lambda column, value: column < value,
    "lte": lambda column, value: column <= value,
    "gt": lambda column, value: column > value,
    "gte": lambda column, value: column >= value,
    "startsWith": lambda column, value: column.str.starts_with(value),
}


def beyond(query: Query) -> Predicate:
    """Rows behind the query's cursor: those beyond it in the first column that differs."""
    alternatives: list[Predicate] = []
    same: list[Predicate] = []
    for order, value in zip(query.ordering, query.after or (), strict=True):
        alternatives.append(And((*same, _farther(order, value))))
        same.append(Compare(order.ref, "isNull", True) if value is None else Compare(order.ref, "eq", value))
    return Or(tuple(alternatives))


def _farther(order: Order, value: Any) -> Predicate:
    if value is None:
        return Or(())  # null comes last
    farther = Compare(order.ref, "lt" if order.descending else "gt", value)
    return Or((farther, Compare(order.ref, "isNull", True))) if order.ref.nullable else farther
