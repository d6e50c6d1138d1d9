"""Pages, counts and cursors of connections."""

from collections.abc import Sequence
from typing import NamedTuple

from gql_nda.context import Context
from gql_nda.errors import BadUserInput, LimitExceeded
from gql_nda.limits import Limits
from gql_nda.query import Key, Order, Planned, Predicate, Query, Relation, Row, decode_cursor


class Edge(NamedTuple):
    """A row and its position."""

    cursor: str
    node: Row


class PageInfo(NamedTuple):
    """Where a page stands among its connection's rows."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


def plan(
    relation: Relation,
    keys: tuple[Key, ...],
    limits: Limits,
    *,
    where: Predicate | None = None,
    order: tuple[Order, ...] = (),
    first: int | None = None,
    after: str | None = None,
    listed: bool = False,
) -> Planned:
    """A connection from its checked arguments; nothing is fetched yet."""
    first = page_size(first, limits, len(keys) if listed else limits.page_default)
    planned = Planned(Query(relation.table, relation.on, keys, where, order), first, listed)
    if after is None:
        return planned
    query = Query(relation.table, relation.on, keys, where, order, decode_cursor(after, planned))
    return Planned(query, first, listed)


def page_size(first: int | None, limits: Limits, default: int) -> int:
    """Rows that a page has: BAD_USER_INPUT and LIMIT_EXCEEDED name ``first``, and the limit."""
    if first is None:
        return default
    if first < 0:
        raise BadUserInput(f"first: {first} is negative", argument="first")
    if first > limits.page_max:
        message = f"page_max: first is {first}, at most {limits.page_max} rows fit a page"
        raise LimitExceeded(message, limit="page_max", maximum=limits.page_max)
    return first


async def nodes(planned: Planned, context: Context) -> list[Row]:
    """The rows of the page."""
    return (await context.loaders.page(planned)).rows


async def edges(planned: Planned, context: Context) -> list[Edge]:
    """The rows of the page with their cursors."""
    page = await context.loaders.page(planned)
    return [Edge(planned.cursor(row.at(planned.labels)), row) for row in page.rows]


async def page_info(planned: Planned, context: Context) -> PageInfo:
    """Where the page stands."""
    rows, more = await context.loaders.page(planned)
    return stands(planned, [row.at(planned.labels) for row in (rows[:1] + rows[-1:])], more)


def stands(planned: Planned, positions: Sequence[Key], more: bool) -> PageInfo:
    """Where a page stands whose first and last row have these positions."""
    ends = (planned.cursor(positions[0]), planned.cursor(positions[-1])) if positions else (None, None)
    return PageInfo(more, planned.query.after is not None, *ends)


async def total_count(planned: Planned, context: Context) -> int:
    """Number of rows over all pages."""
    return await context.loaders.count(planned)


async def missing(planned: Planned, context: Context) -> list[Key]:
    """The listed keys that the table does not hold, whatever the predicate says of the others."""
    if not planned.listed:
        return []
    query = planned.query
    found = await context.loaders.ask(context.store.counts, Query(query.table, query.on, query.keys))
    return [key for key in dict.fromkeys(query.keys) if key not in found]
