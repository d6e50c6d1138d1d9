"""Queries of every shape that the graph can ask, over every table."""

from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from sqlalchemy import Boolean, Column, Table
from sqlalchemy.types import Integer

from gql_nda import tables as t
from gql_nda.query import And, Compare, Key, Not, Operator, Or, Order, Predicate, Query, Ref, Relation, up
from gql_nda.stores import table_of
from gql_nda.tables import DERIVED, TABLES, Float32, key_names, narrow
from tests.stores.dataset import pool
from tests.stores.reference import REFERENCE

thorough = settings(max_examples=1000)

tables = st.sampled_from(list(TABLES.values()))

WILD = [
    "%",
    "_",
    "\\",
    "'",
    '"',
    "\\'",
    "a%",
    "%a",
    "\U0001f600",
    "\0",
    "a ",
    "\u017f",
    "e\u0301",
    "\uffff",
    "'; DROP TABLE scan",
]
"""Texts that no column holds, for operands."""
FLOATS = st.one_of(
    st.sampled_from([0.3, float(np.float32(0.3)), 1e308, -1e308, 3.5e38, 1e-46, -0.0, 0.1, 16777217.0, 1 / 3]),
    st.floats(-2, 2),
)
WHOLE = st.sampled_from([-(2**31), -1, 0, 1, 2, 4, 7, 9, 41, 2**31 - 1])
HIDDEN = {t.clip, t.monet2, t.trippy}
"""Reached by value, never over a path: their key is a text, which databases compare in their own way."""


IN_STACK = {t.field: [t.registration], t.scan_unit: [t.stack_unit]}
"""What may be several rows, one in each stack; the first counts."""


def steps(here: Table) -> list[Relation]:
    """Relations to at most one row: parents, satellites, and what a field or unit is in the first stack."""
    one = [there for there in TABLES.values() if set(key_names(there)) <= set(here.columns.keys())]
    more = [*IN_STACK.get(here, []), *(DERIVED.values() if here is t.scan_unit else ())]
    return [up(here, there) for there in [*one, *more] if there not in {here, *HIDDEN}]


@st.composite
def refs(draw: st.DrawFn, table: Table) -> Ref:
    """A column of the table, or of what is one or two steps away."""
    path: tuple[Relation, ...] = ()
    here = table
    for _ in range(draw(st.sampled_from((0, 0, 0, 1, 1, 2)))):
        if found := steps(here):
            path = (*path, draw(st.sampled_from(found)))
            here = path[-1].table
    return Ref(draw(st.sampled_from(narrow(here))), path)


def operands(column: Column[Any]) -> st.SearchStrategy[Any]:
    """Values that the column holds, others close by, and others far off."""
    kind = column.type
    if table_of(column).name in DERIVED:
        values = [row[column.name] for row in REFERENCE.all(table_of(column))]
        return st.sampled_from(sorted({value for value in values if value is not None}))
    held = st.sampled_from(pool(column))
    if isinstance(kind, Integer):
        return st.one_of(held, WHOLE)
    if isinstance(kind, Float32) or not Ref(column).textual:
        return st.one_of(held, FLOATS)
    return st.one_of(held, st.sampled_from(WILD), st.text(st.characters(exclude_categories=["Cs"]), max_size=4))


def comparisons(table: Table) -> st.SearchStrategy[Compare]:
    """One operator on one column."""
    return refs(table).flatmap(compared)


@st.composite
def compared(draw: st.DrawFn, ref: Ref) -> Compare:
    """One operator on that column."""
    op: Operator = draw(st.sampled_from(_operators(ref)))
    value: Any
    if op == "isNull":
        value = draw(st.booleans())
    elif op in ("in", "notIn"):
        value = tuple(draw(st.lists(operands(ref.column), max_size=4)))
    elif op == "startsWith":
        value = draw(operands(ref.column))[: draw(st.integers(0, 3))]
    else:
        value = draw(operands(ref.column))
    return Compare(ref, op, value)


def _operators(ref: Ref) -> list[Operator]:
    if isinstance(ref.column.type, Boolean):
        return ["eq", "ne", "isNull"]
    return OPERATORS if ref.textual else OPERATORS[:-1]


OPERATORS: list[Operator] = ["eq", "ne", "in", "notIn", "lt", "lte", "gt", "gte", "isNull", "startsWith"]


def predicates(table: Table) -> st.SearchStrategy[Predicate]:
    """Comparisons under and, or and not, nested."""

    def nested(parts: st.SearchStrategy[Predicate]) -> st.SearchStrategy[Predicate]:
        several = st.lists(parts, max_size=3).map(tuple)
        return st.one_of(st.builds(And, several), st.builds(Or, several), st.builds(Not, parts))

    return st.recursive(comparisons(table), nested, max_leaves=5)


def orders(table: Table) -> st.SearchStrategy[tuple[Order, ...]]:
    """Up to three columns to sort by."""
    return st.lists(st.builds(Order, refs(table), st.booleans()), max_size=3).map(tuple)


def relations(table: Table) -> list[tuple[str, ...]]:
    """The columns by which the graph asks for a table's rows."""
    key = key_names(table)
    found = {key[:n] for n in range(len(key) + 1)}
    found |= {tuple(fk.column_keys) for fk in table.foreign_key_constraints}
    return sorted(found | ({("condition_hash",)} if table is t.trial else set()))


@st.composite
def queries(draw: st.DrawFn) -> Query:
    """Any query."""
    table = draw(tables)
    on = draw(st.sampled_from(relations(table)))
    return Query(
        table,
        on,
        draw(keys(table, on)),
        draw(st.none() | predicates(table)),
        draw(orders(table)),
        limit=draw(st.none() | st.integers(1, 8)),
    )


@st.composite
def keys(draw: st.DrawFn, table: Table, on: tuple[str, ...]) -> tuple[Key, ...]:
    """Keys that rows have, perhaps twice, and a few that none has."""
    if not on:
        return ((),)
    there = [tuple(row[name] for name in on) for row in REFERENCE.all(table)]
    absent = tuple("nowhere" if isinstance(value, str) else -99 for value in there[0])
    found = draw(st.lists(st.sampled_from([*there, absent]), min_size=1, max_size=9))
    return tuple(found)
