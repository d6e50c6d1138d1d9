"""Entities: types that describe the rows of a table, and are never instantiated."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import strawberry
from graphql import GraphQLResolveInfo
from sqlalchemy import Table
from strawberry.types import get_object_definition

from gql_nda.keys import encode_id
from gql_nda.query import Row
from gql_nda.types.fields import declared

T = TypeVar("T", bound=type)

ENTITIES: dict[str, type["Node"]] = {}
"""The entity of each table, by the table's name."""


DERIVED: dict[str, type] = {}
"""The type of each derived table, by the table's name: its rows stand beside others, and have no id."""


@dataclass(frozen=True)
class IdSpec:
    """The global id: the type's name and the key, as one opaque string."""

    plain: ClassVar[bool] = True

    def resolve(self, row: Row, info: Any, kwargs: dict[str, Any]) -> str:  # noqa: ARG002
        """The id of a row."""
        return encode_id(type_name(ENTITIES[row.table.name]), row.table, row.key)


@strawberry.interface(description="Anything that has a row of its own and can be fetched again by its id.")
class Node:
    """What all entities share."""

    __table__: ClassVar[Table]

    id: strawberry.ID = declared(IdSpec(), "Names this row over all types; `node` fetches it again.")

    @classmethod
    def is_type_of(cls, value: object, _info: GraphQLResolveInfo[Any]) -> bool:
        """Whether a value is a row of this type's table: what resolves unions and interfaces."""
        return isinstance(value, Row) and value.table is cls.__table__


def entity(table: Table, name: str | None = None) -> Callable[[T], T]:
    """Declare the type of a table's rows; the table describes it."""

    def describe(cls: T) -> T:
        described: Any = strawberry.type(cls, name=name, description=table.comment)
        described.__table__ = table
        ENTITIES[table.name] = described
        return described  # type: ignore[no-any-return]

    return describe


def derived(table: Table, name: str) -> Callable[[T], T]:
    """Declare the type of a derived table's rows."""

    def describe(cls: T) -> T:
        DERIVED[table.name] = strawberry.type(cls, name=name, description=table.comment)
        return DERIVED[table.name]  # type: ignore[return-value]

    return describe


def type_name(cls: type) -> str:
    """The GraphQL name of an entity."""
    definition = get_object_definition(cls, strict=True)
    return definition.name


def by_type_name(name: str) -> type[Node] | None:
    """The entity of that GraphQL name."""
    return next((cls for cls in ENTITIES.values() if type_name(cls) == name), None)
