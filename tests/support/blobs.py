"""A database of a few fields, whose pictures hold what a test puts there."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Table

from gql_nda import tables as t
from gql_nda.codec import pack
from gql_nda.stores.sql import SqlStore
from tests.support.little import Row, little_store

SESSION, SCAN_IDX = 1, 1
AVERAGE = np.arange(6.0).reshape(2, 3)
"""What stands beside every correlation."""


@asynccontextmanager
async def picture_store(folder: Path, pictures: Sequence[Any]) -> AsyncIterator[SqlStore]:
    """A store whose fields 1, 2, 3 ... have these correlations: arrays, or the bytes of a blob."""
    scan = {"session": SESSION, "scan_idx": SCAN_IDX}
    sizes = dict.fromkeys(("px_width", "px_height", "um_width", "um_height", "field_x", "field_y", "field_z"), 1)
    keys = [{**scan, "field": number} for number in range(1, len(pictures) + 1)]
    rows: dict[Table, list[Row]] = {
        t.scan: [{**scan, "nframes": 1, "nfields": 1, "fps": 1}],
        t.field: [{**key, **sizes} for key in keys],
        t.summary_images: [
            {**key, "correlation": blob(picture), "average": AVERAGE}
            for key, picture in zip(keys, pictures, strict=True)
        ],
    }
    async with little_store(folder, rows) as store:
        yield store


def blob(picture: Any) -> bytes:
    """The bytes of an array, or those given."""
    return picture if isinstance(picture, bytes) else pack(np.asarray(picture, order="F"))


def address(number: int, column: str = "correlation") -> str:
    """Where a field's picture can be read."""
    return f"/arrays/summary_images/{SESSION}.{SCAN_IDX}.{number}/{column}"
