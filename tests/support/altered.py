"""Copies of a database in which something is otherwise."""

import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

from gql_nda.stores.sql import SqlStore


@asynccontextmanager
async def altered_store(
    original: Path, folder: Path, alter: Callable[[sqlite3.Connection], object]
) -> AsyncIterator[SqlStore]:
    """A store over a copy of an SQLite database, altered."""
    path = shutil.copy(original, folder / "altered.sqlite")
    with closing(sqlite3.connect(path)) as connection, connection:
        alter(connection)
    store = SqlStore(f"sqlite:///{path}")
    try:
        yield store
    finally:
        await store.close()
