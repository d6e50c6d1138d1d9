"""A database of a few rows, which hold what a test puts there."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Table, create_engine

from gql_nda import tables as t
from gql_nda.codec import pack
from gql_nda.stores.sql import SqlStore

Row = Mapping[str, Any]


@asynccontextmanager
async def little_store(folder: Path, rows: Mapping[Table, Sequence[Row]]) -> AsyncIterator[SqlStore]:
    """A store of these rows; arrays and lists among their values are packed, the bytes of a blob stay as they are."""
    path = folder / "little.sqlite"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        t.metadata.create_all(connection)
        for table, given in rows.items():
            connection.execute(table.insert(), [{name: _packed(value) for name, value in row.items()} for row in given])
    engine.dispose()
    store = SqlStore(f"sqlite:///{path}")
    try:
        yield store
    finally:
        await store.close()


def _packed(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return pack(np.asarray(value, order="F"))
    return pack(value) if isinstance(value, list) else value
