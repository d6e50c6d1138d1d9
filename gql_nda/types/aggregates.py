"""Aggregates of connections: statistics, histograms and groups of all rows after ``where``.

What they can be taken of depends on the connection's entity: their arguments, and the keys of groups,
are made from the entity's own scalars when the schema is built.
"""

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Annotated, Any, ClassVar, Generic, TypeVar

import strawberry
from sqlalchemy import Table
from strawberry import UNSET
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField
from strawberry.types.info import Info
from strawberry.types.lazy_type import LazyType
from strawberry.types.nodes import Selection

from gql_nda.context import Context
from gql_nda.query import Planned, Ref
from gql_nda.resolvers import aggregates
from gql_nda.resolvers.aggregates import BINS, Bins, By
from gql_nda.types.arguments import argument, plain
from gql_nda.types.entity import ENTITIES, type_name
from gql_nda.types.fields import declared, spec_of
from gql_nda.types.filters import Meaning, enumerated, scalars, upper

T = TypeVar("T")
Source = Planned | aggregates.Group

# --- what an entity offers -------------------------------------------------------------------------


@cache
def numbers(table: Table) -> dict[str, Meaning]:
    """What statistics and histograms can be taken of: numbers."""
    return {name: meaning for name, meaning in scalars(table) if meaning.kind in (int, float)}


@cache
def values(table: Table) -> dict[str, Meaning]:
    """What rows can be grouped by: all but floating-point numbers."""
    return {name: meaning for name, meaning in scalars(table) if meaning.kind is not float}


@cache
def _number_field(table: Table) -> type[Enum]:
    entity = type_name(ENTITIES[table.name])
    return enumerated(f"{entity}NumberField", numbers(table), f"A number that {entity} has.")


@cache
def _group_field(table: Table) -> type[Enum]:
    entity = type_name(ENTITIES[table.name])
    return enumerated(f"{entity}GroupField", values(table), f"What {entity} can be grouped by.")


def _ref(table: Table, of: str) -> Ref:
    """The column of a value of ``_number_field``."""
    (ref,) = (meaning.ref for name, meaning in numbers(table).items() if upper(name) == of)
    assert ref is not None
    return ref


def _by(table: Table, asked: Iterable[str]) -> Iterator[By]:
    """What values of ``_group_field`` stand for."""
    offered = {upper(name): (name, meaning) for name, meaning in values(table).items()}
    for one in asked:
        name, meaning = offered[one]
        assert meaning.ref is not None
        yield By(name, meaning.ref, meaning.presence)


@dataclass(frozen=True)
class KeyPartSpec:
    """One value of a group's key."""

    name: str
    plain: ClassVar[bool] = True

    def resolve(self, key: dict[str, Any], info: Any, kwargs: dict[str, Any]) -> Any:  # noqa: ARG002
        """The value, None where the rows weren't grouped by it."""
        return key.get(self.name)


@cache
def _key(table: Table) -> type:
    """The type of the keys of an entity's groups."""
    name = f"{type_name(ENTITIES[table.name])}GroupKey"
    body: dict[str, Any] = {"__annotations__": {}, "__module__": __name__}
    for field, meaning in values(table).items():
        body["__annotations__"][field] = meaning.kind | None
        body[field] = declared(KeyPartSpec(field), meaning.description)
    described = "What the rows of a group have in common; null for all that they weren't grouped by."
    return strawberry.type(type(name, (), body), description=described)


# --- fields of an entity's connection --------------------------------------------------------------


@dataclass(frozen=True)
class KeySpec:
    """What the rows of a group have in common."""

    table: Table
    plain: ClassVar[bool] = True

    def resolve(self, group: aggregates.Group, info: Any, kwargs: dict[str, Any]) -> Any:  # noqa: ARG002
        """The key, at hand."""
        return group.key


@dataclass(frozen=True)
class StatisticsSpec:
    """Statistics of a column."""

    table: Table
    plain: ClassVar[bool] = False

    async def resolve(self, source: Source, info: Info[Context, None], kwargs: dict[str, Any]) -> Any:
        """Of all rows of a connection or group."""
        return await aggregates.statistics(source, _ref(self.table, plain(kwargs["of"])), info.context)

    def arguments(self) -> list[StrawberryArgument]:
        """``of``."""
        return [argument("of", _number_field(self.table), "The number to describe.")]


@dataclass(frozen=True)
class HistogramSpec:
    """The histogram of a column."""

    table: Table
    plain: ClassVar[bool] = False

    async def resolve(self, source: Source, info: Info[Context, None], kwargs: dict[str, Any]) -> Any:
        """Of all rows of a connection or group."""
        of = plain(kwargs.pop("of"))
        bins = Bins(**{name: value for name, value in kwargs.items() if value is not UNSET})
        return await aggregates.histogram(source, _ref(self.table, of), bins, info.context, info.path)

    def arguments(self) -> list[StrawberryArgument]:
        """``of``, and the bins."""
        return [
            argument("of", _number_field(self.table), "The number to count."),
            argument("bins", int | None, f"Number of bins of equal width, from 1: {BINS} unless told."),
            argument("min", float | None, "Where the first bin starts; at the least value unless told."),
            argument("max", float | None, "Where the last bin ends; at the largest value unless told."),
            argument("edges", list[float] | None, "The edges of the bins, increasing: in place of the other three."),
        ]


@dataclass(frozen=True)
class GroupsSpec:
    """Groups of rows with equal values."""

    table: Table
    plain: ClassVar[bool] = False

    async def resolve(self, planned: Planned, info: Info[Context, None], kwargs: dict[str, Any]) -> Any:
        """The groups, with the columns that aggregates of them are taken of."""
        refs = [_ref(self.table, of) for of in dict.fromkeys(_asked(info.selected_fields))]
        by = list(_by(self.table, plain(kwargs["by"])))
        return await aggregates.groups(planned, by, refs, info.context, info.path)

    def arguments(self) -> list[StrawberryArgument]:
        """``by``."""
        return [argument("by", list[_group_field(self.table)], "The values to group by.")]  # type: ignore[misc]


def _asked(selections: Iterable[Selection]) -> Iterator[str]:
    """What the aggregates in a selection are taken of."""
    for selected in selections:
        of = getattr(selected, "arguments", {}).get("of")
        if of is not None:
            yield plain(of)
        yield from _asked(selected.selections)


@dataclass(frozen=True)
class OfEntitySpec:
    """A spec still to be made: of the table of the entity that a generic type is over."""

    make: Callable[[Table], Any]
    plain: ClassVar[bool] = False


def of_entity(make: Callable[[Table], Any], description: str) -> Any:
    """A field of a generic type whose spec is made of the entity's table."""
    return declared(OfEntitySpec(make), description)


def bound(field: StrawberryField, definition: StrawberryObjectDefinition) -> StrawberryField:
    """A field of a type; what is made ``of_entity`` is made here."""
    unmade = spec_of(field)
    if not isinstance(unmade, OfEntitySpec):
        return field
    spec = unmade.make(_table(definition))
    made: Any = copy(field)
    made.metadata, made.arguments = {"spec": spec}, None
    if isinstance(spec, KeySpec):
        made.type = _key(spec.table)
    return made  # type: ignore[no-any-return]


def _table(definition: StrawberryObjectDefinition) -> Table:
    """The table that a generic type's argument describes."""
    arguments = {**(definition.specialized_type_var_map or {}), **definition.type_var_map}
    cls: Any = arguments[T.__name__]
    table: Table = (cls.resolve_type() if isinstance(cls, LazyType) else cls).__table__
    return table


# --- what they are ---------------------------------------------------------------------------------


@strawberry.type(description="Numbers about a column: of the finite values; null where there is none.")
class Statistics:
    """Value: ``gql_nda.resolvers.aggregates.Statistics``."""

    count: int = strawberry.field(description="Number of values.")
    nulls: int = strawberry.field(description="Number of rows without a value.")
    min: float | None = strawberry.field(description="Least value.")
    max: float | None = strawberry.field(description="Largest value.")
    mean: float | None = strawberry.field(description="Mean of the values.")
    std: float | None = strawberry.field(
        description="Standard deviation of the values as a population: divided by their number."
    )

    @strawberry.field(
        description="Percentiles, in the order asked for; null where there is no value. Between two values they are "
        "interpolated linearly, as by `numpy.percentile`."
    )
    async def percentiles(
        found: strawberry.Parent[aggregates.Statistics],
        info: strawberry.Info[Context, None],
        at: Annotated[list[float], strawberry.argument("Percent, each from 0 to 100: 50 is the median.")],
    ) -> list[float] | None:
        """Of the same values."""
        return await aggregates.percentiles(found, at, info.context, info.path)  # type: ignore[return-value]


@strawberry.type(
    description="How many values fall into each bin. A bin holds its left edge and not its right one, the last both: "
    "as `numpy.histogram`. Edges of a float32 column are float32: a filter `gte` one and `lt` the next finds the "
    "rows of the bin. Without bounds and values there are no bins."
)
class Histogram:
    """Value: ``gql_nda.resolvers.aggregates.Histogram``."""

    edges: list[float] = strawberry.field(description="The edges of the bins, one more than there are bins.")
    counts: list[int] = strawberry.field(description="Number of values in each bin.")
    below: int = strawberry.field(description="Number of values less than the first edge.")
    above: int = strawberry.field(description="Number of values greater than the last edge.")
    nulls: int = strawberry.field(description="Number of rows without a value.")


STATISTICS = "Numbers about one value of the rows: count, mean, percentiles and so on."
HISTOGRAM = "How many of the rows have a value in each of some bins."


@strawberry.type(description="The rows of a connection, over all pages, that are equal in what they are grouped by.")
class Group(Generic[T]):
    """Value: ``gql_nda.resolvers.aggregates.Group``."""

    key: T = of_entity(KeySpec, "What the rows have in common.")  # its type is made of the entity's
    count: int = strawberry.field(description="Number of rows.")
    statistics: Statistics | None = of_entity(StatisticsSpec, STATISTICS)
    histogram: Histogram | None = of_entity(HistogramSpec, HISTOGRAM)
