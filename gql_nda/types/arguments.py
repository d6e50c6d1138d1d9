"""The arguments of fields: how they are declared, and what clients gave."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

from sqlalchemy import Column
from strawberry import UNSET
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.utils.str_converters import to_camel_case

from gql_nda.query import python_types

T = TypeVar("T")


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


def at_once(kind: type[T]) -> type[T]:
    """An input of scalars alone, made in one go: 10,000 keys would take Strawberry a third of a second, one by one."""
    definition: Any = getattr(kind, "__strawberry_definition__")  # noqa: B009
    names = {field.graphql_name or to_camel_case(field.python_name): field.python_name for field in definition.fields}

    def made(of: type[T], given: Mapping[str, Any], _context: Any) -> T:
        return of(**{names[name]: value for name, value in given.items()})

    definition.from_input = made
    return kind


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
