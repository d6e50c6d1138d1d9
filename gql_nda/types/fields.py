"""The constructors that declare the fields of a type, each with its spec."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Table
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from gql_nda.query import Relation, by_key, down, up
from gql_nda.stores import table_of
from gql_nda.types.specs import (
    ArraySpec,
    BatchSpec,
    CalledSpec,
    ChildrenSpec,
    ChosenRowSpec,
    ColumnSpec,
    ListedSpec,
    LookupSpec,
    NamedSpec,
    PresenceSpec,
    RowSpec,
    SameSpec,
    SatelliteColumnSpec,
    ScaledSpec,
    UnionSpec,
)


class NdaField(StrawberryField):
    """A field that is resolved by its spec."""

    @property
    def spec(self) -> Any:
        """What the field is."""
        return self.metadata["spec"]

    @property
    def is_basic_field(self) -> bool:
        """Whether the value is at hand: Strawberry then makes no Info."""
        return bool(self.spec.plain)

    @property
    def arguments(self) -> list[StrawberryArgument]:
        """The spec's arguments: asked for when the schema is built, and all types are known."""
        if self._arguments is None:
            make = getattr(self.spec, "arguments", None)
            self._arguments = make() if make else []
        return self._arguments

    @arguments.setter
    def arguments(self, value: list[StrawberryArgument]) -> None:
        self._arguments = value

    def get_result(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> Any:  # noqa: ARG002
        """The value for one row."""
        return self.spec.resolve(source, info, kwargs)


def spec_of(field: StrawberryField) -> Any:
    """The spec of a field, or None where it has none."""
    return field.metadata.get("spec") if isinstance(field, NdaField) else None


def declared(spec: Any, description: str | None) -> Any:
    """A field of that spec."""
    return NdaField(description=description, metadata={"spec": spec})


def column(source: Column[Any]) -> Any:
    """A column of the type's own table."""
    return declared(ColumnSpec(source), source.comment)


def parent(here: Table, there: Table, description: str | None = None, *, on: tuple[str, ...] = ()) -> Any:
    """The row that this one belongs to."""
    relation = Relation(there, on) if on else up(here, there)
    return declared(RowSpec(relation, satellite=False), description or there.comment)


def satellite(here: Table, there: Table | Column[Any], description: str | None = None) -> Any:
    """The one row of another table beside this one; a column of it stands for its value alone."""
    if isinstance(there, Column):
        return declared(SatelliteColumnSpec(up(here, table_of(there)), there), description or there.comment)
    relation = up(here, there)
    return declared(RowSpec(relation, satellite=True), description or there.comment)


def scaled(source: Column[Any], factor: float, description: str) -> Any:
    """A column in another unit."""
    return declared(ScaledSpec(source, factor), description)


def same(description: str) -> Any:
    """The row itself, seen as another type."""
    return declared(SameSpec(), description)


def chosen(
    here: Table,
    there: Table,
    function: Callable[..., Awaitable[Sequence[Any]]],
    *parameters: StrawberryArgument,
) -> Any:
    """The one row of another table beside this one, or what a function gives of arguments in its place."""
    computed = BatchSpec(function, parameters)
    return declared(ChosenRowSpec(up(here, there), True, computed), there.comment)


def present(here: Table, there: Table, description: str) -> Any:
    """Whether another table has a row beside this one."""
    return declared(PresenceSpec(up(here, there)), description)


def children(here: Table | None, there: Table, description: str, *, on: tuple[str, ...] = ()) -> Any:
    """The rows of another table that belong to this one; of a whole table, for a field of Query."""
    return declared(
        ChildrenSpec(down(here, there) if here is not None and not on else Relation(there, on)), description
    )


def batch(function: Callable[..., Awaitable[Sequence[Any]]], description: str, *parameters: StrawberryArgument) -> Any:
    """A derived value: a function of all rows of a level, and of arguments."""
    return declared(BatchSpec(function, parameters), description)


def named(here: Table, there: Column[Any], compute: Callable[..., str]) -> Any:
    """A satellite's column, computed from the key where the satellite is absent."""
    return declared(NamedSpec(up(here, table_of(there)), there, compute), there.comment)


def choice(source: Column[Any], options: Mapping[str, Relation], description: str) -> Any:
    """The row of the table that a column's value names."""
    return declared(UnionSpec(source, options), description)


def array(source: Column[Any], description: str | None = None, *, delay: Column[Any] | None = None) -> Any:
    """An array column, by reference."""
    on = tuple(c.name for c in table_of(source).primary_key)
    return declared(ArraySpec(source, on, delay), description or source.comment)


def lookup(table: Table, description: str) -> Any:
    """The row of a key, for a field of Query."""
    return declared(LookupSpec(by_key(table)), description)


def called(function: Callable[..., Awaitable[Any]], description: str, *parameters: StrawberryArgument) -> Any:
    """A value of the root that is made of arguments."""
    return declared(CalledSpec(function, parameters), description)


def listed(
    relation: Relation, function: Callable[..., Awaitable[Any]], description: str, *parameters: StrawberryArgument
) -> Any:
    """A plain list of the root: it counts as rows of the relation."""
    return declared(ListedSpec(relation, CalledSpec(function, parameters)), description)


def each_of(field: Any, items: Relation | str) -> Any:
    """A field of as many items as a relation has rows, or a list argument has: what is asked below costs as often."""
    field.metadata = {**field.metadata, "each": items}
    return field
