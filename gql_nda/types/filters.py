"""``where`` and ``orderBy``: inputs made from the entities' own fields.

A filter offers every scalar of an entity, of its satellites (flat) and of its parents (nested). What an
input's field means stands beside it in ``Meaning``: a column, another entity, or a connective.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from enum import Enum
from math import isfinite
from typing import Any

import strawberry
from sqlalchemy import Column, Table
from strawberry import UNSET
from strawberry.types import get_object_definition
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from gql_nda.errors import BadUserInput, LimitExceeded
from gql_nda.limits import Limits
from gql_nda.query import And, Compare, Not, Or, Order, Predicate, Ref, Relation, python_types
from gql_nda.types.arguments import argument, plain
from gql_nda.types.entity import DERIVED, ENTITIES, type_name
from gql_nda.types.enums import ENUMS, OrderDirection
from gql_nda.types.fields import spec_of
from gql_nda.types.specs import ColumnSpec, NamedSpec, PresenceSpec, RowSpec, SatelliteColumnSpec

# --- operators -------------------------------------------------------------------------------------

_EQUALITY = {
    "eq": ("{0} | None", "Equal."),
    "ne": ("{0} | None", "Not equal; never matches NULL."),
    "in": ("list[{0}] | None", "Equal to one of these."),
    "notIn": ("list[{0}] | None", "Equal to none of these; never matches NULL."),
    "isNull": ("bool | None", "Whether there is no value."),
}
_COMPARISON = {
    "lt": ("{0} | None", "Less than."),
    "lte": ("{0} | None", "Less than or equal."),
    "gt": ("{0} | None", "Greater than."),
    "gte": ("{0} | None", "Greater than or equal."),
}
_TEXT = {"startsWith": ("str | None", "Starts with these very characters; no character is a wildcard.")}
_PRESENCE = {"eq": ("bool | None", "Equal."), "ne": ("bool | None", "Not equal.")}


def _input(name: str, description: str, fields: dict[str, tuple[str, str]], operand: type | None = None) -> type:
    """An input type of optional fields: GraphQL name -> (annotation, description)."""
    operand_name = operand.__name__ if operand else ""
    if isinstance(operand, type):
        globals().setdefault(operand_name, operand)
    body: dict[str, Any] = {"__annotations__": {}, "__module__": __name__, "__doc__": description}
    for graphql_name, (annotation, text) in fields.items():
        attribute = f"{graphql_name}_"
        body["__annotations__"][attribute] = annotation.format(operand_name)
        body[attribute] = strawberry.field(name=graphql_name, description=text, default=UNSET)
    declared = strawberry.input(type(name, (), body), name=name, description=description)
    globals()[name] = declared
    return declared


_input("IntFilter", "Compares a whole number.", _EQUALITY | _COMPARISON, int)
_input("FloatFilter", "Compares a number.", _EQUALITY | _COMPARISON, float)
_input("StringFilter", "Compares text, character by character.", _EQUALITY | _COMPARISON | _TEXT, str)
_input("BooleanFilter", "Compares a truth value.", _PRESENCE)
for _enum in ENUMS.values():
    _input(f"{_enum.__name__}Filter", f"Compares a {_enum.__name__}.", _EQUALITY, _enum)


def _operators(column: Column[Any]) -> str:
    """The name of the input that compares a column."""
    kind = kind_of(column)
    return f"{_NAMES.get(kind, kind.__name__)}Filter"


def kind_of(column: Column[Any]) -> type:
    """The Python type of a column's values: its enumeration, where it has one."""
    return ENUMS.get(column) or python_types(column.type)[0]


_NAMES = {int: "Int", float: "Float", str: "String", bool: "Boolean"}
"""GraphQL's names of the scalars."""


# --- what an entity offers -------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Meaning:
    """What one field of a filter stands for."""

    input_name: str
    description: str
    ref: Ref | None = None
    relation: Relation | None = None
    presence: bool = False

    @property
    def kind(self) -> type:
        """The Python type of the values."""
        assert self.ref is not None
        return bool if self.presence else kind_of(self.ref.column)


def _fields(cls: type) -> list[tuple[str, StrawberryField]]:
    """The fields of an entity by GraphQL name."""
    return [(_graphql_name(f), f) for f in get_object_definition(cls, strict=True).fields]


def _graphql_name(field: StrawberryField) -> str:
    return _camel(field.graphql_name or field.python_name)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def scalars(table: Table) -> Iterator[tuple[str, Meaning]]:
    """Every scalar of an entity and of its satellites, by GraphQL name."""
    for name, field in _fields(ENTITIES[table.name]):
        description = field.description or ""
        match spec_of(field):
            case ColumnSpec() | SatelliteColumnSpec() | NamedSpec() as spec:
                yield name, Meaning(_operators(spec.column), description, ref=spec.ref)
            case PresenceSpec() as spec:
                yield name, Meaning("BooleanFilter", description, ref=spec.ref, presence=True)
            case RowSpec(relation, satellite=True):
                yield from _satellite(relation)


def _satellite(relation: Relation) -> Iterator[tuple[str, Meaning]]:
    """The columns of a satellite by their own names: a field of the same column may be called otherwise."""
    for _, field in _fields((ENTITIES | DERIVED)[relation.table.name]):
        match spec_of(field):
            case ColumnSpec(column) if not column.primary_key:
                yield (
                    _camel(column.name),
                    Meaning(_operators(column), field.description or "", ref=Ref(column, (relation,))),
                )


def _parents(table: Table) -> Iterator[tuple[str, Meaning]]:
    for name, field in _fields(ENTITIES[table.name]):
        match spec_of(field):
            case RowSpec(relation, satellite=False):
                yield name, Meaning(filter_name(relation.table), field.description or "", relation=relation)


_MEANINGS: dict[str, dict[str, Meaning]] = {}
_ORDERS: dict[str, dict[str, Ref]] = {}


def filter_name(table: Table) -> str:
    """The name of an entity's filter, which is made when it is first named."""
    entity = type_name(ENTITIES[table.name])
    name = f"{entity}Filter"
    if name not in _MEANINGS:
        _MEANINGS[name] = {}  # parents may name this filter again
        _MEANINGS[name] |= dict(scalars(table)) | dict(_parents(table))
        fields = {key: (f"{m.input_name} | None", m.description) for key, m in _MEANINGS[name].items()}
        connectives = {
            "and": (f"list[{name}] | None", "All of these hold."),
            "or": (f"list[{name}] | None", "Any of these holds."),
            "not": (f"{name} | None", "This does not hold; what is unknown because of a NULL never matches."),
        }
        _input(name, f"Which rows of {entity} to keep: all given fields must hold.", fields | connectives)
    return name


def order_name(table: Table) -> str:
    """The name of an entity's order, made when it is first named."""
    entity = type_name(ENTITIES[table.name])
    name = f"{entity}Order"
    if name not in _ORDERS:
        offered = {key: m for key, m in scalars(table) if m.kind is not bool}
        _ORDERS[name] = {upper(key): m.ref for key, m in offered.items() if m.ref is not None}
        globals()[f"{entity}OrderField"] = enumerated(
            f"{entity}OrderField", offered, f"What {entity} can be sorted by."
        )
        globals()[name] = _order_input(name, entity)
    return name


def enumerated(name: str, offered: Mapping[str, Meaning], description: str) -> type[Enum]:
    """An enumeration of an entity's scalars."""
    values = {upper(key): strawberry.enum_value(upper(key), description=m.description) for key, m in offered.items()}
    enumeration: Any = Enum  # its functional form, with a name that is computed
    members: type[Enum] = strawberry.enum(enumeration(name, values), description=description)
    return members


def _order_input(name: str, entity: str) -> type:
    body = {
        "__annotations__": {"field": f"{entity}OrderField", "direction": "OrderDirection"},
        "__module__": __name__,
        "field": strawberry.field(description="The value to sort by."),
        "direction": strawberry.field(description="Which way.", default=OrderDirection.ASC),
    }
    return strawberry.input(type(name, (), body), name=name, description="One value to sort by.")


def upper(name: str) -> str:
    """``UM_X`` of ``umX``."""
    return "".join(f"_{c}" if c.isupper() else c.upper() for c in name)


def connection_arguments(table: Table) -> list[StrawberryArgument]:
    """The arguments of a connection over a table."""
    described = {
        "where": (f"{filter_name(table)} | None", "Which rows to keep."),
        "order_by": (f"list[{order_name(table)}] | None", "How to sort; the primary key breaks ties."),
        "first": ("int | None", "Most rows on the page: 100 unless told, at most 10,000."),
        "after": ("str | None", "The cursor behind which the page starts."),
    }
    return [argument(name, annotation, text, names=globals()) for name, (annotation, text) in described.items()]


# --- what a client gave ----------------------------------------------------------------------------


def checked(
    table: Table, limits: Limits, where: Any = UNSET, order_by: Any = UNSET, first: Any = UNSET, after: Any = UNSET
) -> dict[str, Any]:
    """The arguments of a connection, as ``resolvers.connections.plan`` takes them."""
    reader = _Reader(limits)
    return {
        "where": reader.predicate(filter_name(table), where, ()) if where else None,
        "order": tuple(_order(table, order) for order in order_by or ()),
        "first": None if first is UNSET else first,
        "after": None if after is UNSET else after,
    }


def _order(table: Table, order: Any) -> Order:
    return Order(_ORDERS[order_name(table)][plain(order.field)], order.direction is OrderDirection.DESC)


class _Reader:
    """Reads one ``where``, counting its filters and comparisons."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self._counted = limits, 0
        self._joined: set[tuple[Relation, ...]] = set()

    def predicate(self, name: str, where: Any, path: tuple[Relation, ...]) -> Predicate:
        """The predicate of a filter input, whose columns are reached over ``path``."""
        self._count()
        return And(tuple(self._part(name, field, value, path) for field, value in _given(where, "where")))

    def _part(self, name: str, field: str, value: Any, path: tuple[Relation, ...]) -> Predicate:
        match field:
            case "and":
                return And(tuple(self.predicate(name, item, path) for item in value))
            case "or":
                return Or(tuple(self.predicate(name, item, path) for item in value))
            case "not":
                return Not(self.predicate(name, value, path))
        meaning = _MEANINGS[name][field]
        if meaning.relation is not None:
            return self.predicate(meaning.input_name, value, (*path, meaning.relation))
        return And(tuple(self._compare(field, meaning, op, operand, path) for op, operand in _given(value, field)))

    def _compare(self, field: str, meaning: Meaning, op: str, operand: Any, path: tuple[Relation, ...]) -> Predicate:
        assert meaning.ref is not None
        ref = Ref(meaning.ref.column, (*path, *meaning.ref.path))
        self._count()
        self._join(ref.path)
        if meaning.presence:
            return Compare(ref, "isNull", operand is not (op == "eq"))
        value = self._listed(field, operand) if isinstance(operand, list) else _operand(operand)
        return Compare(ref, op, value)  # type: ignore[arg-type]

    def _listed(self, field: str, operand: list[Any]) -> tuple[Any, ...]:
        most = self._limits.list_values
        if len(operand) > most:
            message = f"list_values: where.{field} lists {len(operand)} values, at most {most}"
            raise LimitExceeded(message, limit="list_values", maximum=most)
        return tuple(map(_operand, operand))

    def _count(self) -> None:
        self._counted += 1
        most = self._limits.comparisons
        if self._counted > most:
            raise LimitExceeded(f"comparisons: more than {most} in where", limit="comparisons", maximum=most)

    def _join(self, path: tuple[Relation, ...]) -> None:
        self._joined.update(path[:length] for length in range(1, len(path) + 1))
        most = self._limits.joins
        if len(self._joined) > most:
            raise LimitExceeded(f"joins: where reaches over more than {most} relations", limit="joins", maximum=most)


def _given(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    """The fields that the client set, by GraphQL name; null is no operand."""
    for field in dataclasses.fields(value):
        operand = getattr(value, field.name)
        if operand is UNSET:
            continue
        name = field.name.rstrip("_")
        if operand is None:
            raise BadUserInput(f"{where}.{name}: null is no operand; use isNull", argument=name)
        yield name, operand


def _operand(given: Any) -> Any:
    """An operand as the column holds it."""
    operand = plain(given)
    if isinstance(operand, float) and not isfinite(operand):
        raise BadUserInput(f"where: {operand} is no number to compare with", argument="where")
    if isinstance(operand, str) and not _encodable(operand):
        raise BadUserInput(f"where: {ascii(operand)[:80]} is no valid text", argument="where")
    return operand


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
