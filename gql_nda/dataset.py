"""What is told of the whole dataset."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any

from gql_nda.query import Query, Relation
from gql_nda.stores import Store
from gql_nda.tables import TABLES

CITATION = (
    "MICrONS Consortium. Functional connectomics spanning multiple areas of mouse visual cortex. "
    "Nature 640, 435-447 (2025). doi:10.1038/s41586-025-08790-w"
)


class Dataset:
    """Row counts and fingerprint of a store, each computed once, when first asked for.

    A computation belongs to no request: it goes on when the first to ask has left, and whoever asks
    meanwhile waits for the same one. One that failed is begun anew.
    """

    def __init__(self, store: Store, version: str | None = None) -> None:
        self._store, self.version = store, version
        self._tasks: dict[Hashable, asyncio.Task[Any]] = {}

    @property
    def name(self) -> str:
        """Name of the database, or of the demo's file."""
        return self._store.name

    async def counts(self) -> dict[str, int]:
        """Number of rows of each table."""
        counts: dict[str, int] = await self._once("counts", self._count_all)
        return counts

    async def fingerprint(self) -> str:
        """Names the data: a checksum of all rows, less the blobs, equal on every store that holds them."""
        fingerprint: str = await self._once("fingerprint", self._store.fingerprint)
        return fingerprint

    def known_fingerprint(self) -> str | None:
        """The fingerprint if it is known by now; else it is being computed from now on."""
        task = self._begun("fingerprint", self._store.fingerprint)
        return task.result() if task.done() and not _failed(task) else None

    async def largest(self, relation: Relation) -> int:
        """Number of rows of the relation's largest group."""
        rows: int = await self._once(relation, lambda: self._store.largest(relation))
        return rows

    async def _once(self, name: Hashable, compute: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        return await asyncio.shield(self._begun(name, compute))

    def _begun(self, name: Hashable, compute: Callable[[], Coroutine[Any, Any, Any]]) -> asyncio.Task[Any]:
        task = self._tasks.get(name)
        if task is None or (task.done() and _failed(task)):
            task = self._tasks[name] = asyncio.create_task(compute())
            task.add_done_callback(_failed)  # seen, although nobody may wait for it
        return task

    async def _count_all(self) -> dict[str, int]:
        return {name: await self._count(name) for name in TABLES}

    async def _count(self, name: str) -> int:
        return (await self._store.counts(Query(TABLES[name]))).get((), 0)


def _failed(task: asyncio.Task[Any]) -> bool:
    return task.cancelled() or task.exception() is not None
