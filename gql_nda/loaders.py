"""Dataloaders: what one level of a query asks for, in one statement.

Three generic loaders serve all 29 tables: a row by key, the page (and count) of a parent's children, and what is read
out of an array.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Generator, Hashable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, TypeVar

import polars as pl
from sqlalchemy import Column

from gql_nda.dataloader import Batch, Loader, once_cancelled
from gql_nda.errors import PublicError
from gql_nda.frames import once
from gql_nda.outages import Outages
from gql_nda.query import Key, Planned, Query, Ref, Relation, Row
from gql_nda.stores import Head, Store, located

V = TypeVar("V")

STATEMENTS_AT_ONCE = 8
"""Statements that one request has under way: it must not take every connection of the pool."""

HELD_BYTES = 64 << 20
"""Bytes of blobs that a level of arrays holds at a time."""


class Page(NamedTuple):
    """The rows of a page, and whether more follow."""

    rows: list[Row]
    more: bool


class Reduction(NamedTuple):
    """Something to be read out of an array: the blob's key, how it is decoded, and a function of that."""

    key: Key
    decode: Callable[[bytes], Any]
    read: Callable[[Any], Any]


class Loaders:
    """The dataloaders of one request, made as they are asked for."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._loaders: dict[Hashable, Loader[Any, Any]] = {}
        self._slots = asyncio.Semaphore(STATEMENTS_AT_ONCE)
        self._asking: set[asyncio.Task[Any]] = set()
        self._outages = Outages()
        self._closed = False

    def _get(self, name: Hashable, batch: Batch[Any, Any]) -> Loader[Any, Any]:
        if name not in self._loaders:
            self._loaders[name] = Loader(batch)
        return self._loaders[name]

    def close(self) -> None:
        """End whatever is still under way, in threads too."""
        self._closed = True
        for loader in self._loaders.values():
            loader.close()
        for task in self._asking:  # graphql-core leaves tasks behind where one of several has failed
            once_cancelled(task)
        self._loaders.clear()  # each knows us by its batch: what they hold needn't wait for the collector

    async def ask(self, question: Callable[..., Awaitable[V]], *arguments: Any) -> V:
        """Ask the store, when one of the request's places is free; once it is closed, who asks is cancelled.

        What the store couldn't tell before it isn't asked.
        """
        task = asyncio.current_task()
        assert task is not None
        async with self._slots:
            if self._closed:
                raise asyncio.CancelledError("the request has ended")
            self._asking.add(task)
            try:
                return await self._outages.ask(question, *arguments)
            finally:
                self._asking.discard(task)

    # --- rows -------------------------------------------------------------------------------------

    def row(self, relation: Relation) -> Loader[Key, Row | None]:
        """Loads the one row of a relation by key; the first by primary key where there are several."""
        return self._get(("row", relation), partial(self._rows, relation, ()))

    def lookup(self, relation: Relation, key: Key) -> "Lookup":
        """The row of a primary key, not fetched yet."""
        return Lookup(self, relation, key)

    async def beside(self, relation: Relation, refs: tuple[Ref, ...], key: Key) -> Row | None:
        """At least some columns of the row of a primary key, and of what stands beside it.

        At once, or in one statement with others.
        """
        if (at_hand := self.store.answers) is not None:
            return at_hand.row(relation, key, refs)
        loaded: Row | None = await self._get(("beside", relation, refs), partial(self._rows, relation, refs)).load(key)
        return loaded

    async def _rows(self, relation: Relation, refs: tuple[Ref, ...], keys: list[Key]) -> list[Row | None]:
        found = await self.ask(self.store.rows, Query(relation.table, relation.on, tuple(keys)), refs)
        return [_first(found.get(key)) for key in keys]

    # --- connections ------------------------------------------------------------------------------

    def page(self, planned: Planned) -> Awaitable[Page]:
        """The rows of a connection's page; pages of many parents alike come in one statement."""
        return self._get(_shape("page", planned), self._pages).load(planned)

    def count(self, planned: Planned) -> Awaitable[int]:
        """Number of rows of a connection, over all its pages."""
        return self._get(_shape("count", planned), self.counts).load(planned)

    async def counts(self, plans: Sequence[Planned]) -> list[int]:
        """Number of rows of each of some connections that differ only in their parents: one fetch."""
        found = await self.ask(self.store.counts, _together(plans))
        return [sum(found.get(key, 0) for key in dict.fromkeys(planned.query.keys)) for planned in plans]

    def columns(self, planned: Planned, refs: Iterable[Ref]) -> Awaitable[pl.DataFrame]:
        """Columns of all rows of a connection, on whatever page, by primary key.

        Whatever is asked at once of connections that differ in their parents and pages comes in one fetch.
        """
        whole = replace(planned, query=replace(planned.query, order=(), after=None), first=0)
        return self._get(_shape("columns", whole), self._columns).load((whole, tuple(refs)))

    async def _columns(self, wanted: list[tuple[Planned, tuple[Ref, ...]]]) -> list[pl.DataFrame]:
        plans = [planned for planned, _ in wanted]
        keys = tuple(dict.fromkeys(_together(plans).keys))
        query = replace(plans[0].query, keys=keys)
        rows = await self.ask(self.store.columns, query, once(ref for _, refs in wanted for ref in refs))
        if plans[0].listed or len(keys) == 1:
            return [rows] * len(wanted)
        parts = await asyncio.to_thread(lambda: rows.partition_by(query.on, as_dict=True))
        return [parts.get(planned.query.keys[0], rows.clear()) for planned in plans]

    async def _pages(self, plans: list[Planned]) -> list[Page]:
        if plans[0].listed:
            return [await self._listed(planned) for planned in plans]
        first = plans[0].first
        found = await self.ask(self.store.rows, replace(_together(plans), limit=first + 1))
        groups = [found.get(planned.query.keys[0], []) for planned in plans]
        return [Page(rows[:first], len(rows) > first) for rows in groups]

    async def _listed(self, planned: Planned) -> Page:
        """A page of the rows with the listed keys, in the list's order unless another is asked for."""
        query = planned.query
        found = await self.ask(self.store.rows, replace(query, after=None, limit=None))
        rows = [row for key in dict.fromkeys(query.keys) for row in found.get(key, [])]
        rows = planned.sorting.sort(rows) if query.order else rows
        start = _position(planned, rows)
        stop = start + planned.first
        return Page(rows[start:stop], len(rows) > stop)

    # --- arrays -----------------------------------------------------------------------------------

    def head(self, column: Column[Any]) -> Loader[Key, Head | None]:
        """Loads the beginning and the length of a blob by primary key."""

        async def batch(keys: list[Key]) -> list[Head | None]:
            found = await self.ask(self.store.heads, column, keys)
            return [found.get(key) for key in keys]

        return self._get(("head", column), batch)

    def reduced(self, column: Column[Any]) -> Loader[Reduction, Any]:
        """Loads what is read out of blobs: each is fetched and decoded once, and then dropped.

        No more than ``HELD_BYTES`` of blobs are held at a time, however many a level has.
        """

        async def batch(wanted: list[Reduction]) -> list[Any]:
            readers: dict[Key, list[Reduction]] = defaultdict(list)
            for reduction in wanted:
                readers[reduction.key].append(reduction)
            results: dict[Reduction, Any] = {}
            for keys in await self.portions(list(readers), column):
                blobs = await self.ask(self.store.blobs, column, keys)
                work = [(blob, readers[key]) for key, blob in blobs.items()]
                results.update(await asyncio.to_thread(_read, column, work, lambda: self._closed))
            return [results.get(reduction) for reduction in wanted]

        return self._get(("reduced", column), batch)

    async def portions(self, keys: list[Key], *columns: Column[Any], most: int = HELD_BYTES) -> list[list[Key]]:
        """The keys in portions whose blobs of all columns can be held together; what is too large stands alone."""
        heads = await asyncio.gather(*(self.head(column).load_many(keys) for column in columns))
        portions: list[list[Key]] = [[]]
        held = 0
        for key, *mine in zip(keys, *heads, strict=True):
            size = sum(head.size for head in mine if head is not None)
            held += size
            if held > most and portions[-1]:
                portions.append([])
                held = size
            portions[-1].append(key)
        return portions

    # --- derived ----------------------------------------------------------------------------------

    def shared(self, name: Hashable, batch: Callable[[list[Any]], Coroutine[Any, Any, Sequence[V]]]) -> Loader[Any, V]:
        """Loads a batch function's results by keys of whatever kind: all that are asked for at once in one call."""
        return self._get(("shared", name), batch)

    def derived(self, name: Hashable, batch: Callable[[list[Row]], Awaitable[Sequence[V]]]) -> Loader[Any, V]:
        """Loads a batch function's results: all rows of a level in one call. Load with ``Derived``."""

        async def unwrapped(parents: list[Derived]) -> Sequence[V]:
            return await batch([parent.row for parent in parents])

        return self._get(("derived", name), unwrapped)


class Lookup:
    """The row of a primary key: awaited, it is the row or None. Planned execution fetches what it needs instead."""

    __slots__ = ("_loaders", "key", "relation")

    def __init__(self, loaders: Loaders, relation: Relation, key: Key) -> None:
        self._loaders, self.relation, self.key = loaders, relation, key

    def __await__(self) -> Generator[Any, None, Row | None]:
        return self._loaders.row(self.relation).load(self.key).__await__()


class Derived:
    """A row as a key: equal to another when they are the same row of the same table."""

    __slots__ = ("name", "row")

    def __init__(self, row: Row) -> None:
        self.row, self.name = row, (row.table.name, row.key)

    def __hash__(self) -> int:
        return hash(self.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Derived) and self.name == other.name


def _read(
    column: Column[Any], work: Iterable[tuple[bytes, list[Reduction]]], closed: Callable[[], bool]
) -> dict[Reduction, Any]:
    """The results of reductions; an error is a result and stays with its own array."""
    results: dict[Reduction, Any] = {}
    for blob, reductions in work:
        decoded: dict[Callable[[bytes], Any], Any] = {}
        for reduction in reductions:
            if closed():  # nobody waits for it any more
                return results
            results[reduction] = _reduce(column, blob, reduction, decoded)
    return results


def _reduce(column: Column[Any], blob: bytes, reduction: Reduction, decoded: dict[Callable[[bytes], Any], Any]) -> Any:
    """The result of one reduction of a blob, which is decoded once in each way that is asked for."""
    try:
        if reduction.decode not in decoded:
            decoded[reduction.decode] = reduction.decode(blob)
        return reduction.read(decoded[reduction.decode])
    except PublicError as error:
        return located(error, column, reduction.key)
    except Exception as error:  # unforeseen, and yet this array's alone
        return error


def _first(rows: list[Row] | None) -> Row | None:
    return min(rows, key=lambda row: row.key) if rows else None


def _shape(kind: str, planned: Planned) -> Hashable:
    """What connections have in common that one statement can serve: all but the parent."""
    keys = planned.query.keys if planned.listed else ()
    return kind, replace(planned, query=replace(planned.query, keys=keys))


def _together(plans: Sequence[Planned]) -> Query:
    """The query of all plans, which differ only in their keys."""
    return replace(plans[0].query, keys=tuple(key for planned in plans for key in planned.query.keys))


def _position(planned: Planned, rows: list[Row]) -> int:
    """Index of the first row behind the cursor."""
    if planned.query.after is None:
        return 0
    labels = [o.ref.label for o in planned.sorting.ordering]
    for index, row in enumerate(rows):
        if tuple(row[label] for label in labels) == planned.query.after:
            return index + 1
    return len(rows)
