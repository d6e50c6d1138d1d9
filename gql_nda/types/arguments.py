"""The arguments of fields: how they are declared, and what clients gave."""

from enum import Enum
from typing import Any

from sqlalchemy import Column
from strawberry import UNSET
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument

from gql_nda.query import python_types


def argument(
    name: str,
    kind: Any,
    description: str | None,
    default: Any = UNSET,
    *,
    graphql_name: str | None = None,
    names: dict[str, Any] | None = None,
) -> StrawberryArgument:
    """An argument of a field; one of an optional ``kind`` may be left out. A ``kind`` that is text is of ``names``."""
    annotation = StrawberryAnnotation(kind, namespace=names)
    return StrawberryArgument(name, graphql_name, annotation, description=description, default=default)


def key_argument(column: Column[Any]) -> StrawberryArgument:
    """An argument that is a column of a key."""
    number_of_a_field = "fieldIdx" if column.name == "field" else None  # so it is called everywhere
    kind = python_types(column.type)[0]
    return argument(column.name, kind, column.comment, graphql_name=number_of_a_field)


def given_of(kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments that are given, neither left out nor null, as functions take them."""
    return {name: plain(value) for name, value in kwargs.items() if value is not UNSET and value is not None}


def plain(value: Any) -> Any:
    """A value as rows and functions have it: for a member of an enumeration, or a list of them, what it stands for."""
    match value:
        case Enum():
            return value.value
        case [Enum(), *_]:
            return [member.value for member in value]
    return value
