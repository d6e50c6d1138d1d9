"""What every layer asks for, as pure data: relations, predicates, orders, pages, cursors.

A query means "rows of a table, grouped by the values of some columns". A lookup by key, the page of a
connection's parent and a page of a whole table differ only in those columns and in the limit.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any, Literal

import orjson
from sqlalchemy import CHAR, Boolean, Column, Float, Integer, Numeric, String, Table
from sqlalchemy.types import TypeEngine

from gql_nda.errors import BadUserInput
from gql_nda.keys import decode64, encode64
from gql_nda.tables import key_names

Key = tuple[Any, ...]
Operator = Literal["eq", "ne", "in", "notIn", "lt", "lte", "gt", "gte", "isNull", "startsWith"]


class Row(dict[str, Any]):
    """One row: its narrow columns by name, and the table it belongs to.

    Columns of joined tables that an order asked for stand under their reference's label.
    """

    __slots__ = ("table",)

    def __init__(self, table: Table, values: Mapping[Any, Any]) -> None:
        super().__init__(values)
        self.table = table

    @property
    def key(self) -> Key:
        """The values of the primary key."""
        return self.at(key_names(self.table))

    def at(self, names: Sequence[str]) -> Key:
        """The values of some columns."""
        return tuple([self[name] for name in names])


@dataclass(frozen=True)
class Relation:
    """The rows of a table whose ``on`` columns equal the columns of the same names at hand."""

    table: Table
    on: tuple[str, ...]

    def __repr__(self) -> str:
        return f"{self.table.name}({','.join(self.on)})"

    @property
    def indexed(self) -> bool:
        """Whether the database finds the rows without reading the whole table."""
        keys = [key_names(self.table), *(tuple(fk.column_keys) for fk in self.table.foreign_key_constraints)]
        return any(set(key[: len(self.on)]) == set(self.on) for key in keys)


def up(here: Table, there: Table) -> Relation:
    """The one row of ``there`` that a row of ``here`` belongs to, or that stands beside it."""
    return Relation(there, tuple(c for c in key_names(there) if c in here.columns))


def by_key(table: Table) -> Relation:
    """From a primary key to its row."""
    return Relation(table, key_names(table))


def down(here: Table, there: Table) -> Relation:
    """The rows of ``there`` that belong to a row of ``here``."""
    return Relation(there, key_names(here))


@dataclass(frozen=True, eq=False)
class Ref:
    """A column, reached from the query's table over relations with at most one row each."""

    column: Column[Any]
    path: tuple[Relation, ...] = ()

    def __eq__(self, other: object) -> bool:
        # SQLAlchemy's columns answer == with a piece of SQL, which takes 10 us to be made and to be false
        return isinstance(other, Ref) and self.column is other.column and self.path == other.path

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.column, self.path))

    @cached_property
    def label(self) -> str:
        """The name under which a row holds the value."""
        return ".".join([*(step.table.name for step in self.path), self.column.name])

    def __repr__(self) -> str:
        return "/".join([*map(repr, self.path), str(self.column)])

    @property
    def nullable(self) -> bool:
        """Whether the value may be absent."""
        return bool(self.path) or bool(self.column.nullable)

    @property
    def textual(self) -> bool:
        """Whether values compare as text."""
        return isinstance(self.column.type, String | CHAR)


@dataclass(frozen=True, slots=True)
class Compare:
    """A column compared with a value; ``in`` and ``notIn`` take a tuple, ``isNull`` a bool."""

    ref: Ref
    op: Operator
    value: Any


@dataclass(frozen=True, slots=True)
class And:
    """All parts hold; none is true."""

    parts: "tuple[Predicate, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    """Any part holds; none is false."""

    parts: "tuple[Predicate, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """The part is false. What is unknown, a comparison with NULL, stays unknown and matches nothing."""

    part: "Predicate"


Predicate = Compare | And | Or | Not


def refs_of(predicate: Predicate | None) -> Iterator[Ref]:
    """The columns that a predicate compares; none without one."""
    match predicate:
        case And(parts) | Or(parts):
            for part in parts:
                yield from refs_of(part)
        case Not(part):
            yield from refs_of(part)
        case Compare(ref):
            yield ref


@dataclass(frozen=True, slots=True)
class Order:
    """One column to sort by; NULL comes last either way."""

    ref: Ref
    descending: bool = False


@dataclass(frozen=True)
class Query:
    """Rows of a table that satisfy a predicate, for each of some keys.

    ``on`` names the columns that must equal a key. With no such columns there is one key, the empty
    one: the whole table. ``limit`` and ``after`` (values of ``ordering``'s columns) hold for each key.
    """

    table: Table
    on: tuple[str, ...] = ()
    keys: tuple[Key, ...] = ((),)
    where: Predicate | None = None
    order: tuple[Order, ...] = ()
    after: Key | None = None
    limit: int | None = None

    @cached_property
    def ordering(self) -> tuple[Order, ...]:
        """The order made total by the primary key, less the columns that every row of a key shares."""
        asked: dict[str, Order] = {}
        for order in self.order:
            asked.setdefault(order.ref.label, order)  # a second order by the same column settles nothing
        ties = [n for n in key_names(self.table) if n not in self.on and n not in asked]
        return (*asked.values(), *(Order(Ref(self.table.c[name])) for name in ties))

    @property
    def relation(self) -> Relation:
        """The relation from a key to its rows."""
        return Relation(self.table, self.on)

    def sort(self, rows: list[Row]) -> list[Row]:
        """The rows in this query's order: what the stores' ORDER BY gives, for rows at hand."""
        for order in reversed(self.ordering):
            label = order.ref.label
            rows = sorted(rows, key=lambda row: _rank(row[label], order.descending), reverse=order.descending)
        return rows

    def grouped(self, labels: Sequence[str], records: Iterable[Sequence[Any]]) -> dict[Key, list[Row]]:
        """Records of its columns as the rows of each key: texts that differ only by case are different keys."""
        groups: dict[Key, list[Row]] = {}
        for record in records:
            row = Row(self.table, dict(zip(labels, record, strict=True)))
            groups.setdefault(row.at(self.on), []).append(row)
        return groups


def _rank(value: Any, descending: bool) -> tuple[bool, Any]:
    """A sort key with None last, whichever way the sort runs; text sorts by code point."""
    absent = value is None
    return absent != descending, 0 if absent else value


@dataclass(frozen=True)
class Planned:
    """A connection that isn't fetched yet.

    ``first`` is the size of the page. With ``listed`` the keys are the client's own list of primary
    keys, else they are the one parent's key.
    """

    query: Query
    first: int
    listed: bool = field(default=False)

    @cached_property
    def sorting(self) -> Query:
        """The query by which the rows are sorted: listed rows differ in their keys, so these break ties too."""
        return replace(self.query, on=()) if self.listed else self.query

    @cached_property
    def digest(self) -> str:
        """Names what a cursor is bound to: table, parent or list of keys, predicate and order."""
        q = self.query
        text = repr((q.table.name, q.on, q.keys, q.where, q.order))
        return blake2b(text.encode(), digest_size=6).hexdigest()

    @property
    def labels(self) -> list[str]:
        """The columns whose values are a row's position."""
        return [order.ref.label for order in self.sorting.ordering]

    def cursor(self, position: Sequence[Any]) -> str:
        """A row's position, as an opaque string."""
        return encode_cursor(self.digest, position)


def encode_cursor(digest: str, values: Sequence[Any]) -> str:
    """A keyset cursor: the exact values that the rows are sorted by."""
    return encode64(orjson.dumps([digest, *values]))


def decode_cursor(cursor: str, planned: Planned) -> Key:
    """The values of a cursor that belongs to this very connection, else BAD_USER_INPUT."""
    foreign = BadUserInput("after: not a cursor of this connection", argument="after")
    try:
        digest, *values = orjson.loads(decode64(cursor))
    except (ValueError, TypeError):
        raise foreign from None
    ordering = planned.sorting.ordering
    if digest != planned.digest or len(values) != len(ordering):
        raise foreign
    if not all(_fits(o.ref, value) for o, value in zip(ordering, values, strict=True)):
        raise foreign
    return tuple(values)


def _fits(ref: Ref, value: object) -> bool:
    """Whether a cursor's value can have come from the column."""
    if value is None:
        return ref.nullable
    if isinstance(value, int) and (isinstance(value, bool) or not -(2**63) <= value < 2**63):
        return False  # no database holds it
    return isinstance(value, python_types(ref.column.type))


def python_types(kind: TypeEngine[Any]) -> tuple[type, ...]:
    """The Python types that the values of a column have."""
    if isinstance(kind, Integer):
        return (int,)
    if isinstance(kind, Boolean):
        return (bool,)
    if isinstance(getattr(kind, "impl", kind), Float | Numeric):
        return (float, int)
    return (str,)
