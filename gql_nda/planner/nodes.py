"""A plan: what is selected of the rows of a table, as data.

Plain nodes are a function of a row's columns and of those of the rows beside it. Parts need something
else, rows of other tables or blobs or a resolver, and stand in a row as JSON, in the slot of their label.
"""

from dataclasses import dataclass

from graphql import GraphQLEnumType, GraphQLField, GraphQLObjectType, GraphQLScalarType
from graphql.execution.collect_fields import FieldDetails
from sqlalchemy import Table

from gql_nda.query import Ref, Relation
from gql_nda.types.specs import ArraySpec, BatchSpec, ChildrenSpec, NamedSpec

# --- plain nodes -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Constant:
    """The same text for every row: ``__typename``."""

    text: str


@dataclass(frozen=True)
class Scalar:
    """The value of a column, times a factor if there is one."""

    ref: Ref
    type: GraphQLScalarType | GraphQLEnumType
    nullable: bool
    factor: float | None = None


@dataclass(frozen=True)
class Presence:
    """Whether a row is there: whether a column of its key is."""

    ref: Ref


@dataclass(frozen=True)
class GlobalId:
    """The id of a row."""

    type_name: str
    table: Table
    key: tuple[Ref, ...]


@dataclass(frozen=True)
class Beside:
    """The one row that a relation leads to, null where there is none; ``present`` is a column of its key."""

    present: Ref
    fields: "Fields"


@dataclass(frozen=True)
class Choice:
    """The row of the table that a column's value names: a union."""

    ref: Ref
    options: tuple[tuple[str, Beside], ...]


@dataclass(frozen=True)
class Slot:
    """Where a part's JSON goes."""

    label: str


Node = Constant | Scalar | Presence | GlobalId | Beside | Choice | Slot
Fields = tuple[tuple[str, Node], ...]
"""Nodes by response key, in the response's order."""

# --- parts -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Selection:
    """A field of the document: what graphql-core needs to execute or to complete it."""

    parent: GraphQLObjectType
    field: GraphQLField
    details: list[FieldDetails]


@dataclass(frozen=True)
class Site:
    """Where a part stands.

    Its row is reached over ``path`` from the level's; of that row it needs the columns ``names``.
    ``trail`` leads through the response: keys from the level's row to the field, each with its type's name.
    """

    label: str
    path: tuple[Relation, ...]
    table: Table
    names: tuple[str, ...]
    trail: tuple[tuple[str, str], ...]
    selection: Selection

    @property
    def refs(self) -> list[Ref]:
        """The columns that the part needs."""
        return [Ref(self.table.c[name], self.path) for name in self.names]


@dataclass(frozen=True)
class Children:
    """The rows that belong to a row, as a connection."""

    site: Site
    spec: ChildrenSpec
    plan: "ConnectionPlan"


@dataclass(frozen=True)
class Header:
    """An array of which no more is asked than its header tells: the fields by response key."""

    site: Site
    spec: ArraySpec
    fields: tuple[tuple[str, Selection], ...]


@dataclass(frozen=True)
class Named:
    """A stored name, or where there is none the computed one."""

    site: Site
    spec: NamedSpec
    stored: Ref


@dataclass(frozen=True)
class Batch:
    """A function of all rows of a level."""

    site: Site
    spec: BatchSpec


@dataclass(frozen=True)
class Delegated:
    """A field that graphql-core executes, row by row."""

    site: Site


Part = Children | Header | Named | Batch | Delegated

# --- levels ----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)  # a level is itself: what is made of it is remembered
class Level:
    """What is selected of each row of a table, and the columns that it takes."""

    type: GraphQLObjectType
    selection: Selection
    table: Table
    fields: Fields
    parts: tuple[Part, ...]
    refs: tuple[Ref, ...]


@dataclass(frozen=True)
class Cursor:
    """An edge's cursor."""


@dataclass(frozen=True)
class Edges:
    """A connection's ``edges``: each field of an edge by response key."""

    fields: tuple[tuple[str, Constant | Cursor | Level], ...]


@dataclass(frozen=True)
class PageInfo:
    """A connection's ``pageInfo``: the name of each field by response key."""

    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Count:
    """A connection's ``totalCount``."""


@dataclass(frozen=True)
class ConnectionPlan:
    """What is selected of a connection, by response key; a level stands for ``nodes``."""

    type: GraphQLObjectType
    table: Table
    fields: tuple[tuple[str, Constant | Level | Edges | PageInfo | Count | Selection], ...]
    refs: tuple[Ref, ...]
    paged: bool
