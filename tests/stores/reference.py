"""What a store must answer, in plain Python: loops over all rows, three-valued logic, no SQL.

Values are those that were inserted, FLOAT columns rounded to float32; so are their operands.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cmp_to_key
from typing import Any

import numpy as np
import orjson
from sqlalchemy import Column, Table
from sqlalchemy.types import Numeric

from gql_nda.query import And, Compare, Key, Not, Or, Order, Predicate, Query, Ref
from gql_nda.tables import HELD, Float32, key_names, narrow
from tests.stores.dataset import Row, Rows, rows
from tests.stores.positions import em_positions

Truth = bool | None
"""None is unknown."""


class Reference:
    """A dataset in memory."""

    def __init__(self, rows: Rows) -> None:
        every = {**rows, "em_position": em_positions(rows)}
        self._rows = {name: [_narrow(HELD[name], row) for row in found] for name, found in every.items()}

    def all(self, table: Table) -> list[Row]:
        """The narrow columns of a table's rows."""
        return self._rows[table.name.lstrip("#")]

    def rows(self, query: Query) -> dict[Key, list[Row]]:
        """The page of each key; a key without rows is absent."""
        matching = [row for row in self.all(query.table) if query.where is None or self._holds(query.where, row)]
        pages = {key: self._page(query, matching, key) for key in query.keys}
        return {key: page for key, page in pages.items() if page}

    def beside(self, query: Query, refs: Sequence[Ref]) -> list[Row]:
        """The rows of all keys in turn, with columns of what stands beside them."""
        pages = self.rows(query)
        found = [row for key in dict.fromkeys(query.keys) for row in pages.get(key, [])]
        return [{**row, **{ref.label: self.value(ref, row) for ref in refs}} for row in found]

    def counts(self, query: Query) -> dict[Key, int]:
        """Number of rows of each key, whatever the page."""
        whole = Query(query.table, query.on, query.keys, query.where)
        return {key: len(rows) for key, rows in self.rows(whole).items()}

    def largest(self, table: Table, on: Sequence[str]) -> int:
        """Number of rows of the largest group."""
        groups: dict[Key, int] = {}
        for row in self.all(table):
            key = tuple(row[name] for name in on)
            groups[key] = groups.get(key, 0) + 1
        return max(groups.values(), default=0)

    def value(self, ref: Ref, row: Row | None) -> Any:
        """The value of a column, None where a row on the way to it is missing."""
        for step in ref.path:
            row = self._other(step.table, step.on, row) if row is not None else None
        return None if row is None else row[ref.column.name]

    def _other(self, table: Table, on: Sequence[str], row: Row) -> Row | None:
        """The row at the end of a step: of several, in as many stacks, the first by primary key."""
        others = [other for other in self.all(table) if all(other[name] == row[name] for name in on)]
        return min(others, key=lambda other: [other[name] for name in key_names(table)], default=None)

    # --- pages ------------------------------------------------------------------------------------

    def _page(self, query: Query, matching: list[Row], key: Key) -> list[Row]:
        rows = [row for row in matching if tuple(row[name] for name in query.on) == key]
        order = [*query.order, *(Order(Ref(query.table.c[name])) for name in key_names(query.table))]
        compare = cmp_to_key(self._comparison(order))
        rows.sort(key=lambda row: compare([self.value(o.ref, row) for o in order]))
        if query.after is not None:
            position = compare(self._position(query, key))
            rows = [row for row in rows if compare([self.value(o.ref, row) for o in order]) > position]
        return [self._shown(query, row) for row in rows[: query.limit]]

    def _position(self, query: Query, key: Key) -> list[Any]:
        """The cursor's values as those of the order, in which every key column has its place."""
        assert query.after is not None
        known = dict(zip(query.on, key, strict=True))
        known |= {o.ref.label: value for o, value in zip(query.ordering, query.after, strict=True)}
        return [
            *(rounded(o.ref.column, known[o.ref.label]) for o in query.order),
            *(known[name] for name in key_names(query.table)),
        ]

    def _comparison(self, order: Sequence[Order]) -> Callable[[Sequence[Any], Sequence[Any]], int]:
        def compare(one: Sequence[Any], other: Sequence[Any]) -> int:
            for o, a, b in zip(order, one, other, strict=True):
                if a is None or b is None:
                    result = (a is None) - (b is None)  # NULL last, both ways
                else:
                    result = ((a > b) - (a < b)) * (-1 if o.descending else 1)
                if result:
                    return result
            return 0

        return compare

    def _shown(self, query: Query, row: Row) -> Row:
        """The row, and what its order reached in other tables."""
        return {**row, **{o.ref.label: self.value(o.ref, row) for o in query.order}}

    # --- predicates -------------------------------------------------------------------------------

    def _holds(self, predicate: Predicate, row: Row) -> bool:
        return self._truth(predicate, row) is True

    def _truth(self, predicate: Predicate, row: Row) -> Truth:
        match predicate:
            case And(parts):
                return _all([self._truth(part, row) for part in parts])
            case Or(parts):
                return _not(_all([_not(self._truth(part, row)) for part in parts]))
            case Not(part):
                return _not(self._truth(part, row))
            case Compare(ref, op, operand):
                return self._compare(op, self.value(ref, row), operand, ref.column)

    def _compare(self, op: str, value: Any, operand: Any, column: Column[Any]) -> Truth:
        if op == "isNull":
            return (value is None) is operand
        if value is None:
            return None
        if isinstance(operand, tuple):
            return (value in [rounded(column, item) for item in operand]) is (op == "in")
        return _OPERATORS[op](value, rounded(column, operand))


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, operand: value == operand,
    "ne": lambda value, operand: value != operand,
    "lt": lambda value, operand: value < operand,
    "lte": lambda value, operand: value <= operand,
    "gt": lambda value, operand: value > operand,
    "gte": lambda value, operand: value >= operand,
    "startsWith": lambda value, operand: value.startswith(operand),
}


def _all(truths: list[Truth]) -> Truth:
    if False in truths:
        return False
    return None if None in truths else True


def _not(truth: Truth) -> Truth:
    return None if truth is None else not truth


def _narrow(table: Table, row: Row) -> Row:
    return {f"{c.name}": rounded(c, row[c.name]) for c in narrow(table)}


def rounded(column: Column[Any], value: Any) -> Any:
    """A value or operand as the column would hold it."""
    if isinstance(value, int | float) and isinstance(column.type, Float32):
        with np.errstate(over="ignore"):
            held = float(np.float32(value))
        return held if np.isfinite(held) else float(value)
    if isinstance(value, int) and isinstance(column.type, Numeric):
        return float(value)
    return value


REFERENCE = Reference(rows())
"""The dataset that the stores of these tests hold."""


def dumped(answer: Mapping[Key, Any]) -> bytes:
    """An answer as bytes; the order of its keys means nothing, that of rows and columns does."""
    return orjson.dumps(sorted((orjson.dumps(key).decode(), value) for key, value in answer.items()))
