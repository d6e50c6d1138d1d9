"""``where`` and ``orderBy``: inputs made from the entities' own fields.

A filter offers every scalar of an entity, of its satellites (flat) and of its parents (nested). What an
input's field means stands beside it in ``Meaning``: a column, another entity, or a connective.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

import strawberry
from sqlalchemy import Column, Table
from strawberry import UNSET
from strawberry.types import get_object_definition
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from gql_nda.query import Ref, Relation, python_types
from gql_nda.types.arguments import argument
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


MEANINGS: dict[str, dict[str, Meaning]] = {}
"""What the fields of filters stand for, by the filter's name."""

ORDERS: dict[str, dict[str, Ref]] = {}
"""The columns that orders name, by the order's name."""


def filter_name(table: Table) -> str:
    """The name of an entity's filter, which is made when it is first named."""
    entity = type_name(ENTITIES[table.name])
    name = f"{entity}Filter"
    if name not in MEANINGS:
        MEANINGS[name] = {}  # parents may name this filter again
        MEANINGS[name] |= dict(scalars(table)) | dict(_parents(table))
        fields = {key: (f"{m.input_name} | None", m.description) for key, m in MEANINGS[name].items()}
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
    if name not in ORDERS:
        offered = {key: m for key, m in scalars(table) if m.kind is not bool}
        ORDERS[name] = {upper(key): m.ref for key, m in offered.items() if m.ref is not None}
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
