"""Snapshots in folders of their own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gql_nda.stores.snapshot import Folder, SnapshotStore
from gql_nda.stores.sql import SqlStore


@asynccontextmanager
async def snapshot_of(url: str, root: Path) -> AsyncIterator[SnapshotStore]:
    """A store that has tried to have a snapshot of a database."""
    store = SnapshotStore(SqlStore(url), Folder(root, "tested"))
    await store.start()
    try:
        await store.settled()
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def answering(url: str, root: Path) -> AsyncIterator[SnapshotStore]:
    """A store that has one."""
    async with snapshot_of(url, root) as store:
        assert store.answers is not None
        yield store
