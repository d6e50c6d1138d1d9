"""Connections: pages of rows with keyset cursors."""

from typing import Generic, TypeVar

import strawberry

from gql_nda.context import Context
from gql_nda.query import Planned
from gql_nda.resolvers import connections
from gql_nda.types import aggregates
from gql_nda.types.aggregates import Group, Histogram, Statistics

T = TypeVar("T")
Info = strawberry.Info[Context, None]
Plan = strawberry.Parent[Planned]


@strawberry.type(description="Where a page stands among the rows of its connection.")
class PageInfo:
    """Value: ``gql_nda.resolvers.connections.PageInfo``."""

    has_next_page: bool = strawberry.field(description="Whether rows follow; take them with `after: endCursor`.")
    has_previous_page: bool = strawberry.field(description="Whether the page starts behind a cursor.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first row; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last row; null on an empty page.")


@strawberry.type(description="A row with its cursor.")
class Edge(Generic[T]):
    """Value: ``gql_nda.resolvers.connections.Edge``."""

    cursor: str = strawberry.field(description="The row's position: bound to this filter, order and parent.")
    node: T = strawberry.field(description="The row.")


@strawberry.type(description="One page of rows.")
class Connection(Generic[T]):
    """Value: ``gql_nda.query.Planned``, from which one fetch serves all of these fields."""

    @strawberry.field(description="The rows of the page.")
    async def nodes(plan: Plan, info: Info) -> list[T]:
        """Rows in order."""
        return await connections.nodes(plan, info.context)  # type: ignore[return-value]

    @strawberry.field(description="The rows of the page with their cursors.")
    async def edges(plan: Plan, info: Info) -> list[Edge[T]]:
        """Rows in order."""
        return await connections.edges(plan, info.context)  # type: ignore[return-value]

    @strawberry.field(description="Where the page stands.")
    async def page_info(plan: Plan, info: Info) -> PageInfo:
        """Both ends of the page."""
        return await connections.page_info(plan, info.context)  # type: ignore[return-value]

    @strawberry.field(description="Number of rows over all pages, after `where`.")
    async def total_count(plan: Plan, info: Info) -> int:
        """Counted only when asked for."""
        return await connections.total_count(plan, info.context)

    statistics: Statistics | None = aggregates.of_entity(
        aggregates.StatisticsSpec, f"{aggregates.STATISTICS} Over all pages, after `where`."
    )
    histogram: Histogram | None = aggregates.of_entity(
        aggregates.HistogramSpec, f"{aggregates.HISTOGRAM} Over all pages, after `where`."
    )
    groups: list[Group[T]] | None = aggregates.of_entity(
        aggregates.GroupsSpec,
        "The rows, over all pages and after `where`, grouped by equal values: one group for each combination that "
        "occurs, sorted by key, null last.",
    )
