"""Stores that fail or take their time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import polars as pl
from sqlalchemy import Column

from gql_nda.query import Key, Query, Ref, Row
from gql_nda.stores.sql import SqlStore


class SlowStore(SqlStore):
    """A store whose reads wait until they are told to go on."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.go = asyncio.Event()
        self.begun = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.reading = 0

    async def _wait(self) -> None:
        self.begun.set()
        self.reading += 1
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        finally:
            self.reading -= 1

    async def rows(self, query: Query, refs: Sequence[Ref] = ()) -> dict[Key, list[Row]]:
        await self._wait()
        return await super().rows(query, refs)

    async def columns(self, query: Query, refs: Sequence[Ref]) -> pl.DataFrame:
        await self._wait()
        return await super().columns(query, refs)

    async def chunks(self, column: Column[Any], key: Key, size: int) -> AsyncIterator[bytes]:
        await self._wait()
        async for piece in super().chunks(column, key, size):
            yield piece


class BrokenStore(SqlStore):
    """A store whose reads raise."""

    def __init__(self, url: str, error: Exception) -> None:
        super().__init__(url)
        self.error = error

    async def rows(self, query: Query, refs: Sequence[Ref] = ()) -> dict[Key, list[Row]]:
        raise self.error

    async def columns(self, query: Query, refs: Sequence[Ref]) -> pl.DataFrame:
        raise self.error
