"""Connections: one fetch for all their parents and for every field of a page."""

import asyncio
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import polars as pl
from graphql.pyutils import Path

from gql_nda.apart import apart
from gql_nda.frames import sizes
from gql_nda.planner.batches import Batch, Few, Many, Texts
from gql_nda.planner.nodes import ConnectionPlan, Constant, Count, Cursor, Edges, Level, PageInfo, Selection
from gql_nda.planner.text import quoted
from gql_nda.query import Planned
from gql_nda.resolvers import connections
from gql_nda.stores.columns import handful

if TYPE_CHECKING:
    from gql_nda.planner.answer import Answer, Place


class Pages(NamedTuple):
    """The rows of several connections, one's behind the other's.

    ``starts`` tells where each one's begin, and where the last one's end; ``more`` whether others follow.
    """

    rows: Batch
    starts: list[int]
    more: list[bool]

    def cut(self, items: Sequence[Any]) -> list[Any]:
        """Items of all rows, by connection."""
        return [items[start:stop] for start, stop in zip(self.starts, self.starts[1:], strict=False)]

    def lists(self, texts: Texts) -> Texts:
        """The JSON lists of the rows' texts, by connection."""
        return [_list(part) for part in self.cut(texts)]

    def place(self, paths: Sequence[Path]) -> "Place":
        """Where the lists at these paths hold a row."""

        def place(index: int) -> Path:
            connection = bisect_right(self.starts, index, hi=len(paths)) - 1
            return paths[connection].add_key(index - self.starts[connection], None)

        return place


async def answer(within: "Answer", plan: ConnectionPlan, planned: Sequence[Planned], paths: Sequence[Path]) -> Texts:
    """The JSON of connections that differ only in their parents' keys."""
    pages = await _pages(within, plan, planned) if plan.paged else None
    fields = [
        _field(within, node, planned, [path.add_key(key, plan.type.name) for path in paths], pages)
        for key, node in plan.fields
    ]
    texts = await asyncio.gather(*fields)
    told = _objects([key for key, _ in plan.fields], texts, len(planned))
    within.replace(texts, told)
    return told


# --- pages -----------------------------------------------------------------------------------------


async def _pages(within: "Answer", plan: ConnectionPlan, planned: Sequence[Planned]) -> Pages:
    if planned[0].listed:
        return await _listed(within, plan, planned[0])
    first, ask, store = planned[0].first, within.context.loaders.ask, within.context.store
    query = replace(planned[0].query, keys=tuple(each.query.keys[0] for each in planned), limit=first + 1)
    if handful(query):
        found = await ask(store.rows, query, plan.refs)
        groups = [found.get(key, []) for key in query.keys]
        return _cut(Few([row for group in groups for row in group[:first]]), [*map(len, groups)], first)
    frame = await ask(store.columns, query, plan.refs)
    lengths = sizes(frame, query)
    return _cut(Many(_without_last(frame, lengths, first)), lengths, first)


async def _listed(within: "Answer", plan: ConnectionPlan, planned: Planned) -> Pages:
    """A page of listed rows: all of them are read, for the list is their order unless another is asked for."""
    refs = [*plan.refs, *(order.ref for order in planned.sorting.ordering)]
    query = replace(planned.query, after=None, limit=None)
    frame = await within.context.loaders.ask(within.context.store.columns, query, refs)
    if query.order:
        descending = [order.descending for order in planned.sorting.ordering]
        frame = frame.sort(planned.labels, descending=descending, nulls_last=True)
    start = 0
    if (after := planned.query.after) is not None:
        positions = frame.select(planned.labels).rows()
        start = positions.index(after) + 1 if after in positions else frame.height
    rows = frame[start : start + planned.first]
    return Pages(Many(rows), [0, rows.height], [frame.height > start + planned.first])


def _cut(rows: Batch, lengths: Sequence[int], first: int) -> Pages:
    starts = [0]
    for length in lengths:
        starts.append(starts[-1] + min(length, first))
    return Pages(rows, starts, [length > first for length in lengths])


def _without_last(frame: pl.DataFrame, lengths: Sequence[int], first: int) -> pl.DataFrame:
    """The rows of all pages, less those that only tell that more follow."""
    if len(lengths) == 1:
        return frame.head(first)
    if max(lengths, default=0) <= first:
        return frame
    within = pl.concat([pl.Series([], dtype=pl.Int64), *(pl.int_range(length, eager=True) for length in lengths)])
    return frame.filter(within < first)


# --- fields ----------------------------------------------------------------------------------------


async def _field(
    within: "Answer", node: Any, planned: Sequence[Planned], paths: Sequence[Path], pages: Pages | None
) -> Texts:
    match node:
        case Constant(text):
            return [quoted(text)] * len(planned)
        case Count():
            return [str(count) for count in await within.context.loaders.counts(planned)]
        case Selection():
            return await within.reference.executed(node, planned, paths.__getitem__)
    assert pages is not None
    match node:
        case Level():
            return await within.lists(node, pages, pages.place(paths))
        case Edges():
            return pages.lists(await _edges(within, node, planned, paths, pages))
        case PageInfo():
            return _page_infos(node, planned, pages)
    raise AssertionError(node)


async def _edges(
    within: "Answer", node: Edges, planned: Sequence[Planned], paths: Sequence[Path], pages: Pages
) -> Texts:
    columns = [_of_edges(within, key, part, planned, paths, pages) for key, part in node.fields]
    texts = await asyncio.gather(*columns)
    edges = _objects([key for key, _ in node.fields], texts, len(pages.rows))
    within.replace(texts, edges)
    return edges


async def _of_edges(
    within: "Answer", key: str, part: Any, planned: Sequence[Planned], paths: Sequence[Path], pages: Pages
) -> Texts:
    """One field of all edges."""
    match part:
        case Constant(text):
            return [quoted(text)] * len(pages.rows)
        case Cursor():
            return await apart(len(pages.rows), _cursors, planned, pages)
    edge = pages.place(paths)
    return await within.rows(part, pages.rows, lambda i: edge(i).add_key(key, part.selection.parent.name))


def _cursors(planned: Sequence[Planned], pages: Pages) -> Texts:
    positions = pages.cut(pages.rows.at(planned[0].labels))
    return [quoted(each.cursor(at)) for each, found in zip(planned, positions, strict=True) for at in found]


def _page_infos(node: PageInfo, planned: Sequence[Planned], pages: Pages) -> Texts:
    """Where each page stands."""
    ends = [[*indices[:1], *indices[-1:]] for indices in pages.cut(range(len(pages.rows)))]
    positions = iter(pages.rows.at(planned[0].labels, [index for two in ends for index in two]))
    return [
        _page_info(node, connections.stands(each, [next(positions) for _ in two], more))
        for each, two, more in zip(planned, ends, pages.more, strict=True)
    ]


def _page_info(node: PageInfo, stands: connections.PageInfo) -> str:
    told = {
        "hasNextPage": stands.has_next_page,
        "hasPreviousPage": stands.has_previous_page,
        "startCursor": stands.start_cursor,
        "endCursor": stands.end_cursor,
        "__typename": "PageInfo",
    }
    return orjson.dumps({key: told[name] for key, name in node.fields}).decode()


def _list(texts: Sequence[str | None]) -> str | None:
    """A list of JSON values, if none is missing."""
    return None if None in texts else f"[{','.join(texts)}]"  # type: ignore[arg-type]


def _objects(keys: Sequence[str], columns: Sequence[Texts], count: int) -> Texts:
    """Objects whose values stand in columns; one of which a value is missing is missing."""
    pieces: list[Iterable[str | None]] = [repeat("{", count)]
    for i, (key, column) in enumerate(zip(keys, columns, strict=True)):
        pieces += [repeat(f"{',' if i else ''}{quoted(key)}:", count), column]
    # put together at once: each copy of a page is a MB of memory that the kernel has to find first
    return [None if None in row else "".join(row) for row in zip(*pieces, repeat("}", count), strict=True)]
