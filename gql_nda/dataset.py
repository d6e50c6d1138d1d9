"""What is told of the whole dataset."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any

from gql_nda.errors import StoreUnavailable, Timeout
from gql_nda.query import Query, Relation
from gql_nda.stores import Store
from gql_nda.tables import TABLES

CITATION = (
    "MICrONS Consortium. Functional connectomics spanning multiple areas of mouse visual cortex. "
    "Nature 640, 435-447 (2025). doi:10.1038/s41586-025-08790-w"
)


REMEMBERED = 60.0
"""Seconds for which the failure of a computation is remembered."""


class Dataset:
    """Row counts and fingerprint of a store, each computed once, when first asked for.

    A computation belongs to no request: it goes on when the first to ask has left, and whoever asks
    meanwhile waits for the same one. One that failed is begun anew: at once where the database was away, else after
    a while, for it will fail again and may take seconds to do so.
    """

    def __init__(self, store: Store, version: str | None = None) -> None:
        self._store, self.version = store, version
        self._tasks: dict[Hashable, asyncio.Task[Any]] = {}
        self._again: dict[Hashable, float] = {}

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
        fingerprint: str = await self._once(self._fingerprint, self._store.fingerprint)
        return fingerprint

    def known_fingerprint(self) -> str | None:
        """The fingerprint of a snapshot's rows, as soon as it is known; None while the database answers."""
        if self._store.answers is None:
            return None
        task = self._begun(self._fingerprint, self._store.fingerprint)
        return task.result() if task.done() and not _failed(task) else None

    @property
    def _fingerprint(self) -> Hashable:
        """Names the computation: a snapshot's rows may be others than those that the database had before."""
        return "fingerprint", self._store.answers is not None

    async def largest(self, relation: Relation) -> int:
        """Number of rows of the relation's largest group."""
        rows: int = await self._once(relation, lambda: self._store.largest(relation))
        return rows

    async def _once(self, name: Hashable, compute: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        return await asyncio.shield(self._begun(name, compute))

    def _begun(self, name: Hashable, compute: Callable[[], Coroutine[Any, Any, Any]]) -> asyncio.Task[Any]:
        task = self._tasks.get(name)
        if task is None or (task.done() and _failed(task) and self._now() >= self._again[name]):
            task = self._tasks[name] = asyncio.create_task(compute())
            task.add_done_callback(lambda ended: self._ended(name, ended))
        return task

    def _ended(self, name: Hashable, task: asyncio.Task[Any]) -> None:
        away = _failed(task) and (task.cancelled() or isinstance(task.exception(), StoreUnavailable | Timeout))
        self._again[name] = self._now() + (0 if away else REMEMBERED)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    async def _count_all(self) -> dict[str, int]:
        return {name: await self._count(name) for name in TABLES}

    async def _count(self, name: str) -> int:
        return (await self._store.counts(Query(TABLES[name]))).get((), 0)


def _failed(task: asyncio.Task[Any]) -> bool:
    return task.cancelled() or task.exception() is not None
