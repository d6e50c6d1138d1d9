"""What is told of the whole dataset."""

import asyncio
from hashlib import blake2b

import orjson

from gql_nda.query import Query, Relation, Row
from gql_nda.stores import Store
from gql_nda.tables import TABLES, narrow

CITATION = (
    "MICrONS Consortium. Functional connectomics spanning multiple areas of mouse visual cortex. "
    "Nature 640, 435-447 (2025). doi:10.1038/s41586-025-08790-w"
)

_PAGE = 20_000


class Dataset:
    """Row counts and fingerprint of a store, each computed once, when first asked for."""

    def __init__(self, store: Store, version: str | None = None) -> None:
        self._store, self.version = store, version
        self._lock = asyncio.Lock()
        self._counts: dict[str, int] | None = None
        self._fingerprint: str | None = None
        self._largest: dict[Relation, int] = {}

    @property
    def name(self) -> str:
        """Name of the database, or of the demo's file."""
        return self._store.name

    async def counts(self) -> dict[str, int]:
        """Number of rows of each table."""
        async with self._lock:
            if self._counts is None:
                self._counts = {name: await self._count(name) for name in TABLES}
            return self._counts

    async def fingerprint(self) -> str:
        """Names the data: a checksum of all rows, less the blobs, equal on every store that holds them."""
        async with self._lock:
            if self._fingerprint is None:
                self._fingerprint = await self._checksum()
            return self._fingerprint

    async def largest(self, relation: Relation) -> int:
        """Number of rows of the relation's largest group, counted once."""
        async with self._lock:
            if relation not in self._largest:
                self._largest[relation] = await self._store.largest(relation)
            return self._largest[relation]

    async def _count(self, name: str) -> int:
        return (await self._store.counts(Query(TABLES[name]))).get((), 0)

    async def _checksum(self) -> str:
        checksum = blake2b(digest_size=8)
        for name, table in TABLES.items():
            columns = [c.name for c in narrow(table)]
            checksum.update(name.encode())
            query = Query(table, limit=_PAGE)
            while rows := await self._page(query):
                checksum.update(orjson.dumps([row.at(columns) for row in rows]))
                query = Query(table, limit=_PAGE, after=rows[-1].key)
        return checksum.hexdigest()

    async def _page(self, query: Query) -> list[Row]:
        return (await self._store.rows(query)).get((), [])
