"""The store that answers from a snapshot, and from the live database until there is one."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import polars as pl
from sqlalchemy import Column

from gql_nda.errors import StoreUnavailable, Timeout
from gql_nda.query import Key, Query, Ref, Relation, Row
from gql_nda.stores import Head, Store, content
from gql_nda.stores.snapshot.answers import Answers
from gql_nda.stores.snapshot.build import Folder
from gql_nda.stores.snapshot.data import Data
from gql_nda.stores.snapshot.files import Wide

log = logging.getLogger(__name__)

T = TypeVar("T")

AGAIN = 15.0
"""Seconds until a database that is away is asked anew."""


class SnapshotStore:
    """Rows, columns and counts from a snapshot, blobs from the live store; see ``gql_nda.stores.Store``.

    Until the snapshot is known to hold what the database holds, and wherever there can't be one, the live
    store answers. From one query to the next nobody but the clock can tell.
    """

    def __init__(self, live: Store, folder: Folder, reader: Store | None = None) -> None:
        """With a ``reader`` of its own, which is closed after use, reading all rows takes nothing from requests."""
        self.live, self._folder, self.name = live, folder, live.name
        self._reader = reader or live
        self._answers: Answers | None = None
        self._fingerprint = ""
        self._task: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()

    # --- life -------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin to watch the database, and to look for a snapshot of it."""
        await self.live.start()
        self._task = asyncio.create_task(self._prepare())

    async def close(self) -> None:
        """Give back every connection."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self.live.close()

    @property
    def ready(self) -> bool:
        """Whether the database, which has the blobs, answered when it was last asked."""
        return self.live.ready

    @property
    def answers(self) -> Answers | None:
        """The snapshot, when it is in use: it answers at once, for whoever need not wait."""
        return self._answers

    async def settled(self) -> None:
        """Return when it is known whether there is a snapshot for now."""
        if self._task is not None:
            await self._tried.wait()

    async def _prepare(self) -> None:
        again = True
        while again:
            again = await self._try()
            self._tried.set()
            if again:
                await asyncio.sleep(AGAIN)

    async def _try(self) -> bool:
        """Look for a snapshot; whether to do so again."""
        try:
            fingerprint, wide = await prepared(self._reader, self._folder)
            self._answers, self._fingerprint = await asyncio.to_thread(lambda: Answers(Data(wide))), fingerprint
        except (StoreUnavailable, Timeout) as error:
            log.warning("no snapshot yet: %s", error)
            return True
        except Exception as error:  # whatever it is, there is another way to answer
            log.warning("no snapshot, the database answers: %s: %s", type(error).__name__, error)
        else:
            log.info("snapshot %s answers", fingerprint)
        finally:
            if self._reader is not self.live:
                await self._reader.close()
            gc.collect()  # of all rows, which nobody will need again
        return False

    async def fingerprint(self) -> str:
        """Names the data; see ``content.fingerprint``."""
        await self.settled()
        return self._fingerprint or await content.fingerprint(self.live)

    # --- from the snapshot ------------------------------------------------------------------------

    async def rows(self, query: Query, refs: Sequence[Ref] = ()) -> dict[Key, list[Row]]:
        """The rows of each key, in the query's order."""
        if self._answers is None:
            return await self.live.rows(query, refs)
        return await self._asked(query, partial(self._answers.rows, query, refs))

    async def columns(self, query: Query, refs: Sequence[Ref]) -> pl.DataFrame:
        """The rows of all keys, as a frame."""
        if self._answers is None:
            return await self.live.columns(query, refs)
        return await self._asked(query, partial(self._answers.columns, query, refs))

    async def counts(self, query: Query) -> dict[Key, int]:
        """Number of rows of each key."""
        if self._answers is None:
            return await self.live.counts(query)
        return await self._asked(query, partial(self._answers.counts, query))

    async def largest(self, relation: Relation) -> int:
        """Number of rows of the relation's largest group."""
        return await self.live.largest(relation) if self._answers is None else self._answers.largest(relation)

    async def _asked(self, query: Query, answer: Callable[[], T]) -> T:
        """The answer: at once, or from a thread where others would have to wait for it."""
        assert self._answers is not None
        return await asyncio.to_thread(answer) if self._answers.slow(query) else answer()

    # --- from the database ------------------------------------------------------------------------

    async def heads(self, column: Column[Any], keys: Sequence[Key]) -> dict[Key, Head]:
        """The beginning of each blob."""
        return await self.live.heads(column, keys)

    async def blobs(self, column: Column[Any], keys: Sequence[Key]) -> dict[Key, bytes]:
        """Whole blobs."""
        return await self.live.blobs(column, keys)

    def chunks(self, column: Column[Any], key: Key, size: int) -> AsyncIterator[bytes]:
        """One blob in successive pieces."""
        return self.live.chunks(column, key, size)

    async def describe(self) -> dict[str, dict[str, Any]]:
        """What the database holds of the 29 tables."""
        return await self.live.describe()

    async def probe(self) -> dict[str, str]:
        """What the database says of itself."""
        return await self.live.probe()


BUILDS = 3
"""Snapshots that are built in a row, while rows go on changing."""


async def prepared(live: Store, folder: Folder) -> tuple[str, Wide]:
    """The snapshot of what the database holds now, and its fingerprint: found, or built.

    One that was built is looked for like any other: rows that change while they are read make one of no state that
    the database ever had, and its fingerprint isn't found again.

    Raises PublicError where the database fails, OSError where the folder does, ValueError where the
    database holds what nda doesn't, or goes on changing.
    """
    builds = 0
    while True:
        before = await asyncio.to_thread(folder.snapshots)
        if before:
            fingerprint = await content.fingerprint(live)
            if wide := await asyncio.to_thread(folder.find, fingerprint):
                return fingerprint, wide
        async with folder.locked():
            if await asyncio.to_thread(folder.snapshots) == before:  # else another process has built one meanwhile
                if builds == BUILDS:
                    raise ValueError("rows change while they are read")
                builds += 1
                await _build(live, folder)


async def _build(live: Store, folder: Folder) -> None:
    log.info("building a snapshot in %s", folder.root)
    await folder.build(live, lambda step, done: log.debug("snapshot: %.0f %%, %s", 100 * done, step), resume=False)
