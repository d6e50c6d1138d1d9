"""What fields are, as data: a ``Spec`` says how graphql-core gets a field's value from a row.

Nothing else says how a field is wired; loaders, filters, costs and the planner read the same spec.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from sqlalchemy import Column
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.info import Info

from gql_nda.arrays.numbers import shortest
from gql_nda.context import Context
from gql_nda.dataloader import Loader
from gql_nda.errors import ArrayTooLarge, LimitExceeded
from gql_nda.loaders import Derived
from gql_nda.query import Key, Ref, Relation, Row
from gql_nda.resolvers import arrays, connections
from gql_nda.stores import Head
from gql_nda.tables import Float32
from gql_nda.types.arguments import given_of, key_argument


class Spec(Protocol):
    """What a field is: its value for a row, and its arguments."""

    plain: ClassVar[bool]

    def resolve(self, row: Row, info: Any, kwargs: dict[str, Any]) -> Any:
        """The value for one row, or an awaitable of it."""


def value_of(column: Column[Any], row: Row, name: str) -> Any:
    """A column's value as clients see it."""
    value = row[name]
    return shortest(value) if value is not None and isinstance(column.type, Float32) else value


@dataclass(frozen=True)
class ColumnSpec:
    """A column of the row itself."""

    column: Column[Any]
    plain: ClassVar[bool] = True

    def resolve(self, row: Row, info: Any, kwargs: dict[str, Any]) -> Any:  # noqa: ARG002
        """The value, at hand."""
        return value_of(self.column, row, self.column.name)

    @property
    def ref(self) -> Ref:
        """The column as filters and orders name it."""
        return Ref(self.column)


@dataclass(frozen=True)
class RowSpec:
    """One row of another table: a parent, or a satellite that may stand beside this one."""

    relation: Relation
    satellite: bool
    plain: ClassVar[bool] = False

    def resolve(self, row: Row, info: Info[Context, None], kwargs: dict[str, Any]) -> Any:  # noqa: ARG002
        """The row, or None."""
        return info.context.loaders.row(self.relation).load(row.at(self.relation.on))


@dataclass(frozen=True)
class ScaledSpec:
    """A column of the row itself, times a constant: the same in another unit."""

    column: Column[Any]
    factor: float
    plain: ClassVar[bool] = True

    def resolve(self, row: Row, info: Any, kwargs: dict[str, Any]) -> Any:  # noqa: ARG002
        """The product, at hand."""
        value = row[self.column.name]
        return None if value is None else value * self.factor


@dataclass(frozen=True)
class SameSpec:
    """The row itself, seen as another type: some of its fields under a name of their own."""

    plain: ClassVar[bool] = True

    def resolve(self, row: Row, info: Any, kwargs: dict[str, Any]) -> Row:  # noqa: ARG002
        """The row."""
        return row


@dataclass(frozen=True)
class SatelliteColumnSpec:
    """The single column of a satellite, shown as a field of its parent."""

    relation: Relation
    column: Column[Any]
    plain: ClassVar[bool] = False

    async def resolve(self, row: Row, info: Info[Context, None], kwargs: dict[str, Any]) -> Any:  # noqa: ARG002
        """The value, or None where the satellite is absent."""
        found = await info.context.loaders.row(self.relation).load(row.at(self.relation.on))
        return None if found is None else value_of(self.column, found, self.column.name)

    @property
    def ref(self) -> Ref:
        """The column as filters and orders name it."""
        return Ref(self.column, (self.relation,))


@dataclass(frozen=True)
class PresenceSpec:
    """Whether a satellite is there."""

    relation: Relation
    plain: ClassVar[bool] = False

    async def resolve(self, row: Row, info: Info[Context, None], kwargs: dict[str, Any]) -> bool:  # noqa: ARG002
        """True or False."""
        return await info.context.loaders.row(self.relation).load(row.at(self.relation.on)) is not None

    @property
    def ref(self) -> Ref:
        """A column that is null exactly where the satellite is absent."""
        return Ref(next(iter(self.relation.table.primary_key)), (self.relation,))


@dataclass(frozen=True)
class ChildrenSpec:
    """The rows of another table that belong to this one, as a connection."""

    relation: Relation
    plain: ClassVar[bool] = False

    def resolve(self, row: Row | None, info: Info[Context, None], kwargs: dict[str, Any]) -> Any:
        """The connection, not fetched yet; without a row, that of the whole table."""
        from gql_nda.types.where import checked

        key = row.at(self.relation.on) if row is not None else ()
        arguments = checked(self.relation.table, info.context.limits, **kwargs)
        return connections.plan(self.relation, (key,), info.context.limits, **arguments)

    def arguments(self) -> list[StrawberryArgument]:
        """``where``, ``orderBy``, ``first`` and ``after``."""
        from gql_nda.types.filters import connection_arguments

        return connection_arguments(self.relation.table)


@dataclass(frozen=True)
class BatchSpec:
    """A function of all rows of a level, and of arguments by name: it returns one result for each row.

    An argument that is left out, or null, is the function's own default. A limit that the function finds broken, by
    all rows together, refuses the operation; what one row's result is too large for is that row's error.
    """

    function: Callable[..., Awaitable[Sequence[Any]]]
    parameters: tuple[StrawberryArgument, ...] = ()
    plain: ClassVar[bool] = False

    def resolve(self, row: Row, info: Info[Context, None], kwargs: dict[str, Any]) -> Any:
        """The result for one row."""
        return self.loader(info.context, kwargs).load(Derived(row))

    def loader(self, context: Context, kwargs: dict[str, Any]) -> Loader[Any, Any]:
        """Loads the results of rows (``Derived``): all for which the same is asked at once are of one call."""
        given = given_of(kwargs)

        async def batch(rows: Sequence[Row]) -> Sequence[Any]:
            try:
                return await self.function(rows, context, **given)
            except (ArrayTooLarge, LimitExceeded) as error:
                context.refuse(error)

        return context.loaders.derived((self.function, repr(given)), batch)

    def arguments(self) -> list[StrawberryArgument]:
        """The function's parameters."""
        return list(self.parameters)


@dataclass(frozen=True)
class ChosenRowSpec(RowSpec):
    """A satellite, or another in its place for those who ask for it by arguments: that one is computed."""

    computed: BatchSpec

    def resolve(self, row: Row, info: Info[Context, None], kwargs: dict[str, Any]) -> Any:
        """The row, stored or computed; or None."""
        return self.computed.resolve(row, info, kwargs) if given_of(kwargs) else super().resolve(row, info, kwargs)

    def arguments(self) -> list[StrawberryArgument]:
        """The function's parameters."""
        return self.computed.arguments()


@dataclass(frozen=True)
class NamedSpec:
    """A satellite's column, computed from the key where it is absent; filters and orders see what is stored."""

    relation: Relation
    column: Column[Any]
    compute: Callable[..., str]
    plain: ClassVar[bool] = False

    async def resolve(self, row: Row, info: Info[Context, None], kwargs: dict[str, Any]) -> str:  # noqa: ARG002
        """The name, stored or computed."""
        found = await info.context.loaders.row(self.relation).load(row.at(self.relation.on))
        return self.name(found[self.column.name] if found else None, row.key)

    def name(self, stored: str | None, key: Key) -> str:
        """The stored name, or the computed one."""
        return stored or self.compute(*key)

    @property
    def ref(self) -> Ref:
        """The column as filters and orders name it."""
        return Ref(self.column, (self.relation,))


@dataclass(frozen=True)
class UnionSpec:
    """The row of one of several tables: a column's value names which."""

    column: Column[Any]
    options: Mapping[str, Relation]
    plain: ClassVar[bool] = False

    def resolve(self, row: Row, info: Info[Context, None], kwargs: dict[str, Any]) -> Any:  # noqa: ARG002
        """The row, or None; of a value that names no table there is none."""
        relation = self.options.get(row[self.column.name])
        return relation and info.context.loaders.row(relation).load(row.at(relation.on))


@dataclass(frozen=True)
class ArraySpec:
    """An array column, of the row's own table or of one with a key that the row holds.

    ``delay`` names a column of the row, in ms, that is added to an array of times.
    """

    column: Column[Any]
    on: tuple[str, ...]
    delay: Column[Any] | None = None
    plain: ClassVar[bool] = False

    async def resolve(self, row: Row, info: Info[Context, None], kwargs: dict[str, Any]) -> Any:  # noqa: ARG002
        """The array by reference, or None where the database holds none."""
        head = await info.context.loaders.head(self.column).load(row.at(self.on))
        return None if head is None else self.reference(row, head, info.context)

    def reference(self, row: Row, head: Head, context: Context) -> arrays.ArrayRef:
        """The array of a row: its header, and where it lies."""
        shift = row[self.delay.name] / 1000 if self.delay is not None else 0.0
        return arrays.reference(self.column, row.at(self.on), head, context, shift)


@dataclass(frozen=True)
class LookupSpec:
    """The row of a primary key given as arguments."""

    relation: Relation
    plain: ClassVar[bool] = False

    def resolve(self, row: Any, info: Info[Context, None], kwargs: dict[str, Any]) -> Any:  # noqa: ARG002
        """The row, not fetched yet; None where there is none."""
        return info.context.loaders.lookup(self.relation, self.key(kwargs))

    def key(self, kwargs: dict[str, Any]) -> Key:
        """The key that the arguments give."""
        return tuple(kwargs[name] for name in self.relation.on)

    def arguments(self) -> list[StrawberryArgument]:
        """One argument for each column of the key."""
        return [key_argument(column) for column in self.relation.table.primary_key]


@dataclass(frozen=True)
class CalledSpec:
    """What a function makes of arguments; one that is left out, or null, is the function's own default."""

    function: Callable[..., Awaitable[Any]]
    parameters: tuple[StrawberryArgument, ...]
    plain: ClassVar[bool] = False

    def resolve(self, row: Any, info: Any, kwargs: dict[str, Any]) -> Any:  # noqa: ARG002
        """The result."""
        return self.function(info.context, **given_of(kwargs))

    def arguments(self) -> list[StrawberryArgument]:
        """The function's parameters."""
        return list(self.parameters)


@dataclass(frozen=True)
class ListedSpec(ChildrenSpec):
    """A plain list of some of a relation's rows, or of what is told of them: at most ``first``, if that is given."""

    called: CalledSpec

    def resolve(self, row: Any, info: Any, kwargs: dict[str, Any]) -> Any:
        """The list."""
        return self.called.resolve(row, info, kwargs)

    def arguments(self) -> list[StrawberryArgument]:
        """The function's parameters."""
        return self.called.arguments()
