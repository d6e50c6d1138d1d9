"""Who holds the rows.

A store answers queries (``gql_nda.query``) and reads blobs; it knows no GraphQL. Every store gives the
same answers to the bit: one contract suite runs on all of them.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple, Protocol

import polars as pl
from sqlalchemy import Column, Table

from gql_nda.errors import BlobCorrupt, PublicError
from gql_nda.query import Key, Query, Ref, Relation, Row
from gql_nda.tables import key_names

HEAD = 512
"""Bytes of a blob that are read for its header."""


class Head(NamedTuple):
    """The first ``HEAD`` bytes of a blob and the length of the whole."""

    prefix: bytes
    size: int


class AtHand(Protocol):
    """Rows that nobody need wait for."""

    def row(self, relation: Relation, key: Key, refs: Sequence[Ref]) -> Row | None:
        """Some columns of the first row of a relation's key, by primary key, and of what stands beside it."""


class Store(Protocol):
    """Rows, counts and blobs of the 29 tables. All reads; nothing is ever written.

    Raises StoreUnavailable when the database is away or frozen, Timeout when a statement takes
    longer than its deadline.
    """

    name: str

    async def start(self) -> None:
        """Begin to watch the database; a database that is away is no error yet."""

    async def close(self) -> None:
        """Give back every connection."""

    @property
    def ready(self) -> bool:
        """Whether the database answered when it was last asked."""

    @property
    def answers(self) -> AtHand | None:
        """Who has the rows at hand; None while they must be asked for."""

    async def rows(self, query: Query, refs: Sequence[Ref] = ()) -> dict[Key, list[Row]]:
        """The rows of each key, in the query's order; a key without rows is absent.

        Besides its own columns a row holds those of ``refs``, under their labels: for a few rows.
        """

    async def columns(self, query: Query, refs: Sequence[Ref]) -> pl.DataFrame:
        """The rows of all keys as ``gql_nda.frames`` has them: for many rows, of which few columns are read.

        Rows stand by their key's position in the query, then in the query's order.
        """

    async def counts(self, query: Query) -> dict[Key, int]:
        """Number of rows of each key, whatever the query's page; a key without rows is absent."""

    async def largest(self, relation: Relation) -> int:
        """Number of rows of the relation's largest group, 0 in an empty table."""

    async def fingerprint(self) -> str:
        """Names the rows: a checksum of all narrow columns, equal on every store that holds them."""

    async def heads(self, column: Column[Any], keys: Sequence[Key]) -> dict[Key, Head]:
        """The beginning of each blob, by primary key; NULL and absent rows are left out."""

    async def blobs(self, column: Column[Any], keys: Sequence[Key]) -> dict[Key, bytes]:
        """Whole blobs, by primary key; NULL and absent rows are left out."""

    def chunks(self, column: Column[Any], key: Key, size: int) -> AsyncIterator[bytes]:
        """One blob in successive pieces of ``size`` bytes, read as they are asked for."""

    async def describe(self) -> dict[str, dict[str, Any]]:
        """What the database holds of the 29 tables: columns by name, as SQLAlchemy's inspector tells them."""

    async def probe(self) -> dict[str, str]:
        """What the database says of itself: version, and whether the user may write."""


def table_of(column: Column[Any]) -> Table:
    """The table a column belongs to."""
    table: Any = column.table
    assert isinstance(table, Table)
    return table


def located(error: PublicError, column: Column[Any], key: Key) -> PublicError:
    """An error of the codec, told where the blob lies."""
    if not isinstance(error, BlobCorrupt):
        return error
    table = table_of(column)
    named = {str(name): value for name, value in zip(key_names(table), key, strict=True)}  # no quoted_name
    return error.within(table.name, column.name, named)
