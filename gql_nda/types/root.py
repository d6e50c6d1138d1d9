"""Query: where every walk through the graph begins."""

from typing import Annotated, Any, ClassVar

import strawberry
from strawberry import UNSET
from strawberry.types.arguments import StrawberryArgument

from gql_nda import tables as t
from gql_nda.context import Context
from gql_nda.errors import BadUserInput, LimitExceeded
from gql_nda.keys import decode_id, parse_key
from gql_nda.query import Key, Relation, Row, by_key
from gql_nda.resolvers import connections, stimulus
from gql_nda.types import behavior, dataset
from gql_nda.types.arguments import argument
from gql_nda.types.connection import Connection
from gql_nda.types.connectome import ConnectomeQuery
from gql_nda.types.coordinates import CoordinatesQuery
from gql_nda.types.entity import Node, by_type_name
from gql_nda.types.field import Field
from gql_nda.types.fields import children, declared, lookup
from gql_nda.types.keys import UNIT_WAYS, UnitKey, unit_key
from gql_nda.types.population import PopulationQuery
from gql_nda.types.scan import Scan
from gql_nda.types.segmentation import Mask
from gql_nda.types.specs import ChildrenSpec, LookupSpec
from gql_nda.types.stack import Stack
from gql_nda.types.stimulus import Condition, Trial
from gql_nda.types.unit import UNITS, Unit, UnitConnection
from gql_nda.types.where import checked

Info = strawberry.Info[Context, None]
Described = strawberry.argument

ROOMS = (behavior,)
"""Rooms whose entities are reached over others only."""


class UnitLookup(LookupSpec):
    """The unit of its numbers, or of its name."""

    def key(self, kwargs: dict[str, Any]) -> Key:
        """The key that the arguments give, one way or the other."""
        return unit_key(*(kwargs.get(name, UNSET) for name in UNIT_WAYS))

    def arguments(self) -> list[StrawberryArgument]:
        """The fields of ``UnitKey``."""
        return [argument(name, kind | None, text) for name, (kind, text) in UNIT_WAYS.items()]


class ListedUnits(ChildrenSpec):
    """All units, or those of a list of keys."""

    plain: ClassVar[bool] = False

    def resolve(self, row: Row | None, info: Any, kwargs: dict[str, Any]) -> Any:
        """The connection, not fetched yet."""
        listed = kwargs.pop("keys", UNSET)
        if listed in (UNSET, None):
            return super().resolve(row, info, kwargs)
        limits = info.context.limits
        if len(listed) > limits.keys:
            raise LimitExceeded(f"keys: at most {limits.keys} at a time", limit="keys", maximum=limits.keys)
        keys = tuple(unit.key for unit in listed)
        arguments = checked(t.scan_unit, limits, **kwargs)
        return connections.plan(UNITS, keys, limits, listed=True, **arguments)

    def arguments(self) -> list[StrawberryArgument]:
        """``keys`` and those of any connection."""
        text = "Only these units, in this order unless `orderBy`: at most 10,000; all come unless `first`."
        return [argument("keys", list[UnitKey] | None, text), *super().arguments()]


@strawberry.type(description="Everything that can be asked.")
class Query(ConnectomeQuery, CoordinatesQuery, PopulationQuery):
    """The root of every query."""

    scan: Scan | None = lookup(t.scan, "The scan of a key; null where there is none.")
    scans: Connection[Scan] | None = children(None, t.scan, "All scans.")
    field: Field | None = lookup(t.field, "The field of a key; null where there is none.")
    units: UnitConnection | None = declared(
        ListedUnits(Relation(t.scan_unit, ())), "All units of all scans, or the units of a list of keys."
    )
    unit: Unit | None = declared(
        UnitLookup(UNITS), "The unit of a key, its numbers or strKey; null where there is none."
    )
    mask: Mask | None = lookup(t.segmentation, "The mask of a key; null where there is none.")
    trial: Trial | None = lookup(t.trial, "The trial of a key; null where there is none.")
    stack: Stack | None = lookup(t.stack, "The stack of a key; null where there is none.")
    stacks: Connection[Stack] | None = children(None, t.stack, "All stacks.")

    @strawberry.field(description="The dataset that is served.")
    def dataset(self, info: Info) -> dataset.Dataset:
        """Of the whole store."""
        return info.context.dataset  # type: ignore[return-value]

    @strawberry.field(description="The condition of a hash, whatever its kind; null where there is none.")
    async def condition(
        self,
        info: Info,
        hash: Annotated[str, Described("Its condition hash.")],  # noqa: A002
    ) -> Condition | None:
        """By primary key, in the three tables."""
        return await stimulus.condition(hash, info.context)  # type: ignore[return-value]

    @strawberry.field(description="Anything by its id; null where there is none.")
    def node(self, info: Info, id: Annotated[strawberry.ID, Described("Its id.")]) -> Node | None:  # noqa: A002
        """By primary key."""
        name, text = decode_id(id)
        cls = by_type_name(name)
        if cls is None:
            raise BadUserInput(f"id: {name[:40]!r} is no type of this server", argument="id")
        table = cls.__table__
        return info.context.loaders.lookup(by_key(table), parse_key(table, text))  # type: ignore[return-value]
