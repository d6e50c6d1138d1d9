"""A database of a few fields, whose pictures hold what a test puts there."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import create_engine

from gql_nda import tables as t
from gql_nda.codec import pack
from gql_nda.stores.sql import SqlStore

SESSION, SCAN_IDX = 1, 1
AVERAGE = np.arange(6.0).reshape(2, 3)
"""What stands beside every correlation."""


@asynccontextmanager
async def picture_store(folder: Path, pictures: Sequence[Any]) -> AsyncIterator[SqlStore]:
    """A store whose fields 1, 2, 3 ... have these correlations: arrays, or the bytes of a blob."""
    path = folder / "pictures.sqlite"
    engine = create_engine(f"sqlite:///{path}")
    scan = {"session": SESSION, "scan_idx": SCAN_IDX}
    sizes = dict.fromkeys(("px_width", "px_height", "um_width", "um_height", "field_x", "field_y", "field_z"), 1)
    with engine.begin() as connection:
        t.metadata.create_all(connection)
        connection.execute(t.scan.insert(), {**scan, "nframes": 1, "nfields": 1, "fps": 1})
        for number, picture in enumerate(pictures, 1):
            key = {**scan, "field": number}
            blobs = {"correlation": blob(picture), "average": pack(AVERAGE)}
            connection.execute(t.field.insert(), {**key, **sizes})
            connection.execute(t.summary_images.insert(), {**key, **blobs})
    engine.dispose()
    store = SqlStore(f"sqlite:///{path}")
    try:
        yield store
    finally:
        await store.close()


def blob(picture: Any) -> bytes:
    """The bytes of an array, or those given."""
    return picture if isinstance(picture, bytes) else pack(np.asarray(picture, order="F"))


def address(number: int, column: str = "correlation") -> str:
    """Where a field's picture can be read."""
    return f"/arrays/summary_images/{SESSION}.{SCAN_IDX}.{number}/{column}"
